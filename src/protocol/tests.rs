//! What is written, what is read back, and what else is understood.

use std::borrow::Cow;
use std::fmt::Debug;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::*;

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
    Event {
        event_id: id(),
        timestamp: at(1_514_103_120),
        ..Event::default()
    }
}

#[test]
fn an_event_of_defaults_is_an_id_and_a_time() {
    let text = serde_json::to_string(&minimal_event()).unwrap();
    assert_eq!(
        text,
        r#"{"event_id":"d43e86c96e424a93a4fbda156dd17341","timestamp":1514103120}"#
    );
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
        logentry: Some(LogEntry {
            message: "hello %s".into(),
            params: vec![json!("world"), json!(1)],
        }),
        logger: Some("app".into()),
        modules: map("serde", "1.0".to_owned()),
        platform: "native".into(),
        timestamp: at(1) + Duration::from_micros(500_001),
        server_name: Some("host".into()),
        release: Some("app@1".into()),
        dist: Some("42".into()),
        environment: Some("test".into()),
        user: Some(User {
            id: Some("7".into()),
            ..User::default()
        }),
        request: Some(Request {
            method: Some("GET".into()),
            ..Request::default()
        }),
        contexts: map(
            "os",
            OsContext {
                name: Some("Linux".into()),
                ..OsContext::default()
            }
            .into(),
        ),
        breadcrumbs: vec![Breadcrumb {
            timestamp: at(2),
            message: Some("click".into()),
            ..Breadcrumb::default()
        }]
        .into(),
        exception: vec![Exception {
            ty: "IoError".into(),
            ..Exception::default()
        }]
        .into(),
        stacktrace: Some(Stacktrace::default()),
        template: Some(TemplateInfo {
            lineno: Some(3),
            ..TemplateInfo::default()
        }),
        threads: vec![Thread {
            id: Some(7.into()),
            crashed: true,
            ..Thread::default()
        }]
        .into(),
        tags: map("a", "b".to_owned()),
        extra: map("x", json!([1, null])),
        debug_meta: Cow::Owned(DebugMeta {
            sdk_info: None,
            images: vec![ProguardDebugImage { uuid: id() }.into()],
        }),
        sdk: Some(Cow::Owned(ClientSdkInfo {
            name: "sdk".into(),
            version: "1".into(),
            integrations: vec!["panic".into()],
            packages: vec![ClientSdkPackage {
                name: "cargo:sdk".into(),
                version: "1".into(),
            }],
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
            exception: vec![Exception {
                ty: "E".into(),
                value: Some("{\"code\":1}".into()),
                ..Exception::default()
            }]
            .into(),
            ..minimal_event()
        },
    );
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
        assert!(
            simd_json::from_slice::<Event<'_>>(&mut bytes).is_err(),
            "{text}"
        );
    }
}

#[test]
fn events_spans_and_transactions_show_id_and_time() {
    assert_eq!(
        minimal_event().to_string(),
        "Event(id: d43e86c9-6e42-4a93-a4fb-da156dd17341, ts: 2017-12-24T08:12:00Z)"
    );
    let span = Span {
        span_id: SpanId::from([1; 8]),
        start_timestamp: at(0),
        ..Span::default()
    };
    assert_eq!(
        span.to_string(),
        "Span(id: 0101010101010101, ts: 1970-01-01T00:00:00Z)"
    );
    let transaction = Transaction {
        event_id: id(),
        start_timestamp: at(0),
        ..Transaction::default()
    };
    assert_eq!(
        transaction.to_string(),
        "Transaction(id: d43e86c9-6e42-4a93-a4fb-da156dd17341, ts: 1970-01-01T00:00:00Z)"
    );
}

#[test]
fn a_breadcrumb_leaves_out_its_defaults() {
    round_trip(
        Breadcrumb {
            timestamp: at(1),
            ..Breadcrumb::default()
        },
        json!({"timestamp": 1}),
    );
    round_trip(
        Breadcrumb {
            timestamp: at(1),
            ty: "http".into(),
            category: Some("net".into()),
            level: Level::Error,
            message: Some("m".into()),
            data: map("status", json!(500)),
        },
        json!({
            "timestamp": 1, "type": "http", "category": "net", "level": "error", "message": "m",
            "data": {"status": 500},
        }),
    );
}

