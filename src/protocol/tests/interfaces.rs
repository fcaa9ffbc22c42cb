//! The parts events are made of.

use serde_json::json;

use super::*;

#[test]
fn a_breadcrumb_leaves_out_its_defaults() {
    round_trip(Breadcrumb { timestamp: at(1), ..Breadcrumb::default() }, json!({"timestamp": 1}));
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
    let frame = |name: &str| Frame { function: Some(name.into()), ..Frame::default() };
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
