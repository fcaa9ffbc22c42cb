//! The build without clients: everything is callable, and nothing happens. In builds with clients: the same while none is
//! bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vidette::protocol::Event;
use vidette::{Breadcrumb, Hub, HubSwitchGuard, Level, SentryFutureExt, TransactionContext, breadcrumb};

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
    assert_eq!(ran.load(Ordering::Relaxed), 0);
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
