//! What is known about a transaction before it starts.

use std::sync::Arc;

use serde_json::Value;

use super::TransactionOrSpan;
use super::baggage::Baggage;
#[expect(deprecated, reason = "continues what was read the deprecated way")]
use super::headers::SentryTrace;
use super::headers::TracePropagationContext;
use super::text::Text;
use crate::protocol::{OrganizationId, SpanId, TraceId};

/// Says with which probability a transaction is sampled, from `0.0` to `1.0`.
///
/// [`TransactionContext::sampled`] is what the caller decided, if it did. Any other number is clamped, and NaN samples none.
pub type TracesSampler = dyn Fn(&TransactionContext) -> f32 + Send + Sync;

/// Data for a [sampler](TracesSampler), by name.
pub type CustomTransactionContext = serde_json::Map<String, Value>;

/// What is known about a transaction before it starts.
///
/// ```
/// use vidette::TransactionContext;
///
/// // Starts a trace, or continues the one that a request brings along.
/// let fresh = TransactionContext::new("GET /cart", "http.server");
/// let headers = [("sentry-trace", "09e04486820349518ac7b5d2adbf6ba5-9cf635fa5b870b3a-1")];
/// let continued = TransactionContext::continue_from_headers("GET /cart", "http.server", headers);
/// assert_eq!((fresh.sampled(), continued.sampled()), (None, Some(true)));
/// ```
#[derive(Clone, Debug)]
pub struct TransactionContext {
    pub(super) name: Text,
    pub(super) op: Text,
    pub(super) trace_id: TraceId,
    pub(super) parent_span_id: Option<SpanId>,
    pub(super) span_id: SpanId,
    pub(super) sampled: Option<bool>,
    /// True if the decision is not the caller's, but that of the code here, which no one overrides.
    pub(super) is_forced: bool,
    pub(super) ancestry: Ancestry,
    custom: Option<CustomTransactionContext>,
}

/// Where a transaction's trace comes from.
#[derive(Clone, Debug)]
pub(super) enum Ancestry {
    /// It starts here.
    New,
    /// From a span in this process; with what its trace has agreed on.
    Local(Option<Arc<Baggage>>),
    /// From another service.
    Remote { org_id: Option<OrganizationId>, agreed: Option<Arc<Baggage>> },
}

impl TransactionContext {
    /// A transaction that starts a new trace.
    #[inline]
    #[must_use]
    pub fn new(name: &str, op: &str) -> Self {
        Self::new_with_trace_id(name, op, TraceId::default())
    }

    /// A transaction that starts a trace of this id.
    #[inline]
    #[must_use]
    pub fn new_with_trace_id(name: &str, op: &str, trace_id: TraceId) -> Self {
        let mut context = Self {
            name: Text::EMPTY,
            op: Text::EMPTY,
            trace_id,
            parent_span_id: None,
            span_id: SpanId::default(),
            sampled: None,
            is_forced: false,
            ancestry: Ancestry::New,
            custom: None,
        };
        context.name.set(name);
        context.op.set(op);
        context
    }

    /// A transaction with these ids; a `span_id` that is not given is made up.
    #[must_use]
    pub fn new_with_details(
        name: &str,
        op: &str,
        trace_id: TraceId,
        span_id: Option<SpanId>,
        parent_span_id: Option<SpanId>,
    ) -> Self {
        let context = Self::new_with_trace_id(name, op, trace_id);
        Self { parent_span_id, span_id: span_id.unwrap_or(context.span_id), ..context }
    }