#[test]
fn an_exception_carries_its_mechanism_and_stack() {
    round_trip(
        Exception {
            ty: "ZeroDivisionError".into(),
            value: Some("oops".into()),
            module: Some("math".into()),
            stacktrace: Stacktrace::from_frames_reversed(vec![Frame {
                function: Some("main".into()),
                instruction_addr: Some(Addr(16)),
                in_app: Some(true),
                vars: map("n", json!(0)),
                pre_context: vec!["a".into()],
                ..Frame::default()
            }]),
            raw_stacktrace: Some(Stacktrace {
                frames_omitted: Some((1, 2)),
                registers: map("x0", RegVal(7)),
                ..Stacktrace::default()
            }),
            thread_id: Some("main".into()),
            mechanism: Some(Mechanism {
                ty: "generic".into(),
                description: Some("d".into()),
                help_link: Some("https://example.com/".parse().unwrap()),
                handled: Some(false),
                synthetic: Some(true),
                data: map("k", json!("v")),
                meta: MechanismMeta {
                    errno: Some(2.into()),
                    signal: Some((11, 1).into()),
                    mach_exception: Some(MachException {
                        exception: 1,
                        code: 2,
                        subcode: 3,
                        name: Some("EXC_BAD_ACCESS".into()),
                    }),
                },
            }),
        },
        json!({
            "type": "ZeroDivisionError",
            "value": "oops",
            "module": "math",
            "stacktrace": {"frames": [{
                "function": "main", "pre_context": ["a"], "in_app": true, "vars": {"n": 0},
                "instruction_addr": "0x10",
            }]},
            "raw_stacktrace": {"frames": [], "frames_omitted": [1, 2], "registers": {"x0": "0x7"}},
            "thread_id": "main",
            "mechanism": {
                "type": "generic",
                "description": "d",
                "help_link": "https://example.com/",
                "handled": false,
                "synthetic": true,
                "data": {"k": "v"},
                "meta": {
                    "errno": {"number": 2},
                    "signal": {"number": 11, "code": 1},
                    "mach_exception": {
                        "exception": 1, "code": 2, "subcode": 3, "name": "EXC_BAD_ACCESS",
                    },
                },
            },
        }),
    );
}

#[test]
fn reversed_frames_end_with_the_innermost_call() {
    assert_eq!(Stacktrace::from_frames_reversed(vec![]), None);
    let frame = |name: &str| Frame {
        function: Some(name.into()),
        ..Frame::default()
    };
    let trace = Stacktrace::from_frames_reversed(vec![frame("inner"), frame("outer")]).unwrap();
    assert_eq!(trace.frames, [frame("outer"), frame("inner")]);
}

#[test]
fn unknown_fields_of_a_user_are_kept() {
    round_trip(
        User {
            id: Some("8fd5a33b".into()),
            email: Some("foo@example.invalid".into()),
            ip_address: Some(IpAddress::Auto),
            username: Some("foo".into()),
            other: map("plan", json!({"tier": 1})),
        },
        json!({
            "id": "8fd5a33b", "email": "foo@example.invalid", "ip_address": "{{auto}}",
            "username": "foo", "plan": {"tier": 1},
        }),
    );
    let user: User = serde_json::from_value(json!({"id": 42, "ip_address": "::1"})).unwrap();
    assert_eq!(user.id.as_deref(), Some("42"));
    let localhost: std::net::IpAddr = "::1".parse().unwrap();
    assert!(user.ip_address.unwrap() == localhost);
    assert!(IpAddress::Auto != localhost);
    assert!(serde_json::from_value::<User>(json!({"ip_address": "here"})).is_err());
}

#[test]
fn a_request_is_read_from_texts_objects_and_pairs() {
    let request = Request {
        url: Some("https://example.com/a".parse().unwrap()),
        method: Some("POST".into()),
        data: Some("{\"a\":1}".into()),
        query_string: Some("q=1".into()),
        cookies: Some("c=2".into()),
        headers: map("Accept", "*/*".into()),
        env: map("PORT", "80".into()),
    };
    round_trip(
        request.clone(),
        json!({
            "url": "https://example.com/a", "method": "POST", "data": "{\"a\":1}",
            "query_string": "q=1", "cookies": "c=2", "headers": {"Accept": "*/*"},
            "env": {"PORT": "80"},
        }),
    );
    reads(
        json!({
            "url": "https://example.com/a", "method": "POST", "data": {"a": 1},
            "query_string": {"q": 1}, "cookies": [["c", "2"]], "headers": [["Accept", "*/*"]],
            "env": {"PORT": 80},
        }),
        request,
    );
}

