//! Programs that measure themselves with transactions and spans.
#![allow(deprecated, reason = "programs still ask whether they are sampled")]

use sentry::protocol::{SpanStatus, Value};
use sentry::{ClientOptions, Level, TransactionContext};

use crate::stage::each;

#[test]
fn a_transaction_has_its_spans() {
    let run = program!().run(|| {
        let _sentry = sentry::init(ClientOptions::new().release("shop@1.0").traces_sample_rate(1.0));
        let transaction = sentry::start_transaction(TransactionContext::new("checkout", "task"));
        transaction.set_data("cart", Value::from(7));
        transaction.set_tag("paid", true);
        sentry::configure_scope(|scope| {
            scope.set_span(Some(transaction.clone().into()));
            scope.set_tag("branch", 4);
        });
        let outer = transaction.start_child("db", "SELECT price");
        outer.set_data("rows", Value::from(3));
        let inner = outer.start_child("db.row", "row");
        inner.set_status(SpanStatus::NotFound);
        inner.finish();
        outer.finish();
        sentry::capture_message("inside", Level::Info);
        transaction.set_status(SpanStatus::Ok);
        transaction.finish();
    });
    let Some(run) = run else { return };
    let transactions = run.payloads("transaction");
    assert_eq!(transactions.len(), 1);
    let transaction = &transactions[0];
    assert_eq!((&transaction["transaction"], &transaction["release"]), (&"checkout".into(), &"shop@1.0".into()));
    let trace = &transaction["contexts"]["trace"];
    assert_eq!((&trace["op"], &trace["status"], &trace["data"]["cart"]), (&"task".into(), &"ok".into(), &7.into()));
    assert_eq!((&transaction["tags"]["paid"], &transaction["tags"]["branch"]), (&"true".into(), &"4".into()));
    let spans = transaction["spans"].as_array().unwrap();
    let find = |op: &str| spans.iter().find(|span| span["op"] == op).unwrap();
    let (outer, inner) = (find("db"), find("db.row"));
    assert_eq!((&outer["description"], &outer["data"]["rows"]), (&"SELECT price".into(), &3.into()));
    assert_eq!((&outer["parent_span_id"], &inner["parent_span_id"]), (&trace["span_id"], &outer["span_id"]));
    assert_eq!(inner["status"], "not_found");
    assert!(each(spans, "trace_id").iter().all(|id| *id == &trace["trace_id"]));
    let event = run.event();
    assert_eq!(event["contexts"]["trace"]["span_id"], trace["span_id"]);
}

#[test]
fn a_trace_goes_on_in_another_program() {
    let run = program!().run(|| {
        let _sentry = sentry::init(ClientOptions::new().traces_sample_rate(0.0));
        let headers = [("sentry-trace", "09e04486820349518ac7b5d2adbf6ba5-9cf635fa5b870b3a-1")];
        let context = TransactionContext::continue_from_headers("checkout", "task", headers);
        assert_eq!((context.sampled(), context.name()), (Some(true), "checkout"));
        let transaction = sentry::start_transaction(context);
        assert!(transaction.is_sampled());
        let child = transaction.start_child("http.client", "GET /price");
        let sent: Vec<_> = child.iter_headers().collect();
        let (_, value) = sent.iter().find(|(name, _)| *name == "sentry-trace").unwrap();
        let expected = format!("09e04486820349518ac7b5d2adbf6ba5-{}-1", child.get_span_id());
        assert_eq!(*value, expected);
        child.finish();
        transaction.finish();
    });
    let Some(run) = run else { return };
    let trace = &run.payloads("transaction")[0]["contexts"]["trace"];
    assert_eq!(trace["trace_id"], "09e04486820349518ac7b5d2adbf6ba5");
    assert_eq!(trace["parent_span_id"], "9cf635fa5b870b3a");
}

#[test]
fn a_sampler_decides_and_what_it_drops_is_counted() {
    let run = program!().run(|| {
        let options = ClientOptions::new().traces_sampler(|context| {
            let wanted = context.custom().and_then(|custom| custom.get("wanted")) == Some(&true.into());
            if wanted { 1.0 } else { 0.0 }
        });
        let _sentry = sentry::init(options);
        for wanted in [false, false, true] {
            let context = TransactionContext::builder("checkout", "task").with_custom("wanted".into(), wanted.into());
            let transaction = sentry::start_transaction(context.finish());
            assert_eq!(transaction.is_sampled(), wanted);
            transaction.start_child("db", "SELECT").finish();
            transaction.finish();
        }
    });
    let Some(run) = run else { return };
    assert_eq!(run.payloads("transaction").len(), 1);
    assert_eq!(run.lost("transaction", "sample_rate"), 2);
}

#[test]
fn without_a_rate_nothing_is_traced_and_ids_are_passed_on() {
    let run = program!().run(|| {
        let _sentry = sentry::init(());
        let transaction = sentry::start_transaction(TransactionContext::new("checkout", "task"));
        assert!(!transaction.is_sampled());
        let headers: Vec<_> = transaction.iter_headers().collect();
        let trace_id = transaction.get_trace_context().trace_id.to_string();
        assert!(headers.iter().any(|(name, value)| *name == "sentry-trace" && value.starts_with(&trace_id)));
        // Integrations put it on what they capture.
        transaction.set_data("cart", Value::from(7));
        let span = transaction.start_child("db", "SELECT price");
        span.set_data("rows", Value::from(3));
        assert_eq!((transaction.data().iter().count(), span.data()["rows"].clone()), (1, Value::from(3)));
        transaction.finish();
    });
    let Some(run) = run else { return };
    assert_eq!(run.items("transaction").len(), 0);
}