    /// A transaction that continues the trace of an incoming request: its headers `sentry-trace` and `baggage`.
    ///
    /// Without a valid `sentry-trace` it starts a new one. It does so, too, when it is started by a client of another
    /// organization than the caller's: see [`strict_trace_continuation`](crate::ClientOptions::strict_trace_continuation).
    #[must_use]
    pub fn continue_from_headers<'a, I: IntoIterator<Item = (&'a str, &'a str)>>(
        name: &str,
        op: &str,
        headers: I,
    ) -> Self {
        match TracePropagationContext::try_from_headers(headers) {
            Ok(incoming) => Self::continue_from_trace_propagation_context(name, op, &incoming, None),
            Err(_) => Self::new(name, op),
        }
    }

    /// A transaction that continues a trace, with this `span_id` or one that is made up.
    #[deprecated = "use `continue_from_trace_propagation_context`, which keeps the baggage"]
    #[expect(deprecated, reason = "continues what was read the deprecated way")]
    #[must_use]
    pub fn continue_from_sentry_trace(
        name: &str,
        op: &str,
        sentry_trace: &SentryTrace,
        span_id: Option<SpanId>,
    ) -> Self {
        Self::continue_from_trace_propagation_context(name, op, &(*sentry_trace).into(), span_id)
    }

    /// A transaction that continues a trace, with this `span_id` or one that is made up.
    #[must_use]
    pub fn continue_from_trace_propagation_context(
        name: &str,
        op: &str,
        context: &TracePropagationContext,
        span_id: Option<SpanId>,
    ) -> Self {
        Self {
            sampled: context.sampled,
            ancestry: Ancestry::Remote { org_id: context.org_id, agreed: context.baggage.clone() },
            ..Self::new_with_details(name, op, context.trace_id, span_id, Some(context.span_id))
        }
    }

    /// A transaction that continues the trace of a span, as for work that goes on elsewhere after the span has ended.
    /// Without a span it starts a new one.
    #[must_use]
    pub fn continue_from_span(name: &str, op: &str, span: Option<TransactionOrSpan>) -> Self {
        let Some(span) = span else { return Self::new(name, op) };
        let (tree, span_id) = span.parts();
        Self {
            sampled: tree.sampled(),
            ancestry: Ancestry::Local(tree.baggage().cloned()),
            ..Self::new_with_details(name, op, tree.trace_id(), None, Some(span_id))
        }
    }

    /// Starts to describe a transaction in steps.
    #[must_use]
    pub fn builder(name: &str, op: &str) -> TransactionContextBuilder {
        TransactionContextBuilder { context: Self::new(name, op) }
    }

    /// Decides whether the transaction is sampled; `None` leaves that to the client's options.
    ///
    /// The decision stands above those of a sampler and of the caller. Where tracing is off, nothing is sampled.
    pub fn set_sampled(&mut self, sampled: impl Into<Option<bool>>) {
        self.sampled = sampled.into();
        self.is_forced = self.sampled.is_some();
    }

    /// What was decided so far, by the caller or by [`set_sampled`](Self::set_sampled).
    #[must_use]
    pub fn sampled(&self) -> Option<bool> {
        self.sampled
    }

    /// The transaction's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The kind of operation, such as `http.server`.
    #[must_use]
    pub fn operation(&self) -> &str {
        self.op.as_str()
    }

    /// The id of the trace.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The id of the transaction's own span.
    #[must_use]
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// The data for a sampler.
    #[must_use]
    pub fn custom(&self) -> Option<&CustomTransactionContext> {
        self.custom.as_ref()
    }

    /// The data for a sampler, to change.
    pub fn custom_mut(&mut self) -> &mut Option<CustomTransactionContext> {
        &mut self.custom
    }

    /// Sets a piece of the data for a sampler, and returns what stood there.
    pub fn custom_insert(&mut self, key: String, value: Value) -> Option<Value> {
        self.custom.get_or_insert_default().insert(key, value)
    }

    /// Starts a new trace instead if the caller's is not to be continued.
    pub(super) fn break_with_strangers(&mut self, own: Option<OrganizationId>, is_strict: bool) {
        let Ancestry::Remote { org_id, .. } = self.ancestry else { return };
        let is_stranger = match (org_id, own) {
            (Some(theirs), Some(ours)) => theirs != ours,
            (None, None) => false,
            _ => is_strict,
        };
        if is_stranger {
            self.trace_id = TraceId::default();
            self.parent_span_id = None;
            self.ancestry = Ancestry::New;
            self.sampled = self.sampled.filter(|_| self.is_forced);
        }
    }

    /// What the trace has agreed on before this transaction.
    pub(super) fn agreed(&self) -> Option<&Arc<Baggage>> {
        match &self.ancestry {
            Ancestry::New => None,
            Ancestry::Local(agreed) | Ancestry::Remote { agreed, .. } => agreed.as_ref(),
        }
    }
}

/// Describes a transaction in steps; made by [`TransactionContext::builder`].
#[derive(Clone, Debug)]
pub struct TransactionContextBuilder {
    context: TransactionContext,
}

impl TransactionContextBuilder {
    /// Sets the transaction's name.
    #[must_use]
    pub fn with_name(mut self, name: String) -> Self {
        self.context.name = name.into();
        self
    }

