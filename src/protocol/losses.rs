//! What is lost with each thing that can be dropped.

use std::iter;

use serde_json::Value;
use smallvec::{SmallVec, smallvec};

use super::client_report::{Category, ItemLoss};
use super::{
    Attachment, ClientReport, Event, Log, LogAttribute, Metric, MonitorCheckIn, SessionAggregateItem,
    SessionAggregates, SessionUpdate, Span, Transaction,
};
use crate::wire::{Envelope, EnvelopeItem, ItemContainer};

/// Something that counts as lost when it is dropped.
pub trait LossSource: private::Sealed {
    /// Lists what is lost with it.
    fn losses(&self) -> impl Iterator<Item = ItemLoss> + '_;
}

mod private {
    /// Keeps the list of sources in this crate.
    pub trait Sealed {}
}

/// Implements the trait for a type whose losses fit a short list.
macro_rules! losses {
    ($($source:ty: $name:pat => $losses:expr;)*) => {
        $(
            impl private::Sealed for $source {}

            impl LossSource for $source {
                fn losses(&self) -> impl Iterator<Item = ItemLoss> + '_ {
                    let $name = self;
                    $losses.into_iter()
                }
            }
        )*
    };
}

losses! {
    Event<'_>: _ => one(Category::Error);
    Transaction<'_>: transaction => [
        ItemLoss::new(Category::Transaction, 1),
        // The transaction is a span too.
        ItemLoss::new(Category::Span, length(transaction.spans.len()).saturating_add(1)),
    ];
    Span: _ => one(Category::Span);
    SessionUpdate<'_>: _ => one(Category::Session);
    SessionAggregates<'_>: sessions => [ItemLoss::new(Category::Session, sessions.aggregates.iter().map(ended).sum())];
    Attachment: attachment => [ItemLoss::new(Category::Attachment, length(attachment.buffer.len()))];
    MonitorCheckIn: _ => one(Category::Monitor);
    ClientReport: report => report.known_losses();
    Log: log => [ItemLoss::new(Category::LogItem, 1), ItemLoss::new(Category::LogByte, log_bytes(log))];
    Metric: metric => [
        ItemLoss::new(Category::TraceMetric, 1),
        ItemLoss::new(Category::TraceMetricByte, metric_bytes(metric)),
    ];
    ItemContainer: container => container_losses(container);
    EnvelopeItem: item => item_losses(item);
    Envelope: envelope => envelope.items().flat_map(LossSource::losses);
    [ItemLoss]: losses => losses.iter().copied();
}

fn one(category: Category) -> iter::Once<ItemLoss> {
    iter::once(ItemLoss::new(category, 1))
}

/// How many sessions a bucket counts.
fn ended(bucket: &SessionAggregateItem) -> u64 {
    [bucket.exited, bucket.errored, bucket.abnormal, bucket.crashed].into_iter().map(u64::from).sum()
}

fn container_losses(container: &ItemContainer) -> [ItemLoss; 2] {
    let (items, bytes, sum) = match container {
        ItemContainer::Logs(logs) => (Category::LogItem, Category::LogByte, logs.iter().map(log_bytes).sum()),
        ItemContainer::Metrics(metrics) => {
            (Category::TraceMetric, Category::TraceMetricByte, metrics.iter().map(metric_bytes).sum())
        }
    };
    [ItemLoss::new(items, length(container.len())), ItemLoss::new(bytes, sum)]
}

fn item_losses(item: &EnvelopeItem) -> SmallVec<[ItemLoss; 2]> {
    match item {
        EnvelopeItem::Event(event) => event.losses().collect(),
        EnvelopeItem::SessionUpdate(session) => session.losses().collect(),
        EnvelopeItem::SessionAggregates(sessions) => sessions.losses().collect(),
        EnvelopeItem::Transaction(transaction) => transaction.losses().collect(),
        EnvelopeItem::Attachment(attachment) => attachment.losses().collect(),
        EnvelopeItem::MonitorCheckIn(check_in) => check_in.losses().collect(),
        EnvelopeItem::ItemContainer(container) => container_losses(container).into(),
        EnvelopeItem::ClientReport(report) => report.losses().collect(),
        // Nobody knows what an opaque item counts for.
        EnvelopeItem::Raw => smallvec![],
    }
}

