//! Callbacks: in which order they run, and what becomes of the item when one says no or panics.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use vidette::protocol::Event;
use vidette::protocol::client_report::{Category, Reason};
use vidette::{ClientOptions, Integration, Level, breadcrumb};

use crate::rig::{Rig, capture, crumbs, discarded};

/// What ran, in its order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: &str) {
        self.0.lock().unwrap().push(what.to_owned());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

struct Noting(&'static str, Log);

impl Integration for Noting {
    fn name(&self) -> &'static str {
        self.0
    }

    fn setup(&self, _: &mut ClientOptions) {
        self.1.note(&format!("setup {}", self.0));
    }

    fn process_event(&self, event: Event<'static>, options: &ClientOptions) -> Option<Event<'static>> {
        assert_eq!(options.release.as_deref(), Some("shop@1"));
        self.1.note(self.0);
        (event.message.as_deref() != Some(self.0)).then_some(event)
    }
}

#[test]
fn processors_come_first_then_integrations_then_before_send_and_last_the_dice() {
    let log = Log::default();
    let sent = log.clone();
    let rig = Rig::with(
        ClientOptions::new()
            .release("shop@1")
            .sample_rate(0.0)
            .add_integration(Noting("one", log.clone()))
            .add_integration(Noting("two", log.clone()))
            .before_send(move |event| {
                sent.note("before_send");
                assert_eq!(event.release.as_deref(), Some("shop@1"), "it sees the whole event");
                Some(event)
            }),
    );
    for name in ["first", "second"] {
        let log = log.clone();
        rig.hub.configure_scope(|scope| {
            scope.add_event_processor(move |event| {
                log.note(name);
                (event.message.as_deref() != Some(name)).then_some(event)
            });
        });
    }
    assert!(!capture(&rig.hub, "unlucky"));
    assert_eq!(log.take(), ["setup one", "setup two", "first", "second", "one", "two", "before_send"]);
    assert_eq!(discarded(&rig.client.stats(), Reason::SampleRate), 1);

    assert!(!capture(&rig.hub, "one"));
    assert_eq!(log.take(), ["first", "second", "one"], "nobody sees what was dropped");
    assert!(!capture(&rig.hub, "first"));
    assert_eq!(log.take(), ["first"]);
    assert_eq!(discarded(&rig.client.stats(), Reason::EventProcessor), 2);
}

#[test]
fn a_dropped_event_is_counted_with_its_reason_and_gives_no_id() {
    let rig = Rig::with(ClientOptions::new().before_send(|_| None));
    assert!(!capture(&rig.hub, "dropped"));
    let stats = rig.client.stats();
    assert_eq!((discarded(&stats, Reason::BeforeSend), stats.discarded(Category::Error)), (1, 1));
    assert!(rig.events().is_empty());
}

#[test]
fn callbacks_may_change_the_event() {
    let rig = Rig::with(ClientOptions::new().before_send(|mut event| {
        event.message = Some(format!("{}, sent", event.message.unwrap()));
        event.breadcrumbs.values.truncate(1);
        Some(event)
    }));
    rig.hub.configure_scope(|scope| {
        scope.add_event_processor(|mut event| {
            event.message = Some(format!("{}, processed", event.message.unwrap()));
            Some(event)
        });
    });
    rig.run(|| (0..3).for_each(|n| breadcrumb!("{n}")));
    assert!(capture(&rig.hub, "captured"));
    let event = rig.events().remove(0);
    assert_eq!(event.message.as_deref(), Some("captured, processed, sent"));
    assert_eq!(crumbs(&event), ["0"]);
}

#[test]
fn a_callback_that_panics_costs_the_item_alone_and_is_named_once() {
    struct Panicking;
    impl Integration for Panicking {
        fn name(&self) -> &'static str {
            "panicking"
        }

        fn process_event(&self, event: Event<'static>, _: &ClientOptions) -> Option<Event<'static>> {
            assert_ne!(event.message.as_deref(), Some("integration"), "on purpose");
            Some(event)
        }
    }
    let told = Log::default();
    let listener = told.clone();
    let rig = Rig::with(
        ClientOptions::new()
            .add_integration(Panicking)
            .before_send(|event| {
                assert_ne!(event.message.as_deref(), Some("before_send"), "on purpose");
                Some(event)
            })
            .before_breadcrumb(|crumb| {
                assert_ne!(crumb.message.as_deref(), Some("breadcrumb"), "on purpose");
                Some(crumb)
            })
            .debug(true)
            .diagnostics(move |level, message| {
                if level == Level::Error {
                    listener.note(&message.to_string());
                }
            }),
    );
    rig.hub.configure_scope(|scope| {
        scope.add_event_processor(|event| {
            assert_ne!(event.message.as_deref(), Some("processor"), "on purpose");
            Some(event)
        });
    });
    for (message, name) in
        [("integration", "panicking"), ("before_send", "before_send"), ("processor", "event processor")]
    {
        assert!(!capture(&rig.hub, message));
        let told = told.take();
        assert!(told.len() == 1 && told[0].contains(name), "{told:?}");
    }
    rig.run(|| {
        breadcrumb!("breadcrumb");
        breadcrumb!("kept");
    });
    let said = told.take();
    assert!(said.len() == 1 && said[0].contains("before_breadcrumb"), "{said:?}");
    assert_eq!(rig.crumbs(), ["kept"]);
    let stats = rig.client.stats();
    assert_eq!((discarded(&stats, Reason::BeforeSend), discarded(&stats, Reason::EventProcessor)), (1, 2));
}

#[test]
fn a_capture_inside_a_callback_goes_out_and_one_inside_that_does_not() {
    let ran = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&ran);
    let rig = Rig::with(ClientOptions::new().before_send(move |event| {
        counter.fetch_add(1, Ordering::Relaxed);
        vidette::capture_message("nested", Level::Info);
        Some(event)
    }));
    rig.run(|| vidette::capture_message("outer", Level::Info));
    let messages: Vec<_> = rig.events().into_iter().map(|event| event.message.unwrap()).collect();
    assert_eq!(messages, ["nested", "outer"]);
    assert_eq!(ran.load(Ordering::Relaxed), 2);
    assert_eq!(rig.client.stats().captured(Category::Error), 2);
}
