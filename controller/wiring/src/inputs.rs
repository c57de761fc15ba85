//! Contacts of the box as rules: a level becomes a limit, with its reason and its proof.
//!
//! A contact counts once its level has lasted its debounce time. A contact that cannot be read counts as its
//! setting says (as closed, unless somebody chose otherwise), and so does one that has said nothing yet. Of
//! several rules that are in force the lowest counts. What is refused here: to raise anything.

use crate::settings::{InputRule, InputSetting, Settings};
use dlb_engine::allocation::{InputIx, Reason};
use dlb_engine::lines::PerLine;
use dlb_engine::site::{CircuitIx, Site};
use dlb_engine::snapshot::CircuitState;
use dlb_engine::time::{Instant, earliest};
use dlb_engine::units::{Milliamps, Watts};

/// What a contact says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Active,
    Inactive,
    /// It cannot be read.
    Lost,
}

/// All contacts of a site, in the order of the settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    states: Vec<InputState>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct InputState {
    /// What it says, bounces left out. `None`: nothing yet.
    pub(crate) said: Option<Level>,
    /// Another level, and since when.
    pending: Option<(Level, Instant)>,
    pub(crate) in_force: bool,
    /// When the rule came into force, or ended.
    pub(crate) since: Instant,
    /// When all that may flow had come down to the limit.
    pub(crate) met: Option<Instant>,
}

impl Inputs {
    pub(crate) fn new(settings: &Settings, now: Instant) -> Self {
        let state = |input: &InputSetting| InputState {
            said: None,
            pending: None,
            in_force: input.lost_is_active,
            since: now,
            met: None,
        };
        Self { states: settings.inputs.iter().map(state).collect() }
    }

    /// Keeps what is known of the contacts that are still configured.
    pub(crate) fn reconfigured(&self, old: &Settings, new: &Settings, now: Instant) -> Self {
        let mut fresh = Self::new(new, now);
        for (state, input) in fresh.states.iter_mut().zip(&new.inputs) {
            if let Some(place) = old.inputs.iter().position(|known| known == input) {
                *state = self.states[place];
            }
        }
        fresh
    }

    pub(crate) fn saw(&mut self, now: Instant, ix: usize, level: Level) {
        let Some(state) = self.states.get_mut(ix) else { return };
        state.pending = match (state.said, state.pending) {
            (Some(said), _) if said == level => None,
            (_, Some((pending, since))) if pending == level => Some((pending, since)),
            _ => Some((level, now)),
        };
    }

    /// Takes over what has lasted long enough. Answers with the contacts whose rule came or ended.
    pub(crate) fn settle(&mut self, now: Instant, settings: &Settings) -> Vec<usize> {
        let mut changed = Vec::new();
        for (ix, (state, input)) in self.states.iter_mut().zip(&settings.inputs).enumerate() {
            if state.due(input).is_none_or(|at| at > now) {
                continue;
            }
            let first = state.said.is_none();
            state.said = state.pending.take().map(|(level, _)| level);
            let in_force = match state.said {
                Some(Level::Active) => true,
                Some(Level::Inactive) => false,
                Some(Level::Lost) | None => input.lost_is_active,
            };
            // Closed from the start: until now that was only assumed.
            let came = first && state.said == Some(Level::Active);
            if in_force != state.in_force || came {
                (state.in_force, state.since, state.met) = (in_force, now, None);
                changed.push(ix);
            }
        }
        changed
    }

    pub(crate) fn deadline(&self, settings: &Settings) -> Option<Instant> {
        let each = self.states.iter().zip(&settings.inputs).map(|(state, input)| state.due(input));
        each.fold(None, earliest)
    }

    pub(crate) fn get(&self, ix: usize) -> &InputState {
        &self.states[ix]
    }

    pub(crate) fn met(&mut self, ix: usize, now: Instant) {
        self.states[ix].met = Some(now);
    }

