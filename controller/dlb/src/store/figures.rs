//! Means and maxima of one owner's quantities over a stretch of time, and how two stretches add up.

use super::sample::{Owner, QUANTITIES, Values};
use std::collections::BTreeMap;

/// Each mean is weighted by the milliseconds that it stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Figures {
    pub(super) weight_ms: u64,
    pub(super) mean: [Option<f64>; QUANTITIES],
    pub(super) max: [Option<i64>; QUANTITIES],
}

/// All owners over one stretch of time.
pub(super) type Row = BTreeMap<Owner, Figures>;

impl Figures {
    pub(super) fn of(values: &Values, weight_ms: u64) -> Self {
        Self { weight_ms, mean: values.map(|value| value.map(|value| value as f64)), max: *values }
    }

    /// A quantity that is known in one of the two only has that one's mean.
    pub(super) fn merge(&mut self, other: &Self) {
        let (own, added) = (self.weight_ms.max(1) as f64, other.weight_ms.max(1) as f64);
        for quantity in 0..QUANTITIES {
            self.mean[quantity] = match (self.mean[quantity], other.mean[quantity]) {
                (Some(one), Some(two)) => Some((one * own + two * added) / (own + added)),
                (one, two) => one.or(two),
            };
            self.max[quantity] = self.max[quantity].max(other.max[quantity]);
        }
        self.weight_ms = self.weight_ms.saturating_add(other.weight_ms);
    }
}

pub(super) fn merge_rows(into: &mut Row, other: &Row) {
    for (owner, figures) in other {
        match into.get_mut(owner) {
            Some(known) => known.merge(figures),
            None => {
                into.insert(owner.clone(), *figures);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_quiet_and_a_short_loud_stretch_have_a_weighted_mean_and_the_loud_maximum() {
        let mut values = [None; QUANTITIES];
        values[0] = Some(600);
        let mut quiet = Figures::of(&values, 9_000);
        values[0] = Some(1600);
        values[6] = Some(-5);
        quiet.merge(&Figures::of(&values, 1_000));
        assert_eq!((quiet.mean[0], quiet.max[0]), (Some(700.0), Some(1600)));
        assert_eq!((quiet.mean[6], quiet.max[6], quiet.weight_ms), (Some(-5.0), Some(-5), 10_000));
    }
}
