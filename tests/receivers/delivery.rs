//! What a real server makes of what a client sends: everything arrives as it was captured, and what does not is counted.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use vidette::protocol::client_report::{Category, Reason};
use vidette::protocol::{Attachment, User};
use vidette::{Client, ClientInitGuard, ClientOptions, Hub, Level, breadcrumb};

use crate::bugsink::{Bugsink, Quota};

/// An error with a source, as services have them.
#[derive(Debug)]
struct CheckoutFailed(PaymentDeclined);

#[derive(Debug)]
struct PaymentDeclined(std::num::ParseIntError);

impl fmt::Display for CheckoutFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the checkout failed")
    }
}

impl Error for CheckoutFailed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl fmt::Display for PaymentDeclined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the payment was declined")
    }
}

impl Error for PaymentDeclined {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn failure() -> CheckoutFailed {
    CheckoutFailed(PaymentDeclined("12,50".parse::<i32>().unwrap_err()))
}

fn options(dsn: &str) -> ClientOptions {
    ClientOptions::new()
        .dsn(dsn)
        .release("shop@1.4.2")
        .environment("staging")
        .server_name("outpost")
        .attach_stacktrace(true)
}

/// Runs `work` on a hub of its own with a client that `init` made, and hands the client over still open.
fn with_client(options: ClientOptions, work: impl FnOnce(&Client)) {
    Hub::run(Arc::new(Hub::new(None, Arc::default())), || {
        let client: ClientInitGuard = vidette::init(options);
        work(&client);
    });
}

fn discarded(client: &Client, reason: Reason) -> u64 {
    let stats = client.stats();
    assert!(stats.is_balanced(Category::Error), "{stats}");
    stats.discards().iter().filter(|d| (d.category, d.reason) == (Category::Error, reason)).map(|d| d.quantity).sum()
}

fn texts<'a>(values: &'a Value, key: &str) -> Vec<&'a str> {
    values.as_array().unwrap().iter().map(|value| value[key].as_str().unwrap_or_default()).collect()
}

#[test]
fn an_error_arrives_with_its_chain_frames_breadcrumbs_tags_and_user() {
    let Some(server) = Bugsink::start(Quota::Unlimited) else { return };
    with_client(options(server.dsn()), |client| {
        vidette::configure_scope(|scope| {
            scope.set_tag("shard", 7);
            scope.set_tag("route", "/checkout");
            scope.set_user(Some(User { id: Some("42".into()), username: Some("ada".into()), ..Default::default() }));
            scope.set_extra("cart", json!({ "items": 3 }));
        });
        for step in 0..5 {
            breadcrumb!(ty: "http", category: "http.client", level: Level::Info, status_code = 200 + step, "step {step}");
        }
        assert!(!vidette::capture_error(&failure()).is_nil());
        assert!(client.flush(Some(Duration::from_secs(20))), "{}", client.stats());
        assert_eq!(client.stats().delivered(Category::Error), 1, "{}", client.stats());
    });

    let events = server.all_events();
    assert_eq!(events.len(), 1);
    let event = &events[0];
    let exceptions = &event["exception"]["values"];
    assert_eq!(texts(exceptions, "type"), ["ParseIntError", "PaymentDeclined", "CheckoutFailed"]);
    assert_eq!(texts(exceptions, "value")[1..], ["the payment was declined", "the checkout failed"]);

    let frames = &exceptions[2]["stacktrace"]["frames"];
    let own = frames.as_array().unwrap().iter().filter(|frame| frame["in_app"] == true);
    let own: Vec<&str> = own.filter_map(|frame| frame["filename"].as_str()).collect();
    assert!(own.iter().any(|file| file.ends_with("delivery.rs")), "{frames:#}");

    let breadcrumbs = &event["breadcrumbs"]["values"];
    assert_eq!(texts(breadcrumbs, "message"), ["step 0", "step 1", "step 2", "step 3", "step 4"]);
    assert_eq!(breadcrumbs[4]["data"]["status_code"], 204);
    assert_eq!(breadcrumbs[4]["category"], "http.client");

    assert_eq!(event["tags"], json!({ "shard": "7", "route": "/checkout" }));
    assert_eq!(event["user"]["id"], "42");
    assert_eq!(event["user"]["username"], "ada");
    assert_eq!(event["extra"]["cart"], json!({ "items": 3 }));
    assert_eq!(event["release"], "shop@1.4.2");
    assert_eq!(event["environment"], "staging");
    assert_eq!(event["server_name"], "outpost");
    for context in ["os", "rust", "device", "trace"] {
        assert!(event["contexts"][context].is_object(), "{context} is missing: {:#}", event["contexts"]);
    }

    let envelope = &server.envelopes()[0];
    let headers: Value = serde_json::from_str(envelope.lines().next().unwrap()).unwrap();
    assert_eq!(headers["event_id"], event["event_id"]);
    assert!(headers["sent_at"].as_str().is_some_and(|time| time.ends_with('Z')), "{headers}");
    assert_eq!(headers["sdk"]["name"], "sentry.rust.vidette");
}

