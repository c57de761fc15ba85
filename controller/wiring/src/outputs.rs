//! Relays of the box as rules: shed load, open the contactor as the last line, show the state on a lamp.
//!
//! A relay judges by what a meter shows, never by what is allowed: it is there for the case that limits are
//! not followed. Without a measurement load that was shed stays shed, and load that was not stays on.
//!
//! When the contactor opens is the guard's business alone ([`Guard::cut_off_by`]): before the protective device
//! trips, or a utility's timers lock out, at the current that was last seen; what was not seen to end still lasts.
//! It stays open until a person closes it: nobody knows what is wrong.
//!
//! [`Guard::cut_off_by`]: dlb_engine::guard::Guard::cut_off_by

use crate::controller::Controller;
use crate::event::{Effect, Severity};
use crate::settings::{OutputRule, OutputSetting, Settings, Watch};
use crate::status::Mode;
use dlb_engine::lines::Line;
use dlb_engine::site::CircuitIx;
use dlb_engine::time::{Instant, earliest};
use dlb_engine::units::Milliamps;

/// What a line is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drive {
    #[default]
    Off,
    On,
    /// A lamp: something is not as it should be.
    SlowBlink,
    /// A lamp: somebody must come.
    FastBlink,
}

/// All relays of a site, in the order of the settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outputs {
    states: Vec<OutputState>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OutputState {
    pub(crate) drive: Drive,
    /// When it was last switched; nothing: never.
    changed: Option<Instant>,
    over_since: Option<Instant>,
}

/// What a meter shows against the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    Unknown,
    /// Above the limit on some line.
    Over,
    /// Below it, by less than the margin on some line.
    Near,
    /// Below it by the margin, on every line.
    Below,
}

impl Outputs {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { states: vec![OutputState::default(); settings.outputs.len()] }
    }

    /// A relay that is still configured goes on; its line was let go meanwhile and is driven anew.
    pub(crate) fn reconfigured(&self, old: &Settings, new: &Settings) -> Self {
        let kept = |output: &OutputSetting| old.outputs.iter().position(|known| known.is_still(output));
        let state = |output| kept(output).map(|ix| self.states[ix]).unwrap_or_default();
        Self { states: new.outputs.iter().map(state).collect() }
    }

    pub(crate) fn get(&self, ix: usize) -> &OutputState {
        &self.states[ix]
    }

    /// A person closes the contactor again.
    pub(crate) fn close_again(&mut self, ix: usize, now: Instant) {
        self.states[ix] = OutputState { drive: Drive::Off, changed: Some(now), over_since: None };
    }

    pub(crate) fn deadline(&self, settings: &Settings) -> Option<Instant> {
        let each = self.states.iter().zip(&settings.outputs).map(|(state, output)| match output.rule {
            OutputRule::Shed(watch) if state.drive == Drive::Off => {
                state.over_since.map(|since| since + watch.after)
            }
            _ => None,
        });
        each.fold(None, earliest)
    }
}

impl OutputState {
    /// True: it was switched.
    pub(crate) fn judge(&mut self, now: Instant, watch: Watch, load: Load) -> bool {
        self.over_since = match load {
            Load::Over => self.over_since.or(Some(now)),
            Load::Near | Load::Below => None,
            Load::Unknown => None,
        };
        let lasted = |least| self.changed.is_none_or(|changed| now >= changed + least);
        let switch_on = self.drive == Drive::Off
            && self.over_since.is_some_and(|since| now >= since + watch.after)
            && lasted(watch.off_at_least);
        let switch_off = self.drive == Drive::On && load == Load::Below && lasted(watch.on_at_least);
        if switch_on || switch_off {
            self.drive = if switch_on { Drive::On } else { Drive::Off };
            self.changed = Some(now);
        }
        switch_on || switch_off
    }

    fn show(&mut self, drive: Drive) -> bool {
        core::mem::replace(&mut self.drive, drive) != drive
    }
}

