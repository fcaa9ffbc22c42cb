//! Transactions, spans and what carries a trace from process to process.

use std::borrow::Cow;
use std::time::SystemTime;

use vidette::protocol::{self, Request, SpanId, SpanStatus, TraceContext, TraceId, Value};
use vidette::{
    CustomTransactionContext, Data, HeaderParseError, Hub, Scope, Span, TraceHeader, TraceHeadersIter,
    TracePropagationContext, TracesSampler, Transaction, TransactionContext, TransactionContextBuilder,
    TransactionData, TransactionOrSpan,
};

const _: fn(TransactionContext) -> Transaction = vidette::start_transaction;
const _: fn(TransactionContext, SystemTime) -> Transaction = vidette::start_transaction_with_timestamp;
const _: fn(&Hub, TransactionContext) -> Transaction = Hub::start_transaction;
const _: fn(&Hub, TransactionContext, SystemTime) -> Transaction = Hub::start_transaction_with_timestamp;
const _: fn(&mut Scope, Option<TransactionOrSpan>) = Scope::set_span;
const _: fn(&Scope) -> Option<TransactionOrSpan> = Scope::get_span;
const _: fn(&Scope, &mut protocol::Transaction<'static>) = Scope::apply_to_transaction;

const _: fn(&str, &str) -> TransactionContext = TransactionContext::new;
const _: fn(&str, &str) -> TransactionContextBuilder = TransactionContext::builder;
const _: fn(&str, &str, TraceId) -> TransactionContext = TransactionContext::new_with_trace_id;
const _: fn(&str, &str, Option<TransactionOrSpan>) -> TransactionContext = TransactionContext::continue_from_span;
const _: fn(&str, &str, &TracePropagationContext, Option<SpanId>) -> TransactionContext =
    TransactionContext::continue_from_trace_propagation_context;
const _: fn(&mut TransactionContext) -> &mut Option<CustomTransactionContext> = TransactionContext::custom_mut;
const _: fn(&mut TransactionContext, bool) = |context, sampled| context.set_sampled(sampled);
const _: fn(&mut TransactionContext, Option<bool>) = |context, sampled| context.set_sampled(sampled);
const _: fn(TransactionContextBuilder) -> TransactionContext = TransactionContextBuilder::finish;

const _: fn(Transaction) = Transaction::finish;
const _: fn(Transaction, SystemTime) = Transaction::finish_with_timestamp;
const _: fn(&Transaction, &str, &str) -> Span = Transaction::start_child;
const _: fn(&Transaction, &str, &str, SpanId, SystemTime) -> Span = Transaction::start_child_with_details;
const _: fn(&Transaction) -> TransactionData<'_> = Transaction::data;
const _: fn(&mut TransactionData<'static>, Cow<'static, str>, Value) = TransactionData::set_data;
const _: fn(&Transaction, Request) = Transaction::set_request;
const _: fn(&Transaction, &str) = Transaction::set_origin;
const _: fn(Span) = Span::finish;
const _: fn(&Span) -> Data<'_> = Span::data;
const _: fn(&Span) -> SpanId = Span::get_span_id;
const _: fn(&Span, SpanStatus) = Span::set_status;
const _: fn(&Span, &str, u8) = Span::set_tag::<u8>;
const _: fn(&TransactionOrSpan) -> TraceContext = TransactionOrSpan::get_trace_context;
const _: fn(&TransactionOrSpan) -> TraceHeadersIter = TransactionOrSpan::iter_headers;
const _: fn(&TransactionOrSpan) -> Option<SpanStatus> = TransactionOrSpan::get_status;
const _: fn(Span) -> TransactionOrSpan = TransactionOrSpan::from;
const _: fn(Transaction) -> TransactionOrSpan = TransactionOrSpan::from;

const _: fn(TraceId, SpanId) -> TracePropagationContext = TracePropagationContext::new;
const _: fn(&TracePropagationContext) -> String = TracePropagationContext::sentry_trace_header;
const _: fn(Headers) -> Result<TracePropagationContext, HeaderParseError> =
    TracePropagationContext::try_from_headers::<Headers>;
#[expect(deprecated, reason = "they are there, so they are compared")]
const _: (fn(Headers) -> Option<vidette::SentryTrace>, fn(&Transaction) -> bool) =
    (vidette::parse_headers::<Headers>, Transaction::is_sampled);

const _: fn(&TracesSampler, &TransactionContext) -> f32 = |sampler, context| sampler(context);

type Headers = Vec<(&'static str, &'static str)>;

#[test]
fn headers_of_a_scope_outlive_it() {
    let headers = {
        let scope = Scope::default();
        scope.iter_trace_propagation_headers()
    };
    let headers: Vec<TraceHeader> = headers.collect();
    assert_eq!(headers[0].0, "sentry-trace");
}

#[test]
fn data_of_a_span_is_a_map() {
    let transaction = vidette::start_transaction(TransactionContext::new("name", "op"));
    let span = transaction.start_child("op", "description");
    span.data().set_data("k".to_owned(), 7.into());
    span.data().set_tag("t".to_owned(), "v".to_owned());
    span.data().insert("l".to_owned(), 8.into());
    let _: usize = span.data().len();
    let _: bool = TransactionOrSpan::from(span.clone()) == TransactionOrSpan::from(transaction.clone());
    transaction.data().set_data("k".into(), 7.into());
    transaction.data().set_tag("t".into(), "v".to_owned());
    let _: usize = transaction.data().iter().count();
    span.finish();
    transaction.finish();
}
