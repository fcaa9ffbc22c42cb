//! A transport for bytes gets the event that a transport for envelopes gets.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use vidette::protocol::{Envelope, Event};
use vidette::{Breadcrumb, ClientOptions, Hub, Level, Scope, add_breadcrumb, breadcrumb, configure_scope};

use crate::rig::Rig;
use crate::wiretap::Wiretap;

fn before() {
    breadcrumb!(ty: "http", category: "net", level: Level::Error, status = 404, took = 0.5, ok = false, "GET \"/\"\n");
    add_breadcrumb(Breadcrumb { message: Some("owned".into()), ..Breadcrumb::default() });
    breadcrumb!("long: {}", "ä".repeat(500));
    configure_scope(|scope| scope.set_tag("tag", "value"));
}

fn capture(event: Event<'static>) {
    before();
    Hub::with_active(|hub| hub.capture_event(event));
}

/// The event as it arrives in bytes.
fn through_bytes(event: Event<'static>, body: fn(Event<'static>)) -> Event<'static> {
    let (wiretap, client) = Wiretap::client(ClientOptions::new());
    let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::new(Scope::default())));
    Hub::run(hub, || body(event));
    assert!(client.flush(Some(Duration::from_secs(5))));
    Envelope::from_slice(wiretap.take().concat().as_bytes()).unwrap().event().unwrap().clone()
}

/// The breadcrumbs but for the times, after a look at those.
fn timeless(event: &Event<'static>, start: SystemTime) -> Vec<Breadcrumb> {
    let mut crumbs = event.breadcrumbs.values.clone();
    for crumb in &mut crumbs {
        // A microsecond may be cut off.
        assert!(crumb.timestamp + Duration::from_millis(10) >= start && crumb.timestamp <= SystemTime::now());
        crumb.timestamp = start;
    }
    crumbs
}

#[test]
fn breadcrumbs_of_all_kinds_arrive_once_and_in_order() {
    let start = SystemTime::now();
    let own = Breadcrumb { message: Some("the event's own".into()), ..Breadcrumb::default() };
    let event = Event { breadcrumbs: vec![own].into(), ..Event::default() };
    let rig = Rig::new();
    rig.run(|| capture(event.clone()));
    let (typed, written) = (rig.events().remove(0), through_bytes(event, capture));
    assert_eq!(timeless(&written, start).len(), 4);
    assert_eq!(timeless(&written, start), timeless(&typed, start));
    assert_eq!((&written.tags, written.event_id), (&typed.tags, typed.event_id));
}

#[test]
fn an_event_without_breadcrumbs_in_its_scope_keeps_its_own() {
    let own = Breadcrumb { message: Some("own".into()), timestamp: SystemTime::UNIX_EPOCH, ..Breadcrumb::default() };
    for crumbs in [vec![own], Vec::new()] {
        let event = Event { breadcrumbs: crumbs.clone().into(), ..Event::default() };
        let alone = |event| _ = Hub::with_active(|hub| hub.capture_event(event));
        assert_eq!(through_bytes(event, alone).breadcrumbs.values, crumbs);
    }
}
