//! Callbacks that call back: every user callback uses hub, scope and client, panics, and stands still.
//!
//! Each case runs under a watchdog: what would wait for itself fails instead of hanging.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that goes wrong says so by panicking")]

#[path = "reentrancy/cases.rs"]
mod cases;
#[path = "support/rig.rs"]
mod rig;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use vidette::protocol::Event;
use vidette::protocol::client_report::Category;
use vidette::{
    Breadcrumb, Client, ClientOptions, Hub, HubSwitchGuard, Integration, Level, Scope, TransactionContext, Transport,
    TransportFactory, TransportOptions, breadcrumb,
};

use crate::cases::{CASES, Case, Deed, dropping};
use crate::rig::{
    Gate, OpenAtEnd, PATIENCE, Probe, Rig, assert_balanced_when_quiet, capture, client, eventually, hub, watched,
};

/// A deed that knows the hub that it is done to, once it is there.
#[derive(Clone, Default)]
struct Place(Arc<OnceLock<Arc<Hub>>>);

impl Place {
    fn hub(&self) -> Arc<Hub> {
        self.0.get().map_or_else(Hub::current, Arc::clone)
    }
}

/// Does everything there is to do, to the current hub and to the one that the callback belongs to.
fn everything(hub: &Arc<Hub>) {
    for hub in [hub, &Hub::current()] {
        hub.configure_scope(|scope| {
            scope.set_tag("nested", 1);
            hub.configure_scope(|scope| scope.set_extra("more", 1.into()));
        });
        let guard = hub.push_scope();
        hub.configure_scope(Scope::clear);
        hub.add_breadcrumb(Breadcrumb::default());
        hub.with_scope(|scope| scope.set_tag("deeper", 1), || capture(hub, "nested"));
        let inner = hub.push_scope();
        drop(guard);
        drop(inner);
        hub.capture_error(&fmt::Error);
        Hub::run(Arc::clone(hub), || {
            #[cfg(feature = "logs")]
            vidette::logger_info!(n = 1, "nested {}", "log");
            #[cfg(feature = "metrics")]
            vidette::metrics::gauge("nested", 1).capture();
            drop(vidette::Monitor::new("nested").start());
        });
        let transaction = hub.start_transaction(TransactionContext::new("nested", "op"));
        hub.configure_scope(|scope| scope.set_span(Some(transaction.start_child("op", "nested").into())));
        hub.capture_error(&fmt::Error);
        transaction.finish();
        let fork = Arc::new(Hub::new_from_top(hub));
        Hub::run(fork, || {
            breadcrumb!(n = 1, "on a fork");
            vidette::capture_message("on a fork", Level::Info);
            vidette::configure_scope(|scope| scope.set_tag("fork", 1));
        });
        let late = HubSwitchGuard::new(Arc::new(Hub::new_from_top(hub)));
        let early = HubSwitchGuard::new(Arc::clone(hub));
        drop(late);
        drop(early);
        _ = (format!("{hub:?}"), hub.last_event_id(), vidette::last_event_id());
        if let Some(client) = hub.client() {
            client.flush(Some(Duration::from_millis(1)));
            _ = client.stats();
        }
    }
}

