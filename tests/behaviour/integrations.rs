//! Integrations: set up once, found by type, seen in the SDK's own words.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use vidette::protocol::{Envelope, Event};
use vidette::{Breadcrumb, ClientOptions, Hub, Integration, Level, Transport, add_breadcrumb, breadcrumb};

use crate::rig::{Rig, client, crumbs, hub};
use crate::wiretap::Wiretap;

struct Shop(u32);

impl Integration for Shop {
    fn name(&self) -> &'static str {
        "shop"
    }

    fn setup(&self, options: &mut ClientOptions) {
        options.release = Some(format!("shop@{}", self.0).into());
    }
}

struct Stranger;

impl Integration for Stranger {}

#[test]
fn an_integration_may_change_the_options_before_the_client_starts() {
    let rig = Rig::with(ClientOptions::new().add_integration(Shop(7)));
    assert_eq!(rig.client.options().release.as_deref(), Some("shop@7"));
    let event = rig.event();
    assert_eq!(event.release.as_deref(), Some("shop@7"));
    assert!(event.sdk.unwrap().integrations.contains(&"shop".to_owned()));
}

#[test]
fn an_integration_learns_which_frames_are_the_sdks_own() {
    let rig = Rig::with(ClientOptions::new().in_app_exclude(["shop::vendor"]));
    assert_eq!(rig.client.options().in_app_exclude, ["shop::vendor", "vidette::"]);
    let again = Rig::with(rig.client.options().clone());
    assert_eq!(again.client.options().in_app_exclude, ["shop::vendor", "vidette::"]);
}

#[test]
fn an_integration_is_found_by_its_type() {
    let rig = Rig::with(ClientOptions::new().add_integration(Shop(7)));
    assert_eq!(rig.hub.with_integration(|shop: &Shop| shop.0), 7);
    assert!(!rig.hub.with_integration(|_: &Stranger| true));
    assert_eq!(Hub::new(None, Arc::default()).with_integration(|shop: &Shop| shop.0), 0);
}

/// Keeps the envelopes that the sender brings.
#[derive(Default)]
struct Letterbox(Mutex<Vec<Envelope>>);

impl Transport for Letterbox {
    fn send_envelope(&self, envelope: Envelope) {
        self.0.lock().unwrap().push(envelope);
    }
}

/// Counts the breadcrumbs it sees, and changes those of events that ask for it in their message.
#[derive(Default)]
struct Scrubber(Arc<AtomicUsize>);

