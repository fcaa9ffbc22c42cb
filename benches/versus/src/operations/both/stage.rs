//! Hubs in each state a host can be in, what they send to, and breadcrumbs.

use std::collections::HashSet;
use std::ffi::OsString;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::sdk;
use super::sdk::protocol::{EnvelopeItem, Event, ItemContainer, SessionAggregates};
use super::sdk::{Breadcrumb, Client, ClientOptions, Envelope, Hub, Level, Scope, Transport};
use crate::measure::{Cost, Run, timed};
use crate::operations::{BURST, Host, opaque};

/// A hub, and what it has sent.
pub struct Stage {
    pub hub: Arc<Hub>,
    pub sink: Arc<Sink>,
    host: Host,
}

/// Takes envelopes at once. They are dropped before the next batch, when no clock runs.
pub struct Sink(Mutex<Vec<Envelope>>);

impl Transport for Sink {
    fn send_envelope(&self, envelope: Envelope) {
        self.0.lock().expect("nobody panics with it").push(envelope);
    }

    fn flush(&self, _: Duration) -> bool {
        true
    }
}

impl Stage {
    pub fn new(host: Host) -> Self {
        Self::with(host, ClientOptions::new())
    }

    pub fn with(host: Host, options: ClientOptions) -> Self {
        let sink = Arc::new(Sink(Mutex::new(Vec::with_capacity(2 * BURST as usize))));
        let options = options.release("service@1.2.3");
        let options = match host {
            Host::Unbound => None,
            Host::Disabled => Some(options),
            Host::Enabled => Some(options.dsn(DSN).transport(Arc::new(Arc::clone(&sink)))),
        };
        let client = options.map(|options| Arc::new(Client::from(options)));
        let hub = Arc::new(Hub::new(client, Arc::new(Scope::default())));
        Self { hub, sink, host }
    }

    /// With a hundred breadcrumbs that were built in full.
    pub fn full(host: Host) -> Self {
        let stage = Self::new(host);
        (0..100).for_each(|n| stage.hub.add_breadcrumb(|| rich(n)));
        stage
    }

    /// With a hundred breadcrumbs of the macro, where there is one.
    pub fn full_by_macro(host: Host) -> Self {
        let stage = Self::new(host);
        Hub::run(Arc::clone(&stage.hub), || (0..100).for_each(super::rich));
        stage
    }

    /// Times `call` with the hub as the current one; `check` looks at what the hub then captures.
    pub fn under(
        self,
        mut call: impl FnMut(u64) + 'static,
        mut check: impl FnMut(&Event<'static>, u64) + 'static,
    ) -> Run {
        let hub = Arc::clone(&self.hub);
        let batch = move |calls| Hub::run(Arc::clone(&hub), || timed(calls, &mut call));
        Run::new(batch, move |calls| match (self.host, self.event()) {
            (Host::Enabled, Some(event)) => check(&event, calls),
            (Host::Unbound | Host::Disabled, None) => {}
            (host, event) => panic!("{host:?} captured {event:?}"),
        })
    }

    /// Times `call` in bursts that fit any queue. Each is sent and forgotten before the next; that is not timed. Each call
    /// sends `items`.
    pub fn burst(self, items: u64, mut call: impl FnMut(&Hub, u64) + 'static) -> Run {
        self.settled(items, move |stage, calls| {
            let cost = Hub::run(Arc::clone(&stage.hub), || timed(calls, |n| call(&stage.hub, n)));
            stage.settle();
            cost
        })
    }

    /// A run of batches that leave nothing to be done, with a look at what was sent.
    pub fn settled(self, items: u64, mut batch: impl FnMut(&Self, u64) -> Cost + 'static) -> Run {
        let is_open = self.host == Host::Enabled;
        let items = if is_open { items } else { 0 };
        let stage = Arc::new(self);
        let prover = Arc::clone(&stage);
        let batch = move |calls| {
            stage.sink.0.lock().expect("nobody panics with it").clear();
            batch(&stage, calls)
        };
        let proof = move |calls| {
            let sent: u64 = prover.sink.0.lock().expect("nobody panics with it").iter().map(count).sum();
            assert_eq!(sent, calls * items, "everything that was captured is sent");
            if let Some(client) = prover.hub.client() {
                super::account(&client);
            }
        };
        // Where nothing is captured, no queue can be full, and the clock is asked as seldom as in other rows.
        if is_open { Run::new(batch, proof).at_most(BURST) } else { Run::new(batch, proof) }
    }

    /// Waits until everything is sent.
    pub fn settle(&self) {
        let Some(client) = self.hub.client().filter(|client| client.is_enabled()) else { return };
        assert!(client.flush(Some(Duration::from_secs(60))), "it is all sent");
    }

    /// Forgets what was sent, and says how much it was.
    pub fn forget(&self) -> u64 {
        let mut sent = self.sink.0.lock().expect("nobody panics with it");
        sent.drain(..).count() as u64
    }

    /// What the hub captures now.
    fn event(&self) -> Option<Event<'static>> {
        self.hub.capture_message("proof", Level::Info);
        self.settle();
        let last = self.sink.0.lock().expect("nobody panics with it").pop()?;
        last.event().cloned()
    }
}

/// How many items of an envelope somebody captured.
fn count(envelope: &Envelope) -> u64 {
    let of = |item: &EnvelopeItem| match item {
        EnvelopeItem::Event(_) | EnvelopeItem::Transaction(_) | EnvelopeItem::MonitorCheckIn(_) => 1,
        EnvelopeItem::ItemContainer(ItemContainer::Logs(logs)) => logs.len() as u64,
        EnvelopeItem::ItemContainer(ItemContainer::Metrics(metrics)) => metrics.len() as u64,
        EnvelopeItem::SessionAggregates(SessionAggregates { aggregates, .. }) => {
            aggregates.iter().map(|minute| u64::from(minute.exited)).sum()
        }
        _ => 0,
    };
    envelope.items().map(of).sum()
}

/// A breadcrumb as an HTTP client would add it.
pub fn rich(n: u64) -> Breadcrumb {
    let mut breadcrumb = Breadcrumb {
        ty: "http".into(),
        category: Some("http.client".into()),
        message: Some(format!("GET /cart/{n}")),
        ..Default::default()
    };
    breadcrumb.data.insert("method".into(), (opaque(&"GET")).into());
    breadcrumb.data.insert("url".into(), (opaque(&"http://shop.invalid/cart")).into());
    breadcrumb.data.insert("status_code".into(), 200.into());
    breadcrumb
}

pub fn small() -> Breadcrumb {
    Breadcrumb {
        category: Some("cache".into()),
        message: Some((opaque(&"the cache was cold")).into()),
        ..Default::default()
    }
}

/// What each of the other threads does once.
pub fn touch() {
    let stage = Stage::new(Host::Enabled);
    Hub::run(stage.hub, || sdk::add_breadcrumb(small));
    sdk::configure_scope(|scope| scope.set_tag("thread", "other"));
    black_box(Hub::current());
}

/// How many threads a client starts that has captured one of each kind.
pub fn threads_of_a_client() -> usize {
    let threads = || -> HashSet<OsString> {
        let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
        tasks.flatten().map(|task| task.file_name()).collect()
    };
    let before = threads();
    let stage = Stage::new(Host::Enabled);
    Hub::run(Arc::clone(&stage.hub), || {
        sdk::capture_message("one", Level::Info);
        sdk::logger_info!("one");
        sdk::metrics::counter("one", 1).capture();
    });
    stage.settle();
    threads().difference(&before).count()
}

const DSN: &str = "https://public@sentry.invalid/1";
