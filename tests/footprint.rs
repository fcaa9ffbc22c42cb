//! Memory and threads of the whole process: what a client takes while nothing happens, and what comes back.
//!
//! In a process of its own, one test at a time, so that no other test allocates or starts threads meanwhile.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[allow(dead_code, reason = "shared with others that use the rest")]
#[path = "../benches/support/counting.rs"]
mod counting;

use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use vidette::{
    Breadcrumb, Client, ClientOptions, Envelope, Hub, Integration, Level, Scope, TransactionContext, Transport,
    breadcrumb, configure_scope,
};

#[global_allocator]
static ALLOCATOR: counting::Counting<true> = counting::Counting;

/// Counts envelopes and forgets them.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Transport for Counter {
    fn send_envelope(&self, _: Envelope) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn client(sent: &Arc<Counter>) -> Arc<Client> {
    let options = ClientOptions::new().dsn("https://public@sentry.invalid/1").transport(Arc::new(Arc::clone(sent)));
    Arc::new(Client::from(options.traces_sample_rate(1.0)))
}

/// Memory is the process's: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn capture(client: &Arc<Client>) {
    let hub = Hub::new(Some(Arc::clone(client)), Arc::new(Scope::default()));
    assert!(!hub.capture_message("first", Level::Info).is_nil(), "it is on its way");
    assert!(client.flush(Some(Duration::from_secs(60))), "it arrives");
}

#[test]
fn a_client_idles_below_a_mebibyte_and_on_one_thread() {
    let _alone = alone();
    let sent = Arc::new(Counter::default());
    // The clients of tests before this one may just be ending.
    let patience = Instant::now() + Duration::from_secs(10);
    while count_threads().is_some_and(|threads| threads > 1) && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(1));
    }
    let (bytes, threads) = (counting::live_bytes(), count_threads());

    let one = client(&sent);
    assert_eq!(count_threads(), threads, "a client that captured nothing has no thread");
    capture(&one);
    let idle = counting::live_bytes() - bytes;
    assert!((1..1 << 20).contains(&idle), "{idle} bytes");
    println!("an idle client: {idle} bytes");
    assert_eq!(count_threads(), threads.map(|threads| threads + 1));

    let two = client(&sent);
    capture(&two);
    println!("a second one: {} bytes", counting::live_bytes() - bytes - idle);
    assert_eq!(count_threads(), threads.map(|threads| threads + 2), "each client has one");

    assert!(one.close(None) && two.close(None), "there is nothing to wait for");
    assert_eq!(sent.0.load(Relaxed), 2);
    drop((one, two));
    let left = counting::live_bytes() - bytes;
    println!("after both have gone: {left} bytes");
    assert!(left < idle, "{left} bytes are left of two clients");
}

#[test]
fn breadcrumbs_that_an_integration_saw_are_not_kept_for_long() {
    struct Onlooker;
    impl Integration for Onlooker {}
    let _alone = alone();
    let options = ClientOptions::new().dsn("https://public@sentry.invalid/1").add_integration(Onlooker);
    let client = Arc::new(Client::from(options.transport(Arc::new(Arc::<Counter>::default()))));
    let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default()));
    Hub::run(Arc::clone(&hub), || (0..100).for_each(|n| breadcrumb!(n = n, "{}", "m".repeat(1_000))));
    capture(&client);
    let before = counting::live_bytes();
    let gone = || (counting::live_bytes() - before) < 50_000;

    (0..10).for_each(|_| assert!(!hub.capture_message("seen", Level::Info).is_nil()));
    assert!(!gone(), "there is memory for the next one");
    assert!(client.flush(None));
    assert!(gone(), "a flush leaves nothing");

    assert!(!hub.capture_message("seen", Level::Info).is_nil());
    assert!(!gone());
    let patience = Instant::now() + Duration::from_secs(30);
    while !gone() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(gone(), "nor does a time in which nothing happens");

    assert!(!hub.capture_message("seen", Level::Info).is_nil());
    assert!(client.close(None));
    assert!(gone());
}

