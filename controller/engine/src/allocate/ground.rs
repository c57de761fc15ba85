//! What a network's flows and rows depend on. While it stays the same, a decision takes over the network of the one
//! before it with new limits; a site is rebuilt less often than it is decided on.

use crate::lines::Wiring;
use crate::site::{Circuit, CircuitIx, Site, Supply, Transformer};
use crate::snapshot::CircuitState;

/// What a network was laid over, as far as its flows and rows depend on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ground {
    circuits: Vec<CircuitGround>,
    chargers: Vec<(CircuitIx, Wiring, Option<u8>)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct CircuitGround {
    parent: Option<CircuitIx>,
    supply: Supply,
    transformer: Option<Transformer>,
    neutral: bool,
    unbalance: bool,
    power: bool,
}

impl CircuitGround {
    const fn of(circuit: &Circuit, state: &CircuitState) -> Self {
        Self {
            parent: circuit.parent,
            supply: circuit.supply,
            transformer: circuit.transformer,
            neutral: circuit.balance.neutral.is_some(),
            unbalance: circuit.balance.unbalance.is_some(),
            power: circuit.limit_power.is_some() || state.limit_power.is_some(),
        }
    }
}

impl Ground {
    pub(super) fn of(site: &Site, circuits: &[CircuitState], phases: &impl Fn(usize) -> Option<u8>) -> Self {
        Self {
            circuits: circuits_of(site, circuits).collect(),
            chargers: chargers_of(site, phases).collect(),
        }
    }

    /// Is a network that was laid over this one right for that site, too?
    pub(super) fn bears(
        &self,
        site: &Site,
        circuits: &[CircuitState],
        phases: &impl Fn(usize) -> Option<u8>,
    ) -> bool {
        circuits_of(site, circuits).eq(self.circuits.iter().copied())
            && chargers_of(site, phases).eq(self.chargers.iter().copied())
    }
}

fn circuits_of(site: &Site, states: &[CircuitState]) -> impl Iterator<Item = CircuitGround> {
    site.circuits().iter().zip(states).map(|(circuit, state)| CircuitGround::of(circuit, state))
}

fn chargers_of(
    site: &Site,
    phases: &impl Fn(usize) -> Option<u8>,
) -> impl Iterator<Item = (CircuitIx, Wiring, Option<u8>)> {
    site.chargers().iter().enumerate().map(|(ix, charger)| (charger.circuit, charger.wiring, phases(ix)))
}

#[cfg(test)]
mod tests {
    use super::super::network::Network;
    use crate::lines::{Line, PerLine, Wiring};
    use crate::site::{Balance, Charger, Circuit, CircuitIx, Site, Supply};
    use crate::snapshot::CircuitState;
    use crate::units::{Milliamps, Millivolts, Watts};

    fn circuit(id: &str, parent: Option<usize>) -> Circuit {
        let balance = Balance { neutral: Some(Milliamps(40_000)), unbalance: None };
        let limit = PerLine::all(Milliamps(63_000));
        let grid = Circuit::new(id, limit, Supply::Star(Millivolts(230_000)));
        Circuit { parent: parent.map(CircuitIx), balance, ..grid }
    }

    fn site(last: Wiring) -> Site {
        let bay = |(ix, wiring): (usize, Wiring)| Charger {
            id: format!("bay-{ix}"),
            circuit: CircuitIx(ix % 2),
            wiring,
            min: Milliamps(6_000),
            max: Milliamps(32_000),
            step: Milliamps(100),
            fallback: Milliamps(6_000),
            priority: 0,
            weight: 1.0,
        };
        let wirings = [Wiring::One(Line::L2), Wiring::Three(Line::L1, Line::L2, Line::L3), last];
        let bays = wirings.into_iter().enumerate().map(bay).collect();
        Site::new(vec![circuit("grid", None), circuit("hall", Some(0))], bays).expect("a sound site")
    }

    fn state(other: i32, power: Option<i64>) -> CircuitState {
        CircuitState {
            limit: PerLine::all(Milliamps(50_000)),
            limit_power: power.map(Watts),
            other_load: PerLine([other, 2 * other, 0].map(Milliamps)),
        }
    }

    /// What each charger could have at once, and what stops it.
    fn rooms(network: &Network) -> Vec<String> {
        let room = |ix| {
            let (room, row) = network.room(ix, |flow| flow.fixed);
            format!("{room} {:?}", row.map(|row| (network.rows[row].circuit, network.rows[row].bound)))
        };
        (0..3).map(room).collect()
    }

    #[test]
    fn a_network_that_is_taken_over_is_as_good_as_a_new_one() {
        let (one, three) = (Wiring::One(Line::L3), Wiring::Three(Line::L3, Line::L1, Line::L2));
        let plain = [state(0, None), state(0, None)];
        let loaded = [state(9_000, None), state(4_000, None)];
        let powered = [state(9_000, Some(8_000)), state(4_000, None)];
        let moments = [(one, plain, None), (one, loaded, None), (one, powered, None), (three, powered, None)];
        let moments = moments.into_iter().chain([(three, powered, Some(1)), (one, plain, None)]);
        let mut last = None;
        for (wiring, states, phases) in moments {
            let (site, phases) = (site(wiring), |_: usize| phases);
            let mut network = Network::again(last, &site, &states, phases);
            assert_eq!(rooms(&network), rooms(&Network::new(&site, &states, phases)));
            network.add(1, 7_000);
            last = Some(network);
        }
    }
}
