//! What is written, what is read back, and what else is understood.

use std::borrow::Cow;
use std::fmt::Debug;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::*;

mod contexts;
mod interfaces;
mod spans;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn id() -> Uuid {
    Uuid::from_u128(0xd43e_86c9_6e42_4a93_a4fb_da15_6dd1_7341)
}

fn map<V>(key: &str, value: V) -> Map<String, V> {
    Map::from([(key.to_owned(), value)])
}

/// Asserts that `value` is written as `json` and read back from it, by both parsers.
#[track_caller]
fn round_trip<T: Debug + DeserializeOwned + PartialEq + Serialize>(value: T, json: Value) {
    let text = serde_json::to_string(&value).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json);
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), value);
    let mut bytes = text.into_bytes();
    assert_eq!(simd_json::from_slice::<T>(&mut bytes).unwrap(), value);
}

#[track_caller]
fn reads<T: Debug + DeserializeOwned + PartialEq>(json: Value, wanted: T) {
    assert_eq!(serde_json::from_value::<T>(json).unwrap(), wanted);
}

fn minimal_event() -> Event<'static> {
    Event { event_id: id(), timestamp: at(1_514_103_120), ..Event::default() }
}

#[test]
fn an_event_of_defaults_is_an_id_and_a_time() {
    let text = serde_json::to_string(&minimal_event()).unwrap();
    assert_eq!(text, r#"{"event_id":"d43e86c96e424a93a4fbda156dd17341","timestamp":1514103120}"#);
    reads(serde_json::from_str(&text).unwrap(), minimal_event());
}

#[test]
fn an_event_that_says_nothing_gets_an_id_and_the_time() {
    let before = SystemTime::now();
    let event: Event<'static> = serde_json::from_str("{}").unwrap();
    assert_eq!(event.level, Level::Error);
    assert_eq!(event.platform, "other");
    assert_eq!(*event.fingerprint, ["{{ default }}"]);
    assert_eq!(event.event_id.get_version_num(), 4);
    assert!(event.timestamp >= before);
    assert_ne!(event.event_id, Event::new().event_id);
}

#[test]
fn a_full_event_reads_back_what_it_writes() {
    let event = Event {
        level: Level::Warning,
        fingerprint: Cow::Owned(vec!["{{ default }}".into(), "mine".into()]),
        culprit: Some("main".into()),
        transaction: Some("GET /".into()),
        message: Some("hello".into()),
        logentry: Some(LogEntry { message: "hello %s".into(), params: vec![json!("world"), json!(1)] }),
        logger: Some("app".into()),
        modules: map("serde", "1.0".to_owned()),
        platform: "native".into(),
        timestamp: at(1) + Duration::from_micros(500_001),
        server_name: Some("host".into()),
        release: Some("app@1".into()),
        dist: Some("42".into()),
        environment: Some("test".into()),
        user: Some(User { id: Some("7".into()), ..User::default() }),
        request: Some(Request { method: Some("GET".into()), ..Request::default() }),
        contexts: map("os", OsContext { name: Some("Linux".into()), ..OsContext::default() }.into()),
        breadcrumbs: vec![Breadcrumb { timestamp: at(2), message: Some("click".into()), ..Breadcrumb::default() }]
            .into(),
        exception: vec![Exception { ty: "IoError".into(), ..Exception::default() }].into(),
        stacktrace: Some(Stacktrace::default()),
        template: Some(TemplateInfo { lineno: Some(3), ..TemplateInfo::default() }),
        threads: vec![Thread { id: Some(7.into()), crashed: true, ..Thread::default() }].into(),
        tags: map("a", "b".to_owned()),
        extra: map("x", json!([1, null])),
        debug_meta: Cow::Owned(DebugMeta { sdk_info: None, images: vec![ProguardDebugImage { uuid: id() }.into()] }),
        sdk: Some(Cow::Owned(ClientSdkInfo {
            name: "sdk".into(),
            version: "1".into(),
            integrations: vec!["panic".into()],
            packages: vec![ClientSdkPackage { name: "cargo:sdk".into(), version: "1".into() }],
        })),
        ..minimal_event()
    };
    assert_eq!(event.clone().into_owned(), event);
    round_trip(
        event,
        json!({
            "event_id": "d43e86c96e424a93a4fbda156dd17341",
            "level": "warning",
            "fingerprint": ["{{ default }}", "mine"],
            "culprit": "main",
            "transaction": "GET /",
            "message": "hello",
            "logentry": {"message": "hello %s", "params": ["world", 1]},
            "logger": "app",
            "modules": {"serde": "1.0"},
            "platform": "native",
            "timestamp": 1.500001,
            "server_name": "host",
            "release": "app@1",
            "dist": "42",
            "environment": "test",
            "user": {"id": "7"},
            "request": {"method": "GET"},
            "contexts": {"os": {"type": "os", "name": "Linux"}},
            "breadcrumbs": {"values": [{"timestamp": 2, "message": "click"}]},
            "exception": {"values": [{"type": "IoError"}]},
            "stacktrace": {"frames": []},
            "template": {"lineno": 3},
            "threads": {"values": [{"id": 7, "crashed": true}]},
            "tags": {"a": "b"},
            "extra": {"x": [1, null]},
            "debug_meta": {"images": [
                {"type": "proguard", "uuid": "d43e86c9-6e42-4a93-a4fb-da156dd17341"}
            ]},
            "sdk": {
                "name": "sdk",
                "version": "1",
                "integrations": ["panic"],
                "packages": [{"name": "cargo:sdk", "version": "1"}],
            },
        }),
    );
}

#[test]
fn an_event_is_read_in_the_forms_other_sdks_write() {
    reads(
        json!({
            "event_id": "d43e86c9-6e42-4a93-a4fb-da156dd17341",
            "timestamp": "2017-12-24T08:12:00Z",
            "level": "critical",
            "fingerprint": ["{{default}}"],
            "tags": [["a", 1], ["b", "x"]],
            "breadcrumbs": null,
            "threads": [],
            "exception": {"type": "E", "value": {"code": 1}},
            "extra": null,
            "contexts": null,
            "some_new_field": [1, 2, 3],
        }),
        Event {
            level: Level::Fatal,
            fingerprint: Cow::Owned(vec!["{{default}}".into()]),
            tags: Map::from([("a".into(), "1".into()), ("b".into(), "x".into())]),
            exception: vec![Exception { ty: "E".into(), value: Some("{\"code\":1}".into()), ..Exception::default() }]
                .into(),
            ..minimal_event()
        },
    );
}

#[test]
fn null_is_as_good_as_nothing() {
    reads(
        json!({
            "event_id": id(), "timestamp": 1_514_103_120, "level": null, "fingerprint": null,
            "platform": null, "debug_meta": null, "message": null, "modules": null,
            "exception": [null], "user": null, "sdk": null,
        }),
        minimal_event(),
    );
    let crumb: Breadcrumb = serde_json::from_value(json!({"type": null, "level": null, "data": null})).unwrap();
    assert_eq!((crumb.ty.as_str(), crumb.level), ("default", Level::Info));
}

#[test]
fn a_fingerprint_may_hold_any_scalars() {
    let event: Event<'_> = serde_json::from_value(json!({"fingerprint": ["a", 1, true]})).unwrap();
    assert_eq!(*event.fingerprint, ["a", "1", "true"]);
}

#[test]
fn a_message_may_come_formatted() {
    let entry: LogEntry = serde_json::from_value(json!({"formatted": "hello"})).unwrap();
    assert_eq!(entry.message, "hello");
    let entry: LogEntry =
        serde_json::from_value(json!({"formatted": "a 1", "message": "a %d", "params": [1]})).unwrap();
    assert_eq!((entry.message.as_str(), entry.params), ("a %d", vec![json!(1)]));
}

#[test]
fn hostile_events_are_errors() {
    for text in [
        r#"{"timestamp":1e300}"#,
        r#"{"timestamp":-1}"#,
        r#"{"event_id":"zz"}"#,
        r#"{"level":"loud"}"#,
        r#"{"tags":7}"#,
        r#"{"breadcrumbs":{"values":7}}"#,
        r#"{"contexts":[]}"#,
        "[]x",
        "",
    ] {
        assert!(serde_json::from_str::<Event<'_>>(text).is_err(), "{text}");
        let mut bytes = text.as_bytes().to_vec();
        assert!(simd_json::from_slice::<Event<'_>>(&mut bytes).is_err(), "{text}");
    }
}

#[test]
fn events_spans_and_transactions_show_id_and_time() {
    assert_eq!(
        minimal_event().to_string(),
        "Event(id: d43e86c9-6e42-4a93-a4fb-da156dd17341, ts: 2017-12-24T08:12:00Z)"
    );
    let span = Span { span_id: SpanId::from([1; 8]), start_timestamp: at(0), ..Span::default() };
    assert_eq!(span.to_string(), "Span(id: 0101010101010101, ts: 1970-01-01T00:00:00Z)");
    let transaction = Transaction { event_id: id(), start_timestamp: at(0), ..Transaction::default() };
    assert_eq!(
        transaction.to_string(),
        "Transaction(id: d43e86c9-6e42-4a93-a4fb-da156dd17341, ts: 1970-01-01T00:00:00Z)"
    );
}

#[test]
fn the_module_has_its_aliases() {
    let event: v7::Event<'static> = latest::Event::default();
    let _: map::Map<String, value::Value> = event.extra;
    assert_eq!(LATEST, 7);
}