#[test]
fn thread_ids_are_numbers_or_texts() {
    round_trip(ThreadId::Int(7), json!(7));
    round_trip(ThreadId::from("main"), json!("main"));
    assert_eq!(ThreadId::from(-1_i32), ThreadId::from(-1_i64));
    assert_eq!(ThreadId::default().to_string(), "0");
}

#[test]
fn every_kind_of_context_reads_back_what_it_writes() {
    let contexts: [(&str, Context); 9] = [
        (
            "device",
            DeviceContext {
                orientation: Some(Orientation::Landscape),
                battery_level: Some(58.5),
                boot_time: Some(at(1_514_103_120)),
                other: map("unknown", json!(1)),
                ..DeviceContext::default()
            }
            .into(),
        ),
        (
            "os",
            OsContext {
                rooted: Some(false),
                other: map("unknown", json!([1])),
                ..OsContext::default()
            }
            .into(),
        ),
        (
            "runtime",
            RuntimeContext {
                other: map("raw", json!("x")),
                ..RuntimeContext::default()
            }
            .into(),
        ),
        (
            "app",
            AppContext {
                app_start_time: Some(at(1)),
                ..AppContext::default()
            }
            .into(),
        ),
        ("browser", BrowserContext::default().into()),
        (
            "trace",
            TraceContext {
                status: Some(SpanStatus::DeadlineExceeded),
                origin: Some("manual".into()),
                data: map("k", json!(1)),
                ..TraceContext::default()
            }
            .into(),
        ),
        (
            "gpu",
            GpuContext {
                name: "card".into(),
                memory_size: Some(4096),
                ..GpuContext::default()
            }
            .into(),
        ),
        (
            "otel",
            OtelContext {
                attributes: map("a", json!(1)),
                other: map("b", json!(2)),
                ..OtelContext::default()
            }
            .into(),
        ),
        (
            "response",
            ResponseContext {
                status_code: Some(404),
                headers: map("Server", "x".into()),
                data: Some(json!({})),
                ..ResponseContext::default()
            }
            .into(),
        ),
    ];
    for (name, context) in contexts {
        assert_eq!(context.type_name(), name);
        let json = serde_json::to_value(&context).unwrap();
        assert_eq!(json["type"], name);
        round_trip(context, json);
    }
}

#[test]
fn times_in_contexts_are_texts() {
    let context = Context::from(DeviceContext {
        boot_time: Some(at(1_514_103_120)),
        ..DeviceContext::default()
    });
    let json = json!({"type": "device", "boot_time": "2017-12-24T08:12:00Z"});
    round_trip(context, json);
}

#[test]
fn a_context_without_a_type_has_its_key_as_type() {
    let event: Event<'static> = serde_json::from_value(json!({"contexts": {
        "os": {"name": "Linux"},
        "rust": {"type": "runtime", "name": "rustc"},
        "mine": {"a": 1},
        "nothing": null,
    }}))
    .unwrap();
    let kinds: Vec<_> = event
        .contexts
        .iter()
        .map(|(key, context)| (key.as_str(), context.type_name()))
        .collect();
    assert_eq!(
        kinds,
        [("mine", "unknown"), ("os", "os"), ("rust", "runtime")]
    );
}

#[test]
fn what_fits_no_context_is_kept_whole() {
    for json in [
        json!({"type": "replay", "replay_id": "x"}),
        json!({"type": "trace", "trace_id": "not an id"}),
        json!({"type": 7, "a": 1}),
        json!({"a": {"b": null}}),
    ] {
        let context: Context = serde_json::from_value(json.clone()).unwrap();
        assert!(matches!(context, Context::Other(_)));
        round_trip(context, json);
    }
}

