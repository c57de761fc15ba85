//! Hours of the day in which DC chargers are served before all others: whoever stops on the way somewhere cannot wait
//! as long as whoever has parked.

use crate::controller::Controller;
use crate::settings::{LinkSetting, Settings};
use dlb_engine::site::Site;
use dlb_engine::time::{Duration, Instant};

/// A part of every day, by the clock on the wall. One that ends before it begins goes over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Since midnight.
    pub from: Duration,
    pub to: Duration,
}

impl Hours {
    #[must_use]
    pub fn contain(self, time: Duration) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

/// The site as it is served within these hours; `None` where nothing would be different.
pub(crate) fn served(settings: &Settings) -> Option<Site> {
    settings.policy.dc_first?;
    let dc = |link: &LinkSetting| matches!(link, LinkSetting::Ocpp { efficiency: Some(_), .. });
    let both = settings.links.iter().any(dc) && !settings.links.iter().all(dc);
    both.then(|| settings.site.with_first(|charger| dc(&settings.links[charger.0])))
}

impl Controller {
    /// The site with the classes that count now. While the time of day is not known, nobody goes before others.
    pub(crate) fn site_now(&self, now: Instant) -> &Site {
        let hours = self.settings.policy.dc_first;
        let within = hours.zip(self.daytime_at(now)).is_some_and(|(hours, time)| hours.contain(time));
        self.dc_first.as_ref().filter(|_| within).unwrap_or(&self.settings.site)
    }

    fn daytime_at(&self, now: Instant) -> Option<Duration> {
        let (told, time) = self.daytime?;
        let seconds = (time + now.since(told)).as_secs() % (24 * 3600);
        Some(Duration::from_secs(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: u64, to: u64) -> Hours {
        Hours { from: Duration::from_secs(from * 3600), to: Duration::from_secs(to * 3600) }
    }

    fn at(hour: u64) -> Duration {
        Duration::from_secs(hour * 3600)
    }

    #[test]
    fn hours_of_the_day_and_of_the_night() {
        assert!(hours(7, 19).contain(at(7)) && !hours(7, 19).contain(at(19)));
        assert!(hours(22, 6).contain(at(23)) && hours(22, 6).contain(at(3)) && !hours(22, 6).contain(at(12)));
        assert!(!hours(7, 7).contain(at(7)));
    }
}
