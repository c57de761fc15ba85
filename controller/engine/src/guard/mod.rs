//! The fast guard: a line that carries more than it may, and the time that its protective device leaves.
//!
//! Every reading of a circuit passes here, and every single mains cycle above a limit that the box's own clamps
//! see. For each line a [`Clock`] counts which share of the device's time is spent. What follows from a breach is
//! a [`Hold`]: so many amperes of the line are not for chargers. A hold only ever lowers; who gets what of the
//! rest stays with the allocation, and what may be sent with the ledger.
//!
//! 1. **At once** the hold is all that is known to be not ours. Cars may still be following a lower limit, so the
//!    rest of an excess is theirs for a while.
//! 2. **An excess that outlasts** what cars need to follow (or a quarter of the time that the device leaves, if
//!    that is less) is not theirs: it is added, again and again until the line is below its limit.
//! 3. **When half of the device's time is spent**, chargers get nothing on this line.
//! 4. **A lockout** by the timers of a utility's rule takes everything until somebody resets it.
//!
//! Giving back is slow: after the line has been below its limit for a while, in steps.
//!
//! What it refuses: it does not measure, it does not know who draws what, it trips nothing. [`Guard::cut_off_by`]
//! says by when a relay should have done so where chargers do not obey.

mod clock;
mod device;
mod g100;
mod line;

pub use device::{Device, Protection};
pub use g100::Memory;
pub use line::FOLLOWED_WITHIN;

use crate::lines::{Line, PerLine};
use crate::site::CircuitIx;
use crate::time::{Duration, Instant, WallTime, earliest};
use crate::units::Milliamps;
use g100::Timers;
use line::LineGuard;

/// What guards a circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// `None`: nobody has said; the limit counts as the rated current of the most sensitive device.
    pub protection: Option<Protection>,
    pub profile: Profile,
}

/// A utility's rule on how long an excess may last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    #[default]
    Plain,
    /// EREC G100, Great Britain.
    G100,
}

/// So much of a line is not for chargers, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub current: Milliamps,
    pub rule: Rule,
}

/// Why a hold is as high as it is; later ones are graver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The line was above its limit.
    Breach,
    /// It stayed there for longer than cars take to follow.
    Outlasts,
    /// Half of the protective device's time is spent.
    DeviceTime,
    /// Locked out until it is reset.
    Lockout,
}

/// One look at a circuit.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// `None`: this line is not measured.
    pub current: PerLine<Option<Milliamps>>,
    /// What it may carry now: its own limit, or a lower one that somebody set for a while.
    pub limit: PerLine<Milliamps>,
    /// Its own limit, which is what a utility's timers go by.
    pub agreed: PerLine<Milliamps>,
    /// Upper bound of what is not ours, this look included.
    pub other: PerLine<Milliamps>,
}

/// An overload that is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spell {
    pub circuit: CircuitIx,
    pub line: Line,
    pub began: Instant,
    pub wall: Option<WallTime>,
    /// Until the line was below its limit again.
    pub lasted: Duration,
    pub peak: Milliamps,
    pub limit: Milliamps,
    /// The largest share of the protective device's time that was spent.
    pub spent: f64,
    /// From its beginning until the first lowered limit was sent. `None`: there was nothing to lower.
    pub answered: Option<Duration>,
}

impl Spell {
    /// Has more flowed than a meter of class 1 may take for the limit?
    #[must_use]
    pub const fn is_beyond_error(&self) -> bool {
        beyond_error(self.peak, self.limit)
    }
}

const fn beyond_error(current: Milliamps, limit: Milliamps) -> bool {
    current.0 - limit.0 > limit.0 / METER_ERROR
}

/// The guard of a whole site, in the order of its circuits.
#[derive(Clone, Debug)]
pub struct Guard {
    circuits: Vec<CircuitGuard>,
    give_after: Duration,
    over: Vec<Spell>,
}

#[derive(Clone, Debug, Default)]
struct CircuitGuard {
    setting: Setting,
    lines: PerLine<LineGuard>,
    g100: Timers,
}