#[test]
fn a_foreign_key_is_refused_and_counted() {
    let Some(server) = Bugsink::start(Quota::Unlimited) else { return };
    let foreign = format!("http://{}@{}/1", "0".repeat(32), server.url().strip_prefix("http://").unwrap());
    with_client(options(&foreign), |client| {
        vidette::capture_message("who goes there", Level::Error);
        assert!(client.flush(Some(Duration::from_secs(20))));
        assert_eq!(discarded(client, Reason::SendError), 1, "{}", client.stats());
    });
    assert!(server.all_events().is_empty());
}

#[test]
fn a_quota_is_respected_and_what_it_costs_is_counted() {
    let Some(server) = Bugsink::start(Quota::Events(2)) else { return };
    with_client(options(server.dsn()), |client| {
        for number in 0..6 {
            vidette::capture_message(&format!("message {number}"), Level::Error);
            assert!(client.flush(Some(Duration::from_secs(20))));
        }
        assert_eq!(client.stats().delivered(Category::Error), 2, "{}", client.stats());
        assert_eq!(discarded(client, Reason::RatelimitBackoff), 4, "{}", client.stats());
    });
    assert_eq!(server.all_events().len(), 2);
}

#[test]
fn a_server_that_is_down_costs_no_more_than_the_events() {
    let Some(server) = Bugsink::start(Quota::Unlimited) else { return };
    let dsn = server.dsn().to_owned();
    drop(server);
    with_client(options(&dsn), |client| {
        for number in 0..3 {
            vidette::capture_message(&format!("message {number}"), Level::Error);
        }
        assert!(client.close(Some(Duration::from_secs(20))));
        assert_eq!(discarded(client, Reason::NetworkError), 3, "{}", client.stats());
    });
}

#[test]
fn a_certificate_has_to_be_trusted() {
    let Some(server) = Bugsink::start_https() else { return };
    let ca = server.ca().unwrap().to_owned();
    for (options, arrives) in [
        (options(server.dsn()), false),
        (options(server.dsn()).ca_certs(ca), true),
        (options(server.dsn()).accept_invalid_certs(true), true),
    ] {
        with_client(options, |client| {
            vidette::capture_message("is this line secure", Level::Warning);
            assert!(client.flush(Some(Duration::from_secs(20))));
            assert_eq!(client.stats().delivered(Category::Error), u64::from(arrives), "{}", client.stats());
            assert_eq!(discarded(client, Reason::NetworkError), u64::from(!arrives));
        });
    }
    assert_eq!(server.all_events().len(), 2);
}

#[test]
fn attachments_travel_with_their_event() {
    let Some(server) = Bugsink::start(Quota::Unlimited) else { return };
    with_client(options(server.dsn()), |client| {
        vidette::configure_scope(|scope| {
            let buffer = b"line one\nline two".to_vec();
            scope.add_attachment(Attachment { buffer, filename: "log.txt".into(), ..Default::default() });
        });
        vidette::capture_message("see attached", Level::Info);
        assert!(client.flush(Some(Duration::from_secs(20))));
        assert_eq!(client.stats().delivered(Category::Attachment), 17, "{}", client.stats());
    });
    assert!(server.envelopes()[0].contains("line one\nline two"));
}
