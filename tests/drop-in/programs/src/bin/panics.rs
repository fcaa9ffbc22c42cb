//! Panics in the way it is told to.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use sentry::integrations::panic::{PanicIntegration, message_from_panic_info};
use sentry::protocol::Event;
use sentry::{Breadcrumb, ClientOptions, Level};

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("main") => on_the_main_thread(),
        Some("caught") => caught(),
        Some("exit") => on_a_thread_of_a_program_that_exits(),
        Some("hooks") => between_two_hooks(),
        Some("extractor") => with_an_extractor(),
        Some("before_send") => in_before_send(),
        Some("before_breadcrumb") => in_before_breadcrumb(),
        Some("processor") => in_a_processor(),
        Some("scope") => inside_a_scope(),
        Some("session") => inside_a_session(),
        Some("disabled") => without_a_client(),
        other => panic!("no such way: {other:?}"),
    }
}

fn on_the_main_thread() {
    let _sentry = sentry::init(());
    sentry::add_breadcrumb(Breadcrumb { message: Some("before".into()), ..Default::default() });
    opens_the_till();
}

#[inline(never)]
fn opens_the_till() {
    panic!("the till is {}", "stuck");
}

fn caught() {
    let _sentry = sentry::init(());
    assert!(catch_unwind(|| panic!("the first")).is_err());
    assert!(thread::spawn(|| panic!("the second")).join().is_err());
    sentry::capture_message("still here", Level::Info);
}

fn on_a_thread_of_a_program_that_exits() {
    let _sentry = sentry::init(());
    let panicked = thread::spawn(opens_the_till).join();
    // The guard is never dropped: what the panic left was sent by its hook.
    std::process::exit(if panicked.is_err() { 7 } else { 0 });
}

fn between_two_hooks() {
    std::panic::set_hook(Box::new(|info| eprintln!("the first hook: {}", message_from_panic_info(info))));
    let _sentry = sentry::init(());
    let next = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        sentry::configure_scope(|scope| scope.set_tag("second", "yes"));
        eprintln!("the second hook");
        next(info);
    }));
    let _again = sentry::init(());
    panic!("through both");
}

fn with_an_extractor() {
    let integration = PanicIntegration::default().add_extractor(|info| {
        let code = info.payload().downcast_ref::<u32>()?;
        Some(Event { message: Some(format!("code {code}")), level: Level::Fatal, ..Default::default() })
    });
    let options = ClientOptions::new().default_integrations(false).add_integration(integration);
    let _sentry = sentry::init(options);
    assert!(catch_unwind(|| std::panic::panic_any(404_u32)).is_err());
    assert!(catch_unwind(|| std::panic::panic_any(1.5_f32)).is_err());
}

fn in_before_send() {
    let _sentry = sentry::init(ClientOptions::new().before_send(|event| {
        assert_ne!(event.message.as_deref(), Some("unlucky"), "before_send has a flaw");
        Some(event)
    }));
    sentry::capture_message("unlucky", Level::Info);
    sentry::capture_message("still here", Level::Info);
}

fn in_before_breadcrumb() {
    let _sentry = sentry::init(ClientOptions::new().before_breadcrumb(|breadcrumb| {
        assert_ne!(breadcrumb.message.as_deref(), Some("unlucky"), "before_breadcrumb has a flaw");
        Some(breadcrumb)
    }));
    for message in ["unlucky", "lucky"] {
        sentry::add_breadcrumb(Breadcrumb { message: Some(message.into()), ..Default::default() });
    }
    sentry::capture_message("still here", Level::Info);
}

fn in_a_processor() {
    let _sentry = sentry::init(());
    sentry::configure_scope(|scope| {
        scope.add_event_processor(|event| {
            assert_ne!(event.message.as_deref(), Some("unlucky"), "the processor has a flaw");
            Some(event)
        });
    });
    sentry::capture_message("unlucky", Level::Info);
    sentry::capture_message("still here", Level::Info);
}

fn inside_a_scope() {
    let _sentry = sentry::init(());
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        sentry::with_scope(|scope| scope.set_tag("inside", "yes"), || panic!("on fire"));
    }));
    assert!(unwound.is_err());
    sentry::capture_message("still here", Level::Info);
}

fn inside_a_session() {
    let _sentry = sentry::init(ClientOptions::new().release("shop@1.0").auto_session_tracking(true));
    opens_the_till();
}

fn without_a_client() {
    let sentry = sentry::init(ClientOptions::new());
    assert!(!sentry.is_enabled());
    assert!(catch_unwind(|| panic!("nobody hears")).is_err());
}
