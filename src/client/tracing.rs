//! Transactions on their way to the sender, and the trace that an envelope belongs to.

use std::borrow::Cow;
use std::sync::Arc;

use super::parcel::Parcel;
use super::{Client, Core};
use crate::callback;
use crate::protocol::client_report::{Category, ItemLoss, Reason};
use crate::protocol::{Context, DynamicSamplingContext, Event, Transaction};
use crate::scope::Scope;
use crate::trace::{Baggage, Origin, Tree};

/// What the trace of an event has agreed on.
#[derive(Debug)]
pub(crate) enum Agreed {
    /// The active span's trace, with what it has agreed on, if anything.
    BySpan(Option<Arc<Baggage>>),
    /// The scope's own trace, about which nothing is decided.
    Undecided,
}

impl Client {
    pub(crate) fn origin(&self) -> &Arc<Origin> {
        &self.core.origin
    }

    /// Takes a finished transaction on its way, with what it takes from a scope.
    pub(crate) fn capture_transaction(&self, tree: Arc<Tree>, scope: Scope) {
        let core = &self.core;
        if !core.is_open() || !callback::may_capture() {
            return;
        }
        let surplus = tree.uncollected();
        if surplus > 0 {
            core.count_as_discarded(&[ItemLoss::new(Category::Span, surplus)], Reason::BufferOverflow);
        }
        let parcel = Parcel::Transaction { tree, scope };
        let losses = parcel.losses();
        core.ledger.capture(&losses);
        core.enqueue(parcel, losses);
    }

    /// Counts a transaction that was not sampled, with so many spans beside itself.
    pub(crate) fn discard_transaction(&self, spans: u64) {
        if self.core.is_open() && callback::may_capture() {
            self.core.count_as_discarded(&transaction_losses(spans), Reason::SampleRate);
        }
    }
}

impl Core {
    /// Counts what never was in the queue.
    fn count_as_discarded(self: &Arc<Self>, losses: &[ItemLoss], reason: Reason) {
        self.ledger.capture_and_discard(losses, reason);
        self.tell_of_losses(losses, reason);
    }

    /// The transaction as it is sent, but for its spans.
    pub(super) fn transaction(&self, tree: &Tree, scope: &Scope) -> Transaction<'_> {
        let mut own = tree.to_transaction();
        scope.apply_to_transaction(&mut own);
        Transaction {
            release: self.options.release.as_deref().map(Cow::Borrowed),
            environment: self.options.environment.as_deref().map(Cow::Borrowed),
            server_name: self.options.server_name.as_deref().map(Cow::Borrowed),
            sdk: Some(Cow::Borrowed(&*self.sdk)),
            platform: Cow::Borrowed("native"),
            ..own
        }
    }
}

impl Agreed {
    /// What the trace of a scope has agreed on, from now on at the latest.
    pub(super) fn of(scope: &Scope) -> Self {
        match scope.span() {
            Some(span) => Self::BySpan(span.baggage().cloned()),
            None => Self::Undecided,
        }
    }

    /// The context for the headers of the event's envelope. `undecided` is filled in where the trace is the scope's own.
    ///
    /// `None`: nothing is known, or the event says that it belongs to another trace.
    pub(super) fn header<'a>(
        &'a self,
        event: &Event<'_>,
        undecided: &'a mut Arc<DynamicSamplingContext>,
    ) -> Option<&'a DynamicSamplingContext> {
        let Some(Context::Trace(trace)) = event.contexts.get("trace") else { return None };
        match self {
            Self::BySpan(agreed) => header(agreed.as_deref()?).filter(|agreed| agreed.trace_id == Some(trace.trace_id)),
            Self::Undecided => {
                // The next event mostly is of the same trace. An envelope may still hold what was said of the last one.
                if undecided.trace_id != Some(trace.trace_id) {
                    Origin::decide_nothing_about(trace.trace_id, Arc::make_mut(undecided));
                }
                undecided.public_key.is_some().then_some(undecided)
            }
        }
    }

    /// The same, to be kept.
    pub(super) fn shared_header(
        &self,
        event: &Event<'_>,
        undecided: &mut Arc<DynamicSamplingContext>,
    ) -> Option<Arc<DynamicSamplingContext>> {
        let header = self.header(event, undecided)?;
        match self {
            Self::BySpan(_) => Some(Arc::new(header.clone())),
            Self::Undecided => Some(Arc::clone(undecided)),
        }
    }
}

/// The context for the headers of an envelope, if it says enough for a server.
pub(super) fn header(agreed: &Baggage) -> Option<&DynamicSamplingContext> {
    Some(agreed.context()).filter(|context| context.public_key.is_some())
}

/// What is lost with a transaction that has so many spans beside itself.
pub(super) fn transaction_losses(spans: u64) -> [ItemLoss; 2] {
    [ItemLoss::new(Category::Transaction, 1), ItemLoss::new(Category::Span, spans.saturating_add(1))]
}
