//! The build without clients: everything is callable, and nothing happens. In builds with clients: the same while none is
//! bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use vidette::protocol::{Attachment, Event, Request, SpanId, SpanStatus, TraceContext, User};
use vidette::{
    Breadcrumb, ClientOptions, Hub, HubSwitchGuard, Integration, Level, Scope, ScopeGuard, SentryFutureExt,
    TraceHeader, TracePropagationContext, TransactionContext, TransactionOrSpan, Transport, TransportOptions,
    breadcrumb,
};

#[test]
fn nothing_is_captured_and_no_closure_runs() {
    let ran = AtomicUsize::new(0);
    let run = || ran.fetch_add(1, Ordering::Relaxed);

    vidette::add_breadcrumb(|| {
        run();
        Breadcrumb::default()
    });
    breadcrumb!(category: "c", n = run(), "message {}", run());
    vidette::configure_scope(|scope| {
        run();
        scope.set_tag("k", "v");
    });
    Hub::with_active(|_| _ = run());
    vidette::with_integration(|_: &Silent, _| _ = run());
    Hub::current().with_integration(|_: &Silent| _ = run());
    assert!(vidette::capture_message("m", Level::Error).is_nil());
    assert!(vidette::capture_event(Event::default()).is_nil());
    #[cfg(feature = "logs")]
    vidette::logger_error!(attribute = run(), "message {}", run());
    #[cfg(feature = "metrics")]
    vidette::metrics::counter("c", 1).attribute("k", "v").capture();
    assert!(vidette::capture_error(&"x".parse::<i32>().unwrap_err()).is_nil());
    assert_eq!(vidette::last_event_id(), None);
    #[cfg(feature = "release-health")]
    {
        vidette::start_session();
        vidette::end_session();
        vidette::end_session_with_status(vidette::protocol::SessionStatus::Crashed);
        Hub::current().start_session();
        Hub::current().end_session();
    }
    #[cfg(feature = "logs")]
    {
        vidette::logger_info!(n = run(), "message {}", run());
        Hub::current().capture_log(a_log());
    }
    #[cfg(feature = "metrics")]
    {
        vidette::metrics::counter(Converted(&ran), Converted(&ran))
            .attribute(Converted(&ran), Converted(&ran))
            .capture();
        Hub::current().capture_metric(vidette::metrics::gauge("queue", 7).unit("items"));
    }
    assert_eq!(ran.load(Ordering::Relaxed), 0);
}

/// Notes that it became something else.
#[cfg(feature = "metrics")]
struct Converted<'a>(&'a AtomicUsize);

#[cfg(feature = "metrics")]
macro_rules! converted {
    ($($into:ty),*) => {
        $(impl From<Converted<'_>> for $into {
            fn from(Converted(ran): Converted<'_>) -> Self {
                ran.fetch_add(1, Ordering::Relaxed);
                Self::default()
            }
        })*
    };
}

#[cfg(feature = "metrics")]
converted!(f64, std::borrow::Cow<'static, str>);

#[cfg(feature = "metrics")]
impl From<Converted<'_>> for vidette::protocol::LogAttribute {
    fn from(Converted(ran): Converted<'_>) -> Self {
        ran.fetch_add(1, Ordering::Relaxed);
        0.into()
    }
}

#[test]
fn what_callers_rely_on_still_works() {
    assert_eq!(vidette::with_scope(|scope| scope.set_tag("k", "v"), || 42), 42);

    let hub = Arc::new(Hub::new_from_top(Hub::current()));
    assert!(Hub::run(Arc::clone(&hub), || Arc::ptr_eq(&hub, &Hub::current())));
    let guard = HubSwitchGuard::new(Arc::clone(&hub));
    assert!(Arc::ptr_eq(&hub, &Hub::current()));
    drop(guard);
    assert!(!Arc::ptr_eq(&hub, &Hub::current()));

    let pushed = hub.push_scope();
    hub.configure_scope(|scope| scope.set_tag("k", "v"));
    hub.add_breadcrumb(Breadcrumb::default());
    assert!(hub.capture_message("m", Level::Info).is_nil());
    drop(pushed);
    assert_eq!(Hub::run(Arc::clone(&hub), || vidette::Monitor::new("job").run(|| Ok::<_, ()>(7))), Ok(7));
    #[cfg(feature = "logs")]
    hub.capture_log(vidette::protocol::Log {
        level: vidette::protocol::LogLevel::Info,
        body: "m".into(),
        trace_id: None,
        timestamp: std::time::SystemTime::now(),
        severity_number: None,
        attributes: Default::default(),
    });
    #[cfg(feature = "metrics")]
    hub.capture_metric(vidette::metrics::gauge("g", 1));
    assert_eq!(hub.last_event_id(), None);

    let future = async { 7 }.bind_hub(hub);
    assert_eq!(futures::executor::block_on(future), 7);
}

