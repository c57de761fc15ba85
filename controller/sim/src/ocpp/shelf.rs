//! The profiles that a charge point holds, and what they mean together.
//!
//! Per purpose the highest stack level that speaks for the instant wins; a TxProfile takes the place of
//! TxDefault, whatever their levels; the station's maximum caps what comes out. A profile whose duration
//! or validity is over does not speak, so the one below it does: nobody has to clear anything.

use super::habits::RelativeTo;
use super::profile::{Profile, Purpose, Unit};

#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    profiles: Vec<Profile>,
}

/// For whom a limit is looked up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) connector: i64,
    pub(super) transaction: Option<i64>,
    pub(super) at: i64,
    /// Begin of charging; the same as `at` where nothing charges.
    pub(super) since: i64,
    pub(super) relative_to: RelativeTo,
    /// The charge point's calendar at `Instant(0)`.
    pub(super) clock: i64,
}

/// A limit in the unit in which it was given.
pub(super) type Limit = (f64, Unit);

/// What [`Shelf::clear`] looks for; what is `None` matches all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Filter {
    pub(super) id: Option<i64>,
    pub(super) connector: Option<i64>,
    pub(super) purpose: Option<Purpose>,
    pub(super) stack_level: Option<i64>,
}

/// `MaxChargingProfilesInstalled`.
pub(super) const PROFILES_MAX: usize = 20;

impl Shelf {
    /// Puts a profile in the place of the one with its id, or of its purpose and level. False: full.
    pub(super) fn install(&mut self, profile: Profile) -> bool {
        self.profiles.retain(|old| {
            let same_place = old.connector == profile.connector
                && old.purpose == profile.purpose
                && old.stack_level == profile.stack_level;
            old.id != profile.id && !same_place
        });
        let fits = self.profiles.len() < PROFILES_MAX;
        if fits {
            self.profiles.push(profile);
        }
        fits
    }

    /// False: nothing matched.
    pub(super) fn clear(&mut self, filter: &Filter) -> bool {
        let before = self.profiles.len();
        self.profiles.retain(|profile| !filter.matches(profile));
        self.profiles.len() != before
    }

    /// The transaction of this connector is over, and its profiles with it.
    pub(super) fn end_transaction(&mut self, connector: i64) {
        self.profiles.retain(|profile| profile.purpose != Purpose::Tx || profile.connector != connector);
    }

    /// After a restart: TxProfiles are gone, the others only where the make does not keep them.
    pub(super) fn restart(&mut self, keeps: bool) {
        self.profiles.retain(|profile| keeps && profile.purpose != Purpose::Tx);
    }

    /// Limits that hold at the instant: the transaction's, and the station's cap.
    pub(super) fn limits(&self, asked: &Asked) -> [Option<Limit>; 2] {
        let own = self.top(asked, Purpose::Tx).or_else(|| self.top(asked, Purpose::TxDefault));
        [own, self.top(asked, Purpose::StationMaximum)]
    }

    /// Phases that the profile in force names.
    pub(super) fn phases(&self, asked: &Asked) -> Option<u8> {
        let speaking = self.speaking(asked, Purpose::Tx).or_else(|| self.speaking(asked, Purpose::TxDefault));
        speaking.and_then(|(profile, _)| profile.phases)
    }

    /// Instants in `asked.at..to` at which the limits may change.
    pub(super) fn turns(&self, asked: &Asked, to: i64) -> Vec<i64> {
        let turns = |profile: &Profile| profile.turns(asked, to);
        let mut all: Vec<i64> = self.profiles.iter().flat_map(turns).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn top(&self, asked: &Asked, purpose: Purpose) -> Option<Limit> {
        self.speaking(asked, purpose).map(|(profile, limit)| (limit, profile.unit))
    }

    fn speaking(&self, asked: &Asked, purpose: Purpose) -> Option<(&Profile, f64)> {
        let speaks = |profile: &&Profile| {
            let concerns = profile.connector == 0 || profile.connector == asked.connector;
            let of_transaction = profile.transaction.is_none() || profile.transaction == asked.transaction;
            let charging = purpose != Purpose::Tx || asked.transaction.is_some();
            profile.purpose == purpose && concerns && of_transaction && charging
        };
        let limit = |profile: &Profile| profile.limit_at(asked);
        self.profiles
            .iter()
            .filter(speaks)
            .filter_map(|profile| Some((profile, limit(profile)?)))
            .max_by_key(|(profile, _)| (profile.stack_level, profile.connector))
    }
}

impl Filter {
    /// An id counts alone; otherwise everything that is given must match.
    fn matches(&self, profile: &Profile) -> bool {
        if let Some(id) = self.id {
            return profile.id == id;
        }
        self.connector.is_none_or(|connector| connector == profile.connector)
            && self.purpose.is_none_or(|purpose| purpose == profile.purpose)
            && self.stack_level.is_none_or(|level| level == profile.stack_level)
    }
}
