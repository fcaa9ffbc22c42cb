//! What Sentry's own normalizer makes of the events we produce: it objects to nothing and knows every key.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde_json::{Value, json};
use vidette::protocol::{
    Addr, AppContext, BrowserContext, CError, Context, DebugMeta, DeviceContext, Event, Exception, Frame, GpuContext,
    IpAddress, LogEntry, MachException, Map, Mechanism, MechanismMeta, Orientation, OsContext, OtelContext,
    PosixSignal, ProguardDebugImage, RegVal, Request, ResponseContext, RuntimeContext, SpanStatus, Stacktrace,
    SymbolicDebugImage, SystemSdkInfo, Thread, ThreadId, User, Uuid,
};
use vidette::wire::EnvelopeItem;
use vidette::{ClientOptions, Envelope, Hub, Level, TransactionContext, Transport, breadcrumb};

use crate::relay;

/// Keeps the JSON of all events and transactions.
#[derive(Default)]
struct Keep(Mutex<Vec<Value>>);

impl Transport for Keep {
    fn send_envelope(&self, envelope: Envelope) {
        let payloads = envelope.items().filter_map(|item| match item {
            EnvelopeItem::Event(event) => Some(serde_json::to_value(event).unwrap()),
            EnvelopeItem::Transaction(transaction) => Some(serde_json::to_value(transaction).unwrap()),
            _ => None,
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(payloads);
    }
}

/// All events that `work` captures under the integrations that `init` adds.
fn events(work: impl FnOnce()) -> Vec<Value> {
    let keep = Arc::new(Keep::default());
    let options = ClientOptions::new()
        .dsn("https://public@sentry.invalid/1")
        .release("shop@1.4.2")
        .attach_stacktrace(true)
        .traces_sample_rate(1.0)
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
    // Known to the mirrored API, and cut by the server without a word.
    assert_approved(&events, &[".frames_omitted"]);
}

/// Checks that nothing is objected to, and nothing dropped but keys that end so.
fn assert_approved(payloads: &[Value], known: &[&str]) {
    let Some(verdicts) = relay::check(payloads) else { return };
    for (verdict, payload) in verdicts.iter().zip(payloads) {
        assert!(verdict.errors.is_empty(), "{:?} in {payload:#}", verdict.errors);
        let is_known = |path: &String| known.iter().any(|end| path.ends_with(end));
        let dropped: Vec<_> = verdict.dropped.iter().filter(|path| !is_known(path)).collect();
        assert!(dropped.is_empty(), "{dropped:?} in {payload:#}");
    }
}

#[test]
fn relay_objects_to_no_transaction_we_produce() {
    let payloads = events(|| {
        let headers = [
            ("sentry-trace", "09e04486820349518ac7b5d2adbf6ba5-9cf635fa5b870b3a-1"),
            ("baggage", "sentry-trace_id=09e04486820349518ac7b5d2adbf6ba5,sentry-public_key=key,sentry-sample_rate=1"),
        ];
        let context = TransactionContext::continue_from_headers("GET /cart/{id}", "http.server", headers);
        let transaction = vidette::start_transaction(context);
        transaction.set_origin("auto.http.tower");
        transaction.set_tag("shard", 7);
        transaction.set_data("rows", 3.into());
        transaction.set_extra("deep", json!({ "list": [1, 2.5, "three", null] }));
        transaction.set_request(Request {
            url: "https://shop.invalid/cart/7".parse().ok(),
            method: Some("GET".into()),
            ..Default::default()
        });
        vidette::configure_scope(|scope| {
            scope.set_user(Some(User { id: Some("42".into()), ..Default::default() }));
            scope.set_span(Some(transaction.clone().into()));
        });
        let query = transaction.start_child("db.query", "SELECT * FROM carts");
        query.set_data("db.system", "postgresql".into());
        query.set_tag("replica", true);
        query.set_status(SpanStatus::Ok);
        let inner = query.start_child("db.connect", "");
        vidette::configure_scope(|scope| scope.set_span(Some(inner.clone().into())));
        vidette::capture_error(&"x".parse::<i32>().unwrap_err());
        inner.finish();
        query.finish();
        transaction.set_status(SpanStatus::NotFound);
        transaction.finish();
    });
    assert_eq!(payloads.len(), 2, "an error in a span, and the transaction");
    assert_eq!(payloads[1]["spans"].as_array().map(Vec::len), Some(2), "{:#}", payloads[1]);
    assert_approved(&payloads, &[".frames_omitted"]);
}

/// An event that uses every interface, with every field that means something to the server.
fn everything() -> Event<'static> {
    let frame = Frame {
        function: Some("shop::checkout".into()),
        symbol: Some("_ZN4shop8checkout".into()),
        module: Some("shop".into()),
        package: Some("/usr/bin/shop".into()),
        filename: Some("checkout.rs".into()),
        abs_path: Some("/src/checkout.rs".into()),
        lineno: Some(42),
        colno: Some(7),
        pre_context: vec!["before".into()],
        context_line: Some("now".into()),
        post_context: vec!["after".into()],
        in_app: Some(true),
        vars: Map::from([("cart".to_owned(), json!([1, "two"]))]),
        image_addr: Some(Addr(0x1000)),
        instruction_addr: Some(Addr(0x1234)),
        symbol_addr: Some(Addr(0x1200)),
        addr_mode: Some("abs".into()),
    };
    let stacktrace = Stacktrace {
        frames: vec![frame],
        registers: Map::from([("rip".to_owned(), RegVal(0x1234))]),
        ..Default::default()
    };
    let mechanism = Mechanism {
        ty: "generic".into(),
        description: Some("a signal".into()),
        help_link: "https://shop.invalid/help".parse().ok(),
        handled: Some(false),
        synthetic: Some(true),
        data: Map::from([("relevant".to_owned(), json!(true))]),
        meta: MechanismMeta {
            errno: Some(CError { number: 2, name: Some("ENOENT".into()) }),
            signal: Some(PosixSignal { number: 11, code: Some(0), name: Some("SIGSEGV".into()), code_name: None }),
            mach_exception: Some(MachException {
                exception: 1,
                code: 2,
                subcode: 3,
                name: Some("EXC_BAD_ACCESS".into()),
            }),
        },
    };
    let exception = Exception {
        ty: "CheckoutError".into(),
        value: Some("no stock".into()),
        module: Some("shop".into()),
        stacktrace: Some(stacktrace.clone()),
        raw_stacktrace: Some(stacktrace.clone()),
        thread_id: Some(ThreadId::Int(7)),
        mechanism: Some(mechanism),
    };
    let thread = Thread {
        id: Some(ThreadId::Int(7)),
        name: Some("worker".into()),
        stacktrace: Some(stacktrace.clone()),
        raw_stacktrace: Some(stacktrace),
        crashed: true,
        current: true,
    };
    let text = |text: &str| Some(text.to_owned());
    let contexts: [(&str, Context); 8] = [
        (
            "device",
            DeviceContext {
                name: text("n"),
                family: text("f"),
                model: text("m"),
                arch: text("x86_64"),
                memory_size: Some(1 << 30),
                orientation: Some(Orientation::Portrait),
                simulator: Some(false),
                boot_time: Some(SystemTime::UNIX_EPOCH),
                ..Default::default()
            }
            .into(),
        ),
        (
            "os",
            OsContext {
                name: text("Linux"),
                version: text("6.1"),
                build: text("b"),
                kernel_version: text("6.1.0"),
                rooted: Some(false),
                ..Default::default()
            }
            .into(),
        ),
        ("runtime", RuntimeContext { name: text("rustc"), version: text("1.95"), ..Default::default() }.into()),
        (
            "app",
            AppContext {
                app_identifier: text("shop"),
                app_name: text("Shop"),
                app_version: text("1.4"),
                app_build: text("7"),
                app_start_time: Some(SystemTime::UNIX_EPOCH),
                ..Default::default()
            }
            .into(),
        ),
        ("browser", BrowserContext { name: text("Firefox"), version: text("140"), ..Default::default() }.into()),
        (
            "gpu",
            GpuContext {
                name: "gpu".into(),
                vendor_name: text("v"),
                memory_size: Some(1024),
                api_type: text("Vulkan"),
                ..Default::default()
            }
            .into(),
        ),
        ("otel", OtelContext { attributes: Map::from([("a".to_owned(), json!(1))]), ..Default::default() }.into()),
        (
            "response",
            ResponseContext {
                status_code: Some(500),
                headers: Map::from([("Server".to_owned(), "shop".to_owned())]),
                body_size: Some(12),
                ..Default::default()
            }
            .into(),
        ),
    ];
    let id = "494f3aea-88fa-4296-9644-fa8ef5d139b6-1234".parse().unwrap();
    Event {
        culprit: text("shop::checkout"),
        transaction: text("GET /cart"),
        logger: text("shop"),
        dist: Some("7".into()),
        modules: Map::from([("serde".to_owned(), "1.0.0".to_owned())]),
        exception: vec![exception].into(),
        threads: vec![thread].into(),
        contexts: contexts.map(|(name, context)| (name.to_owned(), context)).into(),
        debug_meta: Cow::Owned(DebugMeta {
            sdk_info: Some(SystemSdkInfo {
                sdk_name: "sdk".into(),
                version_major: 1,
                version_minor: 2,
                version_patchlevel: 3,
            }),
            images: vec![
                SymbolicDebugImage {
                    name: "/usr/bin/shop".into(),
                    arch: text("x86_64"),
                    image_addr: Addr(0x1000),
                    image_size: 4096,
                    image_vmaddr: Addr(0),
                    id,
                    code_id: "f1c3bcc0279865fe3058404b2831d9e64135386c".parse().ok(),
                    debug_file: text("shop.debug"),
                }
                .into(),
                ProguardDebugImage { uuid: Uuid::from_u128(7) }.into(),
            ],
        }),
        user: Some(User {
            id: text("42"),
            email: text("ada@shop.invalid"),
            username: text("ada"),
            ip_address: Some(IpAddress::Exact([127, 0, 0, 1].into())),
            other: Map::from([("plan".to_owned(), json!("gold"))]),
        }),
        request: Some(Request {
            url: "https://shop.invalid/cart".parse().ok(),
            method: text("POST"),
            data: text("{\"n\":1}"),
            query_string: text("page=2"),
            cookies: text("a=b"),
            headers: Map::from([("Accept".to_owned(), "*/*".to_owned())]),
            env: Map::from([("REMOTE_ADDR".to_owned(), "127.0.0.1".to_owned())]),
        }),
        level: Level::Fatal,
        ..Default::default()
    }
}

#[test]
fn relay_knows_every_interface_as_we_write_it() {
    let events = events(|| _ = vidette::capture_event(everything()));
    assert_eq!(events.len(), 1);
    let Some(verdicts) = relay::check(&events) else { return };
    assert!(verdicts[0].errors.is_empty(), "{:?} in {:#}", verdicts[0].errors, events[0]);
    assert_eq!(verdicts[0].dropped, KNOWN_TO_BE_DROPPED, "in {:#}", events[0]);
}

/// What the mirrored API has, and the server cuts without a word.
const KNOWN_TO_BE_DROPPED: [&str; 0] = [];