impl Integration for Scrubber {
    fn process_event(&self, mut event: Event<'static>, _: &ClientOptions) -> Option<Event<'static>> {
        let crumbs = &mut event.breadcrumbs.values;
        self.0.fetch_add(crumbs.len(), Ordering::Relaxed);
        match event.message.as_deref() {
            Some("scrub") => crumbs.iter_mut().for_each(|crumb| _ = crumb.data.insert("card".into(), "****".into())),
            Some("add") => crumbs.push(Breadcrumb { message: Some("added".into()), ..Breadcrumb::default() }),
            Some("remove") => drop(crumbs.remove(0)),
            Some("swap") => crumbs.swap(0, 1),
            Some("clear") => crumbs.clear(),
            _ => {}
        }
        Some(event)
    }
}

#[test]
fn what_an_integration_does_to_breadcrumbs_is_sent_and_what_it_leaves_is_sent_as_it_was() {
    let seen = Arc::new(AtomicUsize::new(0));
    let options = || ClientOptions::new().add_integration(Scrubber(Arc::clone(&seen)));
    let rig = Rig::with(options());
    let (wiretap, bytes) = Wiretap::client(options());
    let letterbox = Arc::new(Letterbox::default());
    let letters = client(options().transport(Arc::new(Arc::clone(&letterbox))));
    let hubs = [Arc::clone(&rig.hub), hub(&bytes), hub(&letters)];
    let mut expected = Vec::new();
    for round in 0..6 {
        for hub in &hubs {
            Hub::run(Arc::clone(hub), || {
                breadcrumb!(category: "pay", card = "4111", round = round, "compact {}", round);
                let message = Some(format!("owned {round}"));
                add_breadcrumb(Breadcrumb {
                    data: [("card".into(), "4111".into())].into(),
                    message,
                    ..Breadcrumb::default()
                });
            });
        }
        expected.extend([format!("compact {round}"), format!("owned {round}")]);
        for asked in ["leave", "scrub", "add", "leave", "remove", "swap", "clear", "leave"] {
            let own = Breadcrumb { message: Some("own".into()), ..Breadcrumb::default() };
            let event = Event { message: Some(asked.into()), breadcrumbs: vec![own].into(), ..Event::default() };
            let mut wanted: Vec<_> = expected.iter().map(String::as_str).chain(["own"]).collect();
            match asked {
                "add" => wanted.push("added"),
                "remove" => drop(wanted.remove(0)),
                "swap" => wanted.swap(0, 1),
                "clear" => wanted.clear(),
                _ => {}
            }
            seen.store(0, Ordering::Relaxed);
            for hub in &hubs {
                assert!(!hub.capture_event(event.clone()).is_nil());
            }
            assert_eq!(seen.load(Ordering::Relaxed), 3 * (expected.len() + 1), "{asked}: all are shown");
            assert!(bytes.flush(None) && letters.flush(None));
            let written = Envelope::from_slice(wiretap.take().concat().as_bytes()).unwrap();
            let letter = letterbox.0.lock().unwrap().pop().unwrap();
            let [written, letter] = [written, letter].map(|envelope| envelope.event().unwrap().clone());
            for event in [rig.events().remove(0), written, letter] {
                assert_eq!(crumbs(&event), wanted, "{asked}");
                let hidden = event.breadcrumbs.iter().filter(|crumb| crumb.data.get("card") == Some(&"****".into()));
                assert_eq!(hidden.count(), if asked == "scrub" { wanted.len() } else { 0 }, "{asked}");
                let cards = event.breadcrumbs.iter().filter(|crumb| crumb.data.get("card") == Some(&"4111".into()));
                let open = wanted.iter().filter(|crumb| !["own", "added"].contains(crumb)).count();
                assert_eq!(cards.count(), if asked == "scrub" { 0 } else { open }, "{asked}");
            }
        }
    }
}

/// Says that it looks at no breadcrumbs, and keeps how many it was shown.
#[derive(Default)]
struct Averse(Arc<AtomicUsize>);

impl Integration for Averse {
    fn process_event(&self, mut event: Event<'static>, _: &ClientOptions) -> Option<Event<'static>> {
        event.logger = Some("averse".to_owned());
        self.0.store(event.breadcrumbs.len(), Ordering::Relaxed);
        Some(event)
    }

    fn looks_at_breadcrumbs(&self) -> bool {
        false
    }
}

#[test]
fn breadcrumbs_are_built_unless_all_who_see_an_event_say_that_they_look_at_none() {
    let options = |seen: &Arc<AtomicUsize>| ClientOptions::new().add_integration(Averse(Arc::clone(seen)));
    let looks = |event: Event<'static>| (event.breadcrumbs.len() == 3).then_some(event);
    type With = fn(ClientOptions) -> ClientOptions;
    let ways: [(With, bool, usize); 4] = [
        (|options| options, false, 1),
        (|options| options.add_integration(Scrubber::default()), false, 3),
        (|options| options.before_send(|event| (event.breadcrumbs.len() == 3).then_some(event)), false, 3),
        (|options| options, true, 3),
    ];
    for (with, is_processed, expected) in ways {
        let seen = Arc::new(AtomicUsize::new(usize::MAX));
        let rig = Rig::with(with(options(&seen)));
        let (wiretap, bytes) = Wiretap::client(with(options(&seen)));
        let letterbox = Arc::new(Letterbox::default());
        let letters = client(with(options(&seen)).transport(Arc::new(Arc::clone(&letterbox))));
        let own = Breadcrumb { message: Some("own".into()), ..Breadcrumb::default() };
        let event = Event { breadcrumbs: vec![own].into(), ..Event::default() };
        for hub in [Arc::clone(&rig.hub), hub(&bytes), hub(&letters)] {
            Hub::run(Arc::clone(&hub), || {
                breadcrumb!("compact");
                add_breadcrumb(Breadcrumb { message: Some("owned".into()), ..Breadcrumb::default() });
            });
            if is_processed {
                hub.configure_scope(|scope| scope.add_event_processor(looks));
            }
            assert!(!hub.capture_event(event.clone()).is_nil());
            assert_eq!(seen.swap(usize::MAX, Ordering::Relaxed), expected);
        }
        assert!(bytes.flush(None) && letters.flush(None));
        let written = Envelope::from_slice(wiretap.take().concat().as_bytes()).unwrap();
        let letter = letterbox.0.lock().unwrap().pop().unwrap();
        let [written, letter] = [written, letter].map(|envelope| envelope.event().unwrap().clone());
        for sent in [rig.events().remove(0), written, letter] {
            assert_eq!(sent.logger.as_deref(), Some("averse"));
            assert_eq!(crumbs(&sent), ["compact", "owned", "own"]);
        }
    }
}

#[test]
fn threads_that_capture_at_once_each_see_their_own_breadcrumbs() {
    struct Witness;
    impl Integration for Witness {
        fn process_event(&self, event: Event<'static>, _: &ClientOptions) -> Option<Event<'static>> {
            assert!(crumbs(&event).iter().all(|crumb| Some(crumb) == event.message.as_ref()), "{event:?}");
            Some(event)
        }
    }
    let rig = Rig::with(ClientOptions::new().add_integration(Witness).transport_channel_capacity(10_000));
    thread::scope(|scope| {
        for name in ["one", "two", "three", "four", "five", "six"] {
            let hub = Arc::new(Hub::new_from_top(&rig.hub));
            scope.spawn(move || {
                Hub::run(Arc::clone(&hub), || {
                    for n in 0..100 {
                        breadcrumb!(n = n, "{name}");
                        assert!(!hub.capture_message(name, Level::Info).is_nil());
                    }
                });
            });
        }
    });
    let events = rig.events();
    assert_eq!(events.len(), 600);
    for event in events {
        assert!(!event.breadcrumbs.is_empty());
        assert!(crumbs(&event).iter().all(|crumb| Some(crumb) == event.message.as_ref()), "{event:?}");
    }
}

#[test]
fn a_setup_that_panics_leaves_a_client_that_works() {
    struct Panicking;
    impl Integration for Panicking {
        fn setup(&self, _: &mut ClientOptions) {
            panic!("on purpose");
        }

        fn process_event(&self, mut event: Event<'static>, _: &ClientOptions) -> Option<Event<'static>> {
            event.logger = Some("seen".to_owned());
            Some(event)
        }
    }
    let rig = Rig::with(ClientOptions::new().add_integration(Panicking).add_integration(Shop(1)));
    let event = rig.event();
    assert_eq!((event.logger.as_deref(), event.release.as_deref()), (Some("seen"), Some("shop@1")));
}
