//! What Sentry's own normalizer makes of the events we produce: it objects to nothing and knows every key.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use vidette::protocol::{Context, Event, IpAddress, LogEntry, Map, Request, User};
use vidette::{ClientOptions, Envelope, Hub, Level, Transport, breadcrumb};

use crate::relay;

/// Keeps the JSON of all events.
#[derive(Default)]
struct Keep(Mutex<Vec<Value>>);

impl Transport for Keep {
    fn send_envelope(&self, envelope: Envelope) {
        let event = envelope.event().map(|event| serde_json::to_value(event).unwrap());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(event);
    }
}

/// All events that `work` captures under the integrations that `init` adds.
fn events(work: impl FnOnce()) -> Vec<Value> {
    let keep = Arc::new(Keep::default());
    let options = ClientOptions::new()
        .dsn("https://public@sentry.invalid/1")
        .release("shop@1.4.2")
        .attach_stacktrace(true)
        .send_default_pii(true)
        .transport(Arc::clone(&keep));
    Hub::run(Arc::new(Hub::new(None, Arc::default())), || {
        let _guard = vidette::init(options);
        work();
    });
    let mut events = keep.0.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *events)
}

#[test]
fn relay_objects_to_nothing_we_produce() {
    let events = events(|| {
        breadcrumb!(ty: "http", category: "http.client", level: Level::Warning, status_code = 503, url = "http://a.invalid/", ok = false,
            took = 1.25, none = None::<u32>, letter = 'ß', "GET {}", "/cart");
        breadcrumb!("plain");
        vidette::add_breadcrumb(vidette::Breadcrumb { message: Some("owned".into()), ..Default::default() });
        vidette::configure_scope(|scope| {
            scope.set_user(Some(User {
                id: Some("42".into()),
                email: Some("ada@shop.invalid".into()),
                ip_address: Some(IpAddress::Auto),
                ..Default::default()
            }));
            scope.set_tag("shard", 7);
            scope.set_extra("deep", json!({ "list": [1, 2.5, "three", null, { "four": true }] }));
            scope.set_context("cart", Context::Other(Map::from([("items".to_owned(), json!(3))])));
            scope.set_fingerprint(Some(&["{{ default }}", "checkout"]));
            scope.set_transaction(Some("GET /cart"));
        });
        vidette::capture_error(&"x".parse::<i32>().unwrap_err());
        vidette::capture_message("a message", Level::Info);
        vidette::capture_event(Event {
            logentry: Some(LogEntry { message: "%s of %d".into(), params: vec!["three".into(), 4.into()] }),
            logger: Some("shop.cart".into()),
            request: Some(Request {
                url: "https://shop.invalid/cart?page=2".parse().ok(),
                method: Some("GET".into()),
                headers: Map::from([("Accept".to_owned(), "*/*".to_owned())]),
                ..Default::default()
            }),
            modules: Map::from([("serde".to_owned(), "1.0.0".to_owned())]),
            level: Level::Fatal,
            ..Default::default()
        });
        _ = std::panic::catch_unwind(|| panic!("on purpose"));
    });
    assert_eq!(events.len(), 4, "an error, a message, an event and a panic");
    let Some(verdicts) = relay::check(&events) else { return };
    for (verdict, event) in verdicts.iter().zip(&events) {
        assert!(verdict.errors.is_empty(), "{:?} in {event:#}", verdict.errors);
        // Known to the mirrored API, and cut by the server without a word.
        let dropped: Vec<_> = verdict.dropped.iter().filter(|path| !path.ends_with(".frames_omitted")).collect();
        assert!(dropped.is_empty(), "{dropped:?} in {event:#}");
    }
}
