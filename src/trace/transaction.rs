//! A running transaction.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use smol_str::SmolStr;

use super::record::Note;
use super::sampling::Fate;
use super::spare;
use super::{Span, TraceHeaders, TraceHeadersIter, Tracer, TransactionContext, Tree};
use crate::protocol::{Request, SpanId, SpanStatus, TraceContext};

/// A running transaction: a trace's entry point here, and the span at the root of all others.
///
/// It is sent when it is [finished](Self::finish), with the spans that finished before; dropped unfinished, it is not.
/// Clones are handles to the same transaction.
///
/// ```
/// use vidette::{TransactionContext, start_transaction};
///
/// let transaction = start_transaction(TransactionContext::new("nightly-import", "job"));
/// let span = transaction.start_child("db.query", "SELECT * FROM items");
/// span.set_data("rows", 42.into());
/// span.finish();
/// transaction.finish();
/// ```
pub struct Transaction {
    tree: Arc<Tree>,
    tracer: Option<Arc<dyn Tracer>>,
}

impl Transaction {
    /// Starts a transaction; `None`: now. Takes the names out of the context, which is too large to be moved about.
    #[inline]
    pub(crate) fn start(
        context: &mut TransactionContext,
        tracer: Option<Arc<dyn Tracer>>,
        start: Option<SystemTime>,
    ) -> Self {
        Self { tree: Tree::start(context, tracer.as_ref(), start), tracer }
    }

    /// Sets a piece of data, which is sent in the transaction's trace context, and in that of events captured in it.
    pub fn set_data(&self, key: &str, value: Value) {
        self.keep(|| Note::Data(key.into(), value));
    }

    /// Sets a value that is shown, but not indexed.
    pub fn set_extra(&self, key: &str, value: Value) {
        self.note(|| Note::Extra(key.into(), value));
    }

    /// Sets a tag: a short value that the server indexes.
    pub fn set_tag<V: ToString>(&self, key: &str, value: V) {
        self.note(|| Note::Tag(key.into(), value.to_string()));
    }

    /// Sets the name.
    ///
    /// What other services were told of it before, in a `baggage` header, stays.
    pub fn set_name(&self, name: &str) {
        self.tree.note(&self.tree.root, Note::Name(name.into()));
    }

    /// Sets the kind of operation, such as `http.server`.
    pub fn set_op(&self, op: &str) {
        self.tree.note(&self.tree.root, Note::Op(op.into()));
    }

    /// Sets what made the transaction, such as `auto.http.tower`.
    pub fn set_origin(&self, origin: &str) {
        self.note(|| Note::Origin(origin.into()));
    }

    /// Sets the HTTP request that is served.
    pub fn set_request(&self, request: Request) {
        self.note(|| Note::Request(Box::new(request)));
    }

    /// Sets how it goes.
    pub fn set_status(&self, status: SpanStatus) {
        self.tree.root.set_status(status);
    }

    /// How it goes, if that was set.
    #[must_use]
    pub fn get_status(&self) -> Option<SpanStatus> {
        self.tree.root.status()
    }

    /// The trace context of events that are captured in this transaction.
    #[must_use]
    pub fn get_trace_context(&self) -> TraceContext {
        self.tree.trace_context()
    }