/// Runs a deed in each callback, at most once inside itself; `after` looks at what is left.
fn in_each_callback(
    deed: impl Fn(&Arc<Hub>) + Clone + Send + Sync + 'static,
    after: impl Fn(&Case, &Rig) + Clone + Send + 'static,
) {
    for case in CASES {
        let (deed, after) = (deed.clone(), after.clone());
        watched(case.name, move || {
            let place = Place::default();
            let runs = Arc::new(AtomicUsize::new(0));
            let (at, counter) = (place.clone(), Arc::clone(&runs));
            let deed: Deed = Arc::new(move || {
                thread_local!(static INSIDE: Cell<bool> = const { Cell::new(false) });
                if !INSIDE.replace(true) {
                    struct Leave;
                    impl Drop for Leave {
                        fn drop(&mut self) {
                            INSIDE.set(false);
                        }
                    }
                    let _leave = Leave;
                    counter.fetch_add(1, Ordering::Relaxed);
                    deed(&at.hub());
                }
            });
            let rig = Rig::with((case.set_up)(ClientOptions::new(), Arc::clone(&deed)));
            // The hub does not keep the deed, or the last client could never be dropped.
            let own = Arc::new(Hub::new_from_top(&*rig.hub));
            place.0.set(Arc::clone(&own)).unwrap_or_default();
            let triggered = catch_unwind(AssertUnwindSafe(|| (case.trigger)(&own, &deed)));
            assert!(runs.load(Ordering::Relaxed) > 0, "{} never ran", case.name);
            drop(triggered);
            after(case, &rig);
            assert_balanced_when_quiet(&rig.client);
        });
    }
}

#[test]
fn every_callback_may_do_everything() {
    in_each_callback(everything, |case, rig| {
        assert!(rig.client.is_enabled(), "{}", case.name);
        rig.hub.capture_event(Event::default());
    });
}

#[test]
fn every_callback_may_close_the_client() {
    let close = |hub: &Arc<Hub>| {
        if let Some(client) = hub.client() {
            client.close(Some(Duration::from_millis(20)));
        }
        everything(hub);
    };
    in_each_callback(close, |case, rig| {
        assert!(!rig.client.is_enabled() && !capture(&rig.hub, "closed"), "{}", case.name);
    });
}

#[test]
fn every_callback_may_unbind_and_rebind_the_client_and_leave_another_hub_behind() {
    let rebind = |hub: &Arc<Hub>| {
        let client = hub.client();
        hub.bind_client(None);
        everything(hub);
        hub.bind_client(client);
        // A guard that is forgotten leaves the thread with another hub.
        std::mem::forget(HubSwitchGuard::new(Arc::new(Hub::new(None, Arc::default()))));
        everything(hub);
    };
    in_each_callback(rebind, |_, _| ());
}

#[test]
fn every_callback_may_panic() {
    let panic = |hub: &Arc<Hub>| {
        everything(hub);
        panic!("on purpose");
    };
    in_each_callback(panic, |case, rig| {
        let before = rig.client.stats().captured(Category::Error);
        rig.run(|| breadcrumb!("still"));
        rig.hub.configure_scope(|scope| scope.set_tag("still", 1));
        rig.hub.capture_event(Event::default());
        assert!(rig.client.stats().captured(Category::Error) > before, "{} broke the client", case.name);
    });
}

#[test]
fn while_one_thread_stands_still_in_a_callback_all_others_go_on_with_the_same_hub() {
    for case in CASES {
        watched(case.name, move || {
            let gate = Gate::closed();
            let _open = OpenAtEnd(&gate);
            let (stop, first) = (gate.clone(), AtomicUsize::new(0));
            // Only whoever comes first stands still.
            let deed: Deed = Arc::new(move || {
                if first.fetch_add(1, Ordering::SeqCst) == 0 {
                    stop.pass();
                }
            });
            let rig = Rig::with((case.set_up)(ClientOptions::new(), Arc::clone(&deed)));
            let (own, still) = (Arc::clone(&rig.hub), Arc::clone(&deed));
            let (started, standing) = std::sync::mpsc::channel();
            let stuck = thread::spawn(move || {
                started.send(()).unwrap();
                (case.trigger)(&own, &still);
            });
            standing.recv().unwrap();
            gate.wait_for_arrival();
            let others: Vec<_> = (0..2)
                .map(|_| {
                    let (hub, deed) = (Arc::clone(&rig.hub), Arc::clone(&deed));
                    thread::spawn(move || {
                        for _ in 0..20 {
                            everything(&hub);
                            (case.trigger)(&hub, &deed);
                            Hub::run(Arc::clone(&hub), || (0..40).for_each(|n| breadcrumb!("{n}")));
                        }
                    })
                })
                .collect();
            others.into_iter().for_each(|other| other.join().unwrap());
            assert!(!stuck.is_finished(), "{} did not stand still", case.name);
            gate.open();
            stuck.join().unwrap();
        });
    }
}

