//! `init` in a process of its own: the environment, the main hub, and delivery over HTTP when its guard is dropped.
#![allow(clippy::panic, clippy::unwrap_used, unreachable_pub, reason = "a test that goes wrong says so by panicking")]

#[path = "support/receiver.rs"]
mod receiver;
#[path = "support/rig.rs"]
mod rig;

use std::process::{Command, Output};

use vidette::protocol::client_report::Category;
use vidette::{ClientOptions, Level, breadcrumb};

use crate::receiver::{Answer, Receiver};
use crate::rig::{PATIENCE, crumbs};

#[cfg(feature = "release-health")]
#[test]
fn the_guard_ends_the_session_that_init_started() {
    if is_child() {
        let options = ClientOptions::new().release("shop@1").auto_session_tracking(true);
        let guard = vidette::init(options);
        vidette::capture_event(vidette::protocol::Event { level: Level::Error, ..Default::default() });
        // Another thread, where another hub is the current one, drops the guard.
        std::thread::spawn(|| drop(guard)).join().unwrap();
        return;
    }
    let receiver = Receiver::start().unwrap();
    let dsn = receiver.dsn().to_string();
    assert_success(&run("the_guard_ends_the_session_that_init_started", &[("SENTRY_DSN", &dsn)]));
    assert!(receiver.wait_for(2, PATIENCE));
    let received = receiver.take();
    let items = received.iter().flat_map(|received| received.envelope.items());
    let sessions: Vec<_> = items
        .filter_map(|item| match item {
            vidette::protocol::EnvelopeItem::SessionUpdate(update) => {
                Some(format!("{} {} {} {}", update.attributes.release, update.init, update.status, update.errors))
            }
            _ => None,
        })
        .collect();
    assert_eq!(sessions, ["shop@1 true ok 1", "shop@1 false exited 1"]);
}

/// Runs the test `name` of this file in a process with this environment, where `body_of_child` is its body.
fn run(name: &str, env: &[(&str, &str)]) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture", "--test-threads=1"]);
    for variable in
        ["SENTRY_DSN", "SENTRY_RELEASE", "SENTRY_ENVIRONMENT", "SENTRY_SAMPLE_RATE", "http_proxy", "HTTP_PROXY"]
    {
        child.env_remove(variable);
    }
    child.env(CHILD, "1").env("RUST_BACKTRACE", "0").envs(env.iter().copied());
    child.output().unwrap()
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

fn assert_success(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{}\n{said}", output.status);
}

const CHILD: &str = "VIDETTE_TEST_CHILD";

#[test]
fn the_guard_delivers_what_was_captured_when_the_process_ends() {
    if is_child() {
        let guard = vidette::init(ClientOptions::new().release("shop@1"));
        assert!(guard.is_enabled());
        breadcrumb!(category: "start", n = 7, "up and {}", "running");
        vidette::configure_scope(|scope| scope.set_tag("main", 1));
        assert!(!vidette::capture_message("from the main hub", Level::Warning).is_nil());
        std::thread::spawn(|| vidette::capture_message("from a thread", Level::Info)).join().unwrap();
        return;
    }
    let receiver = Receiver::start().unwrap();
    let dsn = receiver.dsn().to_string();
    let name = "the_guard_delivers_what_was_captured_when_the_process_ends";
    assert_success(&run(name, &[("SENTRY_DSN", &dsn), ("SENTRY_ENVIRONMENT", "from-env")]));
    assert!(receiver.wait_for(2, PATIENCE));
    let received = receiver.take();
    let events: Vec<_> = received.iter().filter_map(|received| received.envelope.event()).collect();
    let messages: Vec<_> = events.iter().map(|event| event.message.as_deref().unwrap()).collect();
    assert_eq!(messages, ["from the main hub", "from a thread"]);
    for event in events {
        assert_eq!((event.release.as_deref(), event.environment.as_deref()), (Some("shop@1"), Some("from-env")));
        assert_eq!(event.tags["main"], "1");
        assert_eq!((crumbs(event), &event.breadcrumbs[0].data["n"]), (vec!["up and running".to_owned()], &7.into()));
    }
}

#[test]
fn a_panic_that_ends_the_process_is_delivered() {
    if is_child() {
        let _guard = vidette::init(ClientOptions::new());
        panic!("the last word");
    }
    let receiver = Receiver::start().unwrap();
    let name = "a_panic_that_ends_the_process_is_delivered";
    let output = run(name, &[("SENTRY_DSN", &receiver.dsn().to_string())]);
    assert!(!output.status.success());
    assert!(receiver.wait_for(1, PATIENCE));
    let received = receiver.take();
    let event = received[0].envelope.event().unwrap();
    assert_eq!((event.level, event.exception[0].value.as_deref()), (Level::Fatal, Some("the last word")));
}

#[test]
fn a_malformed_dsn_in_the_environment_disables_the_client_and_nothing_else() {
    if is_child() {
        let guard = vidette::init(ClientOptions::new());
        assert!(!guard.is_enabled() && guard.dsn().is_none());
        breadcrumb!("nobody");
        assert!(vidette::capture_message("nobody", Level::Info).is_nil());
        assert!(guard.flush(None) && guard.close(None));
        return;
    }
    let name = "a_malformed_dsn_in_the_environment_disables_the_client_and_nothing_else";
    for bad in ["no dsn at all", "https://sentry.invalid/1", "https://key@/1", " ", ""] {
        assert_success(&run(name, &[("SENTRY_DSN", bad), ("SENTRY_SAMPLE_RATE", "lots")]));
    }
}

#[test]
fn what_the_server_refuses_is_counted_and_reported_at_close() {
    if is_child() {
        let guard = vidette::init(ClientOptions::new());
        assert!((0..3).all(|_| !vidette::capture_message("event", Level::Info).is_nil()));
        assert!(guard.flush(Some(PATIENCE)));
        let stats = guard.stats();
        rig::assert_settled(&stats);
        assert_eq!((stats.delivered(Category::Error), stats.discarded(Category::Error)), (1, 2));
        return;
    }
    let receiver = Receiver::start().unwrap();
    receiver.answer(1, Answer::status(200));
    receiver.answer(2, Answer::status(400));
    let name = "what_the_server_refuses_is_counted_and_reported_at_close";
    assert_success(&run(name, &[("SENTRY_DSN", &receiver.dsn().to_string())]));
    assert!(receiver.wait_for(2, PATIENCE));
    let received = receiver.take();
    let report = String::from_utf8_lossy(&received[1].bytes).into_owned();
    assert!(report.contains("client_report") && report.contains(r#""quantity":2"#), "{report}");
}

#[test]
fn the_guard_gives_up_in_time_when_the_server_never_answers() {
    if is_child() {
        let start = std::time::Instant::now();
        let guard = vidette::init(ClientOptions::new().shutdown_timeout(std::time::Duration::from_millis(200)));
        assert!((0..3).all(|_| !vidette::capture_message("event", Level::Info).is_nil()));
        drop(guard);
        assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
        return;
    }
    let receiver = Receiver::start().unwrap();
    receiver.answer(10, Answer::silence());
    let name = "the_guard_gives_up_in_time_when_the_server_never_answers";
    assert_success(&run(name, &[("SENTRY_DSN", &receiver.dsn().to_string())]));
}
