//! Our operations.

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

use vidette as sdk;
use vidette::integration::backtrace::{AttachStacktraceIntegration, ProcessStacktraceIntegration};
use vidette::integration::contexts::ContextIntegration;
use vidette::integration::panic::PanicIntegration;
use vidette::protocol::MonitorCheckIn;
use vidette::protocol::client_report::Category;
use vidette::types::IndexedEnum;
use vidette::{Client, ClientOptions, Envelope, Hub, Span, breadcrumb};

use crate::operations::opaque;

pub use self::stage::{threads_of_a_client, touch};
use super::writers::ours::Writer;

#[inline(always)]
fn rich(n: u64) {
    breadcrumb!(
        ty: "http",
        category: "http.client",
        method = opaque(&"GET"),
        url = opaque(&"http://shop.invalid/cart"),
        status_code = 200,
        "GET /cart/{n}"
    );
}

#[inline(always)]
fn small() {
    breadcrumb!(category: "cache", "{}", opaque(&"the cache was cold"));
}

fn append(envelope: &Envelope, buffer: &mut Vec<u8>) {
    envelope.append_to(buffer).expect("what can be written");
}

fn items_of(bytes: &[u8]) -> usize {
    vidette::wire::EnvelopeView::new(bytes).expect("what was written").items().count()
}

fn check_in(hub: &Hub, check_in: MonitorCheckIn) {
    hub.capture_check_in(check_in);
}

fn write_headers(span: &Span, mut write: impl FnMut(&str, &str)) {
    span.trace_headers().iter().for_each(|(name, value)| write(name, value));
}

/// What was captured was delivered, dropped for a reason, or is still here.
fn account(client: &Client) {
    let stats = client.stats();
    assert!(Category::VARIANTS.iter().all(|category| stats.is_balanced(*category)), "{stats}");
}

/// Those that `init` adds.
fn with_own_integrations(options: ClientOptions) -> ClientOptions {
    options
        .add_integration(AttachStacktraceIntegration::new())
        .add_integration(ContextIntegration::new())
        .add_integration(PanicIntegration::new())
        .add_integration(ProcessStacktraceIntegration::new())
}
