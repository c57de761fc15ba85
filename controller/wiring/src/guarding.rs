//! The guard among the rest: what it gets to see, what of its holds reaches the allocation, what is told of it.

use crate::controller::Controller;
use crate::event::{Alert, Effect, Record, Severity};
use crate::settings::Settings;
use crate::status::GuardStatus;
use dlb_engine::allocation::Reason;
use dlb_engine::guard::{FOLLOWED_WITHIN, Guard, Memory, Seen, Spell};
use dlb_engine::lines::PerLine;
use dlb_engine::load::Span;
use dlb_engine::ours::in_circuits;
use dlb_engine::site::{CircuitIx, Site};
use dlb_engine::snapshot::Snapshot;
use dlb_engine::time::{Duration, Instant, WallTime};
use dlb_engine::units::Milliamps;
use std::collections::BTreeMap;

/// An overload no longer than the time in which IEC 61851-1 lets a car follow, that spent less than [`WORTH_TELLING`] of
/// the device's time, is what balancing is for: an oven that starts on a full line. A longer one is written down when
/// it is over; one that outlasts slow chargers too ([`FOLLOWED_WITHIN`]) is told of at once.
const TELL_AFTER: Duration = Duration::from_secs(5);
const WORTH_TELLING: f64 = 0.01;
/// A charger's meter may be off by one part in so many: class 2 of IEC 62053-21.
const METER_ERROR: i32 = 50;

pub(crate) fn guard_of(settings: &Settings) -> Guard {
    Guard::new(&settings.guards, settings.site.circuits().len(), settings.policy.raise_after)
}

/// The guard of changed settings, with what the old one knew of circuits that are still there.
pub(crate) fn carried(old: &mut Guard, site: &Site, new: &Settings) -> Guard {
    let mut guard = guard_of(new);
    let old = core::mem::replace(old, guard_of(new));
    guard.carry(old, |at| site.find_circuit(&new.site.circuits()[at].id).map(|ix| ix.0));
    guard
}

impl Controller {
    /// What guards of circuits had to keep before the last start ([`Record::Guarded`]), by circuit.
    pub fn remember_guards(&mut self, now: Instant, memories: &BTreeMap<String, String>) {
        for (id, text) in memories {
            let circuit = self.settings.site.find_circuit(id);
            if let (Some(circuit), Some(memory)) = (circuit, memory_from(text)) {
                self.guard.remember(now, circuit, &memory);
            }
        }
    }

    /// By when the chargers of a circuit must be off, by a relay if they do not obey.
    #[must_use]
    pub fn cut_off_by(&self, circuit: CircuitIx) -> Option<Instant> {
        self.guard.cut_off_by(circuit)
    }

    /// What a meter shows in this circuit, after the load that is not ours was derived from it.
    pub(crate) fn guard_saw(
        &mut self,
        now: Instant,
        circuit: CircuitIx,
        current: PerLine<Option<Milliamps>>,
    ) {
        let other = self.metered_load(circuit, now).unwrap_or_default();
        let agreed = self.settings.site.circuit(circuit).limit;
        let seen = Seen { current, limit: self.limit_of(circuit), agreed, other };
        self.guard.saw(now, self.wall_at(now), circuit, &seen);
    }

    /// A look without a new reading. A circuit without a meter is known by what its chargers report.
    pub(crate) fn guard_looks(&mut self, now: Instant, snapshot: &Snapshot) {
        let wall = self.wall_at(now);
        let reported = self.reported(snapshot);
        for (ix, state) in snapshot.circuits.iter().enumerate() {
            if self.settings.meters.iter().all(|meter| meter.circuit != CircuitIx(ix)) {
                let current = (state.other_load + reported[ix]).map(Some);
                let agreed = self.settings.site.circuits()[ix].limit;
                let seen = Seen { current, limit: state.limit, agreed, other: state.other_load };
                self.guard.saw(now, wall, CircuitIx(ix), &seen);
            }
        }
        self.guard.handle_timeout(now, wall);
    }

    /// What chargers report, summed up for each circuit, less what their meters may be off by: a full circuit whose
    /// limit is kept to the ampere must not look overloaded.
    fn reported(&self, snapshot: &Snapshot) -> Vec<PerLine<Milliamps>> {
        let exactly = |drawn: Option<PerLine<Milliamps>>| drawn.unwrap_or_default().map(Span::exactly);
        let drawn: Vec<_> = snapshot.chargers.iter().map(|state| exactly(state.drawn)).collect();
        let ours = in_circuits(&self.settings.site, &drawn);
        let surely = |span: Span| span.most.saturating_sub(Milliamps(span.most.0 / METER_ERROR));
        ours.into_iter().map(|lines| lines.map(surely)).collect()
    }

    /// The picture with what the guard holds back counted as the load of others, and room left for one that arrives.
    pub(crate) fn guarded(&self, snapshot: &Snapshot) -> Snapshot {
        let mut guarded = snapshot.clone();
        for (ix, state) in guarded.circuits.iter_mut().enumerate() {
            let held = self.guard.holds(CircuitIx(ix));
            state.other_load = PerLine(core::array::from_fn(|at| {
                let held =
                    held.0[at].map_or(state.other_load.0[at], |hold| hold.current.min(state.limit.0[at]));
                state.other_load.0[at].max(held)
            }));
        }
        self.leave_for_arrivals(&mut guarded);
        guarded
    }