    /// Sets the kind of operation.
    #[must_use]
    pub fn with_op(mut self, op: String) -> Self {
        self.context.op = op.into();
        self
    }

    /// Sets the id of the trace.
    #[must_use]
    pub fn with_trace_id(mut self, trace_id: TraceId) -> Self {
        self.context.trace_id = trace_id;
        self
    }

    /// Sets the span that the transaction was started in.
    #[must_use]
    pub fn with_parent_span_id(mut self, parent_span_id: Option<SpanId>) -> Self {
        self.context.parent_span_id = parent_span_id;
        self
    }

    /// Sets the id of the transaction's own span.
    #[must_use]
    pub fn with_span_id(mut self, span_id: SpanId) -> Self {
        self.context.span_id = span_id;
        self
    }

    /// Decides whether the transaction is sampled, as [`set_sampled`](TransactionContext::set_sampled).
    #[must_use]
    pub fn with_sampled(mut self, sampled: Option<bool>) -> Self {
        self.context.set_sampled(sampled);
        self
    }

    /// Sets a piece of the data for a sampler.
    #[must_use]
    pub fn with_custom(mut self, key: String, value: Value) -> Self {
        self.context.custom_insert(key, value);
        self
    }

    /// The context.
    #[must_use]
    pub fn finish(self) -> TransactionContext {
        self.context
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(org_id: Option<u64>) -> TransactionContext {
        let baggage = org_id.map(|org_id| format!("sentry-org_id={org_id}")).unwrap_or_default();
        let headers =
            [("sentry-trace", "09e04486820349518ac7b5d2adbf6ba5-9cf635fa5b870b3a-1"), ("baggage", baggage.as_str())];
        TransactionContext::continue_from_headers("name", "op", headers)
    }

    #[test]
    fn a_trace_is_continued_unless_it_is_of_another_organization() {
        let cases = [
            (None, None, false, true),
            (None, None, true, true),
            (Some(1), Some(1), true, true),
            (Some(1), Some(2), false, false),
            (Some(1), None, false, true),
            (None, Some(1), false, true),
            (Some(1), None, true, false),
            (None, Some(1), true, false),
        ];
        for (theirs, ours, is_strict, continues) in cases {
            let mut context = incoming(theirs);
            let before = context.trace_id;
            context.break_with_strangers(ours.map(OrganizationId::from), is_strict);
            assert_eq!(context.trace_id == before, continues, "{theirs:?} {ours:?} {is_strict}");
            assert_eq!(context.parent_span_id.is_some(), continues);
            assert_eq!(context.sampled, continues.then_some(true));
            assert_eq!(context.agreed().is_some(), continues && theirs.is_some());
        }
    }

    #[test]
    fn what_the_code_decided_survives_a_break() {
        let mut context = incoming(Some(1));
        context.set_sampled(false);
        context.break_with_strangers(Some(2.into()), false);
        assert_eq!((context.sampled(), context.is_forced), (Some(false), true));
    }

    #[test]
    fn a_builder_sets_everything() {
        let (trace_id, span_id, parent) = (TraceId::default(), SpanId::default(), SpanId::default());
        let context = TransactionContext::builder("", "")
            .with_name("name".to_owned())
            .with_op("op".to_owned())
            .with_trace_id(trace_id)
            .with_span_id(span_id)
            .with_parent_span_id(Some(parent))
            .with_sampled(Some(true))
            .with_custom("key".to_owned(), 1.into())
            .finish();
        assert_eq!((context.name(), context.operation()), ("name", "op"));
        assert_eq!((context.trace_id(), context.span_id(), context.parent_span_id), (trace_id, span_id, Some(parent)));
        assert_eq!((context.sampled(), context.is_forced), (Some(true), true));
        assert_eq!(context.custom().and_then(|custom| custom.get("key")), Some(&1.into()));
    }

    #[test]
    fn custom_data_is_made_when_it_is_set() {
        let mut context = TransactionContext::new("name", "op");
        assert!(context.custom().is_none());
        assert_eq!(context.custom_insert("key".to_owned(), 1.into()), None);
        assert_eq!(context.custom_insert("key".to_owned(), 2.into()), Some(1.into()));
        *context.custom_mut() = None;
        assert!(context.custom().is_none());
    }
}
