//! The headers with which this service passes its trace on.

use std::fmt;
use std::sync::Arc;

use super::baggage::Baggage;
use super::headers::{BAGGAGE, SENTRY_TRACE};
use crate::protocol::{SpanId, TraceId};

/// The name and the value of a header.
pub type TraceHeader = (&'static str, String);

/// The headers that pass a trace on to another service: `sentry-trace`, and `baggage` if there is anything to say.
///
/// Making them allocates nothing once the transaction's baggage is settled, which the first of them does, and neither does
/// reading them once its text is written, which the first read does. Members that others want in a request's `baggage` are
/// theirs to add, with a comma between.
///
/// ```
/// use std::fmt::Write;
///
/// use vidette::{TransactionContext, start_transaction};
///
/// let transaction = start_transaction(TransactionContext::new("job", "task"));
/// let span = transaction.start_child("http.client", "GET https://example.com");
/// let mut request = String::with_capacity(1024);
/// for (name, value) in span.trace_headers().iter() {
///     writeln!(request, "{name}: {value}")?;
/// }
/// assert!(request.starts_with("sentry-trace: "));
/// # Ok::<(), std::fmt::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TraceHeaders {
    sentry_trace: SentryTraceHeader,
    baggage: Option<Arc<Baggage>>,
}

impl TraceHeaders {
    pub(crate) fn new(
        trace_id: TraceId,
        span_id: SpanId,
        sampled: Option<bool>,
        baggage: Option<Arc<Baggage>>,
    ) -> Self {
        Self { sentry_trace: SentryTraceHeader::new(trace_id, span_id, sampled), baggage }
    }

    /// The value of `sentry-trace`.
    #[must_use]
    pub fn sentry_trace(&self) -> &str {
        self.sentry_trace.as_str()
    }

    /// The value of `baggage`: members whose names start with `sentry-`, at most 64 and 8,192 bytes.
    #[must_use]
    pub fn baggage(&self) -> Option<&str> {
        self.baggage.as_ref().map(|baggage| baggage.text()).filter(|text| !text.is_empty())
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let sentry_trace = std::iter::once((SENTRY_TRACE, self.sentry_trace()));
        sentry_trace.chain(self.baggage().map(|baggage| (BAGGAGE, baggage)))
    }
}

impl IntoIterator for TraceHeaders {
    type Item = TraceHeader;
    type IntoIter = TraceHeadersIter;

    fn into_iter(self) -> TraceHeadersIter {
        TraceHeadersIter { headers: self, next: Next::SentryTrace }
    }
}

/// The headers that pass a trace on, each with a value of its own. [`TraceHeaders`] allocates less.
#[derive(Clone, Debug)]
pub struct TraceHeadersIter {
    headers: TraceHeaders,
    next: Next,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    SentryTrace,
    Baggage,
    Nothing,
}

impl Iterator for TraceHeadersIter {
    type Item = TraceHeader;

    fn next(&mut self) -> Option<TraceHeader> {
        match self.next {
            Next::SentryTrace => {
                self.next = Next::Baggage;
                Some((SENTRY_TRACE, self.headers.sentry_trace().to_owned()))
            }
            Next::Baggage => {
                self.next = Next::Nothing;
                Some((BAGGAGE, self.headers.baggage()?.to_owned()))
            }
            Next::Nothing => None,
        }
    }
}

/// The value of a `sentry-trace` header, on the stack.
#[derive(Clone, Copy)]
pub(super) struct SentryTraceHeader {
    bytes: [u8; LONGEST],
    length: usize,
}

impl SentryTraceHeader {
    pub(super) fn new(trace_id: TraceId, span_id: SpanId, sampled: Option<bool>) -> Self {
        let mut bytes = [b'-'; LONGEST];
        let (trace, rest) = bytes.split_at_mut(TRACE_DIGITS);
        trace.copy_from_slice(&trace_id.hex());
        if let Some(span) = rest.get_mut(1..=SPAN_DIGITS) {
            span.copy_from_slice(&span_id.hex());
        }
        if let (Some(sampled), Some(flag)) = (sampled, bytes.last_mut()) {
            *flag = b'0' + u8::from(sampled);
        }
        let length = if sampled.is_some() { LONGEST } else { LONGEST - 2 };
        Self { bytes, length }
    }

    pub(super) fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Debug for SentryTraceHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

const TRACE_DIGITS: usize = 32;
const SPAN_DIGITS: usize = 16;
/// Two ids in hexadecimal digits, two hyphens, a flag.
const LONGEST: usize = TRACE_DIGITS + 1 + SPAN_DIGITS + 1 + 1;
