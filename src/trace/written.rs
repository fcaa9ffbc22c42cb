//! Finished spans and transactions as they are written: the bytes of the types that stand for them, without making these.
//!
//! Texts and values are borrowed from the records and their notes, ids and times become digits at once.

use std::borrow::Cow;
use std::fmt::Display;

use serde::{Serialize, Serializer};
use serde_json::{Error, Value};
use smallvec::SmallVec;

use super::Tree;
use super::latest::Latest;
use super::record::{Note, Record, fields_of};
use crate::protocol::{DynamicSamplingContext, OrganizationId, Request, SampleRand, TraceId};
use crate::wire::json::Fields;

/// All notes about a span together, borrowed from it.
#[derive(Debug)]
pub(crate) struct Lent<'a> {
    /// The bytes of a text, here and below.
    pub(crate) name: &'a [u8],
    pub(crate) op: &'a [u8],
    pub(crate) origin: Option<&'a str>,
    pub(crate) data: Latest<'a, Cow<'a, Value>>,
    pub(crate) tags: Latest<'a, &'a str>,
    pub(crate) extra: Latest<'a, &'a Value>,
    pub(crate) request: Option<&'a Request>,
}

/// What the services in a trace agree on, for the headers of an envelope.
#[derive(Debug)]
pub(crate) enum Words<'a> {
    Said(&'a DynamicSamplingContext),
    /// Nobody asked before, so nobody wrote it down.
    Unsaid(Unsaid<'a>),
}

/// The fields of a [`DynamicSamplingContext`], in their order.
#[derive(Debug, Serialize)]
pub(crate) struct Unsaid<'a> {
    pub(super) trace_id: TraceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) public_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sample_rate: Option<Shown<f32>>,
    pub(super) sample_rand: Shown<SampleRand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sampled: Option<Shown<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) release: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) environment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transaction: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) org_id: Option<Shown<OrganizationId>>,
}

/// A value that is written as the text of it.
#[derive(Debug)]
pub(super) struct Shown<T>(pub(super) T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Words<'_> {
    /// True if a server can tell by it whose trace it is.
    pub(crate) fn has_key(&self) -> bool {
        match self {
            Self::Said(context) => context.public_key.is_some(),
            Self::Unsaid(unsaid) => unsaid.public_key.is_some(),
        }
    }
}

impl Serialize for Words<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Said(context) => context.serialize(serializer),
            Self::Unsaid(unsaid) => unsaid.serialize(serializer),
        }
    }
}

impl Tree {
    /// What was noted about the transaction, but for its data all that [`write_context`](Self::write_context) does not say.
    /// Not settled: others may add what stands behind it.
    pub(crate) fn lend(&self) -> Lent<'_> {
        self.root.lend(false)
    }

    /// Writes the transaction's trace context.
    pub(crate) fn write_context(&self, lent: &Lent<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let root = self.root.value();
        let mut context = Fields::open(out);
        context.plain("type", b"trace");
        context.plain("span_id", &root.span_id.hex());
        context.plain("trace_id", &self.trace_id().hex());
        if let Some(parent) = root.parent_span_id {
            context.plain("parent_span_id", &parent.hex());
        }
        context.text("op", lent.op);
        if let Some(status) = self.root.status() {
            context.plain("status", status.as_str().as_bytes());
        }
        if let Some(origin) = lent.origin {
            context.text("origin", origin);
        }
        if !lent.data.is_empty() {
            context.value("data", &lent.data)?;
        }
        context.close();
        Ok(())
    }

    /// Writes when it ended and started, and the spans as they finished.
    pub(crate) fn write_times_and_spans(&self, transaction: &mut Fields<'_>) -> Result<(), Error> {
        let root = self.root.value();
        transaction.time("timestamp", root.ended_at())?;
        transaction.time("start_timestamp", root.start)?;
        let trace_id = self.trace_id().hex();
        let newest_first: SmallVec<[&Record; 16]> = self.ended().iter().collect();
        transaction.list("spans", newest_first.iter().rev(), |span, out| span.write(&trace_id, out))
    }
}

impl Record {
    /// Puts the notes together; the latest on a matter counts. `request_is_data`: for a span, which has no request.
    fn lend(&self, request_is_data: bool) -> Lent<'_> {
        let (mut name, mut op) = (None, None);
        let mut lent = Lent {
            name: b"",
            op: b"",
            origin: None,
            data: Latest::new(),
            tags: Latest::new(),
            extra: Latest::new(),
            request: None,
        };
        for note in self.notes().iter() {
            match note {
                Note::Name(it) => name = name.or(Some(it.as_bytes())),
                Note::Op(it) => op = op.or(Some(it.as_bytes())),
                Note::Origin(it) => lent.origin = lent.origin.or(Some(it)),
                Note::Data(key, value) => lent.data.before_that(key.as_str(), Some(Cow::Borrowed(value))),
                Note::NoData(key) => lent.data.before_that(key.as_str(), None),
                Note::Tag(key, value) => lent.tags.before_that(key.as_str(), Some(value)),
                Note::Extra(key, value) => lent.extra.before_that(key.as_str(), Some(value)),
                Note::Request(request) if request_is_data => {
                    for (key, value) in fields_of(request) {
                        lent.data.before_that(key, Some(Cow::Owned(value)));
                    }
                }
                Note::Request(request) => lent.request = lent.request.or(Some(request)),
            }
        }
        lent.data.settle();
        lent.name = name.unwrap_or_else(|| self.value().name.as_bytes());
        lent.op = op.unwrap_or_else(|| self.value().op.as_bytes());
        lent
    }

    /// Writes the finished span, as what [`to_span`](Self::to_span) makes is written.
    pub(super) fn write(&self, trace_id: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let facts = self.value();
        let mut lent = self.lend(true);
        lent.tags.settle();
        let mut span = Fields::open(out);
        span.plain("span_id", &facts.span_id.hex());
        span.plain("trace_id", trace_id);
        if let Some(parent) = facts.parent_span_id {
            span.plain("parent_span_id", &parent.hex());
        }
        span.text("op", lent.op);
        if !lent.name.is_empty() {
            span.text("description", lent.name);
        }
        span.time("timestamp", facts.ended_at())?;
        span.time("start_timestamp", facts.start)?;
        if let Some(status) = self.status() {
            span.plain("status", status.as_str().as_bytes());
        }
        if !lent.tags.is_empty() {
            span.value("tags", &lent.tags)?;
        }
        if !lent.data.is_empty() {
            span.value("data", &lent.data)?;
        }
        span.close();
        Ok(())
    }
}
