//! Transactions, spans, and the headers that pass a trace on.

use std::hint::black_box;

use super::sdk::{ClientOptions, Span, TransactionContext};
use super::stage::Stage;
use crate::measure::{Run, timed};
use crate::operations::{Host, opaque};

/// A transaction with so many spans, sent if it is `sampled`.
pub fn transaction(host: Host, sampled: bool, spans: u64) -> Run {
    let rate = if sampled { 1.0 } else { 0.0 };
    Stage::with(host, ClientOptions::new().traces_sample_rate(rate)).burst(u64::from(sampled), move |hub, _| {
        let context = TransactionContext::new(opaque(&"GET /cart"), "http.server");
        let transaction = hub.start_transaction(context);
        (0..spans).for_each(|_| transaction.start_child("db.query", opaque(&"SELECT 1")).finish());
        transaction.finish();
    })
}

/// Into a list of names and values.
pub fn collected_headers() -> Run {
    headers(|span, _| drop(black_box(span.iter_headers().collect::<Vec<_>>())))
}

/// As lines of a request, in a buffer that is used again.
pub fn written_headers() -> Run {
    headers(|span, request| {
        request.clear();
        super::write_headers(span, |name, value| {
            request.push_str(name);
            request.push_str(": ");
            request.push_str(value);
            request.push_str("\r\n");
        });
        assert!(!black_box(&*request).is_empty());
    })
}

fn headers(write: fn(&Span, &mut String)) -> Run {
    let hub = Stage::with(Host::Enabled, ClientOptions::new().traces_sample_rate(1.0)).hub;
    let transaction = hub.start_transaction(TransactionContext::new("GET /cart", "http.server"));
    let span = transaction.start_child("http.client", "GET /stock");
    let mut request = String::with_capacity(1024);
    let checked = span.clone();
    let proof = move |_| {
        let id = checked.get_trace_context().trace_id.to_string();
        assert!(checked.iter_headers().any(|(name, value)| name == "sentry-trace" && value.starts_with(&id)));
    };
    let batch = move |calls| {
        let _hub = &hub;
        timed(calls, |_| write(black_box(&span), &mut request))
    };
    Run::new(batch, proof)
}
