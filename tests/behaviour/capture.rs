//! Capturing: ids, what is frozen when, and who captures nothing.

use std::fmt;
use std::sync::Arc;

use vidette::protocol::client_report::Category;
use vidette::protocol::{Attachment, Event};
use vidette::types::Uuid;
use vidette::{ClientOptions, Hub, Level, breadcrumb};

use crate::rig::{Gate, OpenAtEnd, Probe, Rig, assert_settled, capture, client, crumbs, hub};

#[test]
fn an_event_is_known_by_the_id_it_brought_or_else_a_new_one() {
    let rig = Rig::new();
    let own = Uuid::from_u128(7);
    assert_eq!(rig.hub.capture_event(Event { event_id: own, ..Event::default() }), own);
    let other = rig.hub.capture_message("hello", Level::Warning);
    let events = rig.events();
    assert_eq!((events[0].event_id, events[1].event_id), (own, other));
    assert_eq!((events[1].message.as_deref(), events[1].level), (Some("hello"), Level::Warning));
    let nil = rig.hub.capture_event(Event { event_id: Uuid::nil(), ..Event::default() });
    assert!(!nil.is_nil());
}

#[test]
fn an_error_is_captured_with_its_sources() {
    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let rig = Rig::new();
    rig.run(|| vidette::capture_error(&Outer("x".parse::<i32>().unwrap_err())));
    let event = rig.events().remove(0);
    let types: Vec<_> = event.exception.iter().map(|exception| exception.ty.as_str()).collect();
    assert_eq!(types, ["ParseIntError", "Outer"]);
    assert_eq!(event.exception[1].value.as_deref(), Some("outer"));
}

#[test]
fn the_last_event_id_is_that_of_the_last_event_that_was_not_dropped() {
    let rig = Rig::with(ClientOptions::new().before_send(|event| event.message.is_none().then_some(event)));
    assert_eq!(rig.hub.last_event_id(), None);
    let kept = rig.hub.capture_event(Event::default());
    assert_eq!(rig.hub.last_event_id(), Some(kept));
    assert!(!capture(&rig.hub, "dropped"));
    assert_eq!(rig.hub.last_event_id(), Some(kept));
    assert_eq!(rig.run(vidette::last_event_id), Some(kept));
}

#[test]
fn what_changes_after_the_capture_does_not_show() {
    let gate = Gate::closed();
    let probe = Probe::new(gate.clone());
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
    let hub = hub(&client);
    let _open = OpenAtEnd(&gate);
    hub.configure_scope(|scope| scope.set_tag("before", 1));
    Hub::run(Arc::clone(&hub), || (0..20).for_each(|n| breadcrumb!("before {n}")));
    capture(&hub, "stuck in the transport");
    gate.wait_for_arrival();
    capture(&hub, "queued");
    hub.configure_scope(|scope| {
        scope.set_tag("after", 1);
        scope.clear_breadcrumbs();
    });
    Hub::run(Arc::clone(&hub), || (0..200).for_each(|n| breadcrumb!("after {n}")));
    gate.open();
    assert!(client.flush(None));
    let sent = probe.take();
    for envelope in &sent {
        let event = envelope.event().unwrap();
        assert_eq!(event.tags.keys().collect::<Vec<_>>(), ["before"]);
        assert!(crumbs(event).iter().eq(&(0..20).map(|n| format!("before {n}")).collect::<Vec<_>>()));
    }
    assert_eq!(sent.len(), 2);
    assert_settled(&client.stats());
}

#[test]
fn attachments_go_along_and_are_counted_in_bytes() {
    let rig = Rig::new();
    let file = Attachment { buffer: vec![1; 300], filename: "trace".into(), ..Attachment::default() };
    rig.hub.configure_scope(|scope| scope.add_attachment(file));
    assert!(capture(&rig.hub, "with a file"));
    assert_eq!(rig.transport.take_envelopes()[0].items().count(), 2);
    let stats = rig.client.stats();
    assert_eq!((stats.captured(Category::Error), stats.captured(Category::Attachment)), (1, 300));
    assert_eq!(stats.handed_over(Category::Attachment), 300);
}

#[test]
fn a_closed_client_captures_and_counts_nothing() {
    let rig = Rig::new();
    assert!(capture(&rig.hub, "open"));
    assert!(rig.client.close(None));
    assert!(!rig.client.is_enabled());
    assert!(!capture(&rig.hub, "closed"));
    assert!(rig.run(|| vidette::capture_message("closed", Level::Info)).is_nil());
    rig.client.send_envelope(Event::default().into());
    assert_eq!(rig.events().len(), 1);
    assert_eq!(rig.client.stats().captured(Category::Error), 1);
    assert!(rig.client.close(None) && rig.client.flush(None), "once more does no harm");
}

#[test]
fn a_client_without_a_dsn_or_a_transport_captures_nothing() {
    let transport = crate::rig::Keeper::new();
    let lone = vidette::Client::with_options(ClientOptions::new().transport(Arc::clone(&transport)));
    let deaf = client(ClientOptions::new());
    for client in [Arc::new(lone), deaf] {
        assert!(!client.is_enabled());
        assert!(!capture(&hub(&client), "nobody listens"));
        assert_eq!(client.stats().captured(Category::Error), 0);
        assert!(client.flush(None) && client.close(None));
    }
    assert!(transport.take_events().is_empty());
}

#[test]
fn an_event_is_filled_with_what_the_options_say_unless_it_says_so_itself() {
    let options = ClientOptions::new().release("shop@1").environment("test").server_name("here");
    for rig in [Rig::with(options.clone()), Rig::with(options.before_send(Some))] {
        let event = rig.event();
        assert_eq!(event.release.as_deref(), Some("shop@1"));
        assert_eq!(event.environment.as_deref(), Some("test"));
        assert_eq!(event.server_name.as_deref(), Some("here"));
        assert_eq!(event.platform, "native");
        assert!(event.sdk.is_some());
        rig.hub.capture_event(Event { release: Some("own".into()), ..Event::default() });
        assert_eq!(rig.events()[0].release.as_deref(), Some("own"));
    }
}

#[test]
fn an_envelope_is_sent_as_it_is() {
    let rig = Rig::with(ClientOptions::new().before_send(|_| None));
    rig.client.send_envelope(Event { message: Some("as it is".into()), ..Event::default() }.into());
    assert_eq!(rig.events()[0].message.as_deref(), Some("as it is"));
}

#[test]
fn a_prepared_event_is_filled_and_not_sent() {
    let rig = Rig::new();
    let mut scope = vidette::Scope::default();
    scope.set_tag("tag", 1);
    let event = rig.client.prepare_event(Event::default(), Some(&scope)).unwrap();
    assert_eq!(event.tags["tag"], "1");
    assert!(rig.events().is_empty());
}
