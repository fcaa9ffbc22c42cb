//! Spans of OpenTelemetry, sent as transactions, as the documentation of `sentry-opentelemetry` would have it.

use std::collections::HashMap;
use std::sync::OnceLock;

use opentelemetry::trace::{Span, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use receiver::Receiver;
use sentry::integrations::opentelemetry::{SentryPropagator, SentrySpanProcessor};
use serde_json::{Value, json};
use services::Arrived;

const TRACE: &str = "09e04486820349518ac7b5d2adbf6ba5";
const PARENT: &str = "9cf635fa5b870b3a";

/// What the run of the program left to look at.
struct Run {
    arrived: Arrived,
    /// What was injected for a server further on.
    injected: HashMap<String, String>,
}

/// Runs the program once for all tests.
fn run() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| {
        rustls::crypto::ring::default_provider().install_default().unwrap();
        let receiver = Receiver::start();
        let options = sentry::ClientOptions::new().release("shop@1.4.2").traces_sample_rate(1.0);
        let guard = sentry::init((receiver.dsn(), options));
        global::set_text_map_propagator(SentryPropagator::new());
        let resource = Resource::builder_empty().with_attribute(KeyValue::new("service.name", "shop")).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(SentrySpanProcessor::new())
            .with_resource(resource)
            .build();
        global::set_tracer_provider(provider.clone());

        let injected = trace();
        provider.shutdown().unwrap();
        drop(guard);
        Run { arrived: Arrived::at(&receiver), injected }
    })
}

fn trace() -> HashMap<String, String> {
    let tracer = global::tracer("shop");
    tracer.in_span("example", |_| {
        tracer.in_span("child", |context| {
            context.span().set_attribute(KeyValue::new("shelf", "top"));
            context.span().set_attribute(KeyValue::new("items", 3));
            sentry::capture_message("everything is on fire", sentry::Level::Error);
        });
        tracer.in_span("sibling", |context| context.span().set_status(Status::error("not_found")));
    });

    let headers = HashMap::from([("sentry-trace".to_owned(), format!("{TRACE}-{PARENT}-1"))]);
    let parent = global::get_text_map_propagator(|propagator| propagator.extract(&headers));
    let mut served = tracer.span_builder("serve").with_kind(SpanKind::Server).start_with_context(&tracer, &parent);
    served.set_attribute(KeyValue::new("http.route", "/item/{id}"));
    let context = Context::current_with_span(served);
    let mut injected = HashMap::new();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut injected));
    // Ends on another thread than the one it began on.
    std::thread::spawn(move || context.span().end()).join().unwrap();
    injected
}

fn trace_of(item: &Value) -> (&str, &str) {
    let trace = &item["contexts"]["trace"];
    (trace["trace_id"].as_str().unwrap(), trace["span_id"].as_str().unwrap())
}

#[test]
fn a_root_span_is_a_transaction_with_its_tree() {
    let example = run().arrived.transaction("example");
    let (trace, root) = trace_of(&example);
    assert_eq!(example["contexts"]["trace"]["op"], "example");
    assert_eq!(example["contexts"]["trace"]["origin"], "auto.otel");
    assert_eq!(example["contexts"]["trace"]["status"], "ok");
    assert_eq!(example["contexts"]["trace"]["data"]["otel.kind"], "internal");
    let spans = example["spans"].as_array().unwrap();
    assert_eq!(spans.len(), 2);
    for span in spans {
        assert_eq!(span["parent_span_id"], root);
        assert_eq!(span["trace_id"], trace);
    }
    let find = |name: &str| spans.iter().find(|span| span["description"] == name).unwrap();
    assert_eq!(find("child")["data"], json!({ "shelf": "top", "items": 3, "otel.kind": "internal" }));
    assert_eq!(find("sibling")["status"], "not_found");
}

#[test]
fn an_event_belongs_to_the_span_it_was_captured_in() {
    let event = run().arrived.event("everything is on fire");
    let example = run().arrived.transaction("example");
    let spans = example["spans"].as_array().unwrap();
    let child = spans.iter().find(|span| span["description"] == "child").unwrap();
    assert_eq!(trace_of(&event), (trace_of(&example).0, child["span_id"].as_str().unwrap()));
}

#[test]
fn the_resource_is_a_context() {
    let event = run().arrived.event("everything is on fire");
    assert_eq!(event["contexts"]["otel"]["resource"], json!({ "service.name": "shop" }));
    assert_eq!(run().arrived.transaction("example")["contexts"]["otel"]["resource"], json!({ "service.name": "shop" }));
}

#[test]
fn a_trace_is_continued_and_passed_on() {
    let served = run().arrived.transaction("serve");
    let (trace, span) = trace_of(&served);
    assert_eq!(trace, TRACE);
    assert_eq!(served["contexts"]["trace"]["parent_span_id"], PARENT);
    assert_eq!(served["contexts"]["trace"]["data"]["http.route"], "/item/{id}");
    assert_eq!(served["contexts"]["trace"]["data"]["otel.kind"], "server");
    let header = &run().injected["sentry-trace"];
    assert!(header.ends_with(&format!("-{span}-1")), "{header} of {span}");
}
