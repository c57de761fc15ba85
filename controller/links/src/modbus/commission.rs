//! What a charger is told before its first limit: who are you, and what do you do when you hear nothing?
//!
//! The fallback is written and read back; only what was read back is reported as armed. Later only the
//! readback is repeated: a charger that shows something else has been reset and is told everything again.

use super::charger_map::ChargerMap;
use super::reads::{Read, join, read_of};
use super::register::{Register, Words};
use super::wire::{Fault, Function};
use crate::charger::{Identity, Notice};
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::Milliamps;
use std::collections::VecDeque;

const VERIFY_EVERY: Duration = Duration::from_secs(60);
/// Registers that count in whole amperes or seconds may round this much.
const CURRENT_SLACK_A: f64 = 0.5;

#[derive(Debug)]
pub(super) struct Commission {
    fallback: Milliamps,
    timeout: Duration,
    steps: VecDeque<Step>,
    words: Words,
    /// A write of the fallback was refused.
    refused: Option<String>,
    verdict: Option<Verdict>,
    done: bool,
    verify_at: Instant,
}

#[derive(Clone, Debug)]
enum Step {
    Identify(Read),
    Start(Function),
    Arm(Function),
    /// Left out where it shows the same fallback from before.
    Persist(Function),
    Check(Read),
}

#[derive(Clone, Debug, PartialEq)]
enum Verdict {
    Armed { current: Milliamps, after: Duration },
    Missing(String),
}

impl Commission {
    pub(super) fn new(map: &ChargerMap, fallback: Milliamps, lifetime: Duration, now: Instant) -> Self {
        let safe = &map.failsafe;
        let told = map.limit.told(fallback, map.limit.max);
        let lowest = if safe.zero { Milliamps::ZERO } else { map.limit.min };
        Self {
            fallback: told.max(lowest),
            timeout: safe.timeout_fixed.unwrap_or(lifetime.clamp(safe.timeout_min, safe.timeout_max)),
            steps: everything(map, told.max(lowest), lifetime.clamp(safe.timeout_min, safe.timeout_max)),
            words: Words::new(),
            refused: None,
            verdict: None,
            done: false,
            verify_at: now,
        }
    }

    /// All has to be told again, and the verdict counts no more.
    pub(super) fn restart(&mut self, map: &ChargerMap) {
        self.steps = everything(map, self.fallback, self.timeout);
        self.words.clear();
        self.refused = None;
        self.done = false;
    }

    pub(super) fn forget_verdict(&mut self) {
        self.verdict = None;
    }

    /// Everything has been told at least once since the charger was found.
    pub(super) const fn done(&self) -> bool {
        self.done
    }

    /// How long the charger waits before it falls back.
    pub(super) fn timeout(&self) -> Duration {
        match &self.verdict {
            Some(Verdict::Armed { after, .. }) => self.timeout.min(*after),
            _ => self.timeout,
        }
    }

    /// `None`: nothing to do before [`Self::verify_due`].
    pub(super) fn request(&self) -> Option<Function> {
        self.steps.front().map(|step| match step {
            Step::Identify(read) | Step::Check(read) => read.function(),
            Step::Start(function) | Step::Arm(function) | Step::Persist(function) => function.clone(),
        })
    }

    pub(super) fn verify_due(&self, map: &ChargerMap) -> Option<Instant> {
        (self.done && self.steps.is_empty() && !checks(map).is_empty()).then_some(self.verify_at)
    }

    pub(super) fn begin_verify(&mut self, map: &ChargerMap) {
        self.words.clear();
        self.steps = checks(map).into_iter().map(Step::Check).collect();
    }

