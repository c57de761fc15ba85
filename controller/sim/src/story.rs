//! What happens on the site, in sentences for people who watch.

use crate::bay::Visit;
use crate::building::Switched;
use std::borrow::Cow;
use std::collections::VecDeque;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// What it is about, where a newer sentence about the same makes it stale. `None`: it stands for itself.
    pub subject: Option<Cow<'static, str>>,
    pub text: String,
}

/// Sentences that nobody has read yet; the oldest go first when there are too many.
#[derive(Clone, Debug, Default)]
pub struct Story(VecDeque<Sentence>);

const KEPT: usize = 32;

impl Story {
    pub fn tell(&mut self, sentence: Sentence) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(sentence);
    }

    /// The next sentence.
    pub fn next_sentence(&mut self) -> Option<Sentence> {
        self.0.pop_front()
    }
}

pub(crate) fn switched(what: &Switched) -> Sentence {
    let amps = what.amps.0.iter().copied().fold(0.0, f64::max);
    let lines: Vec<&str> =
        what.amps.iter().filter(|(_, amps)| *amps > 0.0).map(|(line, _)| line.name()).collect();
    let (verb, sign) = if what.on { ("starts", '+') } else { ("stops", '−') };
    let text = format!("The {} {verb}: {sign}{amps:.0} A on {}.", what.appliance, lines.join(", "));
    Sentence { subject: Some(what.appliance.clone()), text }
}

pub(crate) fn tripped(circuit: usize) -> Sentence {
    let text = if circuit == 0 {
        "The main fuse would have blown.".to_owned()
    } else {
        format!("The protective device of circuit {circuit} would have tripped.")
    };
    Sentence { subject: None, text }
}

pub(crate) fn sky(cloudy: bool) -> Sentence {
    let text = if cloudy { "A cloud takes the sun off the roof." } else { "The sun comes back to the roof." };
    Sentence { subject: Some("sky".into()), text: text.to_owned() }
}

pub(crate) fn visit(bay: &str, visit: &Visit) -> Sentence {
    let text = match visit {
        Visit::Arrived { car, soc, missing_kwh, .. } => {
            let percent = soc * 100.0;
            format!("{bay}: {} {car} arrives at {percent:.0} % and wants {missing_kwh:.0} kWh.", article(car))
        }
        Visit::Left { car, soc, content, .. } => {
            let mood = if *content { "content" } else { "before it was done" };
            format!("{bay}: the {car} leaves at {:.0} %, {mood}.", soc * 100.0)
        }
    };
    Sentence { subject: None, text }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
