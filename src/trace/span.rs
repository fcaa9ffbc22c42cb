//! A running span.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use smol_str::SmolStr;

use super::bare::Bare;
use super::record::{Note, Record};
use super::sampling::Fate;
use super::{TraceHeaders, TraceHeadersIter, Tree};
use crate::protocol::{Request, SpanId, SpanStatus, TraceContext};
use crate::sync::chain::Link;

/// A running span: one timed operation in a transaction.
///
/// It is sent with its transaction if it is [finished](Self::finish) before that is. Clones are handles to the same span. In a
/// transaction that is not sampled, a span is a few ids, and what would only be sent is passed over: nothing is allocated before
/// data is set.
#[derive(Clone, Debug)]
pub struct Span {
    tree: Arc<Tree>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Recorded(Arc<Link<Record>>),
    Bare(Bare),
}

impl Span {
    /// Starts a span; `None`: now.
    pub(super) fn start(
        tree: &Arc<Tree>,
        parent: SpanId,
        op: &str,
        description: &str,
        span_id: SpanId,
        start: Option<SystemTime>,
    ) -> Self {
        let op = SmolStr::new(op);
        let kind = if tree.is_recorded() {
            let start = start.unwrap_or_else(SystemTime::now);
            let record = Record::new(span_id, Some(parent), SmolStr::new(description), op, start);
            Kind::Recorded(Arc::new(Link::new(record)))
        } else {
            Kind::Bare(Bare::new(span_id, parent, op))
        };
        Self { tree: Arc::clone(tree), kind }
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
        if let Some(record) = self.record() {
            record.set_status(status);
        }
    }

    /// How it goes, if that was set.
    #[must_use]
    pub fn get_status(&self) -> Option<SpanStatus> {
        self.record()?.status()
    }

    /// The span's id.
    #[must_use]
    pub fn get_span_id(&self) -> SpanId {
        match &self.kind {
            Kind::Recorded(link) => link.value().span_id,
            Kind::Bare(bare) => bare.span_id,
        }
    }

    /// The trace context of events that are captured in this span.
    #[must_use]
    pub fn get_trace_context(&self) -> TraceContext {
        let trace_id = self.tree.trace_id();
        match &self.kind {
            Kind::Recorded(link) => {
                let record = link.value();
                let description = record.description();
                TraceContext { description, ..record.trace_context(trace_id, &mut record.notes(true)) }
            }
            Kind::Bare(bare) => bare.trace_context(trace_id),
        }
    }

    /// The data set so far, to read and to change.
    #[must_use]
    pub fn data(&self) -> Data<'_> {
        let notes = match &self.kind {
            Kind::Recorded(link) => link.value().notes(true),
            Kind::Bare(bare) => bare.notes(),
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
        self.tree.headers(self.get_span_id())
    }

    /// True if the span will be sent with its transaction. False can also mean that the decision is left to others.
    #[must_use]
    #[deprecated = "does not tell a decision from none; `iter_headers` passes on the right one"]
    pub fn is_sampled(&self) -> bool {
        self.tree.is_recorded()
    }

    /// Starts a span in this one.
    #[must_use = "a span is sent when it is finished"]
    pub fn start_child(&self, op: &str, description: &str) -> Span {
        Self::start(&self.tree, self.get_span_id(), op, description, SpanId::default(), None)
    }

    pub(super) fn start_child_with_details(
        &self,
        op: &str,
        description: &str,
        id: SpanId,
        timestamp: SystemTime,
    ) -> Span {
        Self::start(&self.tree, self.get_span_id(), op, description, id, Some(timestamp))
    }

    /// Finishes the span now. Only the first of several finishes counts.
    pub fn finish(self) {
        let end = if self.tree.is_recorded() { SystemTime::now() } else { SystemTime::UNIX_EPOCH };
        self.finish_with_timestamp(end);
    }

    /// Finishes the span at the given time. Only the first of several finishes counts.
    pub fn finish_with_timestamp(self, timestamp: SystemTime) {
        match self.kind {
            Kind::Recorded(link) => {
                if link.value().finish(timestamp) {
                    self.tree.collect(link);
                }
            }
            Kind::Bare(_) if self.tree.fate() == Fate::Counted => self.tree.count(),
            Kind::Bare(_) => {}
        }
    }

    pub(super) fn tree(&self) -> &Arc<Tree> {
        &self.tree
    }

    fn record(&self) -> Option<&Record> {
        match &self.kind {
            Kind::Recorded(link) => Some(link.value()),
            Kind::Bare(_) => None,
        }
    }

    /// Notes a piece of data, which integrations read back, whether it is sent or not.
    fn keep(&self, note: Note) {
        match &self.kind {
            Kind::Recorded(link) => link.value().note(note),
            Kind::Bare(bare) if self.tree.has_client() => bare.note(note),
            // No event will ask for it.
            Kind::Bare(_) => {}
        }
    }

    /// Notes what is only sent.
    fn note(&self, note: impl FnOnce() -> Note) {
        if let Some(record) = self.record() {
            record.note(note());
        }
    }
}

impl PartialEq for Span {
    /// True for handles to the same span.
    fn eq(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Recorded(one), Kind::Recorded(other)) => Arc::ptr_eq(one, other),
            (Kind::Bare(one), Kind::Bare(two)) => one.span_id == two.span_id && Arc::ptr_eq(&self.tree, &other.tree),
            _ => false,
        }
    }
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
