//! Chargers that were taken out of the configuration, and what they may still draw.
//!
//! A charger does not know that it is nobody's any more: until its limit ends by itself it goes on as it was told,
//! and then stands at its fallback. Where a meter measures its circuit, that shows; where none does, it is counted
//! here: until the limit has ended, and for as long as the charger is still connected. Nobody connects by Modbus but we:
//! there it is counted for as long as it takes to get it off the wall. All that outlasts a restart of the box, after which
//! its times begin anew: how long the box was without power is not known.

use crate::central::Central;
use crate::event::Record;
use crate::settings::{LinkSetting, Settings};
use dlb_engine::ledger::{Fallback, Ledger};
use dlb_engine::lines::{Line, PerLine};
use dlb_engine::site::{ChargerIx, Site};
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::Milliamps;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Who takes a charger out of the configuration takes it off its circuit, or leaves it switched off, within this time.
const DISMANTLED_AFTER: Duration = Duration::from_secs(3600);

/// What is remembered stands beside what was learnt of chargers, under a name that none can have.
const MEMORY: &str = "departed/";

/// By identity; no more than chargers that were once configured and are connected, or were a lifetime ago.
#[derive(Clone, Debug, Default)]
pub(crate) struct Departed(BTreeMap<String, Charger>);

#[derive(Clone, Debug)]
struct Charger {
    circuit: String,
    lines: PerLine<bool>,
    /// What it may draw until its limit ends, and from then on.
    first: Milliamps,
    then: Milliamps,
    /// How long a limit lasts, and when this one has ended.
    lasts: Duration,
    ends: Instant,
    /// Under what name it would be connected.
    ocpp: Option<String>,
}

impl Departed {
    /// What was remembered before the last start; without what cannot be read, and whoever is configured again.
    pub(crate) fn read(memories: &BTreeMap<String, String>, now: Instant, site: &Site) -> Self {
        let text = memories.get(MEMORY).map_or("", String::as_str);
        let Ok(Value::Object(entries)) = serde_json::from_str(text) else { return Self::default() };
        let unknown = entries.into_iter().filter(|(id, _)| site.find_charger(id).is_none());
        Self(unknown.filter_map(|(id, entry)| Some((id, Charger::read(&entry, now)?))).collect())
    }

    fn memory(&self) -> Record {
        let entries = self.0.iter().map(|(id, charger)| (id.clone(), charger.write()));
        let memory = Value::Object(entries.collect()).to_string();
        Record::Learnt { identity: MEMORY.to_owned(), memory }
    }

    /// Takes in whoever is in the old settings and not in the new ones. What is to be remembered, if that has changed.
    pub(crate) fn compare(
        &mut self,
        now: Instant,
        old: &Settings,
        new: &Settings,
        ledger: &Ledger,
    ) -> Option<Record> {
        let before = self.0.len();
        self.0.retain(|id, _| new.site.find_charger(id).is_none());
        let mut changed = self.0.len() < before;
        for ix in old.site.charger_indexes() {
            let id = &old.site.charger(ix).id;
            if new.site.find_charger(id).is_none() {
                self.0.insert(id.clone(), Charger::new(now, ix, old, ledger));
                changed = true;
            }
        }
        changed.then(|| self.memory())
    }

    /// Forgets those whose limits have ended and who are not connected, or were on Modbus and must be gone. What is to be
    /// remembered, if that has changed.
    pub(crate) fn forget(&mut self, now: Instant, central: &Central) -> Option<Record> {
        let before = self.0.len();
        self.0.retain(|_, charger| {
            let connected = |name: &String| central.waiting().any(|(identity, _)| identity == name);
            match &charger.ocpp {
                Some(name) => now < charger.ends || connected(name),
                None => now < charger.ends + DISMANTLED_AFTER,
            }
        });
        (self.0.len() < before).then(|| self.memory())
    }

