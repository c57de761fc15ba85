//! A quantity that wanders about its mean and comes back to it, as the sum of many small loads does
//! (an Ornstein–Uhlenbeck process).

use crate::rng::Rng;

#[derive(Clone, Debug)]
pub struct Breath {
    /// Standard deviation over a long time.
    spread: f64,
    /// Time in which it forgets.
    memory_s: f64,
    value: f64,
}

impl Breath {
    #[must_use]
    pub const fn new(spread: f64, memory_s: f64) -> Self {
        Self { spread, memory_s, value: 0.0 }
    }

    /// The deviation after so many seconds more; the same whether they come in one step or in many.
    pub fn advance(&mut self, seconds: f64, rng: &mut Rng) -> f64 {
        let kept = (-seconds / self.memory_s).exp();
        let fresh = self.spread * (1.0 - kept * kept).sqrt();
        self.value = self.value * kept + fresh * rng.normal();
        self.value
    }

    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_near_its_mean_with_the_promised_spread() {
        let mut rng = Rng::new(3);
        let mut breath = Breath::new(2.0, 30.0);
        let values: Vec<f64> = (0..20_000).map(|_| breath.advance(10.0, &mut rng)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        assert!(mean.abs() < 0.15, "{mean}");
        assert!((variance.sqrt() - 2.0).abs() < 0.1, "{}", variance.sqrt());
    }
}
