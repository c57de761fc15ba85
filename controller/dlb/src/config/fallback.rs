//! Settles what each charger falls back to when it hears nothing, with the engine's arithmetic: all
//! fallbacks together with the load assumed of others must fit every circuit.

use super::chargers::Outfit;
use super::problem::Problems;
use dlb_engine::failsafe::{self, Broken, Finding};
use dlb_engine::lines::PerLine;
use dlb_engine::site::{Charger, Circuit, CircuitIx, Site};
use dlb_engine::units::Milliamps;
use dlb_wiring::settings::MeterSetting;

/// The chargers with their fallbacks. A site with mistakes in it is left alone: they come first.
pub(super) fn settle(
    circuits: &[Circuit],
    meters: &[MeterSetting],
    outfits: &[Outfit],
    problems: &mut Problems,
) -> Vec<Charger> {
    let wanted = |outfit: &Outfit| Charger {
        fallback: outfit.wanted_fallback.unwrap_or_default(),
        ..outfit.charger.clone()
    };
    let mut chargers: Vec<Charger> = outfits.iter().map(wanted).collect();
    let Ok(site) = Site::new(circuits.to_vec(), chargers.clone()) else { return chargers };
    let assumed = assumed_loads(circuits, meters);
    for finding in failsafe::check(&site, &assumed) {
        report(&site, &finding, outfits, problems);
    }
    let automatic: Vec<bool> = outfits.iter().map(|outfit| outfit.wanted_fallback.is_none()).collect();
    for (charger, fallback) in chargers.iter_mut().zip(failsafe::settle(&site, &automatic, &assumed)) {
        charger.fallback = fallback;
    }
    chargers
}

/// What others may draw in each circuit, those below included: what its own meter assumes where it
/// has one, else the sum of its children.
fn assumed_loads(circuits: &[Circuit], meters: &[MeterSetting]) -> Vec<PerLine<Milliamps>> {
    let mut loads = vec![PerLine::all(Milliamps::ZERO); circuits.len()];
    for ix in (0..circuits.len()).rev() {
        if let Some(meter) = meters.iter().find(|meter| meter.circuit == CircuitIx(ix)) {
            loads[ix] = meter.assumed_load;
        }
        if let Some(parent) = circuits[ix].parent {
            let above = circuits[ix].transformer.map_or(loads[ix], |way| way.primary(loads[ix]));
            loads[parent.0] = loads[parent.0].zip_with(above, Milliamps::saturating_add);
        }
    }
    loads
}

fn report(site: &Site, finding: &Finding, outfits: &[Outfit], problems: &mut Problems) {
    let circuit = &site.circuit(finding.circuit).id;
    let place = match finding.limit {
        Broken::Line(line) => line.name().to_owned(),
        Broken::Power => "its power limit".to_owned(),
        Broken::Neutral => "its neutral".to_owned(),
        Broken::Unbalance(line) => format!("the unbalance of {}", line.name()),
    };
    for remedy in &finding.remedies {
        let key = format!("charger[{}].fallback_a", outfits[remedy.charger.0].at);
        if problems.refused(&key) {
            continue;
        }
        problems.error(
            &key,
            format!("does not fit: when nothing is heard, {circuit} is {} over on {place}", finding.beyond),
            format!(
                "write {} or \"auto\", or state a smaller assumed_load_a of the meter there",
                remedy.fallback.as_amps()
            ),
        );
    }
}