#[test]
fn a_setup_may_use_hubs_and_panic() {
    struct Setup(bool);
    impl Integration for Setup {
        fn setup(&self, _: &mut ClientOptions) {
            let other = Rig::new();
            everything(&other.hub);
            assert!(!self.0, "on purpose");
        }
    }
    for panics in [false, true] {
        watched("setup", move || {
            let rig = Rig::with(ClientOptions::new().add_integration(Setup(panics)));
            assert!(capture(&rig.hub, "event"));
        });
    }
}

#[test]
fn a_factory_may_use_hubs_and_make_clients() {
    struct Factory;
    impl TransportFactory for Factory {
        fn create_transport_with_options(&self, _: TransportOptions) -> Arc<dyn Transport> {
            let other = Rig::new();
            everything(&other.hub);
            everything(&Hub::current());
            Probe::new(Gate::opened())
        }
    }
    watched("factory", || {
        let client = client(ClientOptions::new().transport(Factory));
        assert!(capture(&hub(&client), "event"));
        assert!(client.flush(Some(PATIENCE)) && client.close(Some(PATIENCE)));
    });
}

#[test]
fn every_method_of_a_transport_may_do_everything() {
    for method in ["send_envelope", "flush", "shutdown", "drop"] {
        watched(method, move || {
            let place = Place::default();
            let ran = Arc::new(AtomicUsize::new(0));
            let (at, counter) = (place.clone(), Arc::clone(&ran));
            let probe = Probe::doing(Gate::opened(), move |called| {
                if called == method {
                    counter.fetch_add(1, Ordering::SeqCst);
                    everything(&at.hub());
                }
            });
            let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
            drop(probe);
            let hub = hub(&client);
            place.0.set(Arc::new(Hub::new(Some(Rig::new().client.clone()), Arc::default()))).unwrap_or_default();
            assert!((0..3).all(|_| capture(&hub, "event")));
            assert!(client.flush(Some(PATIENCE)));
            assert!(client.close(Some(PATIENCE)));
            assert_eq!(client.stats().captured(Category::Error), 3);
            drop((hub, client));
            eventually("it ran", || ran.load(Ordering::SeqCst) > 0);
        });
    }
}

#[test]
fn what_a_transport_captures_on_its_own_client_is_ignored() {
    watched("a transport that captures", || {
        let place = Place::default();
        let at = place.clone();
        let probe = Probe::doing(Gate::opened(), move |_| {
            if let Some(hub) = at.0.get() {
                capture(hub, "from the transport");
            }
        });
        let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
        let hub = hub(&client);
        place.0.set(Arc::clone(&hub)).unwrap_or_default();
        assert!(capture(&hub, "event"));
        assert!(client.flush(Some(PATIENCE)) && client.close(Some(PATIENCE)));
        assert_eq!(probe.messages(), ["event"]);
        assert_eq!(client.stats().captured(Category::Error), 1);
    });
}

#[test]
fn a_callback_may_drop_the_last_client() {
    watched("dropping the last client", || {
        let place: Arc<std::sync::Mutex<Option<Arc<Hub>>>> = Arc::default();
        let (held, probe) = (Arc::clone(&place), Probe::new(Gate::opened()));
        let options = ClientOptions::new().transport(Arc::clone(&probe)).before_send(move |event| {
            let last = held.lock().unwrap().take();
            drop(last);
            Some(event)
        });
        let client = client(options);
        let hub = hub(&client);
        *place.lock().unwrap() = Some(Arc::clone(&hub));
        let weak = Arc::downgrade(&client);
        drop(client);
        let own = Arc::downgrade(&hub);
        drop(hub);
        // The callback lets go of the hub's last handle but ours, and that goes right after.
        let last = own.upgrade().unwrap();
        capture(&last, "the last");
        drop(last);
        assert!(weak.upgrade().is_none());
        assert_eq!(probe.messages(), ["the last"]);
    });
}

