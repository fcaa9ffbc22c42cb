//! What the hot paths allocate, counted on the calling thread by an allocator that counts.
//!
//! Each figure is the most that is allowed. Pools are warm: "steady state" is what a service is in after its first requests.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that goes wrong says so by panicking")]

#[path = "allocations/bytes.rs"]
mod bytes;
#[path = "allocations/envelopes.rs"]
mod envelopes;
#[path = "allocations/forms.rs"]
mod forms;
#[path = "support/keeper.rs"]
mod keeper;
#[path = "../benches/support/large_event.rs"]
mod large_event;
#[path = "allocations/off.rs"]
mod off;

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use vidette::protocol::Event;
use vidette::{
    Breadcrumb, Client, ClientOptions, Hub, HubSwitchGuard, Integration, Level, Scope, SentryFutureExt, Transaction,
    TransactionContext, Transport, breadcrumb,
};

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
fn owned_breadcrumbs_that_fit_their_slots_keep_nothing_of_their_own() {
    let _alone = alone();
    let (hub, _guard) = bound();
    let request = |n: u64| Breadcrumb {
        ty: "http".to_owned(),
        category: Some("http.client".to_owned()),
        message: Some(format!("GET /cart/{n}")),
        data: [("status".to_owned(), 200.into()), ("url".to_owned(), "https://shop.invalid/cart".into())].into(),
        ..Breadcrumb::default()
    };
    let round = || {
        let fork = Arc::new(Hub::new_from_top(&hub));
        let counted =
            Hub::run(Arc::clone(&fork), || measure(|| (0..90).for_each(|n| vidette::add_breadcrumb(|| request(n)))));
        (counted, measure(|| drop(fork)))
    };
    _ = round();
    let built = allocations(|| (0..90).for_each(|n| drop(request(n))));
    let (added, dropped) = round();
    assert_eq!((added.count_total, added.count_current), (built, 0), "all were freed where they were made");
    assert_eq!(dropped.count_current, -1, "the hub is all that there is to free");
}

#[test]
fn owned_breadcrumbs_that_made_room_are_freed_as_others_come_and_with_their_hub() {
    let _alone = alone();
    let (hub, _guard) = bound();
    let large = || Breadcrumb { message: Some("m".repeat(10_000)), ..Breadcrumb::default() };
    let round = || {
        let fork = Arc::new(Hub::new_from_top(&hub));
        Hub::run(fork, || (0..500).for_each(|_| vidette::add_breadcrumb(large)));
    };
    round();
    let left = measure(|| (0..10).for_each(|_| round()));
    assert!(left.bytes_current < 10_000, "{} bytes are left", left.bytes_current);
    // A hundred in whole chunks, the next chunk, and the one that is being emptied.
    assert!(left.bytes_max < 6 * 32 * 12_000, "{} bytes at once", left.bytes_max);
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
        #[cfg(feature = "logs")]
        vidette::logger_info!(text = "x".repeat(99), "{} is nobody", "x".repeat(99));
        #[cfg(feature = "metrics")]
        vidette::metrics::counter("nobody", 1).attribute("n", 1).capture();
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
fn polling_a_bound_future_allocates_nothing() {
    let _alone = alone();
    let (hub, _guard) = bound();
    let mut bound = pin!(std::future::poll_fn(|_| Poll::<()>::Pending).bind_hub(hub));
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(each(|| assert!(bound.as_mut().poll(&mut context).is_pending())), 0);
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
fn setting_a_tag_allocates_at_most_its_text() {
    let _alone = alone();
    let (hub, _guard) = bound();
    (0..1_000).for_each(three_fields);
    assert!(each(|| hub.configure_scope(|scope| scope.set_tag("shard", "seven"))) <= 1);
    assert!(each(|| vidette::configure_scope(|scope| scope.set_level(Some(Level::Warning)))) <= 2);
    assert_eq!(each(|| hub.configure_scope(|_: &mut Scope| ())), 0);
}

#[test]
fn setting_a_tag_among_twenty_allocates_once_more_for_their_list() {
    let _alone = alone();
    let (hub, _guard) = bound();
    hub.configure_scope(|scope| (0..20).for_each(|n| scope.set_tag(&format!("tag-{n}"), n)));
    assert!(each(|| hub.configure_scope(|scope| scope.set_tag("tag-7", "seven"))) <= 3);
    assert!(each(|| vidette::configure_scope(|scope| scope.set_tag("shard", "seven"))) <= 3);
}

#[cfg(feature = "release-health")]
#[test]
fn a_request_that_is_a_session_allocates_the_session_alone() {
    let _alone = alone();
    let options = ClientOptions::new().release("app@1").session_mode(vidette::SessionMode::Request);
    let client = client(options.transport(Arc::new(Forgetting)));
    let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default()));
    let request = || {
        hub.start_session();
        hub.end_session();
    };
    assert!(each(request) <= 1);
    assert!(each(|| Hub::run(Arc::clone(&hub), vidette::start_session)) <= 1, "which ends the one before");
    let user = vidette::User { id: Some("a user".to_owned()), ..vidette::User::default() };
    hub.configure_scope(|scope| scope.set_user(Some(user)));
    assert!(each(request) <= 1, "the user is shared");
    assert!(client.flush(None));
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
fn breadcrumbs_that_an_integration_sees_are_built_in_the_same_memory_each_time() {
    struct Onlooker;
    impl Integration for Onlooker {}
    let _alone = alone();
    let options = ClientOptions::new().transport(Arc::new(Forgetting)).add_integration(Onlooker);
    let client = client(options.transport_channel_capacity(1_000));
    let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default()));
    Hub::run(Arc::clone(&hub), || (0..100).for_each(three_fields));
    let capture = || assert!(!hub.capture_message("seen", Level::Info).is_nil());
    // Builds them once, and starts the sender.
    assert!(allocations(capture) > 500);
    let most = (0..50).map(|_| allocations(capture)).max();
    assert!(most.unwrap() < 20, "{most:?}");
    // One without breadcrumbs takes no memory for them away.
    let bare = Hub::new(Some(Arc::clone(&client)), Arc::default());
    assert!(!bare.capture_message("seen", Level::Info).is_nil());
    assert!(allocations(capture) < 20);
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

