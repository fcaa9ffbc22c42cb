//! Threads that do at random whatever hubs can do, on hubs that they share.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that goes wrong says so by panicking")]

#[path = "support/rig.rs"]
mod rig;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use vidette::protocol::Event;
use vidette::protocol::client_report::Category;
use vidette::{Breadcrumb, Client, ClientOptions, Hub, HubSwitchGuard, Level, Scope, ScopeGuard, breadcrumb};

use crate::rig::{Gate, PATIENCE, Probe, assert_settled, client};

/// A generator of numbers that need not be good, only different for each seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// What all threads share.
struct World {
    client: Arc<Client>,
    probe: Arc<Probe>,
    hubs: Vec<Arc<Hub>>,
    /// Guards on their way from the thread that pushed to one that pops.
    guards: Mutex<Vec<ScopeGuard>>,
    ids: Mutex<Vec<vidette::types::Uuid>>,
    /// Closures that hang on scopes and were not dropped yet.
    alive: Arc<AtomicUsize>,
}

struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(alive))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn world() -> World {
    let probe = Probe::new(Gate::opened());
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)).sample_rate(0.9).max_breadcrumbs(70));
    let hubs = (0..3).map(|_| rig::hub(&client)).collect();
    World { client, probe, hubs, guards: Mutex::default(), ids: Mutex::default(), alive: Arc::default() }
}

/// One thread's part, until told to stop.
fn play(world: &World, seed: u64, stop: &AtomicBool) {
    let mut dice = Dice(seed);
    let mut own: Vec<Arc<Hub>> = world.hubs.clone();
    let (mut guards, mut switches): (Vec<ScopeGuard>, Vec<HubSwitchGuard>) = (Vec::new(), Vec::new());
    let mut ids = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let hub = Arc::clone(&own[dice.roll(own.len())]);
        match dice.roll(16) {
            0 => guards.push(hub.push_scope()),
            1 if !guards.is_empty() => drop(guards.swap_remove(dice.roll(guards.len()))),
            2 => world.guards.lock().unwrap().push(hub.push_scope()),
            3 => {
                let mut shared = world.guards.lock().unwrap();
                let all = shared.len();
                let guard = (all > 0).then(|| shared.swap_remove(dice.roll(all)));
                drop(shared);
                drop(guard);
            }
            4 => hub.configure_scope(|scope| scope.set_tag(KEYS[dice.roll(KEYS.len())], seed)),
            5 => hub.configure_scope(|scope| {
                scope.remove_tag(KEYS[dice.roll(KEYS.len())]);
                hub.configure_scope(|inner| inner.set_extra("nested", seed.into()));
                scope.set_level(Some(Level::Warning));
            }),
            6 => hub.configure_scope(|scope| {
                let counted = Counted::new(&world.alive);
                scope.add_event_processor(move |event| {
                    let _ = &counted;
                    Some(event)
                });
            }),
            7 => hub.configure_scope(
                |scope| if seed.is_multiple_of(2) { scope.clear() } else { *scope = Scope::default() },
            ),
            8 => own.push(Arc::new(Hub::new_from_top(&hub))),
            9 if own.len() > world.hubs.len() => {
                drop(own.swap_remove(world.hubs.len() + dice.roll(own.len() - world.hubs.len())))
            }
            10 => switches.push(HubSwitchGuard::new(hub)),
            11 if !switches.is_empty() => drop(switches.swap_remove(dice.roll(switches.len()))),
            12 => ids.push(hub.capture_event(Event::default())),
            13 => {
                hub.with_scope(|scope| scope.set_tag("inside", seed), || breadcrumb!(seed = seed, "in {}", "a scope"))
            }
            14 => {
                hub.add_breadcrumb(Breadcrumb { message: Some("owned".repeat(dice.roll(9))), ..Breadcrumb::default() })
            }
            _ => (0..dice.roll(40)).for_each(|n| breadcrumb!(category: "stress", seed = seed, "{n} of {seed}")),
        }
        if guards.len() > 20 {
            guards.clear();
        }
        if own.len() > 20 {
            own.truncate(world.hubs.len());
        }
        if switches.len() > 20 {
            switches.clear();
        }
    }
    world.ids.lock().unwrap().extend(ids.into_iter().filter(|id| !id.is_nil()));
}

