//! An actix service, as the documentation of `sentry-actix` would have it: a hub, a transaction and a session for each
//! request, errors captured where a handler returns them.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use actix_web::{App, Error, HttpRequest, HttpServer, get, post, rt, web};
use receiver::Receiver;
use sentry::SessionMode;
use sentry::integrations::actix::Sentry;
use serde_json::{Value, json};
use services::{Arrived, Reply, ask, send};

#[get("/")]
async fn hello() -> &'static str {
    "hello"
}

#[get("/failing/{id}")]
async fn failing(id: web::Path<u32>) -> Result<String, Error> {
    sentry::configure_scope(|scope| scope.set_tag("id", *id));
    sentry::add_breadcrumb(sentry::Breadcrumb { message: Some(format!("asked for {id}")), ..Default::default() });
    rt::time::sleep(Duration::from_millis(u64::from(*id % 5))).await;
    Err(io::Error::other(format!("out of {id}")).into())
}

#[post("/order")]
async fn take_order(request: HttpRequest, body: String) -> String {
    let headers = request.headers().len();
    sentry::capture_message("ordered", sentry::Level::Warning);
    format!("{headers} {body}")
}

const HELLOS: usize = 20;
const FAILING: u32 = 30;
const TRACE: &str = "09e04486820349518ac7b5d2adbf6ba5";
const PARENT: &str = "9cf635fa5b870b3a";

/// What the run of the service left to look at.
struct Run {
    arrived: Arrived,
    /// What was said to each failing request.
    replies: HashMap<u32, Reply>,
}

/// Runs the service once for all tests.
fn run() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| {
        rustls::crypto::ring::default_provider().install_default().unwrap();
        let receiver = Receiver::start();
        let options = sentry::ClientOptions::new()
            .release("shop@1.4.2")
            .environment("tests")
            .session_mode(SessionMode::Request)
            .auto_session_tracking(true)
            .traces_sample_rate(1.0)
            .transport_channel_capacity(1000);
        let guard = sentry::init((receiver.dsn(), options));
        let (started, server) = mpsc::channel();
        let serving = thread::spawn(move || rt::System::new().block_on(serve(&started)));
        let (address, handle) = server.recv().unwrap();
        let replies = visit(address);
        rt::System::new().block_on(handle.stop(true));
        serving.join().unwrap().unwrap();
        drop(guard);
        Run { arrived: Arrived::at(&receiver), replies }
    })
}

async fn serve(started: &mpsc::Sender<(SocketAddr, actix_web::dev::ServerHandle)>) -> io::Result<()> {
    let app = || {
        let sentry = Sentry::builder().emit_header(true).start_transaction(true).finish();
        App::new().wrap(sentry).service(hello).service(failing).service(take_order)
    };
    let server = HttpServer::new(app).workers(2).disable_signals().bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = server.addrs()[0];
    let server = server.run();
    started.send((address, server.handle())).unwrap();
    server.await
}

fn visit(address: SocketAddr) -> HashMap<u32, Reply> {
    for _ in 0..HELLOS {
        assert_eq!(ask(address, "/", &[]).unwrap().body, "hello");
    }
    let trace = format!("{TRACE}-{PARENT}-1");
    let headers = [("Content-Type", "application/json"), ("sentry-trace", &*trace), ("Cookie", "secret")];
    let ordered = send(address, "POST", "/order", &headers, "{\"id\":7}").unwrap();
    assert!(ordered.body.ends_with("{\"id\":7}"), "{ordered:?}");
    thread::scope(|scope| {
        let asked = (0..FAILING).map(|id| (id, scope.spawn(move || ask(address, &format!("/failing/{id}"), &[]))));
        let asked: Vec<_> = asked.collect();
        asked.into_iter().map(|(id, asked)| (id, asked.join().unwrap().unwrap())).collect()
    })
}

