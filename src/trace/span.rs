//! A running span.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use super::bare::Bare;
use super::record::{Facts, Note, Record};
use super::sampling::Fate;
use super::spare;
use super::text::Text;
use super::tree::Head;
use super::{MOST_SPANS, TraceHeaders, TraceHeadersIter, Tree};
use crate::clock;
use crate::protocol::{Request, SpanId, SpanStatus, TraceContext};
use crate::sync::chain::Refused;
use crate::sync::roster::Member;

/// A running span: one timed operation in a transaction.
///
/// It is sent with its transaction if it is [finished](Self::finish) before that is. Clones are handles to the same span. In a
/// transaction that is not sampled, a span is a few ids, and what would only be sent is passed over: nothing is allocated before
/// data is set.
#[derive(Clone, Debug)]
pub struct Span(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Recorded(Member<Head, Facts, Note>),
    Bare(Arc<Tree>, Bare),
}

impl Span {
    /// Starts a span now.
    #[inline]
    pub(super) fn start(tree: &Arc<Tree>, parent: SpanId, op: &str, description: &str) -> Self {
        Self(if tree.is_recorded() {
            Kind::Recorded(record(tree, parent, op, description))
        } else {
            Kind::Bare(spare::share(tree), Bare::new(None, parent, Text::new(op)))
        })
    }

    /// Starts a span of this id, at the given time.
    pub(super) fn start_with_details(
        tree: &Arc<Tree>,
        parent: SpanId,
        op: &str,
        description: &str,
        id: SpanId,
        start: SystemTime,
    ) -> Self {
        Self(if tree.is_recorded() {
            Kind::Recorded(record_as(tree, parent, op, description, id, clock::nanos_of(start)))
        } else {
            Kind::Bare(spare::share(tree), Bare::new(Some(id), parent, Text::new(op)))
        })
    }

    /// Sets a piece of data.
    pub fn set_data(&self, key: &str, value: Value) {
        self.keep(Note::Data(key.into(), value));
    }

    /// Sets a tag: a short value that the server indexes.
    pub fn set_tag<V: ToString>(&self, key: &str, value: V) {
        self.note(|| Note::Tag(key.into(), value.to_string()));
    }

    /// Sets the description.
    pub fn set_name(&self, name: &str) {
        self.note(|| Note::Name(name.into()));
    }

    /// Sets the kind of operation, such as `http.client`.
    pub fn set_op(&self, op: &str) {
        self.note(|| Note::Op(op.into()));
    }

    /// Sets the HTTP request that the span is about; its parts become data.
    pub fn set_request(&self, request: Request) {
        self.keep(Note::Request(Box::new(request)));
    }

    /// Sets how it goes.
    pub fn set_status(&self, status: SpanStatus) {
        if let Some(record) = self.record_of() {
            record.set_status(status);
        }
    }

    /// How it goes, if that was set.
    #[must_use]
    pub fn get_status(&self) -> Option<SpanStatus> {
        self.record_of()?.status()
    }

    /// The span's id.
    #[must_use]
    pub fn get_span_id(&self) -> SpanId {
        match &self.0 {
            Kind::Recorded(member) => member.entry().span_id(),
            Kind::Bare(_, bare) => bare.span_id(),
        }
    }

    /// The trace context of events that are captured in this span.
    #[must_use]
    pub fn get_trace_context(&self) -> TraceContext {
        let trace_id = self.tree().trace_id();
        match &self.0 {
            Kind::Recorded(member) => {
                let record = member.entry();
                let description = record.description();
                TraceContext { description, ..record.trace_context(trace_id, &mut record.put_together(true)) }
            }
            Kind::Bare(_, bare) => bare.trace_context(trace_id),
        }
    }