/// Lets threads play, and checks that nothing was lost, leaked or invented.
fn stress(threads: u64, time: Duration) {
    let world = world();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for seed in 0..threads {
            let (world, stop) = (&world, &stop);
            scope.spawn(move || play(world, seed, stop));
        }
        thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
    });
    world.guards.lock().unwrap().clear();
    assert!(world.client.flush(Some(12 * PATIENCE)));
    let stats = world.client.stats();
    assert_settled(&stats);

    // What an id was given for has arrived, and nothing else.
    let envelopes = world.probe.take();
    let mut arrived: Vec<_> =
        envelopes.iter().filter_map(vidette::Envelope::event).map(|event| event.event_id).collect();
    let mut captured = world.ids.into_inner().unwrap();
    arrived.sort_unstable();
    captured.sort_unstable();
    assert_eq!(arrived.len() as u64, stats.handed_over(Category::Error));
    assert_eq!(arrived, captured);
    for event in envelopes.iter().filter_map(vidette::Envelope::event) {
        assert!(event.breadcrumbs.len() <= 70, "{}", event.breadcrumbs.len());
    }

    // All scopes are popped: the hubs work, and hold one layer each.
    for hub in &world.hubs {
        hub.configure_scope(|scope| *scope = Scope::default());
        assert_eq!(format!("{hub:?}").matches("parent: Some").count(), 0);
    }
    drop((world.hubs, world.client));
    // Destructors of a thread's locals, its current hub among them, may run after `scope` has returned.
    rig::eventually("no closure is held", || world.alive.load(Ordering::Relaxed) == 0);
}

#[test]
fn random_operations_small() {
    stress(4, Duration::from_secs(1));
}

#[test]
#[ignore = "takes a minute"]
fn random_operations_large() {
    stress(32, Duration::from_secs(60));
}

/// Threads that log as fast as they can.
#[cfg(feature = "logs")]
fn logs_of_many_threads(threads: usize, each: usize) {
    use vidette::logger_info;
    use vidette::protocol::client_report::Reason;
    use vidette::wire::{EnvelopeItem, ItemContainer};

    let probe = Probe::new(Gate::opened());
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
    let hub = rig::hub(&client);
    thread::scope(|scope| {
        for thread in 0..threads {
            let hub = Arc::clone(&hub);
            scope.spawn(move || Hub::run(hub, || (0..each).for_each(|n| logger_info!(thread = thread, n = n, "log"))));
        }
    });
    assert!(client.close(Some(12 * PATIENCE)));
    let stats = client.stats();
    assert_settled(&stats);
    let envelopes = probe.take();
    let batches = envelopes.iter().flat_map(vidette::Envelope::items).filter_map(|item| match item {
        EnvelopeItem::ItemContainer(ItemContainer::Logs(logs)) => Some(logs),
        _ => None,
    });
    let mut last = vec![None; threads];
    let mut arrived = 0;
    for batch in batches {
        assert!(batch.len() <= 100);
        arrived += batch.len();
        for log in batch {
            let number = |name: &str| log.attributes[name].0.as_u64().unwrap() as usize;
            let last = &mut last[number("thread")];
            assert!(*last < Some(number("n")), "the order of a thread is kept");
            *last = Some(number("n"));
        }
    }
    assert_eq!(stats.captured(Category::LogItem), (threads * each) as u64);
    assert_eq!(stats.handed_over(Category::LogItem), arrived as u64);
    let refused = rig::discarded_of(&stats, Category::LogItem, Reason::QueueOverflow);
    assert_eq!(arrived as u64 + refused, (threads * each) as u64);
}

#[cfg(feature = "logs")]
#[test]
fn logs_of_many_threads_small() {
    logs_of_many_threads(4, 10_000);
}

#[cfg(feature = "logs")]
#[test]
#[ignore = "takes a minute"]
fn logs_of_many_threads_large() {
    logs_of_many_threads(32, 200_000);
}