#[test]
fn a_transport_may_own_the_last_handle_of_its_client() {
    watched("a client in its own transport", || {
        let place: Arc<std::sync::Mutex<Option<Arc<Client>>>> = Arc::default();
        let held = Arc::clone(&place);
        let probe = Probe::doing(Gate::opened(), move |method| {
            if method == "send_envelope" {
                let last = held.lock().unwrap().take();
                drop(last);
            }
        });
        let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
        *place.lock().unwrap() = Some(Arc::clone(&client));
        let (hub, weak) = (hub(&client), Arc::downgrade(&client));
        drop(client);
        assert!(capture(&hub, "event"));
        drop(hub);
        eventually("the client is gone", || weak.upgrade().is_none());
        eventually("the event is sent", || probe.messages() == ["event"]);
    });
}

#[test]
fn a_closure_dropped_by_one_thread_while_another_leaves_breadcrumbs_may_switch_hubs() {
    // The last to hold a scope drops what hangs on it: now and then that is the thread that leaves a breadcrumb.
    watched("a race for the drop", || {
        let rig = Rig::new();
        let other = Arc::new(Hub::new(None, Arc::default()));
        let failures = Arc::new(AtomicUsize::new(0));
        let (target, failed) = (Arc::clone(&other), Arc::clone(&failures));
        let deed: Deed = Arc::new(move || {
            let before = Hub::current();
            let guard = HubSwitchGuard::new(Arc::clone(&target));
            let switched = Arc::ptr_eq(&Hub::current(), &target);
            drop(guard);
            if !switched || !Arc::ptr_eq(&Hub::current(), &before) {
                failed.fetch_add(1, Ordering::Relaxed);
            }
        });
        let done = std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    Hub::run(Arc::clone(&rig.hub), || {
                        while !done.load(Ordering::Relaxed) {
                            breadcrumb!("by");
                        }
                    });
                });
            }
            let end = std::time::Instant::now() + Duration::from_millis(500);
            while std::time::Instant::now() < end {
                rig.hub.configure_scope(|scope| {
                    *scope = Scope::default();
                    scope.add_event_processor(dropping(&deed));
                });
            }
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!(failures.load(Ordering::Relaxed), 0);
    });
}

thread_local! {
    static EARLY: RefCell<Option<AtExit>> = const { RefCell::new(None) };
    static LATE: RefCell<Option<AtExit>> = const { RefCell::new(None) };
}

/// Runs when its thread ends.
struct AtExit(Box<dyn FnOnce()>);

impl Drop for AtExit {
    fn drop(&mut self) {
        std::mem::replace(&mut self.0, Box::new(|| ()))();
    }
}

#[test]
fn destructors_of_thread_locals_may_do_everything() {
    watched("thread-local destructors", || {
        let rig = Rig::new();
        let hub = Arc::clone(&rig.hub);
        thread::spawn(move || {
            // Made before the thread's hub, so that it is dropped on one side of it; the other stands on the other side.
            let (early, late) = (Arc::clone(&hub), Arc::clone(&hub));
            EARLY.set(Some(AtExit(Box::new(move || everything(&early)))));
            let current = Hub::current();
            LATE.set(Some(AtExit(Box::new(move || everything(&late)))));
            drop(current);
            // Guards and hubs that live until the end.
            let switched = HubSwitchGuard::new(Arc::clone(&hub));
            let pushed = hub.push_scope();
            thread_local!(static HELD: RefCell<Option<Box<dyn std::any::Any>>> = const { RefCell::new(None) });
            HELD.set(Some(Box::new((switched, pushed, hub))));
        })
        .join()
        .unwrap();
        assert!(rig.client.stats().captured(Category::Error) >= 4);
        assert!(rig.event().tags.contains_key("nested"));
    });
}
