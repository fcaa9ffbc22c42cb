//! The build without clients: everything is callable, and nothing happens. In builds with clients: the same while none is
//! bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vidette::protocol::Event;
use vidette::{Breadcrumb, Hub, HubSwitchGuard, Level, SentryFutureExt, breadcrumb};

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
    assert_eq!(hub.last_event_id(), None);

    let future = async { 7 }.bind_hub(hub);
    assert_eq!(futures::executor::block_on(future), 7);
}
