//! The site: a tree of circuits and the chargers that hang on it. Checked once, at the door.
//!
//! Circuits and chargers are addressed by index ([`CircuitIx`], [`ChargerIx`]); a parent always has a
//! smaller index than its children, so one backward pass over the circuits adds up a whole tree.

use crate::lines::{PerLine, Wiring};
use crate::units::{Milliamps, Millivolts, Watts};
use std::collections::BTreeMap;

/// Position of a circuit in [`Site::circuits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CircuitIx(pub usize);

/// Position of a charger (one outlet) in [`Site::chargers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChargerIx(pub usize);

/// A protected part of the installation: the grid connection, a sub-board, a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Circuit {
    pub id: String,
    pub parent: Option<CircuitIx>,
    /// What the protective device or the contract allows on each line.
    pub limit: PerLine<Milliamps>,
    /// A limit on total power, beside the one per line.
    pub limit_power: Option<Watts>,
    /// Limits on what lies between the lines.
    pub balance: Balance,
    pub supply: Supply,
    /// What stands between this circuit and its parent, whose limits are then in primary amperes.
    pub transformer: Option<Transformer>,
}

impl Circuit {
    /// A circuit that hangs on nothing and has no limit but the one on each line.
    #[must_use]
    pub fn new(id: impl Into<String>, limit: PerLine<Milliamps>, supply: Supply) -> Self {
        Self {
            id: id.into(),
            parent: None,
            limit,
            limit_power: None,
            balance: Balance::default(),
            supply,
            transformer: None,
        }
    }
}

/// Limits on how unevenly a circuit may be loaded. Cars that were told to charge need not do so: those on other
/// lines are never counted on to even things out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// What the neutral conductor may carry.
    pub neutral: Option<Milliamps>,
    /// By how much one line may carry more than another (VDE-AR-N 4100: 20 A, which is 4.6 kVA).
    pub unbalance: Option<Milliamps>,
}

/// A three-phase transformer; its secondary side is the circuit that has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transformer {
    pub group: VectorGroup,
    /// Primary line-to-line voltage over secondary line-to-line voltage.
    pub ratio: f64,
}

/// How the windings are connected (IEC 60076-1), primary side first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorGroup {
    /// Delta, star with neutral, the secondary ahead by 30° (Dyn11).
    Dyn,
    /// Star, star with neutral; the neutral of the primary side is taken to be connected as well (YNyn0).
    Yyn,
}

/// The supply system, with the nominal voltage that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// Three lines and neutral; line to neutral.
    Star(Millivolts),
    /// Three lines without neutral; line to line.
    Delta(Millivolts),
    /// Two lines at 180° and neutral; line to neutral.
    Split(Millivolts),
    /// One line and neutral.
    Single(Millivolts),
}

/// One outlet that can be limited.
#[derive(Clone, Debug, PartialEq)]
pub struct Charger {
    pub id: String,
    pub circuit: CircuitIx,
    pub wiring: Wiring,
    /// Smallest current that charges at all; IEC 61851-1 says 6 A, some cars need more.
    pub min: Milliamps,
    /// What charger, cable and its own protective device allow.
    pub max: Milliamps,
    /// The charger rounds limits down to multiples of this.
    pub step: Milliamps,
    /// What the charger falls back to by itself when it hears nothing: 0, or at least `min`.
    pub fallback: Milliamps,
    /// Smaller numbers are served first.
    pub priority: u8,
    /// Share against others of the same priority.
    pub weight: f64,
}

/// A site whose tree has been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    circuits: Vec<Circuit>,
    chargers: Vec<Charger>,
}

/// What can be wrong with a tree. Index and identity name the culprit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SiteFault {
    NoCircuit,
    DuplicateCircuit(String),
    DuplicateCharger(String),
    /// The parent comes later than its child, or not at all.
    ParentAfterChild(String),
    UnknownCircuit {
        charger: String,
    },
    /// `min`, `max`, `step` or `weight` contradict each other.
    Range {
        charger: String,
    },
    FallbackOutOfRange {
        charger: String,
    },
}

impl Site {
    /// Checks a tree; all faults at once.
    ///
    /// # Errors
    /// Every contradiction found, in the order of the lists.
    pub fn new(circuits: Vec<Circuit>, chargers: Vec<Charger>) -> Result<Self, Vec<SiteFault>> {
        let site = Self { circuits, chargers };
        let faults = site.faults();
        if faults.is_empty() { Ok(site) } else { Err(faults) }
    }

    /// The same site in which these chargers are served before all others.
    #[must_use]
    pub fn with_first(&self, first: impl Fn(ChargerIx) -> bool) -> Self {
        let mut site = self.clone();
        for (ix, charger) in site.chargers.iter_mut().enumerate() {
            charger.priority = if first(ChargerIx(ix)) { 0 } else { charger.priority.saturating_add(1) };
        }
        site
    }

    #[must_use]
    pub fn circuits(&self) -> &[Circuit] {
        &self.circuits
    }