#[test]
fn transactions_and_spans_pass_their_trace_on() {
    let headers = [
        ("sentry-trace", "09e04486820349518ac7b5d2adbf6ba5-9cf635fa5b870b3a-1"),
        ("baggage", "other=1,sentry-release=theirs"),
    ];
    let context = TransactionContext::continue_from_headers("name", "op", headers);
    let transaction = vidette::start_transaction(context);
    let span = transaction.start_child("op", "description");
    span.set_data("key", 1.into());
    span.set_tag("key", 1);
    let expected = format!("09e04486820349518ac7b5d2adbf6ba5-{}-1", span.get_span_id());
    let passed_on: Vec<_> = span.iter_headers().collect();
    assert_eq!(passed_on, [("sentry-trace", expected), ("baggage", "sentry-release=theirs".to_owned())]);

    let hub = Hub::new_from_top(Hub::current());
    hub.configure_scope(|scope| {
        assert_eq!(scope.iter_trace_propagation_headers().count(), 1);
        scope.set_span(Some(span.clone().into()));
        assert_eq!(scope.get_span(), Some(span.clone().into()));
        assert_eq!(scope.iter_trace_propagation_headers().count(), 2);
    });
    span.finish();
    transaction.set_status(vidette::protocol::SpanStatus::Ok);
    assert_eq!(transaction.get_status(), Some(vidette::protocol::SpanStatus::Ok));
    assert_eq!(transaction.get_trace_context().parent_span_id.map(String::from).as_deref(), Some("9cf635fa5b870b3a"));
    transaction.finish();
    hub.start_transaction(TransactionContext::new("name", "op")).finish();
}

#[test]
fn a_scope_does_its_work_on_its_own() {
    let hub = Hub::new_from_top(Hub::current());
    hub.configure_scope(|scope| {
        scope.set_tag("k", "v");
        scope.set_tag("gone", 1);
        scope.remove_tag("gone");
        scope.set_extra("extra", 7.into());
        scope.set_extra("gone", 7.into());
        scope.remove_extra("gone");
        scope.set_context("trace", TraceContext::default());
        scope.set_context("gone", TraceContext::default());
        scope.remove_context("gone");
        scope.set_user(Some(User { id: Some("7".into()), ..Default::default() }));
        scope.set_level(Some(Level::Warning));
        scope.set_fingerprint(Some(&["one"]));
        scope.set_transaction(Some("route"));
        scope.add_attachment(Attachment::default());
        scope.clear_attachments();
        scope.clear_breadcrumbs();
        scope.add_event_processor(|mut event| {
            event.logger = Some("seen".into());
            Some(event)
        });
        let event = scope.clone().apply_to_event(Event::default()).expect("nothing drops it");
        assert_eq!((event.tags.len(), event.extra.len(), event.level), (1, 1, Level::Warning));
        assert_eq!((event.transaction.as_deref(), event.logger.as_deref()), (Some("route"), Some("seen")));
        assert_eq!((event.user.as_ref(), event.fingerprint.len()), (scope.user(), 1));
        scope.clear();
    });
    assert!(!format!("{hub:?}").is_empty());
}

#[test]
fn options_and_what_they_hold_are_built_as_ever() {
    let options = ClientOptions::new()
        .dsn("https://key@sentry.example/1")
        .maybe_release(vidette::release_name!())
        .environment("tests")
        .add_integration(Silent)
        .before_send(Some)
        .before_breadcrumb(Some)
        .transport(|_: &ClientOptions| Arc::new(Forget) as Arc<dyn Transport>)
        .traces_sampler(|_| 0.5);
    assert!(!format!("{options:?}").is_empty());
    assert!(options.max_request_body_size.is_within_size_limit(0));
    let factory = options.transport.clone().expect("it was set");
    let for_transports = TransportOptions::try_from_client_options(&options).expect("there is a DSN");
    factory.create_transport_with_options(for_transports).send_envelope(Event::default().into());
    Silent.setup(&mut options.clone());
    assert_eq!(Silent.process_event(Event::default(), &options).map(|event| event.level), Some(Level::Error));
}

