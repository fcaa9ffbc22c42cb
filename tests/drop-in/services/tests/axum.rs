//! An axum service, as the documentation of `sentry-tower` and `sentry-tracing` would have it: a hub and a transaction
//! for each request, spans from `#[instrument]`, breadcrumbs, errors and logs from the events of `tracing`.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use receiver::Receiver;
use sentry::integrations::tower::{NewSentryLayer, SentryHttpLayer};
use sentry::integrations::tracing::{BreadcrumbLayer, ErrorLayer, LogLayer, SpanLayer};
use serde_json::{Value, json};
use services::{Arrived, ask};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, util::SubscriberInitExt};

#[tracing::instrument(fields(tags.shelf = %id / 10))]
async fn look_up(id: u32) -> Option<u32> {
    tracing::info!(id, "looking up");
    // Here another thread may go on with it.
    tokio::time::sleep(Duration::from_millis(u64::from(id % 7))).await;
    price(id).await
}

#[tracing::instrument(fields(sentry.op = "db.query", sentry.name = "SELECT price"))]
async fn price(id: u32) -> Option<u32> {
    tokio::task::yield_now().await;
    id.is_multiple_of(2).then_some(id * 100)
}

async fn item(Path(id): Path<u32>) -> Result<String, StatusCode> {
    sentry::configure_scope(|scope| scope.set_tag("item", id));
    tracing::info!(id, "asked for");
    match look_up(id).await {
        Some(price) => Ok(price.to_string()),
        None => {
            tracing::error!(id, "no such item {id}");
            Err(StatusCode::NOT_FOUND)
        }
    }
}

async fn parse() -> Result<String, StatusCode> {
    let number = "twelve".parse::<u32>();
    number.map(|number| number.to_string()).map_err(|error| {
        sentry::with_scope(|scope| scope.set_tag("field", "amount"), || sentry::capture_error(&error));
        StatusCode::INTERNAL_SERVER_ERROR
    })
}

async fn crash() -> String {
    sentry::configure_scope(|scope| scope.set_tag("crashing", true));
    tokio::task::yield_now().await;
    panic!("the shelf fell over");
}

async fn metrics() -> &'static str {
    sentry::metrics::counter("items.sold", 3).attribute("shelf", "top").capture();
    sentry::logger_info!(shelf = "top", "sold {} items", 3);
    "sold"
}

fn app() -> Router {
    Router::new()
        .route("/item/{id}", get(item))
        .route("/parse", get(parse))
        .route("/crash", get(crash))
        .route("/metrics", get(metrics))
        .layer(SentryHttpLayer::new().enable_transaction())
        .layer(NewSentryLayer::<Request<Body>>::new_from_top())
}

const TRACE: &str = "09e04486820349518ac7b5d2adbf6ba5";
const PARENT: &str = "9cf635fa5b870b3a";
const ITEMS: u32 = 64;

/// Runs the service once for all tests, and returns what arrived.
fn arrived() -> &'static Arrived {
    static ARRIVED: OnceLock<Arrived> = OnceLock::new();
    ARRIVED.get_or_init(|| {
        rustls::crypto::ring::default_provider().install_default().unwrap();
        let receiver = Receiver::start();
        let options = sentry::ClientOptions::new()
            .release("shop@1.4.2")
            .environment("tests")
            .traces_sample_rate(1.0)
            .transport_channel_capacity(1000);
        let guard = sentry::init((receiver.dsn(), options));
        tracing_subscriber::registry()
            .with(SpanLayer::new().with_filter(LevelFilter::INFO))
            .with(LogLayer::new().with_filter(LevelFilter::INFO))
            .with(ErrorLayer::new().with_filter(LevelFilter::ERROR))
            .with(BreadcrumbLayer::new().with_filter(LevelFilter::INFO))
            .init();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async { axum::serve(listener, app()).await });
        visit(address);
        drop(runtime);
        drop(guard);
        Arrived::at(&receiver)
    })
}

