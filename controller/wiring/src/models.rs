//! What was learnt of makes and models while they were at work: how long a limit takes until it has its effect.
//! Kept over restarts beside what probing taught of single chargers, under a name that no charger can have.

use crate::controller::Controller;
use crate::event::{Effect, Record};
use dlb_engine::ledger::Proof;
use dlb_engine::settle::Settling;
use dlb_engine::site::ChargerIx;
use dlb_engine::time::Duration;
use dlb_links::charger::{Confirmation, Identity};
use std::collections::BTreeMap;

/// A charger's name is the last element of a URL's path, so it has no slash in it.
const NAMES_BEGIN: &str = "model/";
/// More makes and firmwares than this on one site are somebody's invention.
const MOST: usize = 200;

#[derive(Clone, Debug, Default)]
pub(crate) struct Models(BTreeMap<String, Settling>);

impl Models {
    pub(crate) fn read(memories: &BTreeMap<String, String>) -> Self {
        let of_models =
            memories.range(NAMES_BEGIN.to_owned()..).take_while(|(name, _)| name.starts_with(NAMES_BEGIN));
        let read = of_models.filter_map(|(name, text)| Some((name.clone(), Settling::read(text)?)));
        Self(read.take(MOST).collect())
    }
}

/// `None`: it has not said what it is.
fn name(identity: &Identity) -> Option<String> {
    let Identity { vendor, model, firmware, .. } = identity;
    (!vendor.is_empty() && !model.is_empty()).then(|| format!("{NAMES_BEGIN}{vendor}/{model}/{firmware}"))
}

impl Controller {
    /// How this charger's obedience can be judged, by what is known of its model.
    pub(crate) fn proof_of(&self, charger: ChargerIx) -> Proof {
        let abilities = &self.outlets[charger.0].abilities;
        Proof {
            metered: abilities.confirmation == Confirmation::Metered,
            settle: self.model_of(charger).map_or(abilities.settle, |known| known.settle(abilities.settle)),
        }
    }

    /// Its settle time was seen on this site; otherwise it is what is said of its model.
    pub(crate) fn settle_is_learnt(&self, charger: ChargerIx) -> bool {
        let assumed = self.outlets[charger.0].abilities.settle;
        self.model_of(charger).is_some_and(|known| known.is_learnt(assumed))
    }

    fn model_of(&self, charger: ChargerIx) -> Option<&Settling> {
        name(&self.outlets[charger.0].identity).and_then(|name| self.models.0.get(&name))
    }

    /// A limit had its effect on a charger, not before so long after it was accepted.
    pub(crate) fn settled(&mut self, charger: ChargerIx, longer_than: Duration) {
        let assumed = self.outlets[charger.0].abilities.settle;
        let Some(name) = name(&self.outlets[charger.0].identity) else { return };
        if self.models.0.len() >= MOST && !self.models.0.contains_key(&name) {
            return;
        }
        let settling = self.models.0.entry(name.clone()).or_default();
        if settling.saw(longer_than, assumed) {
            let memory = settling.write();
            self.push_effect(Effect::Record(Record::Learnt { identity: name, memory }));
            for other in self.settings.site.charger_indexes() {
                self.ledger.judged_by(other, self.proof_of(other));
            }
        }
    }
}