#[cfg(feature = "logs")]
#[test]
fn a_log_allocates_for_its_texts_alone() {
    use vidette::logger_info;

    let _alone = alone();
    let client = client(ClientOptions::new().transport(Arc::new(Forgetting)));
    let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default()));
    let _guard = HubSwitchGuard::new(hub);
    logger_info!("makes the queue, and starts the sender");
    for (most, log) in [
        (0, (|| logger_info!("plain")) as fn()),
        (0, || logger_info!(a = 1, b = true, c = 1.5, "three numbers")),
        (1, || logger_info!(user.id = "u-17", "one text")),
        (1, || logger_info!("took {} ms", 1)),
    ] {
        assert!(client.flush(None));
        assert_eq!(each(log), most);
    }
}

#[cfg(feature = "metrics")]
#[test]
fn a_metric_allocates_for_its_texts_alone() {
    use vidette::metrics;

    let _alone = alone();
    let client = client(ClientOptions::new().transport(Arc::new(Forgetting)));
    let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default()));
    let _guard = HubSwitchGuard::new(hub);
    metrics::counter("first", 1).capture();
    assert!(client.flush(None));
    assert_eq!(each(|| metrics::counter("hits", 1).attribute("cold", false).capture()), 0);
    assert_eq!(each(|| metrics::gauge("load", 0.5).unit("ratio").attribute("host", "box").capture()), 1);
}

/// A hub whose client takes what is sampled on the sender thread, and forgets it.
fn sampling(rate: f32) -> Arc<Hub> {
    let options = ClientOptions::new().traces_sample_rate(rate).transport_channel_capacity(100_000);
    Arc::new(Hub::new(Some(client(options.transport(Arc::new(Forgetting)))), Arc::default()))
}

fn transaction(hub: &Hub) -> Transaction {
    hub.start_transaction(TransactionContext::new("GET /cart", "http.server"))
}

#[test]
fn a_span_that_is_not_sampled_allocates_nothing() {
    let _alone = alone();
    for hub in [sampling(0.0), Arc::new(Hub::new(None, Arc::default()))] {
        let transaction = transaction(&hub);
        let span = transaction.start_child("db.query", "SELECT a, b, c FROM tables WHERE length > 23");
        let calls = || {
            let inner = span.start_child("http.client", "GET https://shop.invalid/cart/with/a/long/path");
            inner.set_tag("key", "a value that does not fit into a small string");
            inner.set_status(vidette::protocol::SpanStatus::Ok);
            transaction.set_status(vidette::protocol::SpanStatus::Ok);
            transaction.set_tag("key", "a value that does not fit into a small string");
            inner.clone().finish();
        };
        assert_eq!(each(calls), 0);
    }
}

#[test]
fn a_transaction_that_is_not_sampled_allocates_nothing_and_neither_do_its_spans() {
    let _alone = alone();
    let hub = sampling(0.0);
    let whole = || {
        let transaction = transaction(&hub);
        (0..10).for_each(|_| transaction.start_child("db.query", "SELECT a, b, c FROM tables").finish());
        transaction.finish();
    };
    // It uses again what the one before it on this thread left.
    assert_eq!(each(whole), 0);
}

