//! Events: what the caller pays, and what all threads pay until there are bytes.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::sdk::protocol::Event;
use super::sdk::{self, Client, ClientOptions, Hub, Integration, Level, Scope};
use super::stage::{Stage, rich};
use crate::measure::{Run, timed_in_all};
use crate::operations::{BURST, Deepest, Host, opaque};

pub fn capture(host: Host) -> Run {
    Stage::new(host).burst(1, message)
}

pub fn capture_full(host: Host) -> Run {
    Stage::full(host).burst(1, message)
}

pub fn capture_error(host: Host) -> Run {
    let error = Deepest::chain();
    Stage::new(host).burst(1, move |hub, _| _ = black_box(hub.capture_error(black_box(&error))))
}

/// By the free function, in a state in which nothing is captured: a constant text, and nobody looks at the id, as hosts mostly
/// call it. What hides either from the compiler takes as long as the call.
pub fn capture_free(host: Host) -> Run {
    Stage::new(host).under(|_| _ = sdk::capture_message("the cache is cold", Level::Info), |_, _| ())
}

/// The same with an error.
pub fn capture_error_free(host: Host) -> Run {
    let error = Deepest::chain();
    Stage::new(host).under(move |_| _ = sdk::capture_error(&error), |_, _| ())
}

/// With an integration that looks at each event, as there are some after `sentry::init`.
pub fn capture_processed() -> Run {
    let stage = Stage::with(Host::Enabled, ClientOptions::new().add_integration(Stamp));
    (0..100).for_each(|n| stage.hub.add_breadcrumb(|| rich(n)));
    stage.burst(1, message)
}

/// With the integrations of each crate itself that see each event after `init`.
pub fn capture_init() -> Run {
    let stage = Stage::with(Host::Enabled, super::with_own_integrations(ClientOptions::new()));
    (0..100).for_each(|n| stage.hub.add_breadcrumb(|| rich(n)));
    stage.burst(1, message)
}

fn message(hub: &Hub, _: u64) {
    black_box(hub.capture_message(opaque(&"the cache is cold"), Level::Info));
}

pub struct Stamp;

impl Integration for Stamp {
    fn process_event(&self, mut event: Event<'static>, _: &ClientOptions) -> Option<Event<'static>> {
        event.server_name = Some("shop-7".into());
        Some(event)
    }
}

pub fn in_all() -> Run {
    written(ClientOptions::new(), |_| ())
}

pub fn in_all_full() -> Run {
    written(ClientOptions::new(), |hub| (0..100).for_each(|n| hub.add_breadcrumb(|| rich(n))))
}

pub fn in_all_full_by_macro() -> Run {
    written(ClientOptions::new(), |hub| Hub::run(Arc::clone(hub), || (0..100).for_each(super::rich)))
}

pub fn in_all_processed() -> Run {
    let options = ClientOptions::new().add_integration(Stamp);
    written(options, |hub| (0..100).for_each(|n| hub.add_breadcrumb(|| rich(n))))
}

/// Times all threads until each event is written.
fn written(options: ClientOptions, prepare: fn(&Arc<Hub>)) -> Run {
    let writer = Arc::new(super::Writer::default());
    let options = options.dsn("https://public@sentry.invalid/1").transport(Arc::clone(&writer));
    let client = Arc::new(Client::from(options));
    let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::new(Scope::default())));
    prepare(&hub);
    let (written, proof_of) = (Arc::clone(&writer.written), Arc::clone(&writer.written));
    let batch = move |calls| {
        written.store(0, Ordering::Relaxed);
        let flush = || assert!(client.flush(Some(Duration::from_secs(60))), "it is all written");
        timed_in_all(calls, |n| message(&hub, n), flush)
    };
    let proof = move |calls| assert_eq!(proof_of.load(Ordering::Relaxed), calls);
    Run::new(batch, proof).always(BURST)
}