    /// What they may draw in each circuit itself.
    pub(crate) fn loads(&self, now: Instant, site: &Site) -> Vec<PerLine<Milliamps>> {
        let mut loads = vec![PerLine::all(Milliamps::ZERO); site.circuits().len()];
        for charger in self.0.values() {
            let Some(circuit) = site.find_circuit(&charger.circuit) else { continue };
            let most = if now < charger.ends { charger.first } else { charger.then };
            let load = charger.lines.map(|loaded| if loaded { most } else { Milliamps::ZERO });
            loads[circuit.0] = loads[circuit.0] + load;
        }
        loads
    }
}

impl Charger {
    fn new(now: Instant, ix: ChargerIx, old: &Settings, ledger: &Ledger) -> Self {
        let charger = old.site.charger(ix);
        let worst = ledger.worst(now, ix, &old.site);
        let never = Fallback { current: charger.max, after: Duration::ZERO };
        let fallback = ledger.fallback_of(ix).unwrap_or(never);
        let ocpp = match &old.links[ix.0] {
            LinkSetting::Ocpp { identity, .. } => Some(identity.clone()),
            LinkSetting::Modbus { .. } => None,
        };
        Self {
            circuit: old.site.circuit(charger.circuit).id.clone(),
            lines: charger.wiring.loads(None),
            first: worst.max(fallback.current),
            then: fallback.current,
            lasts: fallback.after,
            ends: now + fallback.after,
            ocpp,
        }
    }

    fn write(&self) -> Value {
        json!({
            "circuit": self.circuit,
            "lines": Line::ALL.map(|line| self.lines[line]),
            "first_ma": self.first.0,
            "then_ma": self.then.0,
            "lasts_ms": self.lasts.as_millis(),
            "ocpp": self.ocpp,
        })
    }

