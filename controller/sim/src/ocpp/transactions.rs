//! Transactions: how they begin, what is told of them, how they end.

use super::calendar;
use super::connector::Transaction;
use super::keys;
use super::meter_values;
use super::outbox::About;
use super::point::ChargePoint;
use dlb_engine::time::{Duration, Instant};
use serde_json::json;

impl ChargePoint {
    pub(super) fn begin(&mut self, connector: usize, tag: &str) {
        let (since, wall) = (self.now, self.wall());
        let next_sample = self.next_sample();
        let it = &mut self.connectors[connector - 1];
        if it.transaction.is_some() || it.outlet.car().is_none() || !it.operative {
            return;
        }
        it.admitted = None;
        it.outlet.interrupt_pilot();
        self.transactions += 1;
        let local = self.transactions;
        let tag = tag.to_owned();
        let start = json!({
            "connectorId": connector,
            "idTag": tag,
            "meterStart": it.outlet.measured().register_wh.round() as i64,
            "timestamp": calendar::to_text(wall),
        });
        it.transaction = Some(Transaction { local, number: None, tag, since, next_sample });
        self.outbox.push("StartTransaction", start, About::Start { local });
    }

    /// After a restart: where no card is needed, a car that stayed charges again.
    pub(super) fn begin_again(&mut self) {
        let Some(tag) = self.habits.free_vend.clone() else { return };
        for connector in 1..=self.connectors.len() {
            self.begin(connector, &tag);
        }
    }

    pub(super) fn end(&mut self, connector: usize, reason: &str) {
        let now = self.wall();
        let it = &mut self.connectors[connector - 1];
        let Some(transaction) = it.transaction.take() else { return };
        it.finished = true;
        self.shelf.end_transaction(connector as i64);
        let stop = json!({
            "idTag": transaction.tag,
            "meterStop": it.outlet.measured().register_wh.round() as i64,
            "reason": reason,
            "timestamp": calendar::to_text(now),
        });
        self.outbox.push("StopTransaction", stop, About::Stop { local: transaction.local });
    }

    pub(super) fn sample(&mut self, connector: usize, context: &str) {
        let it = &self.connectors[connector - 1];
        let local = it.transaction.as_ref().map(|transaction| transaction.local);
        let values = meter_values::sampled(&it.outlet, self.keys.text(keys::SAMPLED), context);
        let sample = json!({
            "connectorId": connector,
            "meterValue": [{"timestamp": calendar::to_text(self.wall()), "sampledValue": values}],
        });
        self.outbox.push("MeterValues", sample, About::Meter { local });
    }

    pub(super) fn sample_if_due(&mut self, connector: usize) {
        let (now, next) = (self.now, self.next_sample());
        let Some(transaction) = &mut self.connectors[connector - 1].transaction else { return };
        if transaction.next_sample.is_some_and(|at| at <= now) {
            transaction.next_sample = next;
            self.sample(connector, "Sample.Periodic");
        }
    }

    pub(super) fn next_sample(&self) -> Option<Instant> {
        let interval = self.keys.seconds(keys::SAMPLE_INTERVAL);
        (interval > 0).then(|| self.now + Duration::from_secs(interval))
    }

    /// A changed interval counts from now.
    pub(super) fn reschedule(&mut self) {
        let next = self.next_sample();
        for transaction in self.connectors.iter_mut().filter_map(|it| it.transaction.as_mut()) {
            transaction.next_sample = next;
        }
        self.heartbeat_due = self.heartbeat_due.map(|_| self.now + self.heartbeat_interval());
    }
}
