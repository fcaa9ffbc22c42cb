//! Programs that say how they fare.

use sentry::protocol::SessionStatus;
use sentry::{ClientOptions, Level, SessionMode};

use crate::stage::each;

fn options() -> ClientOptions {
    ClientOptions::new().release("shop@1.0").environment("tests")
}

#[test]
fn a_program_is_one_session_from_start_to_end() {
    let run = program!().run(|| {
        let _sentry = sentry::init(options().auto_session_tracking(true));
        sentry::configure_scope(|scope| {
            scope.set_user(Some(sentry::User { id: Some("ann".into()), ..Default::default() }));
        });
    });
    let Some(run) = run else { return };
    let sessions = run.payloads("session");
    assert_eq!(sessions.len(), 1, "{sessions:#?}");
    let session = &sessions[0];
    assert_eq!((&session["status"], &session["init"], &session["errors"]), (&"exited".into(), &true.into(), &0.into()));
    assert_eq!((&session["attrs"]["release"], &session["attrs"]["environment"]), (&"shop@1.0".into(), &"tests".into()));
    assert!(session["sid"].is_string() && session["started"].is_string());
    assert!(session["duration"].as_f64().is_some_and(|duration| (0.0..60.0).contains(&duration)));
}

#[test]
fn errors_are_counted_and_tell_of_the_session_at_once() {
    let run = program!().run(|| {
        let _sentry = sentry::init(options());
        sentry::start_session();
        sentry::capture_error(&"x".parse::<u8>().unwrap_err());
        sentry::capture_message("no error", Level::Info);
        sentry::capture_error(&"y".parse::<u8>().unwrap_err());
        sentry::end_session();
        sentry::capture_error(&"z".parse::<u8>().unwrap_err());
    });
    let Some(run) = run else { return };
    let sessions = run.payloads("session");
    let last = sessions.last().unwrap();
    assert_eq!((&last["errors"], &last["status"]), (&2.into(), &"exited".into()));
    assert_eq!(sessions.iter().filter(|session| session["init"] == true).count(), 1);
    assert!(each(&sessions, "sid").iter().all(|sid| *sid == &last["sid"]));
    assert_eq!(run.events().len(), 4);
}

#[test]
fn a_session_ends_with_the_status_it_is_given() {
    let run = program!().run(|| {
        let _sentry = sentry::init(options());
        sentry::start_session();
        sentry::end_session_with_status(SessionStatus::Abnormal);
        sentry::end_session();
        sentry::start_session();
        sentry::start_session();
        sentry::end_session();
    });
    let Some(run) = run else { return };
    assert_eq!(each(&run.payloads("session"), "status"), ["abnormal", "exited", "exited"]);
}

#[test]
fn sessions_of_requests_are_summed_up() {
    let run = program!().run(|| {
        let _sentry = sentry::init(options().session_mode(SessionMode::Request).auto_session_tracking(true));
        for number in 0..5 {
            let _scope = sentry::Hub::current().push_scope();
            sentry::start_session();
            if number == 0 {
                sentry::capture_error(&"x".parse::<u8>().unwrap_err());
            }
            sentry::end_session();
        }
    });
    let Some(run) = run else { return };
    assert_eq!(run.items("session").len(), 0);
    let sums = run.payloads("sessions");
    let buckets = sums.iter().flat_map(|sum| sum["aggregates"].as_array().unwrap());
    let (exited, errored) = buckets.fold((0, 0), |(exited, errored), bucket| {
        (exited + bucket["exited"].as_u64().unwrap_or(0), errored + bucket["errored"].as_u64().unwrap_or(0))
    });
    assert_eq!((exited, errored), (4, 1));
    assert_eq!(sums[0]["attrs"]["release"], "shop@1.0");
}
