//! What the hot paths allocate, counted on the calling thread by an allocator that counts.
//!
//! Each figure is the most that is allowed. Pools are warm: "steady state" is what a service is in after its first requests.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that goes wrong says so by panicking")]

#[path = "support/keeper.rs"]
mod keeper;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use allocation_counter::measure;
use vidette::protocol::Event;
use vidette::{Breadcrumb, Client, ClientOptions, Hub, HubSwitchGuard, Level, Scope, Transport, breadcrumb};

use self::keeper::Keeper;

/// Pools and the count of open clients are the process's: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many allocations `body` makes.
fn allocations(body: impl FnOnce()) -> u64 {
    measure(body).count_total
}

/// How many allocations one of a hundred runs makes on average, rounded up, after ten to warm up.
fn each(mut body: impl FnMut()) -> u64 {
    (0..10).for_each(|_| body());
    allocations(|| (0..100).for_each(|_| body())).div_ceil(100)
}

/// Takes envelopes on the sender thread, and forgets them.
struct Forgetting;

impl Transport for Forgetting {
    fn send_envelope(&self, _: vidette::Envelope) {}
}

fn client(options: ClientOptions) -> Arc<Client> {
    Arc::new(Client::with_options(options.dsn("https://public@sentry.invalid/1")))
}

/// A hub with a client, the current one of this thread.
fn bound() -> (Arc<Hub>, HubSwitchGuard) {
    let client = client(ClientOptions::new().transport(Keeper::new()));
    let hub = Arc::new(Hub::new(Some(client), Arc::default()));
    let guard = HubSwitchGuard::new(Arc::clone(&hub));
    (hub, guard)
}

fn three_fields(n: u64) {
    let url = "https://shop.invalid/cart";
    breadcrumb!(category: "http", level: Level::Info, status = 200, url = url, n = n, "GET {} took {n} ms", "/cart");
}

#[test]
fn a_breadcrumb_with_three_fields_and_a_formatted_message_allocates_nothing() {
    let _alone = alone();
    let _bound = bound();
    (0..1_000).for_each(three_fields);
    // Over three hundred times a chunk is full and the next one begins.
    assert_eq!(allocations(|| (0..10_000).for_each(three_fields)), 0);
}

#[test]
fn a_breadcrumb_on_a_freshly_forked_hub_allocates_nothing() {
    let _alone = alone();
    let (hub, _guard) = bound();
    (0..1_000).for_each(three_fields);
    let round = |count: u64| {
        let fork = Arc::new(Hub::new_from_top(&hub));
        let _guard = HubSwitchGuard::new(fork);
        allocations(|| (0..count).for_each(three_fields))
    };
    for count in [1, 10, 200] {
        _ = round(count);
        assert_eq!((0..20).map(|_| round(count)).sum::<u64>(), 0, "{count} on each fork");
    }
}

#[test]
fn a_breadcrumb_in_a_pushed_scope_allocates_nothing() {
    let _alone = alone();
    let (hub, _guard) = bound();
    (0..1_000).for_each(three_fields);
    let round = || {
        let _guard = hub.push_scope();
        allocations(|| (0..40).for_each(three_fields))
    };
    _ = round();
    assert_eq!((0..20).map(|_| round()).sum::<u64>(), 0);
}

#[test]
fn a_breadcrumb_that_does_not_fit_its_slot_allocates_for_itself_alone() {
    let _alone = alone();
    let _bound = bound();
    (0..1_000).for_each(three_fields);
    let long = "x".repeat(500);
    // The bytes as they grow, and the shared copy.
    assert!(each(|| breadcrumb!("{long}")) <= 3);
}

#[test]
fn adding_an_owned_breadcrumb_allocates_nothing_of_its_own() {
    let _alone = alone();
    let (hub, _guard) = bound();
    (0..1_000).for_each(three_fields);
    assert_eq!(each(|| vidette::add_breadcrumb(Breadcrumb::default)), allocations(|| drop(Breadcrumb::default())));
    assert_eq!(each(|| hub.add_breadcrumb(None::<Breadcrumb>)), 0);
}

