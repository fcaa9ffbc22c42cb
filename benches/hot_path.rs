//! What the host's threads pay for each call, in nanoseconds and allocations.
//!
//! ```sh
//! cargo bench --bench hot_path
//! ```
//! Every operation runs in every state a host can be in ([`Host`]); those on hubs again while many other threads live.
//! After each row stands how often one call allocates on the calling thread.
#![allow(clippy::print_stdout, reason = "a benchmark speaks to its user")]

#[allow(dead_code, reason = "shared with others that use the rest")]
#[path = "support/counting.rs"]
mod counting;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use vidette::{
    Breadcrumb, Client, ClientOptions, Envelope, Hub, HubSwitchGuard, Level, Scope, SentryFutureExt, Transport,
    breadcrumb,
};

#[global_allocator]
static ALLOCATOR: counting::Counting<false> = counting::Counting;

/// The states a host can be in, cheapest first.
#[derive(Clone, Copy, Debug)]
enum Host {
    /// There is no client.
    Unbound,
    /// A client is bound that has nowhere to send to.
    Disabled,
    Enabled,
}

impl Host {
    const ALL: [Self; 3] = [Self::Unbound, Self::Disabled, Self::Enabled];

    /// A hub in this state.
    fn hub(self) -> Arc<Hub> {
        let client = match self {
            Self::Unbound => None,
            Self::Disabled => Some(ClientOptions::new()),
            Self::Enabled => Some(enabled()),
        };
        let client = client.map(|options| Arc::new(Client::with_options(options)));
        Arc::new(Hub::new(client, Arc::new(Scope::default())))
    }
}

/// Takes envelopes and forgets them.
struct Forget;

impl Transport for Forget {
    fn send_envelope(&self, _: Envelope) {}
}

fn enabled() -> ClientOptions {
    ClientOptions::new().dsn("https://public@sentry.invalid/1").transport(Arc::new(Forget))
}

fn built(n: u64) -> Breadcrumb {
    Breadcrumb { category: Some("cache".into()), message: Some(format!("miss {n}")), ..Breadcrumb::default() }
}

fn three_fields(n: u64) {
    breadcrumb!(
        ty: "http",
        category: "http.client",
        status_code = 200,
        url = *black_box(&"http://shop.invalid/cart"),
        bytes = n,
        "GET /cart/{n}"
    );
}

fn plain() {
    breadcrumb!(category: "cache", "the cache was cold");
}

/// A hub that shows a hundred breadcrumbs.
fn full(host: Host) -> Arc<Hub> {
    let hub = host.hub();
    Hub::run(Arc::clone(&hub), || (0..100).for_each(three_fields));
    hub
}

/// Measures `call` with the hub as the current one, and says how often it allocates.
fn row(group: &mut BenchmarkGroup<'_, WallTime>, host: Host, name: &str, hub: Arc<Hub>, mut call: impl FnMut(u64)) {
    let id = format!("{host:?}/{name}");
    let mut n = 0;
    let mut next = || {
        n += 1;
        call(black_box(n));
    };
    Hub::run(hub, || {
        group.bench_function(&id, |bencher| bencher.iter(&mut next));
        let before = counting::allocations();
        (0..COUNTED).for_each(|_| next());
        println!("{id:50} {} allocations", (counting::allocations() - before) as f64 / COUNTED as f64);
    });
}

/// Everything that stays on the calling thread.
fn on_hubs(group: &mut BenchmarkGroup<'_, WallTime>, host: Host) {
    row(group, host, "breadcrumb, three fields", full(host), three_fields);
    row(group, host, "breadcrumb, plain", full(host), |_| plain());
    row(group, host, "add_breadcrumb", full(host), |n| vidette::add_breadcrumb(|| built(n)));
    row(group, host, "configure_scope(set_tag)", host.hub(), |_| {
        vidette::configure_scope(|scope| scope.set_tag("region", *black_box(&"eu-west-1")));
    });
    let hub = host.hub();
    row(group, host, "push_scope and pop", host.hub(), |_| drop(black_box(hub.push_scope())));
    row(group, host, "with_scope and 1 breadcrumb, 100 before", full(host), |_| {
        vidette::with_scope(|scope| scope.set_tag("step", *black_box(&"parse")), plain);
    });
    let parent = full(host);
    row(group, host, "fork, 10 breadcrumbs, drop, 100 before", host.hub(), |_| {
        let fork = Arc::new(Hub::new_from_top(black_box(&parent)));
        Hub::run(fork, || (0..10).for_each(|_| plain()));
    });
    let hub = host.hub();
    row(group, host, "hub switch", host.hub(), |_| drop(black_box(HubSwitchGuard::new(Arc::clone(&hub)))));
    let pending = std::future::poll_fn(|_| black_box(Poll::<()>::Pending));
    let mut bound = pin!(pending.bind_hub(host.hub()));
    row(group, host, "poll of a bound future", host.hub(), |_| {
        _ = black_box(bound.as_mut().poll(&mut Context::from_waker(Waker::noop())));
    });
}