    /// The data set so far, to read and to add to.
    #[must_use]
    pub fn data(&self) -> TransactionData<'_> {
        TransactionData { transaction: self, values: self.tree.root.put_together(false).data }
    }

    /// The headers that pass the trace on: `sentry-trace`, and `baggage` if there is anything to say.
    #[must_use]
    pub fn iter_headers(&self) -> TraceHeadersIter {
        self.trace_headers().into_iter()
    }

    /// The headers that pass the trace on, without allocating.
    #[must_use]
    pub fn trace_headers(&self) -> TraceHeaders {
        self.tree.headers(self.tree.root.span_id())
    }

    /// True if what is set on the transaction is sent, provided that it is finished.
    ///
    /// Where it is false, callers need not build what they would set. Costs a load.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.tree.is_recorded()
    }

    /// True if the transaction will be sent. False can also mean that the decision is left to others.
    #[must_use]
    #[deprecated = "does not tell a decision from none; `iter_headers` passes on the right one"]
    pub fn is_sampled(&self) -> bool {
        self.is_recording()
    }

    /// Starts a span in this transaction.
    #[inline]
    #[must_use = "a span is sent when it is finished"]
    pub fn start_child(&self, op: &str, description: &str) -> Span {
        Span::start(&self.tree, self.tree.root.span_id(), op, description)
    }

    /// Starts a span of this id, which started at `timestamp`.
    #[must_use = "a span is sent when it is finished"]
    pub fn start_child_with_details(&self, op: &str, description: &str, id: SpanId, timestamp: SystemTime) -> Span {
        Span::start_with_details(&self.tree, self.tree.root.span_id(), op, description, id, timestamp)
    }

    /// Finishes the transaction now, and sends it with the spans that finished before.
    ///
    /// What the scope on top of this thread's current hub holds is added. Only the first of several finishes counts.
    pub fn finish(self) {
        self.end(None);
    }

    /// Finishes the transaction as [`finish`](Self::finish) does, at the given time.
    pub fn finish_with_timestamp(self, timestamp: SystemTime) {
        self.end(Some(timestamp));
    }

    fn end(self, at: Option<SystemTime>) {
        let Self { tree, tracer } = self;
        let is_first = tree.finish(at);
        match (tree.fate(), tracer) {
            (Fate::Sent, tracer) => {
                spare::forget(&tree);
                if let Some(tracer) = tracer.filter(|_| is_first) {
                    tracer.finish(tree);
                }
            }
            (Fate::Counted, Some(tracer)) if is_first => {
                tracer.discard(tree.uncollected());
                spare::give(tree);
            }
            // For the next transaction.
            _ => spare::give(tree),
        }
    }

    pub(super) fn tree(&self) -> &Arc<Tree> {
        &self.tree
    }

    /// Notes what is read back, too: by whoever captures in the transaction, sampled or not.
    fn keep(&self, note: impl FnOnce() -> Note) {
        if self.tracer.is_some() {
            self.tree.note(&self.tree.root, note());
        }
    }

    /// Notes what is only sent.
    fn note(&self, note: impl FnOnce() -> Note) {
        if self.tree.is_recorded() {
            self.tree.note(&self.tree.root, note());
        }
    }
}

impl Clone for Transaction {
    fn clone(&self) -> Self {
        self.tree.share();
        Self { tree: Arc::clone(&self.tree), tracer: self.tracer.clone() }
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("tree", &self.tree).finish_non_exhaustive()
    }
}

impl PartialEq for Transaction {
    /// True for handles to the same transaction.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.tree, &other.tree)
    }
}

/// A copy of a transaction's data. What is set here is set there.
#[derive(Debug)]
pub struct TransactionData<'a> {
    transaction: &'a Transaction,
    values: BTreeMap<String, Value>,
}

impl<'a> TransactionData<'a> {
    /// Walks over the data; there is none if the transaction started without a client.
    #[must_use]
    pub fn iter(&self) -> Box<dyn Iterator<Item = (&String, &Value)> + '_> {
        Box::new(self.values.iter())
    }

    /// Sets a piece of data.
    pub fn set_data(&mut self, key: Cow<'a, str>, value: Value) {
        self.transaction.keep(|| {
            let note = Note::Data(SmolStr::new(&key), value.clone());
            self.values.insert(key.into_owned(), value);
            note
        });
    }

    /// Sets a tag.
    pub fn set_tag(&mut self, key: Cow<'_, str>, value: String) {
        self.transaction.note(|| Note::Tag(SmolStr::new(&key), value));
    }
}