/// Spells that nobody has collected; more are forgotten, the oldest first.
const SPELLS_MAX: usize = 64;
/// A meter may be off by one part in so many: class 1 of IEC 62053-21.
const METER_ERROR: i32 = 100;
/// A relay must have opened before a lockout at 60 s.
const RELAY_BEFORE_LOCKOUT: Duration = Duration::from_secs(55);
/// Or when this share of the protective device's time is spent.
const RELAY_SHARE: f64 = 0.8;

impl Guard {
    /// `settings` in the order of the circuits; those that are missing are the default. `give_after`: how long a
    /// line must be below its limit before something is given back.
    #[must_use]
    pub fn new(settings: &[Setting], circuits: usize, give_after: Duration) -> Self {
        let setting = |at: usize| settings.get(at).copied().unwrap_or_default();
        let circuit = |at| CircuitGuard { setting: setting(at), ..CircuitGuard::default() };
        Self { circuits: (0..circuits).map(circuit).collect(), give_after, over: Vec::new() }
    }

    /// Takes what is known of each circuit from `old`, where `place` says that it stood before.
    pub fn carry(&mut self, mut old: Self, place: impl Fn(usize) -> Option<usize>) {
        for (at, circuit) in self.circuits.iter_mut().enumerate() {
            let before = place(at).and_then(|before| old.circuits.get_mut(before));
            if let Some(before) = before {
                *circuit = CircuitGuard { setting: circuit.setting, ..core::mem::take(before) };
            }
        }
        self.over = old.over;
    }

    /// What was kept before the last start.
    pub fn remember(&mut self, now: Instant, circuit: CircuitIx, memory: &Memory) {
        if let Some(circuit) = self.circuits.get_mut(circuit.0) {
            circuit.g100 = Timers::remembered(memory, now);
        }
    }

    /// What must be kept over a restart, for each circuit where that has changed.
    pub fn memories(&mut self) -> Vec<(CircuitIx, Memory)> {
        let each = self.circuits.iter_mut().enumerate();
        each.filter_map(|(at, circuit)| Some((CircuitIx(at), circuit.g100.take_memory()?))).collect()
    }

    /// Takes a look at a circuit.
    pub fn saw(&mut self, now: Instant, wall: Option<WallTime>, circuit: CircuitIx, seen: &Seen) {
        let Some(guard) = self.circuits.get_mut(circuit.0) else { return };
        for line in Line::ALL {
            let limit = seen.limit[line];
            if let Some(current) = seen.current[line].filter(|_| limit > Milliamps::ZERO) {
                let rules = guard.setting.rules(limit, self.give_after);
                guard.lines[line].saw((now, wall), current, (limit, seen.other[line]), &rules);
                guard.lines[line].compare(now, current, seen.agreed[line]);
            }
        }
        self.look(now, wall, circuit);
    }

    /// What time alone changes.
    pub fn handle_timeout(&mut self, now: Instant, wall: Option<WallTime>) {
        for at in 0..self.circuits.len() {
            self.look(now, wall, CircuitIx(at));
        }
    }