#[test]
fn a_hundred_breadcrumbs_that_were_built_in_full_take_no_more_than_their_slots() {
    let _alone = alone();
    let client = client(&Arc::default());
    let before = counting::live_bytes();
    // More than any pool has at hand.
    let hubs: Vec<Arc<Hub>> = (0..200)
        .map(|_| {
            let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default()));
            for n in 0..100 {
                hub.add_breadcrumb(|| Breadcrumb {
                    ty: "http".to_owned(),
                    category: Some("http.client".to_owned()),
                    message: Some(format!("GET /cart/{n}")),
                    data: [("status".to_owned(), 200.into()), ("url".to_owned(), "https://shop.invalid/cart".into())]
                        .into(),
                    ..Breadcrumb::default()
                });
            }
            hub
        })
        .collect();
    let each = (counting::live_bytes() - before) / hubs.len() as isize;
    println!("a hub with a hundred breadcrumbs: {each} bytes");
    assert!(each < 26_000, "{each} bytes");
}

#[test]
fn a_hundred_thousand_forks_leave_the_process_near_where_it_began() {
    let _alone = alone();
    let client = client(&Arc::default());
    let hub = Arc::new(Hub::new(Some(client), Arc::default()));
    Hub::run(Arc::clone(&hub), || (0..200).for_each(|n| breadcrumb!("{n}")));
    let fork = |n: u64| {
        let fork = Arc::new(Hub::new_from_top(&hub));
        Hub::run(Arc::clone(&fork), || {
            configure_scope(|scope| scope.set_tag("request", n));
            // Each keeps the page that its breadcrumbs are on; a hundred thousand of them would be too much for a test.
            (0..10).filter(|_| n.is_multiple_of(20)).for_each(|step| breadcrumb!(step = step, "request {n}"));
        });
        fork
    };
    drop((0..1_000).map(fork).collect::<Vec<_>>());

    let before = counting::live_bytes();
    let mut forks: Vec<Arc<Hub>> = (0..100_000).map(fork).collect();
    let alive = counting::live_bytes() - before;
    let others = forks.split_off(forks.len() / 2);
    std::thread::spawn(|| drop(others)).join().unwrap();
    drop(forks);
    let left = counting::live_bytes() - before;
    println!("100,000 forks: {alive} bytes, and {left} after they have gone");
    assert!(alive > 1 << 24, "{alive} bytes: they were there");
    assert!(left < 1 << 20, "{left} bytes are left of them");
}

#[test]
fn threads_that_end_leave_nothing() {
    let _alone = alone();
    let sent = Arc::default();
    let client = client(&sent);
    let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default()));
    let thread = || {
        let hub = Arc::clone(&hub);
        let work = move || {
            Hub::run(Arc::new(Hub::new_from_top(hub)), || {
                let transaction = vidette::start_transaction(TransactionContext::new("a thread", "work"));
                configure_scope(|scope| scope.set_tag("thread", "short"));
                (0..50).for_each(|n| breadcrumb!(n = n, "step"));
                vidette::with_scope(
                    |scope| scope.set_level(Some(Level::Warning)),
                    || {
                        vidette::capture_message("it ends", Level::Info);
                    },
                );
                transaction.start_child("work", "a part of it").finish();
                transaction.finish();
            });
        };
        std::thread::spawn(work).join().unwrap();
        assert!(client.flush(None));
    };
    // Fills what the process keeps for all threads.
    (0..200).for_each(|_| thread());

    let before = counting::live_bytes();
    (0..500).for_each(|_| thread());
    let left = counting::live_bytes() - before;
    println!("after 500 threads: {left} bytes");
    assert!(left < 64 << 10, "{left} bytes are left of 500 threads");
    assert_eq!(sent.0.load(Relaxed), 1_400, "each captured an event and a transaction");
}

/// This thread, those it started, and those of clients, where the system tells: a thread without a name of its own has its
/// parent's. The threads of other tests have other names.
fn count_threads() -> Option<usize> {
    let name = |task: &Path| std::fs::read_to_string(task.join("comm")).unwrap_or_default();
    let own = name(Path::new("/proc/thread-self"));
    let counts = |task: &Path| name(task) == own || name(task).starts_with("vidette");
    let tasks = || std::fs::read_dir("/proc/self/task").unwrap();
    cfg!(target_os = "linux").then(|| tasks().filter(|task| counts(&task.as_ref().unwrap().path())).count())
}
