//! The lane of metrics: from a capture to the queue, and from the queue into an envelope.

use std::io::{self, Write};
use std::sync::Arc;

use crate::attributes::Context;
use crate::callback;
use crate::client::batch::{Batched, bytes_of};
use crate::client::{Client, Core};
use crate::metrics::record::Filled;
use crate::metrics::{IntoProtocolMetric, Record};
use crate::offer::Left;
use crate::protocol::Metric;
use crate::protocol::client_report::{Category, ItemLoss, Reason};
use crate::scope::Scope;
use crate::wire::EnvelopeItem;
use crate::wire::write::EnvelopeWriter;

impl Client {
    /// Captures a metric, filled from `scope`.
    ///
    /// It is sent with others: when there are a hundred, or after five seconds.
    pub fn capture_metric<M: IntoProtocolMetric>(&self, metric: M, scope: &Scope) {
        if let Some(mut record) = metric.into_sample().into_record() {
            record.take_along(Context::of(scope, self.options()));
            self.core().capture_metric(record);
        }
    }
}

impl Core {
    fn capture_metric(self: &Arc<Self>, record: Record) {
        let mut record = Some(record);
        if let Some(left) = self.offer_metric(&mut record) {
            self.finish_metric(left, record);
        }
    }

    /// Takes a metric on its way, as far as that runs no code of the host.
    #[inline]
    pub(crate) fn offer_metric(&self, record: &mut Option<Record>) -> Option<Left> {
        if !self.is_open() || !callback::may_capture() {
            return None;
        }
        self.ledger.capture(&[ItemLoss::new(Category::TraceMetric, 1)]);
        if self.options.before_send_metric.is_some() {
            return Some(Left::Examined);
        }
        self.offer(&self.lanes.metrics, record)
    }

    /// Does what [`offer_metric`](Self::offer_metric) left.
    #[cold]
    pub(crate) fn finish_metric(self: &Arc<Self>, left: Left, record: Option<Record>) {
        match (left, record) {
            (Left::Examined, Some(record)) => self.examine_metric(record),
            (left, record) => self.finish(left, record),
        }
    }

    fn examine_metric(self: &Arc<Self>, record: Record) {
        let record = match &self.options.before_send_metric {
            None => record,
            Some(before_send_metric) => {
                let metric = record.into_metric(self.defaults());
                let bytes = bytes_of(&metric, Category::TraceMetricByte);
                let seen = callback::guarded("before_send_metric", || before_send_metric(metric));
                match self.unless_panicked(seen).flatten() {
                    Some(metric) => Record::of_complete_metric(metric),
                    None => {
                        let (pieces, counted) = (Category::TraceMetric, Category::TraceMetricByte);
                        return self.lose_bytes(pieces, counted, bytes, Reason::BeforeSend);
                    }
                }
            }
        };
        self.ship(&self.lanes.metrics, record);
    }
}

impl Batched for Record {
    const PIECES: Category = Category::TraceMetric;
    const BYTES: Category = Category::TraceMetricByte;

    fn bytes(&self, core: &Core) -> u64 {
        Record::bytes(self, core.defaults())
    }

    fn weight(&self) -> usize {
        Record::weight(self)
    }

    fn defect(&self, core: &Core) -> Option<String> {
        // Most are so short that nobody has to write them to know it.
        if self.most_written(core.defaults()).is_some_and(|most| most <= MOST_BYTES) {
            return None;
        }
        let mut written = Counted(0);
        let filled = Filled { record: self, defaults: core.defaults() };
        serde_json::to_writer(&mut written, &filled).ok()?;
        let name = self.name();
        (written.0 > MOST_BYTES)
            .then(|| format!("the metric {name:?} takes {} bytes; the server takes {MOST_BYTES}", written.0))
    }

    fn into_item(batch: Vec<Self>, core: &Core) -> EnvelopeItem {
        let metrics: Vec<Metric> = batch.into_iter().map(|record| record.into_metric(core.defaults())).collect();
        metrics.into()
    }

    fn write(batch: &[Self], core: &Core, writer: &mut EnvelopeWriter<'_>) -> Result<(), serde_json::Error> {
        let defaults = core.defaults();
        let filled: Vec<_> = batch.iter().map(|record| Filled { record, defaults }).collect();
        writer.metrics(&filled)
    }
}

/// Counts bytes and forgets them.
struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A server that gets a larger metric may discard the whole envelope.
const MOST_BYTES: usize = 2 << 10;