impl Controller {
    pub(crate) fn drive_outputs(&mut self, now: Instant) {
        for ix in 0..self.settings.outputs.len() {
            let mut state = *self.outputs.get(ix);
            let switched = match self.settings.outputs[ix].rule {
                OutputRule::Lamp => state.show(self.lamp(now)),
                OutputRule::Trip(circuit) => self.must_be_off(now, circuit) && state.show(Drive::On),
                OutputRule::Shed(watch) => state.judge(now, watch, self.load_of(now, watch)),
            };
            if switched {
                state.changed = Some(now);
            }
            self.outputs.states[ix] = state;
            if switched {
                self.drive(ix);
            }
            self.tell_output(now, ix);
        }
    }

    /// The protective device's time is running out, or a utility's timers lock the circuit out.
    fn must_be_off(&self, now: Instant, circuit: CircuitIx) -> bool {
        self.cut_off_by(circuit).is_some_and(|by| by <= now)
    }

    /// When a relay has to be looked at again, whatever happens until then.
    pub(crate) fn outputs_deadline(&self) -> Option<Instant> {
        let waits = |ix: &usize| self.outputs.get(*ix).drive == Drive::Off;
        let cuts =
            (0..self.settings.outputs.len()).filter(waits).map(|ix| match self.settings.outputs[ix].rule {
                OutputRule::Trip(circuit) => self.cut_off_by(circuit),
                _ => None,
            });
        cuts.fold(self.outputs.deadline(&self.settings), earliest)
    }

    /// Says to the program what every line is to do: at the start, and after a change of the settings.
    pub(crate) fn drive_all(&mut self) {
        (0..self.settings.outputs.len()).for_each(|ix| self.drive(ix));
    }

    fn drive(&mut self, ix: usize) {
        let (output, drive) = (self.settings.outputs[ix].id.clone(), self.outputs.get(ix).drive);
        self.push_effect(Effect::Drive { output, drive });
    }

    fn load_of(&self, now: Instant, watch: Watch) -> Load {
        let meter = self.settings.meters.iter().position(|meter| meter.circuit == watch.circuit);
        let Some(ix) = meter.filter(|&ix| !self.metering.lost(ix, &self.settings.meters[ix], now)) else {
            return Load::Unknown;
        };
        let Some(measured) = self.metering.get(ix).measured() else { return Load::Unknown };
        let limit = self.limit_of(watch.circuit);
        let over = |by: Milliamps| Line::ALL.into_iter().any(|line| measured[line] > limit[line] - by);
        match (over(Milliamps::ZERO), over(watch.margin)) {
            (true, _) => Load::Over,
            (false, true) => Load::Near,
            (false, false) => Load::Below,
        }
    }

    fn lamp(&self, now: Instant) -> Drive {
        let worst = self.alerts.active().map(|alert| alert.severity).max();
        match worst {
            Some(Severity::Alarm) => Drive::FastBlink,
            Some(Severity::Warning) => Drive::SlowBlink,
            _ if self.mode(now) == Mode::Static => Drive::SlowBlink,
            _ => Drive::On,
        }
    }

    fn tell_output(&mut self, now: Instant, ix: usize) {
        let OutputSetting { id, rule } = self.settings.outputs[ix].clone();
        let on = self.outputs.get(ix).drive == Drive::On;
        let circuit = |circuit: CircuitIx| &self.settings.site.circuit(circuit).id;
        let (code, trouble) = match rule {
            OutputRule::Shed(watch) => {
                let text = format!("{} was over its limit: relay {id} sheds load.", circuit(watch.circuit));
                ("load-shed", (Severity::Warning, text))
            }
            OutputRule::Trip(watched) => {
                let text = format!(
                    "{} stayed over its limit until its protective device was about to trip: relay {id} opened the \
                     contactor. Find what draws too much, then close it again on the page.",
                    circuit(watched)
                );
                ("contactor-tripped", (Severity::Alarm, text))
            }
            OutputRule::Lamp => return,
        };
        self.alerts.set(now, &id, code, on.then_some(trouble));
    }
}

#[cfg(test)]
mod tests;
