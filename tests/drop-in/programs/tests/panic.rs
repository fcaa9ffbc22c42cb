//! Programs that panic, each a real one: `src/bin/panics.rs`.

use std::process::Command;

use crate::stage::{Program, Run, each, on_the_peer, values};

fn run(program: Program, way: &str) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_panics"));
    child.arg(way);
    program.run_as(child)
}

fn assert_exit(run: &Run, code: i32) {
    assert_eq!(run.output.status.code(), Some(code), "{}\n{}", run.output.status, run.said());
}

#[test]
fn the_panic_that_ends_a_program_is_sent_and_ends_it_as_ever() {
    let run = run(program!(), "main");
    assert_exit(&run, 101);
    assert!(run.said().contains("the till is stuck"), "the usual hook runs too: {}", run.said());
    let event = run.event();
    let [exception] = values(&event["exception"]) else { panic!("one exception: {event:#}") };
    assert_eq!((&exception["type"], &exception["value"]), (&"panic".into(), &"the till is stuck".into()));
    assert_eq!((&exception["mechanism"]["type"], &exception["mechanism"]["handled"]), (&"panic".into(), &false.into()));
    assert_eq!(event["level"], "fatal");
    assert_eq!(each(values(&event["breadcrumbs"]), "message"), ["before"]);
    let frames = exception["stacktrace"]["frames"].as_array().unwrap();
    let functions: Vec<_> = frames.iter().filter_map(|frame| frame["function"].as_str()).collect();
    assert!(functions.iter().any(|function| function.contains("panics::opens_the_till")), "{functions:#?}");
    let in_app = frames.iter().rfind(|frame| frame["in_app"] == true).unwrap()["function"].as_str().unwrap();
    assert!(!in_app.contains("vidette") && !in_app.contains("sentry_core"), "{in_app} of {functions:#?}");
}

#[test]
fn a_program_that_survives_panics_sends_them_all() {
    let run = run(program!(), "caught");
    assert_exit(&run, 0);
    let events = run.events();
    let exceptions: Vec<_> = events.iter().flat_map(|event| values(&event["exception"])).cloned().collect();
    assert_eq!(each(&exceptions, "value"), ["the first", "the second"]);
    assert_eq!(events[2]["message"], "still here");
}

#[test]
fn the_hook_sends_and_the_exit_code_is_the_programs_own() {
    let run = run(program!(), "exit");
    assert_exit(&run, 7);
    assert_eq!(values(&run.event()["exception"])[0]["value"], "the till is stuck");
}

#[test]
fn hooks_before_and_after_run_and_one_event_is_sent() {
    let run = run(program!(), "hooks");
    assert_exit(&run, 101);
    let said = run.said();
    assert!(said.contains("the first hook: through both") && said.contains("the second hook"), "{said}");
    let event = run.event();
    assert_eq!((values(&event["exception"]).len(), &event["tags"]["second"]), (1, &"yes".into()));
}

#[test]
fn extractors_make_events_of_payloads_they_know() {
    let run = run(program!(), "extractor");
    assert_exit(&run, 0);
    let events = run.events();
    assert_eq!(events[0]["message"], "code 404");
    assert_eq!(values(&events[1]["exception"])[0]["value"], "Box<Any>");
}

#[test]
fn a_panic_in_before_send_costs_one_event_and_not_the_program() {
    let run = run(program!(), "before_send");
    if on_the_peer() {
        return assert!(!run.output.status.success());
    }
    assert_exit(&run, 0);
    assert_eq!(run.event()["message"], "still here");
    assert_eq!(run.lost("error", "before_send"), 1);
}

#[test]
fn a_panic_in_before_breadcrumb_costs_one_breadcrumb_and_not_the_program() {
    if on_the_peer() {
        // It hangs there: the hook of the panic wants what the breadcrumb holds.
        return;
    }
    let run = run(program!(), "before_breadcrumb");
    assert_exit(&run, 0);
    let event = run.event();
    assert_eq!(event["message"], "still here");
    assert_eq!(each(values(&event["breadcrumbs"]), "message"), ["lucky"]);
}

#[test]
fn a_panic_in_a_processor_costs_one_event_and_not_the_program() {
    let run = run(program!(), "processor");
    if on_the_peer() {
        return assert!(!run.output.status.success());
    }
    assert_exit(&run, 0);
    assert_eq!(run.event()["message"], "still here");
    assert_eq!(run.lost("error", "event_processor"), 1);
}

#[test]
fn a_panic_leaves_its_scope_behind() {
    let run = run(program!(), "scope");
    assert_exit(&run, 0);
    let events = run.events();
    assert_eq!((&events[0]["tags"]["inside"], &events[0]["level"]), (&"yes".into(), &"fatal".into()));
    assert_eq!((&events[1]["message"], events[1]["tags"]["inside"].is_null()), (&"still here".into(), true));
}

#[test]
fn a_panic_crashes_the_session() {
    let run = run(program!(), "session");
    assert_exit(&run, 101);
    let sessions = run.payloads("session");
    let last = sessions.last().unwrap_or_else(|| panic!("no session: {:#?}", run.envelopes));
    assert_eq!((&last["status"], &last["errors"]), (&"crashed".into(), &1.into()));
    assert_eq!(last["attrs"]["release"], "shop@1.0");
}

#[test]
fn a_panic_without_a_client_is_none_of_our_business() {
    let run = run(program!().env("SENTRY_DSN", ""), "disabled");
    assert_exit(&run, 0);
    assert!(run.envelopes.is_empty() && run.said().contains("nobody hears"));
}