#[test]
fn every_kind_of_image_reads_back_what_it_writes() {
    let uuid = "d43e86c9-6e42-4a93-a4fb-da156dd17341";
    let debug_id: debugid::DebugId = uuid.parse().unwrap();
    let cases: [(DebugImage, Value); 4] = [
        (
            AppleDebugImage {
                name: "CoreFoundation".into(),
                arch: Some("arm64".into()),
                cpu_type: Some(1233),
                cpu_subtype: Some(3),
                image_addr: Addr(16),
                image_size: 1234,
                image_vmaddr: Addr(32),
                uuid: id(),
            }
            .into(),
            json!({
                "type": "apple", "name": "CoreFoundation", "arch": "arm64", "cpu_type": 1233,
                "cpu_subtype": 3, "image_addr": "0x10", "image_size": 1234,
                "image_vmaddr": "0x20", "uuid": uuid,
            }),
        ),
        (
            SymbolicDebugImage {
                name: "app".into(),
                image_addr: Addr(0),
                image_size: 1,
                id: debug_id,
                code_id: Some(debugid::CodeId::new("ab12".into())),
                ..SymbolicDebugImage::default()
            }
            .into(),
            json!({
                "type": "symbolic", "name": "app", "image_addr": "0x0", "image_size": 1,
                "id": uuid, "code_id": "ab12",
            }),
        ),
        (
            ProguardDebugImage { uuid: id() }.into(),
            json!({"type": "proguard", "uuid": uuid}),
        ),
        (
            WasmDebugImage {
                name: "w".into(),
                debug_id: id(),
                code_file: "file:///w.wasm".into(),
                ..WasmDebugImage::default()
            }
            .into(),
            json!({
                "type": "wasm", "name": "w", "debug_id": uuid, "code_file": "file:///w.wasm",
            }),
        ),
    ];
    for (image, json) in cases {
        assert_eq!(json["type"], image.type_name());
        round_trip(image, json);
    }
}

#[test]
fn native_images_are_understood_and_unknown_ones_skipped() {
    let meta: DebugMeta = serde_json::from_value(json!({
        "sdk_info": {"sdk_name": "iOS", "version_major": 10, "version_minor": 3},
        "images": [
            {"type": "sourcemap", "debug_id": "x"},
            {"type": "elf", "code_file": "/bin/app", "debug_id": id().to_string(), "image_addr": "0x10"},
            null,
        ],
    }))
    .unwrap();
    assert!(!meta.is_empty());
    let [DebugImage::Symbolic(image)] = &meta.images[..] else {
        panic!("{:?}", meta.images);
    };
    assert_eq!(
        (image.name.as_str(), image.image_addr),
        ("/bin/app", Addr(16))
    );
    assert!(DebugMeta::default().is_empty());
}

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

#[test]
fn an_attachment_is_written_as_an_item() {
    let attachment = Attachment {
        buffer: b"some\nbytes".to_vec(),
        filename: "a \"b\".txt".into(),
        ty: Some(AttachmentType::Minidump),
        ..Attachment::default()
    };
    let mut bytes = Vec::new();
    attachment.to_writer(&mut bytes).unwrap();
    let (header, body) = bytes.split_at(bytes.iter().position(|&b| b == b'\n').unwrap());
    assert_eq!(
        serde_json::from_slice::<Value>(header).unwrap(),
        json!({
            "type": "attachment", "length": 10, "filename": "a \"b\".txt",
            "attachment_type": "event.minidump", "content_type": "application/octet-stream",
        })
    );
    assert_eq!(body, b"\nsome\nbytes");
    assert!(format!("{attachment:?}").contains("buffer: 10"));
}

#[test]
fn attachment_types_have_the_names_of_the_wire() {
    for ty in [
        AttachmentType::Attachment,
        AttachmentType::Minidump,
        AttachmentType::AppleCrashReport,
        AttachmentType::UnrealContext,
        AttachmentType::UnrealLogs,
        AttachmentType::Custom("event.view_hierarchy".into()),
    ] {
        let name = json!(ty.as_str());
        round_trip(ty, name);
    }
}

#[test]
fn the_module_has_its_aliases() {
    let event: v7::Event<'static> = latest::Event::default();
    let _: map::Map<String, value::Value> = event.extra;
    assert_eq!(LATEST, 7);
}
