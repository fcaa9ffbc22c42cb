//! Spans and transactions.

use serde_json::json;

use super::*;

#[test]
fn a_span_reads_back_what_it_writes() {
    let mut span = Span {
        span_id: SpanId::from([1; 8]),
        trace_id: TraceId::from([2; 16]),
        parent_span_id: Some(SpanId::from([3; 8])),
        same_process_as_parent: Some(true),
        op: Some("db".into()),
        description: Some("SELECT".into()),
        start_timestamp: at(1),
        status: Some(SpanStatus::UnknownError),
        tags: map("a", "b".into()),
        data: map("c", json!(1)),
        ..Span::new()
    };
    span.finish_with_timestamp(at(2));
    round_trip(
        span,
        json!({
            "span_id": "01".repeat(8), "trace_id": "02".repeat(16),
            "parent_span_id": "03".repeat(8), "same_process_as_parent": true, "op": "db",
            "description": "SELECT", "timestamp": 2, "start_timestamp": 1, "status": "unknown",
            "tags": {"a": "b"}, "data": {"c": 1},
        }),
    );
}

#[test]
fn a_span_without_ids_is_an_error() {
    assert!(serde_json::from_value::<Span>(json!({"start_timestamp": 1})).is_err());
}

#[test]
fn every_status_reads_back_what_it_writes() {
    for name in [
        "ok",
        "deadline_exceeded",
        "unauthenticated",
        "permission_denied",
        "not_found",
        "resource_exhausted",
        "invalid_argument",
        "unimplemented",
        "unavailable",
        "internal_error",
        "unknown",
        "cancelled",
        "already_exists",
        "failed_precondition",
        "aborted",
        "out_of_range",
        "data_loss",
    ] {
        let status: SpanStatus = name.parse().unwrap();
        assert_eq!(status.to_string(), name);
        round_trip(status, json!(name));
    }
    assert_eq!("unknown_error".parse(), Ok(SpanStatus::UnknownError));
    assert_eq!("fine".parse::<SpanStatus>(), Err(ParseStatusError));
}

#[test]
fn a_transaction_reads_back_what_it_writes() {
    let mut transaction = Transaction {
        event_id: id(),
        name: Some("GET /".into()),
        start_timestamp: at(1),
        spans: vec![Span {
            span_id: SpanId::from([1; 8]),
            trace_id: TraceId::from([2; 16]),
            start_timestamp: at(1),
            ..Span::default()
        }],
        ..Transaction::new()
    };
    transaction.finish_with_timestamp(at(2));
    assert_eq!(transaction.clone().into_owned(), transaction);
    round_trip(
        transaction,
        json!({
            "type": "transaction",
            "event_id": "d43e86c96e424a93a4fbda156dd17341",
            "transaction": "GET /",
            "start_timestamp": 1,
            "timestamp": 2,
            "spans": [{
                "span_id": "01".repeat(8), "trace_id": "02".repeat(16), "start_timestamp": 1,
            }],
        }),
    );
}