    /// The guard's own reason where its hold is what fills the line.
    pub(crate) fn guards(&self, reason: Reason, snapshot: &Snapshot) -> Option<Reason> {
        let (Reason::LineFull { circuit, line }
        | Reason::WaitsForTurn { circuit, line }
        | Reason::NothingLeft { circuit, line }) = reason
        else {
            return None;
        };
        let hold = self.guard.holds(circuit)[line]?;
        let binds = hold.current >= snapshot.circuits[circuit.0].other_load[line];
        binds.then_some(Reason::Guarded { circuit, line, rule: hold.rule })
    }

    pub(crate) fn reset_lockout(&mut self, now: Instant, circuit: &str) {
        if let Some(ix) = self.settings.site.find_circuit(circuit) {
            self.guard.reset(ix);
            self.guard.handle_timeout(now, self.wall_at(now));
        }
    }

    /// Tells people of overloads, and keeps what must outlive a restart.
    pub(crate) fn watch_guard(&mut self, now: Instant) {
        for (circuit, memory) in self.guard.memories() {
            let circuit = self.settings.site.circuit(circuit).id.clone();
            self.effects.push(Effect::Record(Record::Guarded { circuit, memory: memory_text(&memory) }));
        }
        for spell in self.guard.take_spells() {
            let lasted = spell.lasted >= TELL_AFTER && spell.is_beyond_error();
            if lasted || spell.spent >= WORTH_TELLING {
                let alert = self.account(now, &spell);
                self.effects.push(Effect::Record(Record::Alert(alert)));
            }
        }
        for ix in 0..self.settings.site.circuits().len() {
            self.watch_circuit(now, CircuitIx(ix));
        }
    }

    fn watch_circuit(&mut self, now: Instant, ix: CircuitIx) {
        let id = self.settings.site.circuit(ix).id.clone();
        let locked_out = self.guard.locked_out(ix).then(|| {
            let text = format!(
                "{id} was above its limit for too long or too often by the rules of EREC G100. Its chargers are off \
                 until an installer resets the lockout; find what overloads it first."
            );
            (Severity::Alarm, text)
        });
        self.alerts.set(now, &id, "lockout", locked_out);
        let outlasts =
            |since| now.since(since) >= FOLLOWED_WITHIN || self.guard.spent(now, ix) >= WORTH_TELLING;
        let overload = self.guard.overload(ix).filter(|&(_, since)| outlasts(since)).map(|(line, _)| {
            let limit = self.limit_of(ix)[line];
            (
                Severity::Warning,
                format!("{} of {id} is above its limit of {limit}. Chargers are lowered.", line.name()),
            )
        });
        self.alerts.set(now, &id, "overload", overload);
    }

    /// The record of an overload: when, how much, how long, how soon it was answered.
    fn account(&self, now: Instant, spell: &Spell) -> Alert {
        let circuit = &self.settings.site.circuit(spell.circuit).id;
        let seconds = |span: Duration| format!("{:.2} s", span.as_secs_f64());
        let answered = spell.answered.map_or_else(
            || "there was no charger to lower".to_owned(),
            |after| format!("the first charger was lowered after {}", seconds(after)),
        );
        let text = format!(
            "{} of {circuit} was above its limit of {} for {}, at most {}; {answered}. It took {:.1} % of the time that \
             its protective device has.",
            spell.line.name(),
            spell.limit,
            seconds(spell.lasted),
            spell.peak,
            100.0 * spell.spent,
        );
        let about = circuit.clone();
        Alert { at: now, severity: Severity::Note, about, code: "overload-over", text, cleared: false }
    }

    pub(crate) fn guard_picture(&self, now: Instant, ix: CircuitIx) -> GuardStatus {
        let limit = self.limit_of(ix);
        let held = self.guard.holds(ix).map(|hold| hold.map_or(Milliamps::ZERO, |hold| hold.current));
        GuardStatus {
            over_since: self.guard.over_since(ix),
            spent: self.guard.spent(now, ix),
            cut_off_by: self.guard.cut_off_by(ix),
            held: held.zip_with(limit, Milliamps::min),
            locked_out: self.guard.locked_out(ix),
        }
    }
}

/// `locked-out` or `open`, and the counted excursions in milliseconds since 1970; `?` where that is not known.
fn memory_text(memory: &Memory) -> String {
    let mut text = if memory.locked_out { "locked-out" } else { "open" }.to_owned();
    for counted in &memory.counted {
        text.push(' ');
        text.push_str(&counted.map_or_else(|| "?".to_owned(), |wall| wall.0.to_string()));
    }
    text
}

fn memory_from(text: &str) -> Option<Memory> {
    let mut words = text.split_whitespace();
    let locked_out = match words.next()? {
        "locked-out" => true,
        "open" => false,
        _ => return None,
    };
    let counted = words.map(|word| word.parse().ok().map(WallTime)).collect();
    Some(Memory { locked_out, counted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guard_must_keep_is_read_back_as_it_was() {
        for memory in [
            Memory::default(),
            Memory { locked_out: true, counted: vec![Some(WallTime(1_772_438_400_000)), None] },
        ] {
            assert_eq!(memory_from(&memory_text(&memory)), Some(memory));
        }
        assert_eq!(memory_from(""), None);
        assert_eq!(memory_from("something else"), None);
    }
}
