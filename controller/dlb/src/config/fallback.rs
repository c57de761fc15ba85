//! Settles what each charger falls back to when it hears nothing: whatever happens to box, switch or
//! cable, all fallbacks together with the load assumed of others must fit every circuit.

use super::chargers::{Outfit, worst_loads};
use super::circuits::Tree;
use super::problem::Problems;
use dlb_engine::lines::PerLine;
use dlb_engine::site::CircuitIx;
use dlb_engine::units::{Milliamps, Watts, power};
use dlb_wiring::settings::MeterSetting;

/// Sets every `fallback`. Who said `auto` gets its minimum while that fits, in the order of priority
/// and of the file; the others pause.
pub(super) fn settle(tree: &Tree, meters: &[MeterSetting], outfits: &mut [Outfit], problems: &mut Problems) {
    let mut used: Vec<PerLine<Milliamps>> = assumed_loads(tree, meters);
    for outfit in outfits.iter_mut() {
        outfit.charger.fallback = outfit.wanted_fallback.unwrap_or_default();
        add(tree, &mut used, outfit);
    }
    report_overload(tree, &used, outfits, problems);
    let mut order: Vec<usize> =
        (0..outfits.len()).filter(|at| outfits[*at].wanted_fallback.is_none()).collect();
    order.sort_by_key(|at| outfits[*at].charger.priority);
    for at in order {
        let mut with = used.clone();
        outfits[at].charger.fallback = outfits[at].charger.min;
        add(tree, &mut with, &outfits[at]);
        if tree.path(outfits[at].charger.circuit).all(|ix| fits(tree, ix, with[ix.0])) {
            used = with;
        } else {
            outfits[at].charger.fallback = Milliamps::ZERO;
        }
    }
}

/// What others may draw in each circuit, those below included: what its own meter assumes where it
/// has one, else the sum of its children.
fn assumed_loads(tree: &Tree, meters: &[MeterSetting]) -> Vec<PerLine<Milliamps>> {
    let mut loads = vec![PerLine::all(Milliamps::ZERO); tree.circuits.len()];
    for ix in (0..tree.circuits.len()).rev() {
        if let Some(meter) = meters.iter().find(|meter| meter.circuit == CircuitIx(ix)) {
            loads[ix] = meter.assumed_load;
        }
        if let Some(parent) = tree.circuits[ix].parent {
            loads[parent.0] = loads[parent.0].zip_with(loads[ix], Milliamps::saturating_add);
        }
    }
    loads
}

fn add(tree: &Tree, used: &mut [PerLine<Milliamps>], outfit: &Outfit) {
    let load = worst_loads(&outfit.charger, outfit.charger.fallback);
    for ix in tree.path(outfit.charger.circuit) {
        used[ix.0] = used[ix.0].zip_with(load, Milliamps::saturating_add);
    }
}

fn fits(tree: &Tree, ix: CircuitIx, used: PerLine<Milliamps>) -> bool {
    let circuit = &tree.circuits[ix.0];
    let volts = circuit.supply.volts_line_to_neutral();
    let total: Watts = used.0.into_iter().map(|current| power(volts, current)).sum();
    let lines = used.zip_with(circuit.limit, |used, limit| used <= limit);
    lines.0 == [true; 3] && circuit.limit_power.is_none_or(|limit| total <= limit)
}

/// Fallbacks that the file asks for and that do not fit.
fn report_overload(tree: &Tree, used: &[PerLine<Milliamps>], outfits: &[Outfit], problems: &mut Problems) {
    for (ix, circuit) in tree.circuits.iter().enumerate() {
        let ix = CircuitIx(ix);
        let asks = |outfit: &&Outfit| {
            outfit.charger.fallback > Milliamps::ZERO
                && tree.path(outfit.charger.circuit).any(|above| above == ix)
        };
        let Some(last) = outfits.iter().rfind(asks).filter(|_| !fits(tree, ix, used[ix.0])) else { continue };
        let key = format!("charger[{}].fallback_a", last.at);
        let worst = used[ix.0].0.into_iter().max().unwrap_or_default();
        if !problems.refused(&key) {
            problems.error(
                &key,
                format!("does not fit: when nothing is heard, {} may carry {worst} on a line", circuit.id),
                "write \"auto\", or state a smaller assumed_load_a of the meter there",
            );
        }
    }
}
