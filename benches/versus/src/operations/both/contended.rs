//! Calls that several threads make at once.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::sdk::{Client, ClientOptions, Hub, Level, Scope, TransactionContext};
use super::stage::Stage;
use crate::contention::{Contest, Meter};
use crate::operations::{Host, opaque};

/// All threads add breadcrumbs to one hub.
pub fn one_hub() -> Contest {
    let hub = Stage::full(Host::Enabled).hub;
    Contest::new(move |_, meter| Hub::run(Arc::clone(&hub), || meter.run(|n| super::rich(black_box(n)))))
}

/// Each thread adds breadcrumbs to a fork of its own.
pub fn own_hub() -> Contest {
    let parent = Stage::full(Host::Enabled).hub;
    Contest::new(move |_, meter| {
        Hub::run(Arc::new(Hub::new_from_top(&parent)), || meter.run(|n| super::rich(black_box(n))));
    })
}

/// All threads set tags on one hub.
pub fn writers() -> Contest {
    let hub = Stage::new(Host::Enabled).hub;
    Contest::new(move |_, meter| meter.run(|_| set_tag(&hub)))
}

/// Each thread sets tags on a fork of its own.
pub fn own_scope() -> Contest {
    let parent = Stage::new(Host::Enabled).hub;
    Contest::new(move |_, meter| {
        let hub = Hub::new_from_top(&parent);
        meter.run(|_| set_tag(&hub));
    })
}

/// One more thread sets tags on the hub that all others fork. What counts are the forks.
pub fn readers() -> Contest {
    let hub = Stage::new(Host::Enabled).hub;
    let written = Arc::clone(&hub);
    Contest::new(move |_, meter| meter.run(|_| drop(black_box(Hub::new_from_top(black_box(&hub))))))
        .beside(move || set_tag(&written))
}

fn set_tag(hub: &Hub) {
    hub.configure_scope(|scope: &mut Scope| scope.set_tag("region", opaque(&"eu-west-1")));
}

/// All threads capture, in bursts that the queue holds; each burst counts until it is sent.
pub fn captures() -> Contest {
    let stage = Arc::new(Stage::new(Host::Enabled));
    let (hub, sent) = (Arc::clone(&stage.hub), Arc::clone(&stage));
    let capture = move |_: usize, meter: &mut Meter<'_>| {
        meter.run(|_| _ = black_box(hub.capture_message(opaque(&"the cache is cold"), Level::Info)));
    };
    Contest::new(capture).in_bursts(move || stage.settle(), move || sent.forget())
}

/// The same, where the transports of each crate write bytes.
pub fn written_captures() -> Contest {
    let writer = Arc::new(super::Writer::default());
    let options = ClientOptions::new().dsn("https://public@sentry.invalid/1").transport(Arc::clone(&writer));
    let client = Arc::new(Client::from(options));
    let hub = Hub::new(Some(Arc::clone(&client)), Arc::new(Scope::default()));
    let capture = move |_: usize, meter: &mut Meter<'_>| {
        meter.run(|_| _ = black_box(hub.capture_message(opaque(&"the cache is cold"), Level::Info)));
    };
    let settle = move || assert!(client.flush(Some(Duration::from_secs(60))), "it is all written");
    Contest::new(capture).in_bursts(settle, move || writer.written.swap(0, Ordering::Relaxed))
}

/// Each thread starts and finishes spans of a transaction of its own, and begins another before it is full.
pub fn spans() -> Contest {
    let hub = Stage::with(Host::Enabled, ClientOptions::new().traces_sample_rate(1.0)).hub;
    Contest::new(move |_, meter| {
        while meter.wants_more() {
            let transaction = hub.start_transaction(TransactionContext::new("GET /cart", "http.server"));
            meter.run_some(500, |_| transaction.start_child("db.query", opaque(&"SELECT 1")).finish());
        }
    })
}