    /// When [`Self::handle_timeout`] is to be called at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let each = self.circuits.iter().map(|circuit| {
            let lines = circuit
                .lines
                .0
                .iter()
                .map(|line| line.deadline(&circuit.setting.rules(line.limit(), self.give_after)));
            let g100 = circuit.g100_since().and_then(|since| circuit.g100.deadline(since));
            earliest(lines.fold(None, earliest), g100)
        });
        each.fold(None, earliest)
    }

    /// What chargers must leave free on each line of a circuit.
    #[must_use]
    pub fn holds(&self, circuit: CircuitIx) -> PerLine<Option<Hold>> {
        let Some(guard) = self.circuits.get(circuit.0) else { return PerLine::all(None) };
        let lockout = Hold { current: Milliamps::MAX, rule: Rule::Lockout };
        let locked_out = guard.g100.locked_out();
        PerLine(core::array::from_fn(|at| if locked_out { Some(lockout) } else { guard.lines.0[at].hold() }))
    }

    /// By when the chargers of this circuit must be off, by a relay if they do not obey. `None`: nothing is
    /// on its way to a trip. A time that has passed: off, now.
    #[must_use]
    pub fn cut_off_by(&self, circuit: CircuitIx) -> Option<Instant> {
        let guard = self.circuits.get(circuit.0)?;
        if guard.g100.locked_out() {
            return Some(Instant::default());
        }
        let device = guard
            .lines
            .0
            .iter()
            .filter(|line| line.is_over())
            .map(|line| line.spent_at(RELAY_SHARE, &guard.setting.rules(line.limit(), self.give_after)));
        let g100 = guard.g100_since().map(|since| since + RELAY_BEFORE_LOCKOUT);
        earliest(device.fold(None, earliest), g100)
    }

    /// The share of the protective device's time that is spent, the worst line.
    #[must_use]
    pub fn spent(&self, now: Instant, circuit: CircuitIx) -> f64 {
        let Some(guard) = self.circuits.get(circuit.0) else { return 0.0 };
        let each = guard
            .lines
            .0
            .iter()
            .map(|line| line.spent(now, &guard.setting.rules(line.limit(), self.give_after)));
        each.fold(0.0, f64::max)
    }

    /// Since when a line of this circuit is above its limit.
    #[must_use]
    pub fn over_since(&self, circuit: CircuitIx) -> Option<(Line, Instant)> {
        let lines = &self.circuits.get(circuit.0)?.lines;
        let each = Line::ALL.into_iter().filter(|&line| lines[line].is_over());
        each.filter_map(|line| Some((line, lines[line].over_since()?))).min_by_key(|&(_, since)| since)
    }

    /// Since when the overload of this circuit lasts that began first. A line that flickers about its limit has one,
    /// what no meter can tell from the limit is none.
    #[must_use]
    pub fn overload(&self, circuit: CircuitIx) -> Option<(Line, Instant)> {
        let lines = &self.circuits.get(circuit.0)?.lines;
        let each = Line::ALL.into_iter().filter_map(|line| Some((line, lines[line].overload()?)));
        each.min_by_key(|&(_, since)| since)
    }

    #[must_use]
    pub fn locked_out(&self, circuit: CircuitIx) -> bool {
        self.circuits.get(circuit.0).is_some_and(|guard| guard.g100.locked_out())
    }

    /// Ends a lockout. Who may do so is the program's business.
    pub fn reset(&mut self, circuit: CircuitIx) {
        if let Some(guard) = self.circuits.get_mut(circuit.0) {
            guard.g100.reset();
        }
    }

    /// A lowered limit went out: overloads that nobody had answered yet are answered.
    pub fn answered(&mut self, now: Instant) {
        let lines = self.circuits.iter_mut().flat_map(|circuit| &mut circuit.lines.0);
        lines.for_each(|line| line.answered(now));
    }

    /// Overloads that are over, oldest first.
    pub fn take_spells(&mut self) -> Vec<Spell> {
        core::mem::take(&mut self.over)
    }

    fn look(&mut self, now: Instant, wall: Option<WallTime>, circuit: CircuitIx) {
        let guard = &mut self.circuits[circuit.0];
        for line in Line::ALL {
            let rules = guard.setting.rules(guard.lines[line].limit(), self.give_after);
            if let Some(ended) = guard.lines[line].look(now, &rules) {
                self.over.push(ended.named(circuit, line));
            }
        }
        if guard.setting.profile == Profile::G100 {
            let since = guard.g100_since();
            guard.g100.look(now, wall, since);
        }
        let surplus = self.over.len().saturating_sub(SPELLS_MAX);
        self.over.drain(..surplus);
    }
}

impl CircuitGuard {
    /// Since when the excursion lasts that the utility's timers count.
    fn g100_since(&self) -> Option<Instant> {
        let counts = self.setting.profile == Profile::G100;
        let lines = self.lines.0.iter().filter(|_| counts);
        lines.filter_map(LineGuard::above_agreed_since).min()
    }
}

impl Setting {
    /// What protects a line that may carry this much for ever.
    #[must_use]
    pub fn protects(&self, limit: Milliamps) -> Protection {
        self.protection.unwrap_or(Protection { device: Device::Mccb, rated: limit })
    }

    fn rules(&self, limit: Milliamps, give_after: Duration) -> line::Rules {
        line::Rules { protection: self.protects(limit), hurries: self.profile == Profile::G100, give_after }
    }
}

#[cfg(test)]
mod tests;
