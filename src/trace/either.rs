//! A transaction or a span: what can be active in a scope.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use super::{Baggage, Span, TraceHeaders, TraceHeadersIter, Transaction, Tree};
use crate::protocol::{Request, SpanId, SpanStatus, TraceContext, TraceId};
use crate::sync::pool::{Pool, Share, Spares};
use crate::sync::swap::{Content, Spare};

/// A [`Transaction`] or a [`Span`].
#[derive(Clone, Debug, PartialEq)]
pub enum TransactionOrSpan {
    /// A transaction.
    Transaction(Transaction),
    /// A span in a transaction.
    Span(Span),
}

/// Calls a method that both have.
macro_rules! either {
    ($self:expr, $it:ident => $call:expr) => {
        match $self {
            TransactionOrSpan::Transaction($it) => $call,
            TransactionOrSpan::Span($it) => $call,
        }
    };
}

impl TransactionOrSpan {
    /// Sets a piece of data.
    pub fn set_data(&self, key: &str, value: Value) {
        either!(self, it => it.set_data(key, value));
    }

    /// Sets a tag: a short value that the server indexes.
    pub fn set_tag<V: ToString>(&self, key: &str, value: V) {
        either!(self, it => it.set_tag(key, value));
    }

    /// Sets the transaction's name, or the span's description.
    pub fn set_name(&self, name: &str) {
        either!(self, it => it.set_name(name));
    }

    /// Sets the kind of operation, such as `http.server`.
    pub fn set_op(&self, op: &str) {
        either!(self, it => it.set_op(op));
    }

    /// Sets the HTTP request that it is about.
    pub fn set_request(&self, request: Request) {
        either!(self, it => it.set_request(request));
    }

    /// Sets how it goes.
    pub fn set_status(&self, status: SpanStatus) {
        either!(self, it => it.set_status(status));
    }

    /// How it goes, if that was set.
    #[must_use]
    pub fn get_status(&self) -> Option<SpanStatus> {
        either!(self, it => it.get_status())
    }

    /// The trace context of events that are captured in it.
    #[must_use]
    pub fn get_trace_context(&self) -> TraceContext {
        either!(self, it => it.get_trace_context())
    }

    /// The headers that pass the trace on: `sentry-trace`, and `baggage` if there is anything to say.
    #[must_use]
    pub fn iter_headers(&self) -> TraceHeadersIter {
        either!(self, it => it.iter_headers())
    }

    /// The headers that pass the trace on, without allocating.
    #[must_use]
    pub fn trace_headers(&self) -> TraceHeaders {
        either!(self, it => it.trace_headers())
    }

    /// True if what is set on it is sent, provided that it is finished in time.
    ///
    /// Where it is false, callers need not build what they would set. Costs a load.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        either!(self, it => it.is_recording())
    }

    /// True if it will be sent. False can also mean that the decision is left to others.
    #[must_use]
    #[deprecated = "does not tell a decision from none; `iter_headers` passes on the right one"]
    pub fn is_sampled(&self) -> bool {
        self.is_recording()
    }

    /// Starts a span in it.
    #[must_use = "a span is sent when it is finished"]
    pub fn start_child(&self, op: &str, description: &str) -> Span {
        either!(self, it => it.start_child(op, description))
    }

    /// Starts a span of this id, which started at `timestamp`.
    #[must_use = "a span is sent when it is finished"]
    pub fn start_child_with_details(&self, op: &str, description: &str, id: SpanId, timestamp: SystemTime) -> Span {
        either!(self, it => it.start_child_with_details(op, description, id, timestamp))
    }

    /// Finishes it now.
    pub fn finish(self) {
        either!(self, it => it.finish());
    }

    /// Finishes it at the given time.
    pub fn finish_with_timestamp(self, timestamp: SystemTime) {
        either!(self, it => it.finish_with_timestamp(timestamp));
    }

    /// The ids of the trace and of the span.
    pub(crate) fn ids(&self) -> (TraceId, SpanId) {
        let (tree, span_id) = self.parts();
        (tree.trace_id(), span_id)
    }

    /// What the services in the trace agree on, from now on at the latest.
    pub(crate) fn baggage(&self) -> Option<&Arc<Baggage>> {
        self.tree().baggage()
    }

    /// Names the transaction that it is, or that it is part of.
    pub(crate) fn name_transaction(&self, name: &str) {
        self.tree().note(&self.tree().root, super::record::Note::Name(name.into()));
    }

    pub(super) fn parts(&self) -> (&Arc<Tree>, SpanId) {
        match self {
            Self::Transaction(transaction) => (transaction.tree(), transaction.tree().root.span_id()),
            Self::Span(span) => (span.tree(), span.get_span_id()),
        }
    }

    fn tree(&self) -> &Arc<Tree> {
        self.parts().0
    }
}

impl From<Transaction> for TransactionOrSpan {
    fn from(transaction: Transaction) -> Self {
        Self::Transaction(transaction)
    }
}

impl From<Span> for TransactionOrSpan {
    fn from(span: Span) -> Self {
        Self::Span(span)
    }
}

impl Content for TransactionOrSpan {
    fn spares() -> Option<&'static dyn Spares<Spare<Self>>> {
        static POOL: Pool<Spare<TransactionOrSpan>> = Pool::new(MOST_SPARES);
        thread_local! {
            static SHARE: Share<Spare<TransactionOrSpan>, 4> = const { Share::of(&POOL) };
        }
        Some(&SHARE)
    }
}

/// Emptied places for the active span of a scope that wait for their next use, at most, beside four with each thread.
const MOST_SPARES: usize = 256;
