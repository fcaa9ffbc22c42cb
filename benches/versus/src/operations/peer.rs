//! The peer's operations. Where we have a macro, it has a closure that builds the same breadcrumb.

#[path = "both/captures.rs"]
pub mod captures;
#[path = "both/contended.rs"]
pub mod contended;
#[path = "both/envelopes.rs"]
pub mod envelopes;
#[path = "both/hubs.rs"]
pub mod hubs;
#[path = "both/stage.rs"]
mod stage;
#[path = "both/telemetry.rs"]
pub mod telemetry;
#[path = "both/traces.rs"]
pub mod traces;

use sentry_core as sdk;
use sentry_core::protocol::MonitorCheckIn;
use sentry_core::{Client, ClientOptions, Envelope, Hub, Span};

pub use self::stage::{threads_of_a_client, touch};
use super::writers::peer::Writer;

#[inline(always)]
fn rich(n: u64) {
    sdk::add_breadcrumb(|| stage::rich(n));
}

#[inline(always)]
fn small() {
    sdk::add_breadcrumb(stage::small);
}

fn append(envelope: &Envelope, buffer: &mut Vec<u8>) {
    envelope.to_writer(buffer).expect("memory takes everything");
}

fn items_of(bytes: &[u8]) -> usize {
    Envelope::from_slice(bytes).expect("what was written").items().count()
}

fn check_in(hub: &Hub, check_in: MonitorCheckIn) {
    if let Some(client) = hub.client() {
        client.send_envelope(check_in.into());
    }
}

fn write_headers(span: &Span, mut write: impl FnMut(&str, &str)) {
    span.iter_headers().for_each(|(name, value)| write(name, &value));
}

/// Its own come in crates of their own: one that does next to nothing stands for them.
fn with_own_integrations(options: ClientOptions) -> ClientOptions {
    options.add_integration(captures::Stamp)
}

/// It keeps no account.
fn account(_: &Client) {}
