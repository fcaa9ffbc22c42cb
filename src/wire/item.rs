//! What an envelope can hold.

use crate::protocol::{
    Attachment, ClientReport, Event, Log, Metric, MonitorCheckIn, SessionAggregates, SessionUpdate, Transaction,
};

/// One item of an envelope.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EnvelopeItem {
    /// An error or a message.
    Event(Box<Event<'static>>),
    /// How one session stands.
    SessionUpdate(SessionUpdate<'static>),
    /// Many short sessions, counted.
    SessionAggregates(SessionAggregates<'static>),
    /// A trace's entry point with its spans.
    Transaction(Box<Transaction<'static>>),
    /// A file that belongs to the event or transaction in the same envelope.
    Attachment(Attachment),
    /// What a scheduled job says.
    MonitorCheckIn(MonitorCheckIn),
    /// Many small things of one kind.
    ItemContainer(ItemContainer),
    /// What a client had to drop.
    ClientReport(ClientReport),
    /// Something this version has no type for. Its bytes stay in the [`Envelope`](super::Envelope) it was read
    /// into, and are written with it; taken out of there, it is empty.
    Raw,
}

impl EnvelopeItem {
    /// Guesses how many bytes it has when it is written, rather too many than too few.
    pub(super) fn usual_length(&self) -> usize {
        match self {
            Self::Event(event) => {
                let stacktraces = event.exception.iter().filter_map(|exception| exception.stacktrace.as_ref());
                let frames: usize = stacktraces.map(|stacktrace| stacktrace.frames.len()).sum();
                ALONE + (event.breadcrumbs.len() + frames) * SMALL
            }
            Self::Transaction(transaction) => ALONE + transaction.spans.len() * LARGE,
            Self::ItemContainer(container) => container.len() * LARGE,
            Self::Attachment(attachment) => attachment.buffer.len() + SMALL,
            Self::SessionUpdate(_)
            | Self::SessionAggregates(_)
            | Self::MonitorCheckIn(_)
            | Self::ClientReport(_)
            | Self::Raw => ALONE,
        }
    }
}

impl From<Event<'static>> for EnvelopeItem {
    fn from(event: Event<'static>) -> Self {
        Self::Event(Box::new(event))
    }
}

impl From<SessionUpdate<'static>> for EnvelopeItem {
    fn from(session: SessionUpdate<'static>) -> Self {
        Self::SessionUpdate(session)
    }
}

impl From<SessionAggregates<'static>> for EnvelopeItem {
    fn from(sessions: SessionAggregates<'static>) -> Self {
        Self::SessionAggregates(sessions)
    }
}

impl From<Transaction<'static>> for EnvelopeItem {
    fn from(transaction: Transaction<'static>) -> Self {
        Self::Transaction(Box::new(transaction))
    }
}

impl From<Attachment> for EnvelopeItem {
    fn from(attachment: Attachment) -> Self {
        Self::Attachment(attachment)
    }
}

impl From<MonitorCheckIn> for EnvelopeItem {
    fn from(check_in: MonitorCheckIn) -> Self {
        Self::MonitorCheckIn(check_in)
    }
}

impl From<ItemContainer> for EnvelopeItem {
    fn from(container: ItemContainer) -> Self {
        Self::ItemContainer(container)
    }
}

impl From<Vec<Log>> for EnvelopeItem {
    fn from(logs: Vec<Log>) -> Self {
        Self::ItemContainer(logs.into())
    }
}

impl From<Vec<Metric>> for EnvelopeItem {
    fn from(metrics: Vec<Metric>) -> Self {
        Self::ItemContainer(metrics.into())
    }
}

impl From<ClientReport> for EnvelopeItem {
    fn from(report: ClientReport) -> Self {
        Self::ClientReport(report)
    }
}

/// Many small things of one kind, in one item.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ItemContainer {
    /// Structured logs.
    Logs(Vec<Log>),
    /// Samples of metrics.
    Metrics(Vec<Metric>),
}

impl ItemContainer {
    /// Returns how many things it holds.
    pub fn len(&self) -> usize {
        match self {
            Self::Logs(logs) => logs.len(),
            Self::Metrics(metrics) => metrics.len(),
        }
    }

    /// Says whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the item's type on the wire.
    pub fn ty(&self) -> &'static str {
        match self {
            Self::Logs(_) => LOGS.ty,
            Self::Metrics(_) => METRICS.ty,
        }
    }

    /// Returns the content type of the payload.
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Logs(_) => LOGS.content_type,
            Self::Metrics(_) => METRICS.content_type,
        }
    }
}

impl From<Vec<Log>> for ItemContainer {
    fn from(logs: Vec<Log>) -> Self {
        Self::Logs(logs)
    }
}

impl From<Vec<Metric>> for ItemContainer {
    fn from(metrics: Vec<Metric>) -> Self {
        Self::Metrics(metrics)
    }
}

/// How a container is called on the wire.
pub(super) struct Kind {
    pub(super) ty: &'static str,
    pub(super) content_type: &'static str,
}

pub(super) const LOGS: Kind = Kind { ty: "log", content_type: "application/vnd.sentry.items.log+json" };
pub(super) const METRICS: Kind =
    Kind { ty: "trace_metric", content_type: "application/vnd.sentry.items.trace-metric+json" };

/// The bytes of an item, without what it may have many of.
const ALONE: usize = 3 << 10;

/// The bytes of a breadcrumb, a frame, an attachment's header.
const SMALL: usize = 192;

/// The bytes of a span, a log, a metric.
const LARGE: usize = 384;
