//! Whether a meter that shows the same again and again stands still, or is only coarse.

use crate::settings::MeterSetting;
use dlb_engine::reading::Reading;
use dlb_engine::time::{Duration, Instant};
use dlb_engine::units::Milliamps;
use std::collections::BTreeMap;

/// A meter whose every reading was new, with so many new values in a row of readings, and that then shows the same to the
/// last digit of every current, voltage, power and register for this long, with a current flowing, shows the past. A
/// coarse one, of which some readings are always the same, is never doubted for that.
const LIVELY: u32 = 60;
const FROZEN_AFTER: Duration = Duration::from_secs(10);
/// So many in a row are its nature, and worth remembering over a restart.
const BY_NATURE: u32 = 1800;

/// A charger's name has no slash in it, see [`crate::models`].
const NAMES_BEGIN: &str = "meter/";
const REMEMBERED: &str = "lively";

#[derive(Clone, Debug)]
pub(crate) struct Liveliness {
    /// New values in readings of which each had been new when it last showed anything new, and when that was.
    in_a_row: u32,
    news: Option<Instant>,
    stands: bool,
    remembered: bool,
    lesson: Option<bool>,
}

impl Liveliness {
    pub(crate) fn new(meter: &MeterSetting, memories: &BTreeMap<String, String>) -> Self {
        let remembered = memories.get(&name(meter)).is_some_and(|memory| memory == REMEMBERED);
        let in_a_row = if remembered { LIVELY } else { 0 };
        Self { in_a_row, news: None, stands: false, remembered, lesson: None }
    }

    /// Takes a reading; `last`: the one before. Answers since when the meter has shown the past.
    pub(crate) fn saw(&mut self, now: Instant, reading: &Reading, last: Option<&Reading>) -> Option<Instant> {
        let news = last.map_or(1, |last| reading.news_since(last)) as u32;
        let same = news == 0;
        if !same {
            let before = if self.stands { 0 } else { self.in_a_row };
            self.in_a_row = before.saturating_add(news);
            self.news = Some(now);
            self.learn();
        }
        self.stands = same;
        let flows = reading.current.0.iter().flatten().any(|current| *current != Milliamps::ZERO);
        let doubted = same && flows && self.in_a_row >= LIVELY;
        self.news.filter(|&news| doubted && now.since(news) >= FROZEN_AFTER)
    }

    fn learn(&mut self) {
        let known = if self.remembered { !self.stands } else { self.in_a_row >= BY_NATURE };
        if known != self.remembered {
            self.remembered = known;
            self.lesson = Some(known);
        }
    }

    /// What must be remembered from now on, under this meter's name.
    pub(crate) fn lesson(&mut self, meter: &MeterSetting) -> Option<(String, String)> {
        let lively = self.lesson.take()?;
        let memory = if lively { REMEMBERED } else { "" };
        Some((name(meter), memory.to_owned()))
    }
}

fn name(meter: &MeterSetting) -> String {
    format!("{NAMES_BEGIN}{}", meter.id)
}