fn trace_of(item: &Value) -> (&str, &str) {
    let trace = &item["contexts"]["trace"];
    (trace["trace_id"].as_str().unwrap(), trace["span_id"].as_str().unwrap())
}

#[test]
fn an_error_that_a_handler_returns_is_captured_with_its_request() {
    for id in 0..FAILING {
        let event = run().arrived.event(&format!("out of {id}"));
        assert_eq!(event["tags"], json!({ "id": id.to_string() }));
        assert_eq!(event["request"]["url"], format!("http://shop.example/failing/{id}"));
        assert_eq!(event["request"]["method"], "GET");
        let breadcrumbs = event["breadcrumbs"]["values"].as_array().or_else(|| event["breadcrumbs"].as_array());
        let breadcrumbs = breadcrumbs.unwrap();
        assert_eq!(breadcrumbs.len(), 1, "{breadcrumbs:#?}");
        assert_eq!(breadcrumbs[0]["message"], format!("asked for {id}"));
    }
}

#[test]
fn the_reply_names_the_event() {
    for (id, reply) in &run().replies {
        assert_eq!(reply.status, 500);
        let event = run().arrived.event(&format!("out of {id}"));
        let named = reply.header("x-sentry-event").unwrap();
        assert_eq!(event["event_id"].as_str().unwrap().replace('-', ""), named);
    }
}

#[test]
fn each_request_is_a_transaction() {
    let transactions = run().arrived.transactions();
    assert_eq!(transactions.len(), HELLOS + 1 + FAILING as usize);
    let statuses = |name: &str| -> BTreeSet<_> {
        let named = transactions.iter().filter(|transaction| transaction["transaction"] == name);
        named.map(|transaction| transaction["contexts"]["trace"]["status"].as_str().unwrap()).collect()
    };
    assert_eq!(statuses("GET /"), BTreeSet::from(["ok"]));
    assert_eq!(statuses("GET /failing/{id}"), BTreeSet::from(["internal_error"]));
    for transaction in &transactions {
        assert_eq!(transaction["contexts"]["trace"]["op"], "http.server");
        assert_eq!(transaction["contexts"]["trace"]["origin"], "auto.http.actix");
    }
}

#[test]
fn a_trace_is_continued_and_its_events_belong_to_it() {
    let order = run().arrived.transaction("POST /order");
    assert_eq!(trace_of(&order).0, TRACE);
    assert_eq!(order["contexts"]["trace"]["parent_span_id"], PARENT);
    assert_eq!(trace_of(&run().arrived.event("ordered")), trace_of(&order));
}

#[test]
fn a_small_body_is_kept_and_a_cookie_is_not() {
    let ordered = run().arrived.event("ordered");
    assert_eq!(ordered["request"]["data"], "{\"id\":7}");
    assert_eq!(ordered["request"]["headers"]["content-type"], "application/json");
    assert_eq!(ordered["request"]["headers"]["cookie"], Value::Null);
    assert_eq!(ordered["request"]["cookies"], Value::Null);
}

#[test]
fn sessions_are_counted_by_request() {
    let mut counts = HashMap::new();
    for item in run().arrived.items("sessions") {
        assert_eq!(item["attrs"], json!({ "release": "shop@1.4.2", "environment": "tests" }));
        for aggregate in item["aggregates"].as_array().unwrap() {
            assert!(aggregate["started"].as_str().is_some_and(|started| started.ends_with(":00Z")), "{aggregate}");
            for outcome in ["exited", "errored", "abnormal", "crashed"] {
                *counts.entry(outcome).or_insert(0) += aggregate[outcome].as_u64().unwrap_or(0);
            }
        }
    }
    let errored = u64::from(FAILING);
    let exited = HELLOS as u64 + 1;
    assert_eq!(counts, HashMap::from([("exited", exited), ("errored", errored), ("abnormal", 0), ("crashed", 0)]));
    assert_eq!(run().arrived.items("session").len(), 0);
}
