//! Programs whose own tests look at what they capture.

use std::sync::Arc;

use sentry::test::{
    TestTransport, with_captured_envelopes, with_captured_envelopes_options, with_captured_events,
    with_captured_events_options,
};
use sentry::{ClientOptions, Hub, Level};

#[test]
fn captured_events_are_there_to_look_at() {
    let events = with_captured_events(|| {
        sentry::configure_scope(|scope| scope.set_tag("part", "cart"));
        sentry::add_breadcrumb(sentry::Breadcrumb { message: Some("first".into()), ..Default::default() });
        sentry::capture_message("Hello World!", Level::Warning);
        sentry::capture_error(&"x".parse::<u8>().unwrap_err());
    });
    assert_eq!(events.len(), 2);
    assert_eq!((events[0].message.as_deref(), events[0].level), (Some("Hello World!"), Level::Warning));
    assert_eq!((&*events[0].tags["part"], events[0].breadcrumbs.len()), ("cart", 1));
    assert_eq!(events[1].exception[0].ty, "ParseIntError");
    assert!(with_captured_events(|| ()).is_empty(), "nothing of it stays");
}

#[test]
fn options_apply_to_captured_events() {
    let options = ClientOptions::new().release("shop@1.0").before_send(|mut event| {
        event.logger = Some("seen".into());
        Some(event)
    });
    let events = with_captured_events_options(|| _ = sentry::capture_message("hello", Level::Info), options);
    assert_eq!((events[0].release.as_deref(), events[0].logger.as_deref()), (Some("shop@1.0"), Some("seen")));
}

#[test]
fn captured_envelopes_hold_all_their_items() {
    let attachment = sentry::protocol::Attachment { filename: "note".into(), ..Default::default() };
    let envelopes = with_captured_envelopes(|| {
        sentry::configure_scope(|scope| scope.add_attachment(attachment));
        sentry::capture_message("hello", Level::Info);
    });
    assert_eq!(envelopes.len(), 1);
    assert_eq!(envelopes[0].items().count(), 2);
    assert_eq!(envelopes[0].uuid(), Some(&envelopes[0].event().unwrap().event_id));
    let envelopes = with_captured_envelopes_options(
        || _ = sentry::capture_message("hello", Level::Info),
        ("https://public@example.com/1", ClientOptions::new().sample_rate(0.0)),
    );
    assert!(envelopes.is_empty());
}

#[test]
fn a_test_transport_takes_the_place_of_a_real_one() {
    let transport = TestTransport::new();
    let options = ClientOptions::new().dsn("https://public@example.com/1").transport(transport.clone());
    let hub = Arc::new(Hub::new_from_top(Hub::current()));
    hub.bind_client(Some(Arc::new(options.into())));
    Hub::run(hub, || _ = sentry::capture_message("kept", Level::Info));
    let events = transport.fetch_and_clear_events();
    assert_eq!(events[0].message.as_deref(), Some("kept"));
    assert!(transport.fetch_and_clear_envelopes().is_empty());
}
