//! The past as the web server asks for it.

use super::StoreHandle;
use super::figures::Figures;
use super::read::{NoAnswer, Series};
use super::record::{EventRecord, SessionRecord};
use super::sample::{CURRENT, Kind, LIMIT, Owner, PER_AMPERE, POWER, QUANTITIES};
use crate::web::doors::{DoorFault, HistoryDoor, Span, Wanted};
use crate::web::wire::{EventView, HistoryView, SeriesView, SessionRecordView};

impl HistoryDoor for StoreHandle {
    fn series(&self, span: Span, step_s: u32) -> Result<HistoryView, DoorFault> {
        let (from_s, to_s) = (span.from_ms.div_euclid(1000), span.to_ms.div_euclid(1000));
        let answer = self.series(from_s, to_s, i64::from(step_s));
        Ok(history_view(&answer.map_err(|why| fault("reading load curves", why))?))
    }

    fn sessions(&self, wanted: &Wanted) -> Result<Vec<SessionRecordView>, DoorFault> {
        let touches = |record: &SessionRecord| {
            let began_before = record.started_ms.or(record.ended_ms).is_none_or(|at| at < wanted.span.to_ms);
            // Without an end it is running; with an end of unknown time its start must do.
            let end = if record.why.is_none() { None } else { record.ended_ms.or(record.started_ms) };
            let ended_after = end.is_none_or(|at| at >= wanted.span.from_ms);
            began_before
                && ended_after
                && wanted.about.as_ref().is_none_or(|charger| *charger == record.charger)
        };
        let found =
            self.list_sessions(wanted.limit, touches).map_err(|why| fault("reading sessions", why))?;
        Ok(found.into_iter().map(session_view).collect())
    }

    fn events(&self, wanted: &Wanted) -> Result<Vec<EventView>, DoorFault> {
        let inside = |event: &EventRecord| {
            let in_span =
                event.time_ms.is_none_or(|at| (wanted.span.from_ms..wanted.span.to_ms).contains(&at));
            in_span && wanted.about.as_ref().is_none_or(|about| *about == event.about)
        };
        let found = self.list_events(wanted.limit, inside).map_err(|why| fault("reading events", why))?;
        Ok(found.into_iter().map(event_view).collect())
    }
}

fn fault(attempt: &str, why: NoAnswer) -> DoorFault {
    DoorFault::new(attempt, why)
}

fn history_view(series: &Series) -> HistoryView {
    let curves = series.owners.iter().flat_map(|(owner, curve)| {
        (0..QUANTITIES).filter_map(|quantity| series_view(owner, curve, quantity))
    });
    HistoryView {
        from_ms: series.from_s.saturating_mul(1000),
        step_s: u32::try_from(series.step_s).unwrap_or(u32::MAX),
        series: curves.collect(),
    }
}

/// `None` where nothing was ever known of the quantity in this stretch.
fn series_view(owner: &Owner, curve: &[Figures], quantity: usize) -> Option<SeriesView> {
    curve.iter().find(|figures| figures.mean[quantity].is_some())?;
    let lines = ["L1", "L2", "L3"];
    let (name, line) = match quantity {
        POWER => ("power", None),
        LIMIT.. if owner.kind == Kind::Charger => ("limit", None),
        LIMIT.. => ("limit", Some(lines[quantity - LIMIT])),
        _ => ("current", Some(lines[quantity - CURRENT])),
    };
    let scale = if quantity == POWER { 1.0 } else { PER_AMPERE };
    let rounded = |value: f64| (value / scale * 100.0).round() / 100.0;
    Some(SeriesView {
        kind: match owner.kind {
            Kind::Circuit => "circuit".into(),
            Kind::Charger => "charger".into(),
        },
        id: owner.id.clone(),
        quantity: name.into(),
        line: line.map(str::to_owned),
        unit: if quantity == POWER { "W" } else { "A" }.into(),
        mean: curve.iter().map(|figures| figures.mean[quantity].map(rounded)).collect(),
        max: curve.iter().map(|figures| figures.max[quantity].map(|max| rounded(max as f64))).collect(),
    })
}

fn session_view(record: SessionRecord) -> SessionRecordView {
    SessionRecordView {
        charger: record.charger,
        session: record.session,
        tag: record.tag,
        started_ms: record.started_ms,
        ended_ms: record.ended_ms,
        energy_wh: record.energy_wh,
        why: record.why,
    }
}

fn event_view(record: EventRecord) -> EventView {
    EventView {
        time_ms: record.time_ms,
        severity: record.severity,
        about: record.about,
        code: record.code,
        text: record.text,
        cleared: record.cleared,
    }
}
