//! What a charger says of itself, read again and again: state, plug, currents, power, energy.
//!
//! Sessions are the time between plugging in and pulling out, as seen here: transactions are numbered
//! from 1 in the life of one port, and a car found plugged in at the start counts as just arrived.

use super::charger_map::{ChargerMap, Coded};
use super::reads::{Read, join};
use super::register::{Register, Words};
use super::wire::{Fault, Function};
use crate::charger::{Drawn, Notice, OutletState};
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::{Milliamps, WattHours, Watts};
use std::collections::VecDeque;

/// While a limit takes effect.
const QUICK: Duration = Duration::from_secs(1);
const CURRENT_MAX_A: f64 = 1_000.0;
const POWER_MAX_W: f64 = 1e6;
const ENERGY_MAX_WH: f64 = 1e12;

#[derive(Debug)]
pub(super) struct Poll {
    every: Duration,
    reads: Vec<Read>,
    next: usize,
    words: Words,
    began: Option<Instant>,
    due: Instant,
    quick_until: Instant,
    state: Option<OutletState>,
    phases: Option<u8>,
    register: Option<WattHours>,
    session: Option<i64>,
    sessions: i64,
}

impl Poll {
    pub(super) fn new(map: &ChargerMap, also: Option<Read>, every: Duration, now: Instant) -> Self {
        let plug = map.plug.as_ref().map(|it| it.label.read());
        let wanted =
            core::iter::once(map.state.label.read()).chain(plug).chain(map.values.reads()).chain(also);
        Self {
            every: every.max(Duration::from_millis(500)),
            reads: join(wanted.collect(), map.rule),
            next: 0,
            words: Words::new(),
            began: None,
            due: now,
            quick_until: now,
            state: None,
            phases: None,
            register: None,
            session: None,
            sessions: 0,
        }
    }

    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// A limit was changed: watch it take effect.
    pub(super) fn hurry(&mut self, now: Instant, lasts: Duration) {
        self.quick_until = now + lasts;
        self.due = self.due.min(now + QUICK);
    }

    /// The charger was lost: what it said no longer stands, its session does.
    pub(super) fn restart(&mut self, now: Instant) {
        self.begin_again();
        self.state = None;
        self.phases = None;
        self.due = now;
    }

    pub(super) fn request(&mut self, now: Instant) -> Option<Function> {
        if self.began.is_none() {
            self.began = Some(now);
        }
        self.reads.get(self.next).map(|read| read.function())
    }

    /// The last read was answered, well or with a final refusal. The words of a finished poll come out.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        answer: Result<&[u16], Fault>,
    ) -> Option<(Instant, Words)> {
        let read = *self.reads.get(self.next)?;
        if let Ok(words) = answer {
            read.keep(words, &mut self.words);
        }
        self.next += 1;
        if self.next < self.reads.len() {
            return None;
        }
        let began = self.began.unwrap_or(now);
        let words = core::mem::take(&mut self.words);
        self.begin_again();
        let every = if now < self.quick_until { QUICK.min(self.every) } else { self.every };
        self.due = (began + every).max(now);
        Some((began, words))
    }

    fn begin_again(&mut self) {
        self.next = 0;
        self.words.clear();
        self.began = None;
    }

    /// What a finished poll means.
    ///
    /// # Errors
    /// [`Fault::Garbled`] if it holds something that cannot be.
    pub(super) fn tell(
        &mut self,
        map: &ChargerMap,
        began: Instant,
        words: &Words,
        notices: &mut VecDeque<Notice>,
    ) -> Result<(), Fault> {
        let values = &map.values;
        let power = within(values.power.as_ref(), words, POWER_MAX_W)?;
        let energy = within(values.energy.as_ref(), words, ENERGY_MAX_WH)?;
        let mut current = [None; 3];
        for (shown, register) in current.iter_mut().zip(&values.current) {
            *shown = within(register.as_ref(), words, CURRENT_MAX_A)?.map(Milliamps::from_amps_f64);
        }
        self.tell_state(map, words, energy, notices);
        if current.iter().any(Option::is_some) || power.is_some() {
            let power = power.map(|watts| Watts(watts.round() as i64));
            notices.push_back(Notice::Drawn(Drawn { at: began, current, power }));
        }
        let phases = values.phases.as_ref().and_then(|it| meaning(it, words));
        if let Some(phases) = phases.filter(|_| phases != self.phases) {
            self.phases = Some(phases);
            notices.push_back(Notice::CarPhases(phases));
        }
        Ok(())
    }

    fn tell_state(
        &mut self,
        map: &ChargerMap,
        words: &Words,
        energy: Option<f64>,
        notices: &mut VecDeque<Notice>,
    ) {
        let register = energy.map(|energy| WattHours(energy.round() as i64));
        let plugged = map.plug.as_ref().and_then(|it| meaning(it, words));
        let state = state_of(meaning(&map.state, words).unwrap_or_default(), plugged);
        if self.state != Some(state) {
            self.state = Some(state);
            notices.push_back(Notice::State(state));
        }
        if let Some(register) = register.filter(|_| register != self.register) {
            self.register = Some(register);
            notices.push_back(Notice::Register(register));
        }
        let plugged = plugged.or(match state {
            OutletState::Available | OutletState::Reserved => Some(false),
            state if state.occupied() => Some(true),
            _ => None,
        });
        match (plugged, self.session) {
            (Some(true), None) => notices.push_back(self.session_started(map, register)),
            (Some(false), Some(transaction)) => {
                self.session = None;
                let why = "unplugged".to_string();
                notices.push_back(Notice::SessionStopped { transaction, register, at: None, why });
            }
            _ => {}
        }
    }

    fn session_started(&mut self, map: &ChargerMap, register: Option<WattHours>) -> Notice {
        self.sessions += 1;
        self.session = Some(self.sessions);
        let register = register.map(|it| if map.values.energy_of_session { WattHours(0) } else { it });
        Notice::SessionStarted { transaction: self.sessions, tag: String::new(), register, at: None }
    }
}

/// The plug's word counts over the state's: with no car there is neither charging nor suspending.
const fn state_of(state: OutletState, plugged: Option<bool>) -> OutletState {
    match (state, plugged) {
        (state, Some(false)) if state.occupied() => OutletState::Available,
        (OutletState::Available, Some(true)) => OutletState::Preparing,
        (state, _) => state,
    }
}

fn meaning<T: Copy>(coded: &Coded<T>, words: &Words) -> Option<T> {
    coded.meaning.get(&coded.label.text(words)?).copied()
}

fn within(register: Option<&Register>, words: &Words, max: f64) -> Result<Option<f64>, Fault> {
    match register.and_then(|it| it.value(words)) {
        Some(value) if !value.is_finite() || value.abs() > max => Err(Fault::Garbled),
        value => Ok(value),
    }
}
