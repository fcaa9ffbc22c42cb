//! Programs that want the stack of where they captured something.

use sentry::ClientOptions;
use sentry::integrations::backtrace::{AttachStacktraceIntegration, ProcessStacktraceIntegration, current_stacktrace};
use serde_json::Value;

use crate::stage::{Run, values};

#[inline(never)]
fn cashier() {
    sentry::capture_message("out of change", sentry::Level::Warning);
}

/// The frames of the thread that captured, the outermost first.
fn frames(run: &Run) -> Vec<Value> {
    let event = run.event();
    let [thread] = values(&event["threads"]) else { panic!("one thread: {event:#}") };
    assert_eq!(thread["current"], true);
    thread["stacktrace"]["frames"].as_array().unwrap().clone()
}

fn function(frame: &Value) -> &str {
    frame["function"].as_str().unwrap_or_default()
}

fn position(frames: &[Value], name: &str) -> usize {
    frames.iter().position(|frame| function(frame).contains(name)).unwrap_or_else(|| panic!("{name}: {frames:#?}"))
}

/// What stands above a frame and claims to belong to the program.
///
/// Functions that were inlined have no path in builds with few debug symbols, and nobody can tell whose they are.
fn strangers_above(frames: &[Value], own: usize) -> Vec<&str> {
    let claims = frames[own + 1..].iter().filter(|frame| frame["in_app"] == true);
    claims.map(function).filter(|function| function.starts_with('<') || path(function).contains("::")).collect()
}

/// The name of a function without its generic arguments.
fn path(function: &str) -> &str {
    function.split_once('<').map_or(function, |(path, _)| path)
}

#[test]
fn a_message_gets_the_stack_that_led_to_it_and_ends_in_the_program() {
    let run = program!().run(|| {
        let _sentry = sentry::init(ClientOptions::new().attach_stacktrace(true));
        cashier();
    });
    let Some(run) = run else { return };
    let frames = frames(&run);
    let own = position(&frames, "backtrace::cashier");
    assert!(position(&frames, "a_message_gets_the_stack") < own);
    assert_eq!(frames[own]["in_app"], true);
    assert!(frames[own]["abs_path"].as_str().unwrap().ends_with("backtrace.rs"), "{}", frames[own]);
    assert!(frames[own]["lineno"].as_u64().is_some_and(|line| line > 0));
    assert!(frames[own]["instruction_addr"].as_str().is_some_and(|address| address.starts_with("0x")));
    assert_eq!(strangers_above(&frames, own), [""; 0]);
    assert!(frames.iter().all(|frame| frame["in_app"].is_boolean()));
}

#[test]
fn options_say_what_belongs_to_the_program() {
    let run = program!().run(|| {
        let options = ClientOptions::new().attach_stacktrace(true);
        let _sentry = sentry::init(options.in_app_include(["programs::backtrace"]).in_app_exclude(["test::"]));
        cashier();
    });
    let Some(run) = run else { return };
    let frames = frames(&run);
    let own = position(&frames, "backtrace::cashier");
    assert_eq!(frames[own]["in_app"], true);
    let runner = frames.iter().filter(|frame| function(frame).starts_with("test::"));
    assert!(runner.count() > 0, "{frames:#?}");
    assert!(frames.iter().all(|frame| !function(frame).starts_with("test::") || frame["in_app"] == false));
    assert_eq!(frames.iter().rposition(|frame| frame["in_app"] == true), Some(own));
}

#[test]
fn an_event_with_a_stack_gets_no_second_one() {
    let run = program!().run(|| {
        let _sentry = sentry::init(ClientOptions::new().attach_stacktrace(true));
        sentry::capture_event(sentry::protocol::Event { stacktrace: current_stacktrace(), ..Default::default() });
    });
    let Some(run) = run else { return };
    let event = run.event();
    assert!(values(&event["threads"]).is_empty());
    let frames = event["stacktrace"]["frames"].as_array().unwrap();
    assert!(frames.iter().all(|frame| frame["in_app"].is_boolean()));
}

#[test]
fn integrations_given_by_hand_run_in_their_order() {
    let run = program!().run(|| {
        let options = ClientOptions::new().default_integrations(false).attach_stacktrace(true);
        let options = options.add_integration(AttachStacktraceIntegration::new());
        let _sentry = sentry::init(options.add_integration(ProcessStacktraceIntegration::new()));
        assert!(sentry_core::with_integration(|_: &AttachStacktraceIntegration, _| true));
        cashier();
    });
    let Some(run) = run else { return };
    let frames = frames(&run);
    assert_eq!(frames[position(&frames, "backtrace::cashier")]["in_app"], true);
}

#[test]
fn nobody_asked_for_a_stack() {
    let run = program!().run(|| {
        let _sentry = sentry::init(());
        cashier();
    });
    let Some(run) = run else { return };
    let event = run.event();
    assert!(values(&event["threads"]).is_empty() && event["stacktrace"].is_null());
}