    fn read(entry: &Value, now: Instant) -> Option<Self> {
        let line = |line: Line| entry["lines"][line.index()].as_bool();
        let current = |key: &str| i32::try_from(entry[key].as_i64()?).ok().map(Milliamps);
        let lasts = Duration::from_millis(u64::from(u32::try_from(entry["lasts_ms"].as_u64()?).ok()?));
        Some(Self {
            circuit: entry["circuit"].as_str()?.to_owned(),
            lines: PerLine([line(Line::L1)?, line(Line::L2)?, line(Line::L3)?]),
            first: current("first_ma")?,
            then: current("then_ma")?,
            lasts,
            ends: now + lasts,
            ocpp: entry["ocpp"].as_str().map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Adoption, Policy, PortIx};
    use dlb_engine::ledger::Proof;
    use dlb_engine::lines::{Line, Wiring};
    use dlb_engine::site::{Circuit, CircuitIx, Supply};
    use dlb_engine::units::Millivolts;
    use dlb_links::charger::Outlet;

    const A: ChargerIx = ChargerIx(0);

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn amps(amps: i32) -> Milliamps {
        Milliamps::from_amps(amps)
    }

    fn with(ids: &[&str]) -> Settings {
        let charger = |id: &&str| dlb_engine::site::Charger {
            id: (*id).to_owned(),
            circuit: CircuitIx(0),
            wiring: Wiring::One(Line::L2),
            min: amps(6),
            max: amps(16),
            step: amps(1),
            fallback: amps(6),
            priority: 0,
            weight: 1.0,
        };
        let link =
            |id: &&str| LinkSetting::Ocpp { identity: (*id).to_owned(), outlet: Outlet(1), efficiency: None };
        let board = Circuit::new("board", PerLine::all(amps(20)), Supply::Star(Millivolts(230_000)));
        Settings {
            name: "Site".into(),
            site: Site::new(vec![board], ids.iter().map(charger).collect()).expect("a sound site"),
            guards: Vec::new(),
            meters: Vec::new(),
            links: ids.iter().map(link).collect(),
            policy: Policy::default(),
            adoption: Adoption::Ask,
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    #[test]
    fn a_charger_that_was_taken_out_counts_at_its_limit_then_at_its_fallback_and_not_once_it_is_back() {
        let (both, one) = (with(&["a", "b"]), with(&["b"]));
        let mut ledger = Ledger::new(&both.site, at(0));
        ledger.online(A, &both.site, Proof { metered: true, settle: Duration::from_secs(5) });
        ledger.fallback(A, Some(Fallback { current: amps(6), after: Duration::from_secs(60) }));
        let mut departed = Departed::default();
        departed.compare(at(10), &both, &one, &ledger);
        let on_board = |departed: &Departed, second| departed.loads(at(second), &one.site)[0];
        let only_l2 = |load| PerLine([Milliamps::ZERO, amps(load), Milliamps::ZERO]);
        assert_eq!(on_board(&departed, 69), only_l2(16));
        assert_eq!(on_board(&departed, 70), only_l2(6));
        departed.compare(at(80), &one, &both, &ledger);
        assert_eq!(on_board(&departed, 80), only_l2(0));
    }

    #[test]
    fn a_charger_that_was_taken_out_and_is_gone_is_forgotten_when_its_limit_has_ended() {
        let (both, one) = (with(&["a", "b"]), with(&["b"]));
        let mut ledger = Ledger::new(&both.site, at(0));
        ledger.fallback(A, Some(Fallback { current: amps(6), after: Duration::from_secs(60) }));
        let mut departed = Departed::default();
        departed.compare(at(10), &both, &one, &ledger);
        let central = Central::new(BTreeMap::new());
        departed.forget(at(69), &central);
        assert!(!departed.0.is_empty());
        departed.forget(at(70), &central);
        assert!(departed.0.is_empty());
    }

    #[test]
    fn a_charger_that_was_taken_out_counts_after_a_restart_of_the_box_too() {
        let (both, one) = (with(&["a", "b"]), with(&["b"]));
        let mut ledger = Ledger::new(&both.site, at(0));
        ledger.online(A, &both.site, Proof { metered: true, settle: Duration::from_secs(5) });
        ledger.fallback(A, Some(Fallback { current: amps(6), after: Duration::from_secs(60) }));
        let mut departed = Departed::default();
        let record = departed.compare(at(10), &both, &one, &ledger);
        let Some(Record::Learnt { identity, memory }) = record else { panic!("{record:?}") };
        let memories = BTreeMap::from([(identity, memory)]);
        let mut departed = Departed::read(&memories, at(1000), &one.site);
        assert_eq!(departed.loads(at(1059), &one.site)[0][Line::L2], amps(16));
        assert_eq!(departed.loads(at(1060), &one.site)[0][Line::L2], amps(6));
        let Some(Record::Learnt { memory, .. }) = departed.forget(at(1060), &Central::new(BTreeMap::new()))
        else {
            panic!("the memory stays")
        };
        assert_eq!(memory, "{}");
        assert!(Departed::read(&memories, at(1000), &both.site).0.is_empty());
    }

    #[test]
    fn a_modbus_charger_that_was_taken_out_counts_at_its_fallback_until_it_must_be_off_the_wall() {
        let (mut both, one) = (with(&["a", "b"]), with(&["b"]));
        both.links[0] = LinkSetting::Modbus { port: PortIx(0), unit: 1, map: "keba-p30".into() };
        let mut ledger = Ledger::new(&both.site, at(0));
        ledger.fallback(A, Some(Fallback { current: amps(6), after: Duration::from_secs(60) }));
        let mut departed = Departed::default();
        departed.compare(at(10), &both, &one, &ledger);
        let central = Central::new(BTreeMap::new());
        departed.forget(at(3_669), &central);
        assert_eq!(departed.loads(at(3_669), &one.site)[0][Line::L2], amps(6));
        departed.forget(at(3_670), &central);
        assert_eq!(departed.loads(at(3_670), &one.site)[0][Line::L2], amps(0));
    }
}
