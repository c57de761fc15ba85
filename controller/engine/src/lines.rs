//! The three lines of a supply, one value for each, and how a charger hangs on them.

use crate::units::Milliamps;
use core::ops::{Add, Index, IndexMut, Sub};

/// A line conductor of the site, as IEC 60445 names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    L1,
    L2,
    L3,
}

impl Line {
    pub const ALL: [Self; 3] = [Self::L1, Self::L2, Self::L3];

    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
        }
    }
}

impl core::str::FromStr for Line {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|line| line.name() == text).ok_or(())
    }
}

/// One value for each line. A single-phase site uses L1 and leaves the others at their default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PerLine<T>(pub [T; 3]);

impl<T: Copy> PerLine<T> {
    #[must_use]
    pub const fn all(value: T) -> Self {
        Self([value; 3])
    }

    #[must_use]
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> PerLine<U> {
        PerLine(self.0.map(change))
    }

    #[must_use]
    pub fn zip_with<U: Copy, V>(self, other: PerLine<U>, mut join: impl FnMut(T, U) -> V) -> PerLine<V> {
        PerLine(core::array::from_fn(|i| join(self.0[i], other.0[i])))
    }

    pub fn iter(self) -> impl Iterator<Item = (Line, T)> {
        Line::ALL.into_iter().zip(self.0)
    }
}

impl<T> Index<Line> for PerLine<T> {
    type Output = T;
    fn index(&self, line: Line) -> &T {
        &self.0[line.index()]
    }
}

impl<T> IndexMut<Line> for PerLine<T> {
    fn index_mut(&mut self, line: Line) -> &mut T {
        &mut self.0[line.index()]
    }
}

impl<T: Copy + Add<Output = T>> Add for PerLine<T> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.zip_with(other, |a, b| a + b)
    }
}

impl<T: Copy + Sub<Output = T>> Sub for PerLine<T> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.zip_with(other, |a, b| a - b)
    }
}

/// How a charger's own conductors hang on the site's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wiring {
    /// The charger's L1 on this line; everything is line to neutral.
    One(Line),
    /// The charger's L1 and L2 on these lines, two currents against neutral.
    Two(Line, Line),
    /// The charger's L1, L2, L3 on these lines, in this order (the rotation).
    Three(Line, Line, Line),
    /// One load between two lines, as on delta and split-phase supplies.
    Between(Line, Line),
    /// Nobody has found out yet. Every line that might carry the current counts.
    Unknown,
}

impl Wiring {
    /// The site's line behind each of the charger's own phases, in the charger's order.
    #[must_use]
    pub const fn lines(self) -> [Option<Line>; 3] {
        match self {
            Self::One(a) => [Some(a), None, None],
            Self::Two(a, b) | Self::Between(a, b) => [Some(a), Some(b), None],
            Self::Three(a, b, c) => [Some(a), Some(b), Some(c)],
            Self::Unknown => [Some(Line::L1), Some(Line::L2), Some(Line::L3)],
        }
    }

    /// Which lines one ampere of this charger's limit may load, for a car that uses `car_phases` of
    /// the charger's phases (`None`: not known, so all of them).
    ///
    /// A car on fewer phases than the charger has uses the charger's first ones. With the rotation
    /// unknown that may be any line, so all of them count.
    #[must_use]
    pub fn loads(self, car_phases: Option<u8>) -> PerLine<bool> {
        let used = match self {
            Self::Unknown | Self::Between(..) => 3,
            _ => usize::from(car_phases.unwrap_or(3)),
        };
        let mut loads = PerLine::all(false);
        for line in self.lines().into_iter().take(used).flatten() {
            loads[line] = true;
        }
        loads
    }

    /// Does a car that uses `car_phases` of the charger's phases (`None`: all of them) load all three lines alike?
    #[must_use]
    pub const fn even(self, car_phases: Option<u8>) -> bool {
        match self {
            Self::Three(..) => !matches!(car_phases, Some(1 | 2)),
            // It may be a charger of one phase.
            Self::Unknown => matches!(car_phases, Some(3)),
            Self::One(_) | Self::Two(..) | Self::Between(..) => false,
        }
    }

    /// Currents in the charger's own phase order, brought to the site's lines. With the rotation
    /// unknown the largest of them counts on every line.
    #[must_use]
    pub fn to_site(self, own: [Milliamps; 3]) -> PerLine<Milliamps> {
        let mut site = PerLine::all(Milliamps::ZERO);
        match self {
            Self::Unknown => return PerLine::all(own.into_iter().max().unwrap_or_default()),
            Self::Between(a, b) => {
                site[a] = own[0];
                site[b] = own[0];
            }
            _ => {
                for (line, current) in self.lines().into_iter().zip(own) {
                    if let Some(line) = line {
                        site[line] += current;
                    }
                }
            }
        }
        site
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_one_phase_car_on_a_rotated_charger_loads_the_line_behind_its_l1() {
        let wiring = Wiring::Three(Line::L2, Line::L3, Line::L1);
        assert_eq!(wiring.loads(Some(1)), PerLine([false, true, false]));
        assert_eq!(wiring.loads(None), PerLine([true, true, true]));
    }

    #[test]
    fn an_unknown_rotation_counts_on_every_line() {
        assert_eq!(Wiring::Unknown.loads(Some(1)), PerLine::all(true));
        let own = [Milliamps(16_000), Milliamps(0), Milliamps(0)];
        assert_eq!(Wiring::Unknown.to_site(own), PerLine::all(Milliamps(16_000)));
    }
}