    #[must_use]
    pub fn chargers(&self) -> &[Charger] {
        &self.chargers
    }

    #[must_use]
    pub fn circuit(&self, ix: CircuitIx) -> &Circuit {
        &self.circuits[ix.0]
    }

    #[must_use]
    pub fn charger(&self, ix: ChargerIx) -> &Charger {
        &self.chargers[ix.0]
    }

    pub fn charger_indexes(&self) -> impl Iterator<Item = ChargerIx> + use<> {
        (0..self.chargers.len()).map(ChargerIx)
    }

    /// The charger's own circuit first, then its parents up to the root.
    pub fn path(&self, charger: ChargerIx) -> impl Iterator<Item = CircuitIx> + '_ {
        let first = Some(self.chargers[charger.0].circuit);
        core::iter::successors(first, |ix| self.circuits[ix.0].parent)
    }

    #[must_use]
    pub fn find_charger(&self, id: &str) -> Option<ChargerIx> {
        self.chargers.iter().position(|charger| charger.id == id).map(ChargerIx)
    }

    #[must_use]
    pub fn find_circuit(&self, id: &str) -> Option<CircuitIx> {
        self.circuits.iter().position(|circuit| circuit.id == id).map(CircuitIx)
    }

    fn faults(&self) -> Vec<SiteFault> {
        let mut faults = Vec::new();
        if self.circuits.is_empty() {
            faults.push(SiteFault::NoCircuit);
        }
        let mut seen = BTreeMap::new();
        for (ix, circuit) in self.circuits.iter().enumerate() {
            if seen.insert(circuit.id.as_str(), ()).is_some() {
                faults.push(SiteFault::DuplicateCircuit(circuit.id.clone()));
            }
            if circuit.parent.is_some_and(|parent| parent.0 >= ix) {
                faults.push(SiteFault::ParentAfterChild(circuit.id.clone()));
            }
        }
        let mut seen = BTreeMap::new();
        for charger in &self.chargers {
            if seen.insert(charger.id.as_str(), ()).is_some() {
                faults.push(SiteFault::DuplicateCharger(charger.id.clone()));
            }
            faults.extend(self.charger_faults(charger));
        }
        faults
    }

    fn charger_faults(&self, charger: &Charger) -> Vec<SiteFault> {
        let mut faults = Vec::new();
        let id = || charger.id.clone();
        if charger.circuit.0 >= self.circuits.len() {
            faults.push(SiteFault::UnknownCircuit { charger: id() });
        }
        let ordered = Milliamps::ZERO < charger.min && charger.min <= charger.max;
        let weighted = charger.weight.is_finite() && charger.weight > 0.0;
        if !ordered || !weighted || charger.step < Milliamps::ZERO {
            faults.push(SiteFault::Range { charger: id() });
        }
        let fallback = charger.fallback;
        if fallback != Milliamps::ZERO && !(charger.min..=charger.max).contains(&fallback) {
            faults.push(SiteFault::FallbackOutOfRange { charger: id() });
        }
        faults
    }
}

impl Transformer {
    /// The star that it feeds from this primary side.
    #[must_use]
    pub fn secondary(self, primary: Supply) -> Supply {
        Supply::Star(Millivolts((f64::from(primary.volts_line_to_neutral().0) / self.ratio).round() as i32))
    }

    /// What a load on the secondary side draws on the primary side, at the nominal angles of the secondary
    /// voltages. Behind Dyn two lines of one load meet in each primary line; it is the size of their difference.
    #[must_use]
    pub fn primary(self, secondary: PerLine<Milliamps>) -> PerLine<Milliamps> {
        let [a, b, c] = secondary.0.map(|line| f64::from(line.0));
        let apart = |one: f64, other: f64| (one * one + other * other + one * other).sqrt();
        let (lines, turns) = match self.group {
            VectorGroup::Yyn => ([a, b, c], self.ratio),
            VectorGroup::Dyn => ([apart(a, c), apart(b, a), apart(c, b)], self.ratio * 3f64.sqrt()),
        };
        PerLine(lines.map(|line| Milliamps((line / turns).round() as i32)))
    }
}

impl Supply {
    /// Watts that one ampere means on the lines that a charger loads (power factor 1).
    #[must_use]
    pub fn volts_line_to_neutral(self) -> Millivolts {
        match self {
            Self::Star(volts) | Self::Split(volts) | Self::Single(volts) => volts,
            Self::Delta(volts) => Millivolts((f64::from(volts.0) / 3f64.sqrt()).round() as i32),
        }
    }

    /// The voltage between two of its lines.
    #[must_use]
    pub fn volts_between_lines(self) -> Millivolts {
        let times = match self {
            Self::Star(_) | Self::Delta(_) => 3f64.sqrt(),
            Self::Split(_) | Self::Single(_) => 2.0,
        };
        Millivolts((f64::from(self.volts_line_to_neutral().0) * times).round() as i32)
    }
}
