//! What a contact's limit did, for whoever asked for it: when it came, when all that may flow had come down
//! to it, when it ended. Each is a record with its figures; the page shows it as an event.
//!
//! "Met" is said when the worst case fits: every limit possibly in force, not what happens to flow.

use crate::controller::Controller;
use crate::event::{Alert, Severity};
use crate::inputs::{Level, others};
use crate::settings::{InputRule, InputSetting};
use dlb_engine::lines::PerLine;
use dlb_engine::load::Span;
use dlb_engine::ours::in_circuits;
use dlb_engine::snapshot::{Demand, Snapshot};
use dlb_engine::time::Instant;
use dlb_engine::units::{Milliamps, Watts};

impl Controller {
    pub(crate) fn settle_inputs(&mut self, now: Instant) -> bool {
        let changed = self.inputs.settle(now, &self.settings);
        for &ix in &changed {
            let input = &self.settings.inputs[ix];
            let text = format!("Contact {} says: {}.", input.id, in_words(input, &self.settings));
            let came = self.inputs.get(ix).in_force.then_some((Severity::Note, text));
            // Anew, so that a second limit has a record of its own.
            self.alerts.set(now, &self.settings.inputs[ix].id, "limit-by-input", came);
        }
        !changed.is_empty()
    }

    pub(crate) fn watch_inputs(&mut self, now: Instant, snapshot: &Snapshot) {
        for ix in 0..self.settings.inputs.len() {
            let (input, state) = (&self.settings.inputs[ix], *self.inputs.get(ix));
            let lost = (state.said == Some(Level::Lost)).then(|| {
                let counts = if input.lost_is_active { "closed: its limit is in force" } else { "open" };
                let text = format!(
                    "Contact {} cannot be read and counts as {counts}. Check the GPIO line in the settings.",
                    input.id
                );
                (Severity::Warning, text)
            });
            let id = input.id.clone();
            self.alerts.set(now, &id, "input-lost", lost);
            if state.in_force && state.met.is_none() && self.is_met(now, ix, snapshot) {
                self.inputs.met(ix, now);
                let took = now.since(state.since).as_secs_f64();
                let text = format!("The limit by contact {id} is met, {took:.1} s after it came.");
                let (severity, code) = (Severity::Note, "limit-met");
                self.alerts.note(Alert { at: now, severity, about: id, code, text, cleared: false });
            }
        }
    }

    fn is_met(&self, now: Instant, ix: usize, snapshot: &Snapshot) -> bool {
        let input = &self.settings.inputs[ix];
        let ours = self.possible(now, snapshot)[input.circuit.0];
        let load = snapshot.circuits[input.circuit.0].other_load;
        let site = &self.settings.site;
        match input.rule {
            InputRule::Inhibit => ours == PerLine::all(Milliamps::ZERO),
            InputRule::Charging(watts) => others(site, input.circuit, ours) <= watts,
            InputRule::Power(watts) => others(site, input.circuit, ours + load) <= watts,
            InputRule::Current(limit) => {
                let fits = (ours + load).zip_with(limit, |flows, limit| flows <= limit);
                fits.0.into_iter().all(|fits| fits)
            }
        }
    }

    /// The most that the chargers of each circuit may draw by any limit possibly in force.
    pub(crate) fn possible(&self, now: Instant, snapshot: &Snapshot) -> Vec<PerLine<Milliamps>> {
        let site = &self.settings.site;
        let mut possible = vec![PerLine::all(Span::default()); site.chargers().len()];
        for charger in site.charger_indexes() {
            let state = &snapshot.chargers[charger.0];
            if state.demand == Demand::Absent {
                continue;
            }
            let span = Span::exactly(self.ledger.worst(now, charger, site));
            let loads = site.charger(charger).wiring.loads(state.counted_phases());
            possible[charger.0] = loads.map(|loads| if loads { span } else { Span::default() });
        }
        in_circuits(site, &possible).into_iter().map(|ours| ours.map(|span| span.most)).collect()
    }
}

/// What a rule asks for.
pub(crate) fn in_words(input: &InputSetting, settings: &crate::settings::Settings) -> String {
    let circuit = &settings.site.circuit(input.circuit).id;
    let kilowatts = |watts: Watts| format!("{:.2} kW", watts.0 as f64 / 1000.0);
    match input.rule {
        InputRule::Current(limit) => {
            let [one, two, three] = limit.0;
            let all = one == two && two == three;
            let amps = if all { one.to_string() } else { format!("{one}, {two}, {three}") };
            format!("{circuit} may carry {amps}")
        }
        InputRule::Power(watts) => format!("{circuit} may carry {}", kilowatts(watts)),
        InputRule::Charging(watts) => format!("the chargers of {circuit} may draw {}", kilowatts(watts)),
        InputRule::Inhibit => format!("no charging in {circuit}"),
    }
}
