//! Which kind of charging profile a charger takes: tried one after the other, remembered once it worked.
//!
//! The ladder is `TxProfile`, `TxDefaultProfile`, `ChargePointMaxProfile`; on each rung the kind, the
//! stack level and the unit are varied unless they are known.

use crate::ocpp16::profile::{Kind, Purpose, RateUnit};
use crate::ocpp16::quirks::Quirk;
use serde::{Deserialize, Serialize};

/// One way to write a limit down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    pub purpose: Purpose,
    pub kind: Kind,
    pub unit: RateUnit,
    pub stack: u8,
    /// Set on connector 0, for the station as a whole.
    #[serde(default)]
    pub station: bool,
}

/// What is known before trying.
#[derive(Clone, Copy, Debug)]
pub struct Knowledge<'a> {
    pub quirk: &'a Quirk,
    /// From the charger's configuration, or because it is a DC charger.
    pub unit: Option<RateUnit>,
    pub max_stack: Option<u8>,
    /// What worked the last time.
    pub learnt: Option<Recipe>,
}

impl Knowledge<'_> {
    /// Every way to set a limit, the most promising first.
    #[must_use]
    pub fn limits(&self) -> Vec<Recipe> {
        let mut recipes: Vec<Recipe> = self.learnt.into_iter().collect();
        for purpose in self.quirk.purposes() {
            let base = Recipe {
                purpose,
                kind: self.quirk.kind.unwrap_or(Kind::Absolute),
                unit: self.unit(),
                stack: if purpose == Purpose::Max { 0 } else { self.stack() },
                station: purpose == Purpose::Max,
            };
            recipes.extend(self.variants(base));
        }
        without_repeats(recipes)
    }

    /// Every way to install the standing fallback. Relative first: it needs no clock. A station maximum
    /// is the last resort: nothing could raise it but another one.
    #[must_use]
    pub fn fallbacks(&self) -> Vec<Recipe> {
        let rungs = self.quirk.purposes();
        let (kind, unit) = (Kind::Relative, self.unit());
        let default = Recipe { purpose: Purpose::TxDefault, kind, unit, stack: 0, station: false };
        let station = Recipe { purpose: Purpose::Max, station: true, ..default };
        let mut recipes: Vec<Recipe> = self.learnt.into_iter().collect();
        if rungs.contains(&Purpose::TxDefault) {
            recipes.extend(self.variants(default));
            recipes.push(Recipe { station: true, ..default });
        }
        if rungs.contains(&Purpose::Max) {
            recipes.extend(self.variants(station));
        }
        without_repeats(recipes)
    }

    fn variants(&self, base: Recipe) -> Vec<Recipe> {
        let mut variants = vec![base];
        if self.quirk.kind.is_none() {
            let kind = if base.kind == Kind::Absolute { Kind::Relative } else { Kind::Absolute };
            variants.push(Recipe { kind, ..base });
        }
        if base.stack > 0 {
            variants.push(Recipe { stack: 0, ..base });
        }
        if self.unit.is_none() && self.quirk.unit.is_none() {
            let unit = if base.unit == RateUnit::A { RateUnit::W } else { RateUnit::A };
            variants.push(Recipe { unit, ..base });
        }
        variants
    }

    fn unit(&self) -> RateUnit {
        self.quirk.unit.or(self.unit).unwrap_or(RateUnit::A)
    }

    /// The highest level that the charger knows, so that nothing forgotten in it outranks us.
    fn stack(&self) -> u8 {
        self.quirk.stack_level.or(self.max_stack).unwrap_or(1)
    }
}

fn without_repeats(recipes: Vec<Recipe>) -> Vec<Recipe> {
    let mut seen = Vec::new();
    for recipe in recipes {
        if !seen.contains(&recipe) {
            seen.push(recipe);
        }
    }
    seen
}

/// Where on the ladder we stand.
#[derive(Clone, Debug, Default)]
pub struct Ladder {
    refused: Vec<Recipe>,
}

impl Ladder {
    /// The next recipe to try, or the one that works. `None`: all were refused.
    #[must_use]
    pub fn current(&self, recipes: &[Recipe]) -> Option<Recipe> {
        recipes.iter().find(|recipe| !self.refused.contains(recipe)).copied()
    }

    /// Nothing was refused so far.
    #[must_use]
    pub const fn is_fresh(&self) -> bool {
        self.refused.is_empty()
    }

    pub fn refuse(&mut self, recipe: Recipe) {
        self.refused.push(recipe);
    }

    /// Nothing of this purpose is worth trying.
    pub fn refuse_purpose(&mut self, purpose: Purpose, recipes: &[Recipe]) {
        self.refused.extend(recipes.iter().filter(|recipe| recipe.purpose == purpose));
    }

    pub fn start_over(&mut self) {
        self.refused.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knowledge(quirk: &Quirk) -> Knowledge<'_> {
        Knowledge { quirk, unit: None, max_stack: Some(8), learnt: None }
    }

    #[test]
    fn the_ladder_goes_from_the_transaction_to_the_station() {
        let quirk = Quirk::default();
        let recipes = knowledge(&quirk).limits();
        let mut ladder = Ladder::default();
        let first = ladder.current(&recipes).unwrap();
        assert_eq!((first.purpose, first.stack, first.unit), (Purpose::Tx, 8, RateUnit::A));
        ladder.refuse_purpose(Purpose::Tx, &recipes);
        assert_eq!(ladder.current(&recipes).unwrap().purpose, Purpose::TxDefault);
        for recipe in &recipes {
            ladder.refuse(*recipe);
        }
        assert_eq!(ladder.current(&recipes), None);
    }

    #[test]
    fn a_known_unit_is_not_varied() {
        let quirk = Quirk { unit: Some(RateUnit::W), ..Quirk::default() };
        assert!(knowledge(&quirk).limits().iter().all(|recipe| recipe.unit == RateUnit::W));
    }
}