/// Clients that come and go while others capture.
fn clients_that_come_and_go(rounds: usize) {
    let hub = Arc::new(Hub::new(None, Arc::default()));
    let stop = AtomicBool::new(false);
    let delivered = thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                Hub::run(Arc::clone(&hub), || {
                    while !stop.load(Ordering::Relaxed) {
                        breadcrumb!("between");
                        vidette::capture_message("event", Level::Info);
                    }
                });
            });
        }
        let mut delivered = 0;
        for round in 0..rounds {
            let probe = Probe::new(Gate::opened());
            let options = ClientOptions::new().max_breadcrumbs(5).transport_channel_capacity(100);
            let client = client(options.transport(Arc::clone(&probe)));
            hub.bind_client(Some(Arc::clone(&client)));
            thread::sleep(Duration::from_millis(2));
            if round % 2 == 0 {
                client.close(Some(PATIENCE));
            }
            hub.bind_client(None);
            client.close(Some(PATIENCE));
            rig::eventually("all is settled", || client.stats().held(Category::Error) == 0);
            // One more may be between its count and its queue.
            rig::eventually("the books are balanced", || client.stats().is_balanced(Category::Error));
            assert_eq!(probe.messages().len() as u64, client.stats().handed_over(Category::Error));
            delivered += client.stats().handed_over(Category::Error);
        }
        stop.store(true, Ordering::Relaxed);
        delivered
    });
    assert!(delivered > 0);
}

#[test]
fn clients_that_come_and_go_small() {
    clients_that_come_and_go(50);
}

#[test]
#[ignore = "takes a minute"]
fn clients_that_come_and_go_large() {
    clients_that_come_and_go(20_000);
}

/// Requests on many threads, each a session, some of a user, some with an error.
#[cfg(feature = "release-health")]
fn requests(threads: usize, each: usize) {
    use std::collections::BTreeMap;
    use vidette::protocol::EnvelopeItem;
    use vidette::{SessionMode, User};

    let probe = Probe::new(Gate::opened());
    let options = ClientOptions::new().release("app@1").session_mode(SessionMode::Request);
    let client = client(options.transport(Arc::clone(&probe)).transport_channel_capacity(10_000).before_send(|_| None));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let main = rig::hub(&client);
                scope.spawn(move || {
                    for n in 0..each {
                        let hub = Hub::new_from_top(&main);
                        if n % 100 == 0 {
                            let user = User { id: Some(format!("user {thread}")), ..User::default() };
                            hub.configure_scope(|scope| scope.set_user(Some(user)));
                        }
                        hub.start_session();
                        // Ended by hand, or with its hub.
                        if n % 2 == 0 {
                            hub.end_session_with_status(STATUSES[n / 2 % 4]);
                        }
                    }
                })
            })
            .collect();
        // Collections in between take what is there, and nothing twice.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                assert!(client.flush(Some(12 * PATIENCE)));
            }
        });
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        done.store(true, Ordering::Relaxed);
    });
    assert!(client.flush(Some(12 * PATIENCE)));
    let stats = client.stats();
    assert_settled(&stats);
    assert_eq!(stats.captured(Category::Session), (threads * each) as u64);
    assert_eq!(stats.handed_over(Category::Session), (threads * each) as u64);

    let mut counted = BTreeMap::<Option<String>, [usize; 4]>::new();
    for item in probe.take().into_iter().flat_map(vidette::Envelope::into_items) {
        let EnvelopeItem::SessionAggregates(sessions) = item else { panic!("{item:?}") };
        for bucket in sessions.aggregates {
            let counts = [bucket.exited, bucket.errored, bucket.crashed, bucket.abnormal];
            let sums = counted.entry(bucket.distinct_id).or_default();
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count as usize);
        }
    }
    let mut expected = BTreeMap::<Option<String>, [usize; 4]>::new();
    for (thread, n) in (0..threads).flat_map(|thread| (0..each).map(move |n| (thread, n))) {
        let user = (n % 100 == 0).then(|| format!("user {thread}"));
        let outcome = if n % 2 == 0 { [0, 0, 2, 3][n / 2 % 4] } else { 0 };
        expected.entry(user).or_default()[outcome] += 1;
    }
    assert_eq!(counted, expected);
}

#[cfg(feature = "release-health")]
#[test]
fn requests_small() {
    requests(4, 20_000);
}

#[cfg(feature = "release-health")]
#[test]
#[ignore = "takes a minute"]
fn requests_large() {
    requests(32, 500_000);
}

#[cfg(feature = "release-health")]
const STATUSES: [vidette::protocol::SessionStatus; 4] = {
    use vidette::protocol::SessionStatus::{Abnormal, Crashed, Exited, Ok};
    [Ok, Exited, Crashed, Abnormal]
};

const KEYS: [&str; 6] = ["a", "b", "c", "d", "a key that is too long to stand inline in the entry", "f"];
