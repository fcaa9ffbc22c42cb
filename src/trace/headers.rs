//! Reading the headers with which another service passes its trace on.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::baggage::{Baggage, BaggageReader};
use super::outgoing::SentryTraceHeader;
use crate::protocol::{OrganizationId, SpanId, TraceId};

/// Where in a trace another service stood when it called: what its headers say.
///
/// ```
/// use vidette::TracePropagationContext;
///
/// let headers = [("Sentry-Trace", "09e04486820349518ac7b5d2adbf6ba5-9cf635fa5b870b3a-0"), ("accept", "*/*")];
/// let incoming = TracePropagationContext::try_from_headers(headers)?;
/// assert_eq!(incoming.sentry_trace_header(), "09e04486820349518ac7b5d2adbf6ba5-9cf635fa5b870b3a-0");
/// # Ok::<(), vidette::HeaderParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TracePropagationContext {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) sampled: Option<bool>,
    pub(super) org_id: Option<OrganizationId>,
    /// `None`: the caller said nothing, which is what its trace has agreed on.
    pub(super) baggage: Option<Arc<Baggage>>,
}

impl TracePropagationContext {
    /// A caller in this span, which decided nothing about sampling.
    #[must_use]
    pub fn new(trace_id: TraceId, span_id: SpanId) -> Self {
        Self { trace_id, span_id, ..Self::default() }
    }

    /// Sets what the caller decided about sampling.
    #[must_use]
    pub fn with_sampled(mut self, sampled: bool) -> Self {
        self.sampled = Some(sampled);
        self
    }

    /// The value of a `sentry-trace` header that says the same.
    #[must_use]
    pub fn sentry_trace_header(&self) -> String {
        SentryTraceHeader::new(self.trace_id, self.span_id, self.sampled).as_str().to_owned()
    }

    /// Reads the headers `sentry-trace` and `baggage`, whose names may be of any case; others are passed over.
    ///
    /// Of several valid `sentry-trace` headers the last counts. Members of `baggage` count if their names start with `sentry-`.
    ///
    /// # Errors
    /// If there is no `sentry-trace`, or none that is valid.
    pub fn try_from_headers<'a, I>(headers: I) -> Result<Self, HeaderParseError>
    where
        I: IntoIterator<Item = (&'a str, &'a str)>,
    {
        let mut found = Err(HeaderParseError::Missing);
        let mut baggage = BaggageReader::default();
        for (name, value) in headers {
            if name.eq_ignore_ascii_case(SENTRY_TRACE) {
                found = parse(value).or(found.map_err(|_| HeaderParseError::Invalid));
            } else if name.eq_ignore_ascii_case(BAGGAGE) {
                baggage.read(value);
            }
        }
        let (trace_id, span_id, sampled) = found?;
        let org_id = baggage.org_id();
        Ok(Self { trace_id, span_id, sampled, org_id, baggage: baggage.finish(trace_id).map(Arc::new) })
    }
}

/// Why headers do not tell where in a trace the caller stood.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HeaderParseError {
    /// There is no `sentry-trace` header.
    Missing,
    /// There is no valid `sentry-trace` header.
    Invalid,
}

impl fmt::Display for HeaderParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "there is no sentry-trace header",
            Self::Invalid => "the sentry-trace header is invalid",
        })
    }
}

impl Error for HeaderParseError {}

/// What a `sentry-trace` header says.
#[deprecated = "use `TracePropagationContext`, which knows the baggage too"]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SentryTrace {
    trace_id: TraceId,
    span_id: SpanId,
    sampled: Option<bool>,
}

#[expect(deprecated, reason = "its own methods")]
impl SentryTrace {
    /// A caller in this span, with what it decided about sampling.
    #[must_use]
    pub fn new(trace_id: TraceId, span_id: SpanId, sampled: Option<bool>) -> Self {
        Self { trace_id, span_id, sampled }
    }
}

#[expect(deprecated, reason = "its own trait")]
impl fmt::Display for SentryTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SentryTraceHeader::new(self.trace_id, self.span_id, self.sampled).as_str())
    }
}