/// Captures, in bursts that the queue holds; sending them is not measured.
fn captures(group: &mut BenchmarkGroup<'_, WallTime>, host: Host) {
    burst(group, host, "capture, no breadcrumbs", host.hub(), |hub| {
        _ = black_box(hub.capture_message(black_box("the cache is cold"), Level::Info));
    });
    burst(group, host, "capture, 100 breadcrumbs", full(host), |hub| {
        _ = black_box(hub.capture_message(black_box("the cache is cold"), Level::Info));
    });
    let error = Deep(Some(Box::new(Deep(Some(Box::new(Deep(None)))))));
    burst(group, host, "capture_error, a chain of three", host.hub(), |hub| {
        _ = black_box(hub.capture_error(black_box(&error)));
    });
}

fn burst(group: &mut BenchmarkGroup<'_, WallTime>, host: Host, name: &str, hub: Arc<Hub>, call: impl Fn(&Hub)) {
    let id = format!("{host:?}/{name}");
    let client = hub.client();
    let settle = || client.as_ref().is_none_or(|client| client.flush(Some(Duration::from_secs(60))));
    let mut allocations = 0.0;
    group.bench_function(&id, |bencher| {
        bencher.iter_custom(|mut calls| {
            let mut took = Duration::ZERO;
            while calls > 0 {
                let burst = calls.min(BURST);
                let before = counting::allocations();
                let start = Instant::now();
                (0..burst).for_each(|_| call(&hub));
                took += start.elapsed();
                allocations = (counting::allocations() - before) as f64 / burst as f64;
                assert!(settle(), "everything is sent");
                calls -= burst;
            }
            took
        });
    });
    println!("{id:50} {allocations} allocations");
}

/// Several threads on one hub: wall time over all calls.
fn shared(group: &mut BenchmarkGroup<'_, WallTime>, threads: u64) {
    let hub = full(Host::Enabled);
    group.bench_function(format!("Enabled/breadcrumb, three fields, {threads} threads on one hub"), |bencher| {
        bencher.iter_custom(|calls| {
            let (start, end) = (Barrier::new(threads as usize + 1), Barrier::new(threads as usize + 1));
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        Hub::run(Arc::clone(&hub), || {
                            start.wait();
                            (0..calls.div_ceil(threads)).for_each(|n| three_fields(black_box(n)));
                            end.wait();
                        });
                    });
                }
                start.wait();
                let started = Instant::now();
                end.wait();
                started.elapsed()
            })
        });
    });
}

/// Runs `body` while other threads live that each have used a hub.
fn among_others(body: impl FnOnce()) {
    let (ready, leave) = (Barrier::new(OTHERS + 1), Barrier::new(OTHERS + 1));
    std::thread::scope(|scope| {
        for _ in 0..OTHERS {
            scope.spawn(|| {
                Hub::run(Host::Enabled.hub(), || three_fields(1));
                ready.wait();
                leave.wait();
            });
        }
        ready.wait();
        body();
        leave.wait();
    });
}

fn hot_path(criterion: &mut Criterion) {
    let mut alone = settings(criterion, "hot_path");
    for host in Host::ALL {
        on_hubs(&mut alone, host);
        captures(&mut alone, host);
    }
    [1, 4, 16].into_iter().for_each(|threads| shared(&mut alone, threads));
    alone.finish();

    let mut crowded = settings(criterion, "hot_path_256_others");
    among_others(|| {
        on_hubs(&mut crowded, Host::Enabled);
        captures(&mut crowded, Host::Enabled);
    });
    crowded.finish();
}

fn settings<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(900)).sample_size(30);
    group
}

/// An error with causes.
#[derive(Debug)]
struct Deep(Option<Box<Deep>>);

impl fmt::Display for Deep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the file is not there")
    }
}

impl Error for Deep {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().map(|deeper| deeper as _)
    }
}

/// Calls over which allocations are averaged; many, so that a new chunk now and then does not pass for none.
const COUNTED: u64 = 10_000;
/// Captures that the queue is sure to hold.
const BURST: u64 = 200;
/// The threads that other threads' state may not slow down.
const OTHERS: usize = 256;

criterion_group!(benches, hot_path);
criterion_main!(benches);
