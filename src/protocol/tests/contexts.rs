//! Contexts and debug images.

use serde_json::json;

use super::*;

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
        ("os", OsContext { rooted: Some(false), other: map("unknown", json!([1])), ..OsContext::default() }.into()),
        ("runtime", RuntimeContext { other: map("raw", json!("x")), ..RuntimeContext::default() }.into()),
        ("app", AppContext { app_start_time: Some(at(1)), ..AppContext::default() }.into()),
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
        ("gpu", GpuContext { name: "card".into(), memory_size: Some(4096), ..GpuContext::default() }.into()),
        (
            "otel",
            OtelContext { attributes: map("a", json!(1)), other: map("b", json!(2)), ..OtelContext::default() }.into(),
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
    let context = Context::from(DeviceContext { boot_time: Some(at(1_514_103_120)), ..DeviceContext::default() });
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
    let kinds: Vec<_> = event.contexts.iter().map(|(key, context)| (key.as_str(), context.type_name())).collect();
    assert_eq!(kinds, [("mine", "unknown"), ("os", "os"), ("rust", "runtime")]);
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
                "type": "symbolic", "code_file": "app", "image_addr": "0x0", "image_size": 1,
                "debug_id": uuid, "code_id": "ab12",
            }),
        ),
        (ProguardDebugImage { uuid: id() }.into(), json!({"type": "proguard", "uuid": uuid})),
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
fn a_native_image_is_read_by_its_older_names_too() {
    let uuid = "d43e86c9-6e42-4a93-a4fb-da156dd17341";
    let newer: DebugImage =
        serde_json::from_value(json!({"type": "symbolic", "code_file": "app", "debug_id": uuid, "image_size": 1}))
            .unwrap();
    let older =
        serde_json::from_value(json!({"type": "symbolic", "name": "app", "id": uuid, "image_size": 1})).unwrap();
    assert_eq!(newer, older);
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
    assert_eq!((image.name.as_str(), image.image_addr), ("/bin/app", Addr(16)));
    assert!(DebugMeta::default().is_empty());
}
