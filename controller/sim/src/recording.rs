//! A load as somebody measured it: amperes per line at instants, held until the next one.

use dlb_engine::lines::PerLine;

/// Rows with rising times, in scenario seconds from the start of the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    rows: Vec<(f64, PerLine<f64>)>,
    now_s: f64,
    at: usize,
}

impl Recording {
    /// Rows in any order. Before the first one its values hold; after the last one, the last one's.
    #[must_use]
    pub fn new(mut rows: Vec<(f64, PerLine<f64>)>) -> Self {
        rows.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        Self { rows, now_s: 0.0, at: 0 }
    }

    pub(crate) fn advance(&mut self, seconds: f64) {
        self.now_s += seconds;
        while self.rows.get(self.at + 1).is_some_and(|(at, _)| *at <= self.now_s) {
            self.at += 1;
        }
    }

    #[must_use]
    pub fn amps(&self) -> PerLine<f64> {
        self.rows.get(self.at).map_or_else(PerLine::default, |(_, amps)| *amps)
    }

    /// What it will be at a time from the start.
    #[must_use]
    pub fn at(&self, seconds: f64) -> PerLine<f64> {
        let next = self.rows.partition_point(|(at, _)| *at <= seconds);
        self.rows.get(next.saturating_sub(1)).map_or_else(PerLine::default, |(_, amps)| *amps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_load_holds_until_the_next_row() {
        let row = |at, amps| (at, PerLine::all(amps));
        let mut load = Recording::new(vec![row(900.0, 20.0), row(0.0, 10.0)]);
        assert_eq!(load.amps(), PerLine::all(10.0));
        load.advance(899.0);
        assert_eq!((load.amps(), load.at(900.0)), (PerLine::all(10.0), PerLine::all(20.0)));
        load.advance(2.0);
        assert_eq!(load.amps(), PerLine::all(20.0));
    }
}
