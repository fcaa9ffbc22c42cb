//! What clients tell the server about what they did not send.

use std::sync::Arc;

use sentry::protocol::Event;
use sentry::{ClientOptions, Integration, Level};

struct Picky;

impl Integration for Picky {
    fn process_event(&self, event: Event<'static>, _: &ClientOptions) -> Option<Event<'static>> {
        (event.message.as_deref() != Some("for the integration")).then_some(event)
    }
}

#[test]
fn what_callbacks_drop_is_reported_with_the_next_envelope() {
    let run = program!().run(|| {
        let options = ClientOptions::new().integrations([Arc::new(Picky) as Arc<dyn Integration>]);
        let _sentry = sentry::init(
            options.before_send(|event| (event.message.as_deref() != Some("for before_send")).then_some(event)),
        );
        sentry::configure_scope(|scope| {
            scope.add_event_processor(|event| (event.message.as_deref() != Some("for the processor")).then_some(event));
        });
        for unwanted in ["for the integration", "for before_send", "for the processor", "for before_send"] {
            assert!(sentry::capture_message(unwanted, Level::Info).is_nil(), "{unwanted}");
        }
        assert!(!sentry::capture_message("wanted", Level::Info).is_nil());
    });
    let Some(run) = run else { return };
    assert_eq!(run.event()["message"], "wanted");
    assert_eq!((run.lost("error", "before_send"), run.lost("error", "event_processor")), (2, 2));
    assert!(run.payloads("client_report").iter().all(|report| !report["timestamp"].is_null()));
}

#[test]
fn what_the_sample_rate_drops_is_reported() {
    let run = program!().run(|| {
        let sentry = sentry::init(ClientOptions::new().sample_rate(0.0));
        for _ in 0..3 {
            sentry::capture_message("unlucky", Level::Info);
        }
        sentry.send_envelope(Event::new().into());
    });
    let Some(run) = run else { return };
    assert_eq!(run.lost("error", "sample_rate"), 3);
    assert_eq!(run.events().len(), 1, "what is sent by hand is not sampled");
}

#[test]
fn what_the_server_refuses_is_reported_by_the_transport() {
    let run = program!().answered(500, &[]).run(|| {
        let sentry = sentry::init(());
        sentry::capture_message("refused", Level::Info);
        assert!(sentry.flush(None));
        sentry::capture_message("the next one", Level::Info);
    });
    let Some(run) = run else { return };
    assert_eq!(run.events().len(), 2);
    // The loss of the second one is known before the end where it is waited for.
    assert!((1..=2).contains(&run.lost("error", "send_error")), "{}", run.lost("error", "send_error"));
}

#[test]
fn what_the_server_wants_held_is_held_and_reported() {
    let limits = [("X-Sentry-Rate-Limits", "60:error:organization")];
    let run = program!().answered(429, &limits).run(|| {
        let sentry = sentry::init(());
        for _ in 0..3 {
            sentry::capture_message("limited", Level::Info);
            assert!(sentry.flush(None));
        }
        let transaction = sentry::protocol::Transaction { timestamp: None, ..Default::default() };
        sentry.send_envelope(transaction.into());
    });
    let Some(run) = run else { return };
    assert_eq!(run.events().len(), 1, "the first one, that was answered so");
    assert_eq!(run.lost("error", "ratelimit_backoff"), 2);
    assert_eq!(run.items("transaction").len(), 1, "the limit is one for errors");
}
