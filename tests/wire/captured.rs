//! The bytes of what a client captures and fills itself.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use insta::assert_snapshot;
use vidette::protocol::{Log, LogLevel, MonitorCheckIn, MonitorCheckInStatus, SpanId, TraceId, Unit, User, Uuid};
use vidette::{Client, ClientOptions, Envelope, Hub, logger_info, metrics};

use crate::wiretap::Wiretap;

/// What is sent of what `body` captures, but for the headers of the envelope; times and traces all look the same.
fn sent(body: impl FnOnce(&Client)) -> String {
    let options = ClientOptions::new().release("app@1").environment("test").server_name("box").send_default_pii(true);
    let (wiretap, client) = Wiretap::client(options.user_agent("ua"));
    let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default()));
    hub.configure_scope(|scope| scope.set_user(Some(User { id: Some("u-1".into()), ..User::default() })));
    Hub::run(hub, || body(&client));
    assert!(client.flush(None));
    let sent = wiretap.take();
    assert_eq!(sent.len(), 1);
    let (headers, items) = sent[0].split_once('\n').unwrap();
    for header in ["\"dsn\":", "\"sdk\":", "\"sent_at\":"] {
        assert!(headers.contains(header), "{headers}");
    }
    assert!(Envelope::from_slice(sent[0].as_bytes()).is_ok());
    let items = items.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let items = replace_after(&items, "\"timestamp\":", |c| c.is_ascii_digit() || c == '.', "TIME");
    let items = replace_after(&items, "\"trace_id\":\"", |c| c.is_ascii_hexdigit(), "TRACE");
    replace_after(&items, "\"length\":", |c| c.is_ascii_digit(), "LENGTH")
}

/// Replaces the run of characters after each `marker`.
fn replace_after(text: &str, marker: &str, part: fn(char) -> bool, by: &str) -> String {
    let mut pieces = text.split(marker);
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |text, piece| text + marker + by + piece.trim_start_matches(part))
}

#[test]
fn logs() {
    assert_snapshot!(sent(|_| {
        logger_info!("plain");
        logger_info!(shard = 7, user.id = "own", ratio = 0.5, "{} of {total}", 3, total = "many");
    }));
}

#[test]
fn a_log_in_a_span() {
    assert_snapshot!(sent(|client| {
        let log = Log {
            level: LogLevel::Error,
            body: "by hand".into(),
            trace_id: Some(TraceId::from([7; 16])),
            timestamp: SystemTime::UNIX_EPOCH + Duration::from_secs(1),
            severity_number: Some(18.try_into().unwrap()),
            attributes: [("parent_span_id".into(), SpanId::from([9; 8]).to_string().into())].into(),
        };
        client.capture_log(log, &vidette::Scope::default());
    }));
}

#[test]
fn metrics() {
    assert_snapshot!(sent(|_| {
        metrics::counter("hits", 1).attribute("route", "/cart").capture();
        metrics::distribution("time", 1.5).unit(Unit::Millisecond).attribute("user.id", "own").capture();
    }));
}

#[test]
fn a_check_in() {
    assert_snapshot!(sent(|client| {
        client.capture_check_in(MonitorCheckIn {
            check_in_id: Uuid::from_u128(7),
            monitor_slug: "job".into(),
            status: MonitorCheckInStatus::Error,
            environment: None,
            duration: Some(1.5),
            monitor_config: None,
        });
    }));
}

#[test]
fn a_log_is_written_as_the_log_that_it_stands_for() {
    // A transport that takes envelopes is handed logs; one that takes bytes never sees them.
    let (wiretap, client) = Wiretap::client(ClientOptions::new().release("app@1"));
    let seen: Arc<std::sync::Mutex<Vec<Log>>> = Arc::default();
    let log = Arc::clone(&seen);
    let options = ClientOptions::new().release("app@1").before_send_log(move |made| {
        log.lock().unwrap().push(made.clone());
        Some(made)
    });
    let (_, other) = Wiretap::client(options);
    for client in [&client, &other] {
        let hub = Arc::new(Hub::new(Some(Arc::clone(client)), Arc::default()));
        Hub::run(hub, || {
            let transaction = vidette::start_transaction(vidette::TransactionContext::new("name", "op"));
            vidette::configure_scope(|scope| scope.set_span(Some(transaction.clone().into())));
            logger_info!(b = 1, a = "x", "{}", 7);
        });
        assert!(client.flush(None));
    }
    let bytes = wiretap.take().remove(0);
    let item: serde_json::Value = serde_json::from_str(bytes.lines().nth(2).unwrap()).unwrap();
    let written = item["items"][0].as_object().unwrap();
    let made = serde_json::to_value(&seen.lock().unwrap()[0]).unwrap();
    for (name, value) in made.as_object().unwrap() {
        // Each client had a time, a trace and a span of its own.
        if ["timestamp", "trace_id", "span_id"].contains(&&**name) {
            assert!(written.contains_key(name), "{name}");
        } else {
            assert_eq!(written.get(name), Some(value), "{name}");
        }
    }
    assert_eq!(written.len(), made.as_object().unwrap().len());
    assert!(made["span_id"].is_string() && made["attributes"].get("parent_span_id").is_none());
}