fn visit(address: SocketAddr) {
    let headers = [("sentry-trace", format!("{TRACE}-{PARENT}-1")), ("x-colour", "blue".to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(ask(address, "/parse?token=secret", &headers).unwrap().status, 500);
    assert!(ask(address, "/crash", &[]).is_err());
    assert_eq!(ask(address, "/metrics", &[]).unwrap().status, 200);
    thread::scope(|scope| {
        for id in 0..ITEMS {
            scope.spawn(move || {
                let reply = ask(address, &format!("/item/{id}"), &[]).unwrap();
                assert_eq!(reply.status, if id % 2 == 0 { 200 } else { 404 });
            });
        }
    });
}

fn trace_of(item: &Value) -> (&str, &str) {
    let trace = &item["contexts"]["trace"];
    (trace["trace_id"].as_str().unwrap(), trace["span_id"].as_str().unwrap())
}

fn breadcrumbs(event: &Value) -> Vec<&str> {
    let values = event["breadcrumbs"]["values"].as_array().or_else(|| event["breadcrumbs"].as_array());
    values.into_iter().flatten().map(|breadcrumb| breadcrumb["message"].as_str().unwrap()).collect()
}

/// The tags that are about the item, and nothing else.
fn item_of(event: &Value) -> &str {
    event["tags"]["item"].as_str().unwrap()
}

#[test]
fn each_request_is_a_transaction_named_by_its_route() {
    let transactions = arrived().transactions();
    let named = |name: &str| transactions.iter().filter(|transaction| transaction["transaction"] == name).count();
    assert_eq!(named("GET /item/{id}"), ITEMS as usize);
    assert_eq!(named("GET /parse"), 1);
    assert_eq!(named("GET /crash"), 1);
    assert_eq!(named("GET /metrics"), 1);
    assert_eq!(transactions.len(), ITEMS as usize + 3);
}

#[test]
fn a_transaction_says_how_the_request_went() {
    let parse = arrived().transaction("GET /parse");
    let trace = &parse["contexts"]["trace"];
    assert_eq!(trace["op"], "http.server");
    assert_eq!(trace["status"], "internal_error");
    assert_eq!(trace["origin"], "auto.http.tower");
    assert_eq!(trace["data"]["http.response.status_code"], 500);
    assert_eq!(parse["release"], "shop@1.4.2");
    assert_eq!(parse["environment"], "tests");
    assert_eq!(parse["request"]["method"], "GET");
    assert_eq!(parse["request"]["url"], "http://shop.example/parse?token=secret");
    assert_eq!(parse["request"]["headers"]["x-colour"], "blue");
}

#[test]
fn a_trace_is_continued_from_the_headers() {
    let parse = arrived().transaction("GET /parse");
    assert_eq!(trace_of(&parse).0, TRACE);
    assert_eq!(parse["contexts"]["trace"]["parent_span_id"], PARENT);
    let error = arrived().event("invalid digit found in string");
    assert_eq!(trace_of(&error), trace_of(&parse));
}

#[test]
fn an_error_carries_its_request_and_its_scope() {
    let error = arrived().event("invalid digit found in string");
    assert_eq!(error["tags"], json!({ "field": "amount" }));
    assert_eq!(error["exception"]["values"][0]["type"], "ParseIntError");
    assert_eq!(error["request"]["url"], "http://shop.example/parse?token=secret");
}

#[test]
fn a_panic_carries_the_request_it_ended() {
    let panic = arrived().event("the shelf fell over");
    assert_eq!(panic["level"], "fatal");
    assert_eq!(panic["tags"], json!({ "crashing": "true" }));
    assert_eq!(panic["exception"]["values"][0]["mechanism"]["handled"], false);
    assert_eq!(panic["request"]["url"], "http://shop.example/crash");
    let crash = arrived().transaction("GET /crash");
    assert_eq!(trace_of(&panic), trace_of(&crash));
    assert_eq!(crash["contexts"]["trace"]["status"], "aborted");
}

#[test]
fn instrumented_functions_are_a_tree_of_spans() {
    for transaction in arrived().transactions() {
        if transaction["transaction"] != "GET /item/{id}" {
            continue;
        }
        let (trace, root) = trace_of(&transaction);
        let spans = transaction["spans"].as_array().unwrap();
        assert_eq!(spans.len(), 2, "{transaction:#}");
        let find = |name: &str| spans.iter().find(|span| span["description"] == name).unwrap();
        let (outer, inner) = (find("look_up"), find("SELECT price"));
        assert_eq!(outer["parent_span_id"], root);
        assert_eq!(inner["parent_span_id"], outer["span_id"]);
        assert_eq!(outer["op"], "axum::look_up");
        assert_eq!(inner["op"], "db.query");
        for span in spans {
            assert_eq!(span["trace_id"], trace);
            assert!(!span["start_timestamp"].is_null() && !span["timestamp"].is_null());
        }
        assert_eq!(outer["data"]["id"], inner["data"]["id"]);
        let id: u64 = outer["data"]["id"].as_u64().unwrap();
        assert_eq!(outer["tags"]["shelf"], (id / 10).to_string());
    }
}

#[test]
fn concurrent_requests_share_nothing() {
    let mut events = arrived().events();
    events.retain(|event| event["message"].as_str().is_some_and(|message| message.starts_with("no such item")));
    assert_eq!(events.len(), ITEMS as usize / 2);
    let mut seen = HashSet::new();
    let transactions = arrived().transactions();
    for event in &events {
        let id = item_of(event);
        assert!(seen.insert(id.to_owned()), "twice: {id}");
        assert_eq!(event["message"], format!("no such item {id}"));
        assert_eq!(breadcrumbs(event), ["asked for"]);
        let values = event["breadcrumbs"]["values"].as_array().or_else(|| event["breadcrumbs"].as_array()).unwrap();
        assert_eq!(values[0]["data"]["id"].to_string(), id);
        assert_eq!(event["request"]["url"], format!("http://shop.example/item/{id}"));
        let (trace, span) = trace_of(event);
        let own = transactions.iter().find(|transaction| trace_of(transaction).0 == trace).unwrap();
        assert_eq!(own["tags"]["item"], id);
        assert_eq!(trace_of(own).1, span);
    }
}

#[test]
fn every_request_has_a_trace_of_its_own() {
    let transactions = arrived().transactions();
    let traces: HashSet<_> = transactions.iter().map(|transaction| trace_of(transaction).0).collect();
    assert_eq!(traces.len(), transactions.len());
}

#[test]
fn events_of_tracing_become_logs_of_their_trace() {
    let logs = arrived().entries("log");
    let looked: Vec<_> = logs.iter().filter(|log| log["body"] == "looking up").collect();
    assert_eq!(looked.len(), ITEMS as usize);
    let transactions = arrived().transactions();
    for log in looked {
        assert_eq!(log["level"], "info");
        assert_eq!(log["attributes"]["sentry.release"]["value"], "shop@1.4.2");
        let own = transactions.iter().find(|transaction| trace_of(transaction).0 == log["trace_id"]).unwrap();
        assert_eq!(own["tags"]["item"], log["attributes"]["id"]["value"].to_string());
    }
    assert_eq!(logs.iter().filter(|log| log["level"] == "error").count(), ITEMS as usize / 2);
}

#[test]
fn a_log_and_a_metric_know_the_request_they_were_made_in() {
    let sold = arrived().transaction("GET /metrics");
    let (trace, span) = trace_of(&sold);
    let logs = arrived().entries("log");
    let log = logs.iter().find(|log| log["body"] == "sold 3 items").unwrap();
    assert_eq!(log["trace_id"], trace);
    assert_eq!(log["attributes"]["shelf"], json!({ "value": "top", "type": "string" }));
    assert_eq!(log["attributes"]["sentry.message.template"]["value"], "sold {} items");
    let metrics = arrived().entries("trace_metric");
    assert_eq!(metrics.len(), 1);
    assert_eq!(metrics[0]["name"], "items.sold");
    assert_eq!(metrics[0]["value"], 3.0);
    assert_eq!(metrics[0]["type"], "counter");
    assert_eq!(metrics[0]["trace_id"], trace);
    assert_eq!(metrics[0]["span_id"], span);
    assert_eq!(metrics[0]["attributes"]["shelf"]["value"], "top");
}