    /// The data set so far, to read and to change.
    #[must_use]
    pub fn data(&self) -> Data<'_> {
        let notes = match &self.0 {
            Kind::Recorded(member) => member.entry().put_together(true),
            Kind::Bare(_, bare) => bare.notes(),
        };
        Data { span: self, values: notes.data, before: None }
    }

    /// The headers that pass the trace on: `sentry-trace`, and `baggage` if there is anything to say.
    #[must_use]
    pub fn iter_headers(&self) -> TraceHeadersIter {
        self.trace_headers().into_iter()
    }

    /// The headers that pass the trace on, without allocating.
    #[must_use]
    pub fn trace_headers(&self) -> TraceHeaders {
        self.tree().headers(self.get_span_id())
    }

    /// True if what is set on the span is sent, provided that it is finished before its transaction.
    ///
    /// Where it is false, callers need not build what they would set; the span's ids and headers are as good as any. Costs a load.
    ///
    /// ```
    /// use vidette::{TransactionContext, start_transaction};
    ///
    /// let transaction = start_transaction(TransactionContext::new("job", "task"));
    /// let span = transaction.start_child("db.query", "SELECT * FROM items");
    /// if span.is_recording() {
    ///     span.set_tag("plan", format!("{:?}", ["index", "scan"]));
    /// }
    /// span.finish();
    /// ```
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.tree().is_recorded()
    }

    /// True if the span will be sent with its transaction. False can also mean that the decision is left to others.
    #[must_use]
    #[deprecated = "does not tell a decision from none; `iter_headers` passes on the right one"]
    pub fn is_sampled(&self) -> bool {
        self.is_recording()
    }

    /// Starts a span in this one.
    #[inline]
    #[must_use = "a span is sent when it is finished"]
    pub fn start_child(&self, op: &str, description: &str) -> Span {
        Self::start(self.tree(), self.get_span_id(), op, description)
    }

    pub(super) fn start_child_with_details(
        &self,
        op: &str,
        description: &str,
        id: SpanId,
        timestamp: SystemTime,
    ) -> Span {
        Self::start_with_details(self.tree(), self.get_span_id(), op, description, id, timestamp)
    }

    /// Finishes the span now. Only the first of several finishes counts.
    #[inline]
    pub fn finish(self) {
        match self.0 {
            Kind::Recorded(member) => end(member, None),
            Kind::Bare(tree, _) => let_go(tree),
        }
    }

    /// Finishes the span at the given time. Only the first of several finishes counts.
    pub fn finish_with_timestamp(self, timestamp: SystemTime) {
        match self.0 {
            Kind::Recorded(member) => end(member, Some(timestamp)),
            Kind::Bare(tree, _) => let_go(tree),
        }
    }

    pub(super) fn tree(&self) -> &Arc<Tree> {
        match &self.0 {
            Kind::Recorded(member) => member.roster(),
            Kind::Bare(tree, _) => tree,
        }
    }

    fn record_of(&self) -> Option<&Record> {
        match &self.0 {
            Kind::Recorded(member) => Some(member.entry()),
            Kind::Bare(..) => None,
        }
    }

    /// Notes a piece of data, which integrations read back, whether it is sent or not.
    fn keep(&self, note: Note) {
        match &self.0 {
            Kind::Recorded(member) => member.roster().note(member.entry(), note),
            Kind::Bare(tree, bare) if tree.has_client() => bare.note(note),
            // No event will ask for it.
            Kind::Bare(..) => {}
        }
    }

    /// Notes what is only sent.
    fn note(&self, note: impl FnOnce() -> Note) {
        if let Kind::Recorded(member) = &self.0 {
            member.roster().note(member.entry(), note());
        }
    }
}

impl PartialEq for Span {
    /// True for handles to the same span.
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Recorded(one), Kind::Recorded(other)) => one == other,
            (Kind::Bare(tree, one), Kind::Bare(other, two)) => {
                Arc::ptr_eq(tree, other) && one.span_id() == two.span_id()
            }
            _ => false,
        }
    }
}

/// Starts a recorded span now. The handle comes back in registers: one that is written to memory in two halves and moved as a
/// whole costs as much as the clock.
fn record(tree: &Arc<Tree>, parent: SpanId, op: &str, description: &str) -> Member<Head, Facts, Note> {
    record_as(tree, parent, op, description, SpanId::default(), clock::now())
}

#[inline]
fn record_as(
    tree: &Arc<Tree>,
    parent: SpanId,
    op: &str,
    description: &str,
    span_id: SpanId,
    start: u64,
) -> Member<Head, Facts, Note> {
    Member::new(spare::share(tree), |facts| facts.tell(span_id, parent, description, op, start))
}

/// Ends a recorded span, unless it has ended, and counts it if the transaction has enough. `None`: now.
fn end(member: Member<Head, Facts, Note>, at: Option<SystemTime>) {
    let (tree, ended) = member.end(MOST_SPANS, |facts| facts.set_end(at));
    if ended == Err(Refused::Full) {
        tree.count();
    }
    spare::give(tree);
}

/// Counts a span that is not recorded, if such are counted.
#[inline]
fn let_go(tree: Arc<Tree>) {
    if tree.fate() == Fate::Counted {
        tree.count();
    }
    spare::give(tree);
}

/// A copy of a span's data. What is changed here is changed there when this is dropped.
///
/// Nothing is locked meanwhile: other threads may read and write the data too, and of two changes to one key the later counts.
#[derive(Debug)]
pub struct Data<'a> {
    span: &'a Span,
    values: BTreeMap<String, Value>,
    /// The data as it was before it could be changed.
    before: Option<BTreeMap<String, Value>>,
}

impl Data<'_> {
    /// Sets a piece of data.
    pub fn set_data(&mut self, key: String, value: Value) {
        self.span.set_data(&key, value.clone());
        if let Some(before) = &mut self.before {
            before.insert(key.clone(), value.clone());
        }
        self.values.insert(key, value);
    }

    /// Sets a tag.
    pub fn set_tag(&mut self, key: String, value: String) {
        self.span.set_tag(&key, value);
    }
}

impl Deref for Data<'_> {
    type Target = BTreeMap<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.values
    }
}

impl DerefMut for Data<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.before.get_or_insert_with(|| self.values.clone());
        &mut self.values
    }
}

impl Drop for Data<'_> {
    fn drop(&mut self) {
        let Some(before) = self.before.take() else { return };
        for key in before.keys().filter(|key| !self.values.contains_key(*key)) {
            self.span.keep(Note::NoData(key.into()));
        }
        for (key, value) in std::mem::take(&mut self.values) {
            if before.get(&key) != Some(&value) {
                self.span.keep(Note::Data(key.into(), value));
            }
        }
    }
}
