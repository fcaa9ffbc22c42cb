//! How programs start and stop.

use std::time::Duration;

use sentry::{ClientOptions, Hub, Level};

#[test]
fn the_environment_configures_a_program_that_says_nothing() {
    let program = program!().env("SENTRY_RELEASE", "shop@2.0").env("SENTRY_ENVIRONMENT", "staging");
    let run = program.run(|| {
        let sentry = sentry::init(());
        assert!(sentry.is_enabled() && sentry.dsn().is_some());
        assert_eq!(sentry.options().release.as_deref(), Some("shop@2.0"));
        sentry::capture_message("configured", Level::Info);
    });
    let Some(run) = run else { return };
    let event = run.event();
    assert_eq!((&event["release"], &event["environment"]), (&"shop@2.0".into(), &"staging".into()));
    assert_eq!((&event["platform"], &event["level"]), (&"native".into(), &"info".into()));
    assert!(event["timestamp"].is_number() || event["timestamp"].is_string());
    let header = &run.envelopes[0].headers;
    let same = |id: &serde_json::Value| id.as_str().unwrap().replace('-', "");
    assert_eq!(same(&header["event_id"]), same(&event["event_id"]));
    let agent = run.envelopes[0].request.header("X-Sentry-Auth").unwrap_or_default();
    assert!(agent.contains("sentry_client="), "{agent}");
}

#[test]
fn what_a_program_says_counts_more_than_its_environment() {
    let program = program!().env("SENTRY_RELEASE", "shop@2.0").env("SENTRY_ENVIRONMENT", "staging");
    let run = program.run(|| {
        let options = ClientOptions::new().release("shop@3.0").environment("production");
        let _sentry = sentry::init(options.send_default_pii(true).max_breadcrumbs(2).debug(true));
        for message in ["one", "two", "three"] {
            let breadcrumb = sentry::Breadcrumb { message: Some(message.into()), ..Default::default() };
            sentry::add_breadcrumb(breadcrumb);
        }
        sentry::capture_message("configured", Level::Info);
    });
    let Some(run) = run else { return };
    assert!(run.said().contains("enabled sentry client"), "{}", run.said());
    let event = run.event();
    assert_eq!((&event["release"], &event["environment"]), (&"shop@3.0".into(), &"production".into()));
    assert_eq!(crate::stage::each(crate::stage::values(&event["breadcrumbs"]), "message"), ["two", "three"]);
}

#[test]
fn without_a_word_about_it_a_debug_build_is_development() {
    let run = program!().run(|| {
        let sentry = sentry::init(ClientOptions::new().maybe_release(sentry::release_name!()));
        let expected = if cfg!(debug_assertions) { "development" } else { "production" };
        assert_eq!(sentry.options().environment.as_deref(), Some(expected));
        sentry::capture_message("named", Level::Info);
    });
    let Some(run) = run else { return };
    assert_eq!(run.event()["release"], "programs@0.0.0");
}

#[test]
fn without_a_dsn_nothing_is_sent_and_nothing_fails() {
    for dsn in ["", "no dsn at all", "https://sentry.invalid/1"] {
        let run = program!().env("SENTRY_DSN", dsn).run(|| {
            let sentry = sentry::init(());
            assert!(!sentry.is_enabled() && sentry.dsn().is_none());
            assert!(sentry::capture_message("nobody hears", Level::Info).is_nil());
            sentry::configure_scope(|scope| scope.set_tag("key", "value"));
            sentry::add_breadcrumb(sentry::Breadcrumb::default());
            assert!(sentry::with_scope(|_| (), || true));
            assert!(sentry.close(Some(Duration::from_secs(1))));
        });
        let Some(run) = run else { return };
        assert!(run.envelopes.is_empty());
    }
}

#[test]
fn a_dsn_may_be_given_in_any_of_its_forms() {
    let run = program!().run(|| {
        let dsn = std::env::var("SENTRY_DSN").unwrap();
        let parsed: sentry::types::Dsn = dsn.parse().unwrap();
        let owned = dsn.clone();
        drop(sentry::init(&*dsn));
        drop(sentry::init(owned.clone()));
        drop(sentry::init((owned.clone(), ClientOptions::new())));
        drop(sentry::init(Some(parsed.clone())));
        drop(sentry::init(parsed.clone()));
        let sentry = sentry::init(ClientOptions::new().dsn(&dsn));
        assert_eq!(sentry.dsn(), Some(&parsed));
        let malformed = std::panic::catch_unwind(|| drop(sentry::init("no dsn at all")));
        assert!(malformed.is_err(), "a program that gives a malformed DSN is told so");
        sentry::capture_message("sent", Level::Info);
    });
    let Some(run) = run else { return };
    assert_eq!(run.events().len(), 2, "the panic about the malformed DSN, and the message");
}

#[test]
fn the_guard_sends_what_is_left_and_ends_it() {
    let run = program!().run(|| {
        let sentry = sentry::init(ClientOptions::new().shutdown_timeout(Duration::from_secs(5)));
        for number in 0..20 {
            sentry::capture_message(&format!("message {number}"), Level::Info);
        }
        drop(sentry);
        sentry::capture_message("too late", Level::Info);
    });
    let Some(run) = run else { return };
    let events = run.events();
    let wanted: Vec<_> = (0..20).map(|number| format!("message {number}")).collect();
    assert_eq!(crate::stage::each(&events, "message"), wanted.iter().collect::<Vec<_>>());
}

#[test]
fn a_guard_may_be_forgotten() {
    let run = program!().run(|| {
        std::mem::forget(sentry::init(()));
        sentry::capture_message("flushed by hand", Level::Info);
        assert!(Hub::current().client().unwrap().flush(Some(Duration::from_secs(5))));
    });
    let Some(run) = run else { return };
    assert_eq!(run.event()["message"], "flushed by hand");
}

#[test]
fn a_program_may_start_again() {
    let run = program!().run(|| {
        for life in 0..3 {
            let _sentry = sentry::init(ClientOptions::new().release(format!("life@{life}")));
            sentry::capture_message("alive", Level::Info);
        }
    });
    let Some(run) = run else { return };
    assert_eq!(crate::stage::each(&run.events(), "release"), ["life@0", "life@1", "life@2"]);
}

#[test]
fn defaults_can_be_had_without_starting() {
    let run = program!().env("SENTRY_RELEASE", "shop@2.0").run(|| {
        let options = sentry::apply_defaults(ClientOptions::default());
        assert_eq!(options.release.as_deref(), Some("shop@2.0"));
        assert!(options.transport.is_some() && options.integrations.len() >= 5);
        let names: Vec<_> = options.integrations.iter().map(|integration| integration.name()).collect();
        assert_eq!(names, ["attach-stacktrace", "debug-images", "contexts", "panic", "process-stacktrace"]);
        let client = sentry::Client::from_config(options);
        assert!(client.is_enabled());
        let hub = Hub::new(Some(client.into()), Default::default());
        hub.capture_message("by hand", Level::Info);
        assert!(hub.client().unwrap().close(None));
    });
    let Some(run) = run else { return };
    assert_eq!(run.event()["message"], "by hand");
}