#[test]
fn calls_without_a_client_allocate_nothing() {
    let _alone = alone();
    let unbound = Arc::new(Hub::new(None, Arc::default()));
    let other = client(ClientOptions::new().transport(Keeper::new()));
    let _guard = HubSwitchGuard::new(unbound);
    let calls = || {
        three_fields(1);
        vidette::add_breadcrumb(|| Breadcrumb { message: Some("x".repeat(99)), ..Breadcrumb::default() });
        vidette::configure_scope(|scope| scope.set_tag("tag", "x".repeat(99)));
        vidette::with_scope(|scope| scope.set_tag("tag", "x".repeat(99)), || ());
        vidette::capture_message("nobody", Level::Info);
        vidette::capture_error(&std::fmt::Error);
        _ = vidette::last_event_id();
        _ = Hub::current();
    };
    assert_eq!(each(calls), 0, "another hub has a client");
    drop(other);
    assert_eq!(each(calls), 0, "no client is open");
}

#[test]
fn switching_hubs_allocates_nothing() {
    let _alone = alone();
    let (hub, _guard) = bound();
    assert_eq!(each(|| drop(HubSwitchGuard::new(Arc::clone(&hub)))), 0);
    assert_eq!(each(|| Hub::run(Arc::clone(&hub), || ())), 0);
}

#[test]
fn pushing_and_popping_a_scope_allocates_at_most_once() {
    let _alone = alone();
    let (hub, _guard) = bound();
    (0..1_000).for_each(three_fields);
    hub.configure_scope(|scope| (0..5).for_each(|n| scope.set_tag(&n.to_string(), n)));
    assert!(each(|| drop(hub.push_scope())) <= 1);
}

#[test]
fn with_scope_and_a_breadcrumb_allocate_at_most_three_times() {
    let _alone = alone();
    let (hub, _guard) = bound();
    (0..1_000).for_each(three_fields);
    assert!(each(|| hub.with_scope(|_| (), || three_fields(1))) <= 3);
}

#[test]
fn a_fork_allocates_at_most_three_times_with_ten_breadcrumbs_and_its_drop() {
    let _alone = alone();
    let (hub, _guard) = bound();
    (0..1_000).for_each(three_fields);
    hub.configure_scope(|scope| (0..5).for_each(|n| scope.set_tag(&n.to_string(), n)));
    let fork = || {
        let fork = Arc::new(Hub::new_from_top(&hub));
        Hub::run(fork, || (0..10).for_each(three_fields));
    };
    assert!(each(fork) <= 3);
}

#[test]
fn setting_a_tag_allocates_at_most_twice() {
    let _alone = alone();
    let (hub, _guard) = bound();
    (0..1_000).for_each(three_fields);
    assert!(each(|| hub.configure_scope(|scope| scope.set_tag("shard", "seven"))) <= 2);
    assert!(each(|| vidette::configure_scope(|scope| scope.set_level(Some(Level::Warning)))) <= 2);
    assert_eq!(each(|| hub.configure_scope(|_: &mut Scope| ())), 0);
}

#[test]
fn a_capture_allocates_at_most_twice_beyond_the_event_itself() {
    let _alone = alone();
    for breadcrumbs in [0, 100] {
        let client = client(ClientOptions::new().transport(Arc::new(Forgetting)).transport_channel_capacity(100_000));
        let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default()));
        Hub::run(Arc::clone(&hub), || (0..breadcrumbs).for_each(three_fields));
        // Starts the sender, and fills the pools.
        (0..10).for_each(|_| _ = hub.capture_event(Event::default()));
        let most = (0..100).map(|_| allocations(|| _ = hub.capture_event(Event::default()))).max();
        let own = allocations(|| drop(Event::default()));
        assert!(most.unwrap() <= own + 2, "{most:?}, of which the event {own}, with {breadcrumbs} breadcrumbs");
    }
}

#[test]
fn forks_that_have_gone_leave_little_behind() {
    let _alone = alone();
    let (hub, _guard) = bound();
    (0..1_000).for_each(three_fields);
    for (forks, breadcrumbs) in [(100_000, 0), (5_000, 1)] {
        let left = measure(|| {
            let forks: Vec<Arc<Hub>> = (0..forks).map(|_| Arc::new(Hub::new_from_top(&hub))).collect();
            for fork in &forks {
                Hub::run(Arc::clone(fork), || (0..breadcrumbs).for_each(three_fields));
            }
            drop(forks);
        });
        // What the pools keep, for the next ones.
        assert!(left.bytes_current < 1 << 20, "{} bytes after {forks} forks", left.bytes_current);
        assert!(left.bytes_max > 1 << 24, "they were there");
    }
}