#[test]
fn a_note_on_a_sampled_span_allocates_once() {
    let _alone = alone();
    let hub = sampling(1.0);
    // A transaction has room for so many spans after the first that they are seldom allocated for.
    let transaction = transaction(&hub);
    let span = || transaction.start_child("db.query", "SELECT 1");
    let plain = allocations(|| (0..100).for_each(|_| span().finish()));
    assert!(plain <= 5, "{plain} for a hundred spans");
    let noted = || {
        let span = span();
        span.set_data("rows", 7.into());
        span.set_status(vidette::protocol::SpanStatus::Ok);
        span.finish();
    };
    let noted = allocations(|| (0..100).for_each(|_| noted()));
    assert!(noted <= 100 + 1, "{noted} for a hundred spans with a note each");
}

#[test]
fn a_sampled_transaction_allocates_at_most_twice_and_twice_for_ten_spans_and_nothing_after_others_were_sent() {
    let _alone = alone();
    let hub = sampling(1.0);
    let _guard = HubSwitchGuard::new(Arc::clone(&hub));
    let whole = |spans: u64| {
        let hub = Arc::clone(&hub);
        move || {
            let transaction = transaction(&hub);
            (0..spans).for_each(|_| transaction.start_child("db.query", "SELECT 1").finish());
            transaction.finish();
        }
    };
    assert!(each(whole(0)) <= 2);
    assert!(each(whole(10)) <= 4);
    // What was sent is used again, oldest first. All of a burst are there at once, so that none needs more than the one before
    // it; after three of them each of the 256 trees that may wait from before has been used once, and has room.
    let burst = || {
        let open: [_; 100] = std::array::from_fn(|_| transaction(&hub));
        for transaction in open {
            (0..16).for_each(|_| transaction.start_child("db.query", "SELECT 1").finish());
            transaction.finish();
        }
    };
    for _ in 0..3 {
        burst();
        assert!(hub.client().is_some_and(|client| client.flush(None)));
    }
    assert_eq!(allocations(burst), 0);
}

#[test]
fn a_transaction_that_starts_ten_thousand_spans_stays_small() {
    let _alone = alone();
    for rate in [0.0, 1.0] {
        let hub = sampling(rate);
        let transaction = transaction(&hub);
        let start = |n: u32| {
            let span = transaction.start_child("db.query", "SELECT 1");
            // One in ten is never finished.
            if !n.is_multiple_of(10) {
                span.finish();
            }
        };
        let left = measure(|| (0..10_000).for_each(start)).bytes_current;
        assert!(left < 300 << 10, "{left} bytes");
        let more = measure(|| (0..10_000).for_each(start)).bytes_current;
        assert!(more <= 0, "{more} bytes after as many again");
    }
}

#[test]
fn a_thread_keeps_a_transaction_only_while_it_is_small() {
    let _alone = alone();
    let hub = sampling(0.0);
    let whole = || {
        let transaction = transaction(&hub);
        transaction.start_child("db.query", "SELECT 1").finish();
        transaction.finish();
    };
    whole();
    assert_eq!(measure(whole).bytes_current, 0);
    let unfinished = || {
        let transaction = transaction(&hub);
        transaction.set_data("large", "x".repeat(1 << 20).into());
        transaction.start_child("db.query", "SELECT 1").finish();
    };
    let left = measure(unfinished).bytes_current;
    assert!(left <= 0, "data is not kept: {left}");
    let hub = sampling(1.0);
    let noted = |bytes: usize| {
        let transaction = transaction(&hub);
        (0..3).for_each(|_| {
            let span = transaction.start_child("db.query", "SELECT 1");
            span.set_data("large", "x".repeat(bytes).into());
            span.finish();
        });
    };
    // Shelves wait for their next use.
    noted(1);
    whole();
    let left = measure(|| noted(1 << 20)).bytes_current;
    assert!(left <= 0, "nor is what is noted on spans: {left}");
    let left = measure(|| noted(1)).bytes_current;
    assert!(left < 4 << 10, "{left}");
}

#[test]
fn the_headers_of_a_span_are_written_into_a_buffer_without_allocating() {
    use std::fmt::Write;

    let _alone = alone();
    for rate in [0.0, 1.0] {
        let hub = sampling(rate);
        let transaction = transaction(&hub);
        let span = transaction.start_child("http.client", "");
        let mut buffer = String::with_capacity(1 << 20);
        let write = || span.trace_headers().iter().for_each(|(name, value)| _ = write!(buffer, "{name}: {value}\r\n"));
        assert_eq!(each(write), 0);
        assert!(buffer.contains("sentry-trace: ") && buffer.contains("baggage: sentry-trace_id="));
    }
}

#[test]
fn setting_the_active_span_allocates_nothing() {
    let _alone = alone();
    for rate in [0.0, 1.0] {
        let hub = sampling(rate);
        let transaction = transaction(&hub);
        let set = || hub.configure_scope(|scope| scope.set_span(Some(transaction.clone().into())));
        assert_eq!(each(set), 0);
    }
}