#[test]
fn the_rest_can_be_called() {
    let hub = Hub::main();
    assert!(hub.capture_event(Event::default()).is_nil());
    assert!(hub.capture_error(&"x".parse::<i32>().unwrap_err()).is_nil());
    hub.add_breadcrumb(Breadcrumb::default);
    hub.with_scope(|scope| scope.set_tag("k", "v"), || drop(ScopeGuard::default()));
    assert_eq!(hub.configure_scope(|_: &mut Scope| 7), 7, "a hub's scope is there");
    assert_eq!(vidette::event_from_error(&"x".parse::<i32>().unwrap_err()).exception.len(), 1);
    assert_eq!(vidette::parse_type_from_debug("Broken { at: 7 }"), "Broken");
    assert!(vidette::utils::is_sensitive_header("Cookie"));
    let url = vidette::utils::scrub_pii_from_url("https://ann@example.com".parse().unwrap());
    assert!(!url.as_str().contains("ann"));
}

#[test]
fn a_transaction_forwards_its_ids_and_goes_nowhere() {
    let headers = [("sentry-trace", "09e04486820349518ac7b5d2adbf6ba5-9cf635fa5b870b3a-1")];
    let incoming = TracePropagationContext::try_from_headers(headers).unwrap();
    assert_eq!(incoming.sentry_trace_header(), headers[0].1);
    let context = TransactionContext::continue_from_trace_propagation_context("name", "op", &incoming, None);
    let transaction = vidette::start_transaction(context);
    let trace = transaction.get_trace_context();
    assert_eq!(trace.trace_id.to_string(), "09e04486820349518ac7b5d2adbf6ba5");
    let sent: Vec<TraceHeader> = transaction.iter_headers().collect();
    assert!(sent[0].1.starts_with("09e04486820349518ac7b5d2adbf6ba5-"), "{sent:?}");

    let span = transaction.start_child("op", "description");
    let inner = span.start_child("op", "description");
    for either in [TransactionOrSpan::from(transaction.clone()), span.clone().into()] {
        either.set_name("name");
        either.set_op("op");
        either.set_data("k", 7.into());
        either.set_tag("k", "v");
        either.set_request(Request::default());
        either.set_status(SpanStatus::Ok);
        assert!(either.get_status().is_none_or(|status| status == SpanStatus::Ok));
        assert_eq!(either.get_trace_context().trace_id, trace.trace_id);
        assert!(either.iter_headers().next().is_some_and(|(_, value)| value.starts_with(&trace.trace_id.to_string())));
        either.start_child("op", "description").finish();
        let (id, now) = (SpanId::default(), SystemTime::now());
        either.start_child_with_details("op", "description", id, now).finish_with_timestamp(now);
    }
    let hub = Hub::new_from_top(Hub::current());
    hub.configure_scope(|scope| {
        scope.set_span(Some(span.clone().into()));
        assert!(scope.get_span().is_some() && scope.iter_trace_propagation_headers().next().is_some());
        scope.apply_to_transaction(&mut vidette::protocol::Transaction::default());
    });
    transaction.set_extra("k", 7.into());
    transaction.set_origin("auto");
    transaction.data().set_data("k".into(), 7.into());
    span.data().set_tag("k".into(), "v".into());
    inner.finish();
    span.finish_with_timestamp(SystemTime::now());
    transaction.finish();
    let from_hub = hub.start_transaction(TransactionContext::builder("name", "op").with_sampled(Some(true)).finish());
    TransactionOrSpan::from(from_hub).finish();
}

#[cfg(feature = "logs")]
fn a_log() -> vidette::protocol::Log {
    vidette::protocol::Log {
        level: vidette::protocol::LogLevel::Info,
        body: "message".into(),
        trace_id: None,
        timestamp: SystemTime::now(),
        severity_number: None,
        attributes: Default::default(),
    }
}

struct Silent;
impl Integration for Silent {}

struct Forget;
impl Transport for Forget {
    fn send_envelope(&self, _: vidette::Envelope) {}
}