    /// The last request was answered, well or with a final refusal. Says whether the charger has been
    /// reset and must be told its limit again.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        map: &ChargerMap,
        answer: Result<&[u16], Fault>,
        notices: &mut VecDeque<Notice>,
    ) -> bool {
        match (self.steps.pop_front(), answer) {
            (Some(Step::Identify(read) | Step::Check(read)), Ok(words)) => {
                read.keep(words, &mut self.words);
                if self.shows_what_it_was_told(map) {
                    self.steps.retain(|step| !matches!(step, Step::Persist(_)));
                }
            }
            (Some(Step::Persist(_)), Err(fault)) => {
                notices.push_back(Notice::Trouble(format!(
                    "It forgets its fallback when it restarts: keeping it failed ({fault}). Check that its map fits its model."
                )));
            }
            (Some(Step::Arm(_)), Err(fault)) => self.refused = Some(format!("writing its fallback: {fault}")),
            (Some(Step::Start(_)), Err(fault)) => {
                notices.push_back(Notice::Trouble(format!(
                    "Preparing the charger failed: {fault}. Check that its map fits its model."
                )));
            }
            _ => {}
        }
        if !self.steps.is_empty() {
            return false;
        }
        self.verify_at = now + VERIFY_EVERY;
        self.finish(map, notices)
    }

    fn finish(&mut self, map: &ChargerMap, notices: &mut VecDeque<Notice>) -> bool {
        let verifying = core::mem::replace(&mut self.done, true);
        if !verifying {
            notices.push_back(Notice::Identified(self.identity(map)));
        }
        let verdict = self.judge(map);
        let changed = self.verdict.as_ref() != Some(&verdict);
        if changed {
            notices.extend(self.tell(&verdict));
            self.verdict = Some(verdict.clone());
        }
        let reset = verifying && changed
            || verifying && matches!(verdict, Verdict::Missing(_)) && self.refused.is_none();
        if reset && map.failsafe.none.is_none() {
            self.restart(map);
            return changed;
        }
        false
    }

    fn identity(&self, map: &ChargerMap) -> Identity {
        let text = |label: &Option<super::label::Label>| {
            label.as_ref().and_then(|it| it.text(&self.words)).unwrap_or_default()
        };
        let model = text(&map.identity.model);
        Identity {
            vendor: map.make.clone(),
            model: if model.is_empty() { map.model.clone() } else { format!("{} ({model})", map.model) },
            serial: text(&map.identity.serial),
            firmware: text(&map.identity.firmware),
        }
    }

    fn shows_what_it_was_told(&self, map: &ChargerMap) -> bool {
        let shown = |register: &Option<Register>| register.as_ref().and_then(|it| it.value(&self.words));
        let same =
            |shown: Option<f64>, told: f64| shown.is_some_and(|shown| (shown - told).abs() < CURRENT_SLACK_A);
        same(shown(&map.failsafe.current_readback), self.fallback.as_amps())
            && same(shown(&map.failsafe.timeout_readback), self.timeout.as_secs_f64())
    }

    fn judge(&self, map: &ChargerMap) -> Verdict {
        let safe = &map.failsafe;
        if let Some(why) = safe.none.as_ref().or(self.refused.as_ref()) {
            return Verdict::Missing(why.clone());
        }
        let shown = |register: &Option<Register>| {
            register.as_ref().and_then(|it| it.value(&self.words)).filter(|it| (0.0..1e5).contains(it))
        };
        let after = safe.timeout_fixed.or_else(|| shown(&safe.timeout_readback).map(Duration::from_secs_f64));
        match (shown(&safe.current_readback), after) {
            (None, _) => Verdict::Missing("its fallback current cannot be read back".into()),
            (_, None) => Verdict::Missing("its fallback timeout cannot be read back".into()),
            (_, Some(Duration::ZERO)) => Verdict::Missing("its fallback is switched off".into()),
            (Some(amps), _) if safe.current.is_some() && amps > self.fallback.as_amps() + CURRENT_SLACK_A => {
                Verdict::Missing(format!(
                    "it was told to fall back to {} and shows {amps:.1} A",
                    self.fallback
                ))
            }
            (Some(amps), Some(after)) => Verdict::Armed { current: Milliamps::from_amps_f64(amps), after },
        }
    }

    fn tell(&self, verdict: &Verdict) -> Vec<Notice> {
        match verdict {
            Verdict::Missing(why) => vec![Notice::FallbackMissing { why: why.clone() }],
            Verdict::Armed { current, after } => {
                let armed = Notice::FallbackArmed { current: *current, after: *after };
                let higher = current.as_amps() > self.fallback.as_amps() + CURRENT_SLACK_A;
                let text = || {
                    format!(
                        "It falls back to {current}, not to {}. Set its safe current in its own configuration.",
                        self.fallback
                    )
                };
                core::iter::once(armed).chain(higher.then(|| Notice::Trouble(text()))).collect()
            }
        }
    }
}

fn everything(map: &ChargerMap, fallback: Milliamps, timeout: Duration) -> VecDeque<Step> {
    let texts = [map.identity.serial, map.identity.model, map.identity.firmware];
    let identify = texts.into_iter().flatten().map(|label| Step::Identify(label.read()));
    let start = map.start.iter().cloned().map(Step::Start);
    let current = map.failsafe.current.as_ref().map(|it| Step::Arm(it.function(fallback.as_amps())));
    let after = map.failsafe.timeout.as_ref().map(|it| Step::Arm(it.function(timeout.as_secs_f64())));
    let check = || checks(map).into_iter().map(Step::Check);
    let persist = map.failsafe.persist.clone().map(Step::Persist);
    let before = persist.is_some().then(check).into_iter().flatten();
    identify.chain(start).chain(before).chain(current).chain(after).chain(persist).chain(check()).collect()
}

fn checks(map: &ChargerMap) -> Vec<Read> {
    let shown = [&map.failsafe.current_readback, &map.failsafe.timeout_readback];
    join(shown.into_iter().flatten().map(read_of).collect(), map.rule)
}