/// Counts a log as the server does: its texts and names in bytes, 8 for a number, 1 for a truth value, at least 1.
fn log_bytes(log: &Log) -> u64 {
    let attributes = log.attributes.iter();
    let sum = length(log.body.len()) + attributes.map(|(name, value)| attribute_bytes(name, value)).sum::<u64>();
    sum.max(1)
}

/// Counts a metric as the server does: as a log whose body is the name and a number.
fn metric_bytes(metric: &Metric) -> u64 {
    let attributes = metric.attributes.iter();
    length(metric.name.len()) + 8 + attributes.map(|(name, value)| attribute_bytes(name, value)).sum::<u64>()
}

/// Counts an attribute of a log or metric as the server does.
pub(crate) fn attribute_bytes(name: &str, LogAttribute(value): &LogAttribute) -> u64 {
    length(name.len()) + value_bytes(value)
}

fn value_bytes(value: &Value) -> u64 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 8,
        Value::String(text) => length(text.len()),
        Value::Array(values) => values.iter().map(value_bytes).sum(),
        Value::Object(values) => values.iter().map(|(name, value)| length(name.len()) + value_bytes(value)).sum(),
    }
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Category, ItemLoss, LossSource};
    use crate::protocol::{Attachment, Log, LogLevel, SessionAggregates, Span, Transaction};
    use crate::wire::{Envelope, ItemContainer};

    fn log(body: &str) -> Log {
        Log {
            level: LogLevel::Info,
            body: body.to_owned(),
            trace_id: None,
            timestamp: std::time::SystemTime::UNIX_EPOCH,
            severity_number: None,
            attributes: [("key".to_owned(), true.into()), ("n".to_owned(), 1.into())].into(),
        }
    }

    fn lost(source: &(impl LossSource + ?Sized)) -> Vec<(Category, u64)> {
        source.losses().map(|loss| (loss.category, loss.quantity)).collect()
    }

    #[test]
    fn a_transaction_counts_its_spans_and_itself() {
        let transaction = Transaction { spans: vec![Span::default(); 2], ..Transaction::default() };
        assert_eq!(lost(&transaction), [(Category::Transaction, 1), (Category::Span, 3)]);
    }

    #[test]
    fn logs_count_in_pieces_and_bytes() {
        // 3 for the name and 1 for the truth value, 1 for the other name and 8 for the number.
        assert_eq!(lost(&log("body")), [(Category::LogItem, 1), (Category::LogByte, 4 + 3 + 1 + 1 + 8)]);
        let container = ItemContainer::from(vec![log("body"), log("")]);
        assert_eq!(lost(&container), [(Category::LogItem, 2), (Category::LogByte, 17 + 13)]);
    }

    #[test]
    fn an_envelope_counts_all_its_items() {
        let mut envelope = Envelope::from(vec![log("body")]);
        envelope.add_item(Attachment { buffer: vec![0; 9], ..Attachment::default() });
        assert_eq!(lost(&envelope), [(Category::LogItem, 1), (Category::LogByte, 17), (Category::Attachment, 9)]);
    }

    #[test]
    fn counts_of_sessions_count_the_sessions() {
        let json = r#"{"aggregates":[{"started":"2020-02-07T14:16:00Z","exited":3,"crashed":1},
            {"started":"2020-02-07T14:17:00Z","errored":2,"abnormal":1}],"attrs":{"release":"app@1"}}"#;
        let sessions: SessionAggregates<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(lost(&sessions), [(Category::Session, 7)]);
    }

    #[test]
    fn losses_pass_through_as_they_are() {
        let losses = [ItemLoss::new(Category::Span, 5)];
        assert_eq!(losses[..].losses().collect::<Vec<_>>(), losses);
    }
}