#[expect(deprecated, reason = "the way away from it")]
impl From<SentryTrace> for TracePropagationContext {
    fn from(SentryTrace { trace_id, span_id, sampled }: SentryTrace) -> Self {
        Self { sampled, ..Self::new(trace_id, span_id) }
    }
}

/// Reads the `sentry-trace` header, if there is a valid one.
#[deprecated = "use `TracePropagationContext::try_from_headers`, which reads the baggage too"]
#[expect(deprecated, reason = "what it has always returned")]
pub fn parse_headers<'a, I>(headers: I) -> Option<SentryTrace>
where
    I: IntoIterator<Item = (&'a str, &'a str)>,
{
    let found = TracePropagationContext::try_from_headers(headers).ok()?;
    Some(SentryTrace::new(found.trace_id, found.span_id, found.sampled))
}

/// Reads `trace-span`, `trace-span-1` and `trace-span-0`. Anything else behind the ids decides nothing.
fn parse(header: &str) -> Result<(TraceId, SpanId, Option<bool>), HeaderParseError> {
    let mut parts = header.trim().splitn(3, '-');
    let mut id = || parts.next().ok_or(HeaderParseError::Invalid);
    let (trace_id, span_id) = (id()?, id()?);
    let sampled = match parts.next() {
        Some("1") => Some(true),
        Some("0") => Some(false),
        _ => None,
    };
    let invalid = |_| HeaderParseError::Invalid;
    Ok((trace_id.parse().map_err(invalid)?, span_id.parse().map_err(invalid)?, sampled))
}

pub(super) const SENTRY_TRACE: &str = "sentry-trace";
pub(super) const BAGGAGE: &str = "baggage";

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "09e04486820349518ac7b5d2adbf6ba5";
    const SPAN: &str = "9cf635fa5b870b3a";

    fn read(values: &[&str]) -> Result<Option<bool>, &'static str> {
        let headers = values.iter().map(|value| ("SENTRY-trace", *value));
        match TracePropagationContext::try_from_headers(headers) {
            Ok(found) => {
                assert_eq!((found.trace_id.to_string(), found.span_id.to_string()), (TRACE.into(), SPAN.into()));
                Ok(found.sampled)
            }
            Err(HeaderParseError::Missing) => Err("missing"),
            Err(HeaderParseError::Invalid) => Err("invalid"),
        }
    }

    #[test]
    fn a_sentry_trace_header_has_two_ids_and_perhaps_a_decision() {
        let ids = format!("{TRACE}-{SPAN}");
        for (behind, sampled) in
            [("", None), ("-1", Some(true)), ("-0", Some(false)), ("-", None), ("-2", None), ("-1-0", None)]
        {
            assert_eq!(read(&[&format!(" {ids}{behind}\t")]), Ok(sampled), "{behind}");
        }
        for wrong in ["", "-", TRACE, &format!("{SPAN}-{TRACE}"), &format!("{TRACE}{SPAN}"), "x-y-1"] {
            assert_eq!(read(&[wrong]), Err("invalid"), "{wrong}");
        }
        assert_eq!(read(&[]), Err("missing"));
    }

    #[test]
    fn the_last_valid_header_counts() {
        let (yes, no) = (format!("{TRACE}-{SPAN}-1"), format!("{TRACE}-{SPAN}-0"));
        assert_eq!(read(&[&yes, &no]), Ok(Some(false)));
        assert_eq!(read(&[&yes, "x"]), Ok(Some(true)));
        assert_eq!(read(&["x", &yes]), Ok(Some(true)));
        assert_eq!(read(&["x", "y"]), Err("invalid"));
    }

    #[test]
    #[expect(deprecated, reason = "it is still there")]
    fn the_deprecated_ways_say_the_same() {
        let header = format!("{TRACE}-{SPAN}-1");
        let found = parse_headers([("sentry-trace", header.as_str())]).unwrap();
        assert_eq!(found.to_string(), header);
        assert_eq!(found, SentryTrace::new(TRACE.parse().unwrap(), SPAN.parse().unwrap(), Some(true)));
        let context = TracePropagationContext::from(found);
        assert_eq!(context, TracePropagationContext::new(found.trace_id, found.span_id).with_sampled(true));
        assert_eq!(context.sentry_trace_header(), header);
        assert_eq!(parse_headers([]), None);
    }
}