    /// Rules in force.
    pub(crate) fn in_force<'a>(
        &'a self,
        settings: &'a Settings,
    ) -> impl Iterator<Item = (usize, &'a InputSetting)> {
        let each = settings.inputs.iter().enumerate();
        each.filter(|(ix, _)| self.states.get(*ix).is_some_and(|state| state.in_force))
    }

    /// The limit of a circuit's lines under the rules for all that flows there.
    pub(crate) fn lower(
        &self,
        settings: &Settings,
        circuit: CircuitIx,
        own: PerLine<Milliamps>,
    ) -> PerLine<Milliamps> {
        let mut limit = own;
        for (_, input) in self.in_force(settings).filter(|(_, input)| input.circuit == circuit) {
            if let InputRule::Current(current) = input.rule {
                limit = limit.zip_with(current, Milliamps::min);
            }
        }
        limit
    }

    /// The rules for power, and for what the chargers of a circuit may draw together: what others draw
    /// there is added, since the decision knows limits of circuits only.
    pub(crate) fn apply(&self, settings: &Settings, circuit: CircuitIx, state: &mut CircuitState) {
        let others = others(&settings.site, circuit, state.other_load);
        for (_, input) in self.in_force(settings).filter(|(_, input)| input.circuit == circuit) {
            let lowest = |limit: Option<Watts>, watts: Watts| Some(limit.map_or(watts, |own| own.min(watts)));
            match input.rule {
                InputRule::Current(_) => {}
                InputRule::Power(watts) => state.limit_power = lowest(state.limit_power, watts),
                InputRule::Charging(watts) => {
                    state.limit_power = lowest(state.limit_power, others + watts);
                }
                InputRule::Inhibit => {
                    state.limit = state.limit.zip_with(state.other_load, Milliamps::min);
                }
            }
        }
    }

    /// The contact behind a reason that names a circuit, if one is.
    pub(crate) fn behind(&self, settings: &Settings, reason: Reason) -> Option<Reason> {
        let (circuit, by_power) = match reason {
            Reason::PowerFull { circuit } => (circuit, true),
            Reason::LineFull { circuit, .. }
            | Reason::WaitsForTurn { circuit, .. }
            | Reason::NothingLeft { circuit, .. } => (circuit, false),
            _ => return None,
        };
        let strength = |input: &InputSetting| match input.rule {
            InputRule::Inhibit => 0,
            InputRule::Charging(watts) | InputRule::Power(watts) if by_power => 1 + watts.0.max(0),
            InputRule::Current(current) if !by_power => {
                1 + current.0.into_iter().map(|line| i64::from(line.0)).min().unwrap_or(0)
            }
            // A turn is also waited for, and nothing is also left, under a limit of power.
            _ => i64::MAX,
        };
        let rules = self.in_force(settings).filter(|(_, input)| input.circuit == circuit);
        let (ix, _) = rules.min_by_key(|(_, input)| strength(input))?;
        Some(Reason::LimitedByInput { circuit, input: InputIx(ix) })
    }
}

impl InputState {
    fn due(&self, input: &InputSetting) -> Option<Instant> {
        let (level, since) = self.pending?;
        // What cannot be read does not bounce.
        let lasts = level != Level::Lost && self.said.is_some();
        Some(if lasts { since + input.debounce } else { since })
    }
}

/// What others draw in a circuit, as power.
pub(crate) fn others(site: &Site, circuit: CircuitIx, load: PerLine<Milliamps>) -> Watts {
    let volts = i64::from(site.circuit(circuit).supply.volts_line_to_neutral().0);
    let lines = load.0.into_iter().map(|current| i64::from(current.0) * volts / 1_000_000);
    Watts(lines.sum())
}

/// Power that each controllable device may draw at least under § 14a EnWG.
const MINIMUM_W: f64 = 4200.0;

/// What `count` charge points behind one energy management system may draw together while the network operator
/// limits them: `4.2 kW + (n − 1) · GZF(n) · 4.2 kW`, from BNetzA BK6-22-300, annex 1, no. 4.5.2. `factors` are
/// GZF for 2, 3, … devices; the last one holds for more.
#[must_use]
pub fn minimum_power_14a(count: usize, factors: &[f64]) -> Watts {
    let more = count.saturating_sub(1);
    let factor = more.checked_sub(1).and_then(|at| factors.get(at).or(factors.last()));
    Watts((MINIMUM_W * (1.0 + more as f64 * factor.copied().unwrap_or(1.0))).round() as i64)
}

#[cfg(test)]
mod tests;
