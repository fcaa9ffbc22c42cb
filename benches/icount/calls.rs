//! The calls that are counted, as a service makes them.

use std::fmt::Write;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use vidette::protocol::{MonitorCheckIn, MonitorCheckInStatus, SessionStatus};
use vidette::wire::EnvelopeView;
use vidette::{
    Breadcrumb, Client, ClientOptions, Envelope, Hub, HubSwitchGuard, Integration, Level, SentryFutureExt, SessionMode,
    Transaction, TransactionContext, Transport, breadcrumb, logger_info, metrics,
};

use crate::large_event::event;
use crate::{Call, bursts, steady};

macro_rules! calls {
    ($($name:literal: $run:expr;)*) => {
        &[$(Call { name: $name, run: $run }),*]
    };
}

pub(crate) const CALLS: &[Call] = calls! {
    // Nothing is open: a load and a branch.
    "no client: `breadcrumb!`": || steady(three_fields);
    "no client: `add_breadcrumb`": || steady(|n| vidette::add_breadcrumb(|| built(n)));
    "no client: `configure_scope`": || steady(|_| set_tag());
    "no client: `with_scope`, which runs its callback": || steady(|n| vidette::with_scope(|_| (), || _ = black_box(n)));
    "no client: `capture_message`": || steady(|_| _ = vidette::capture_message(black_box("cold"), Level::Info));
    "no client: `capture_error`": || steady(|_| _ = vidette::capture_error(black_box(&std::fmt::Error)));
    "no client: `logger_info!`": || steady(|n| logger_info!(rows = n, "loaded the cart"));
    "no client: counter": || steady(|_| metrics::counter("carts", *black_box(&1)).attribute("cold", false).capture());
    "no client: `start_session`": || steady(|_| vidette::start_session());
    "no client: `last_event_id`": || steady(|_| _ = black_box(vidette::last_event_id()));
    "disabled client: `breadcrumb!`": || under(Hub::new(Some(client(ClientOptions::new())), Arc::default()), three_fields);
    "disabled client: `capture_message`": || {
        under(Hub::new(Some(client(ClientOptions::new())), Arc::default()), |_| {
            _ = vidette::capture_message(black_box("cold"), Level::Info);
        });
    };

    // Breadcrumbs.
    "`breadcrumb!`, 3 fields, formatted message": || under(full(), three_fields);
    "`breadcrumb!`, plain": || under(full(), |_| plain());
    "`breadcrumb!`, too long for its slot": || under(full(), |_| breadcrumb!(text = *black_box(&LONG), "long"));
    "`add_breadcrumb`, with what its closure builds": || under(full(), |n| vidette::add_breadcrumb(|| built(n)));
    "what that closure builds, and its drop": || steady(|n| drop(black_box(built(n))));
    "`add_breadcrumb` of an empty one": || under(full(), |_| vidette::add_breadcrumb(Breadcrumb::default()));

    // Scopes.
    "`configure_scope(set_tag)`": || under(hub(), |_| set_tag());
    "`configure_scope(set_tag)`, 20 tags there": || {
        let hub = hub();
        hub.configure_scope(|scope| (0..20).for_each(|n| scope.set_tag(&format!("tag-{n}"), n)));
        under(hub, |_| set_tag());
    };
    "`configure_scope(set_span)`": || {
        let hub = hub();
        let span = transaction(&hub);
        under(hub, move |_| vidette::configure_scope(|scope| scope.set_span(Some(span.clone().into()))));
    };
    "`push_scope` and pop": || {
        let hub = hub();
        steady(|_| drop(black_box(hub.push_scope())));
    };
    "`with_scope(set_tag)` + `breadcrumb!`, 100 in the parent": || {
        under(full(), |_| vidette::with_scope(|scope| scope.set_tag("step", *black_box(&"parse")), plain));
    };

    // Hubs.
    "`Hub::current`": || under(hub(), |_| drop(black_box(Hub::current())));
    "fork + drop": || {
        let parent = Arc::new(full());
        steady(|_| drop(black_box(Hub::new_from_top(black_box(&parent)))));
    };
    "fork + 10 × `breadcrumb!` + drop, 100 in the parent": || {
        let parent = Arc::new(full());
        steady(|_| {
            let fork = Arc::new(Hub::new_from_top(black_box(&parent)));
            Hub::run(fork, || (0..10).for_each(|_| plain()));
        });
    };
    "hub switch and back": || {
        let other = Arc::new(hub());
        under(hub(), move |_| drop(black_box(HubSwitchGuard::new(Arc::clone(&other)))));
    };
    "poll of a bound future": || {
        let pending = std::future::poll_fn(|_| black_box(Poll::<()>::Pending));
        let mut bound = pin!(pending.bind_hub(Arc::new(hub())));
        steady(|_| _ = black_box(bound.as_mut().poll(&mut Context::from_waker(Waker::noop()))));
    };

    // Captures.
    "capture, no breadcrumbs": || sent(hub(), |hub| _ = hub.capture_message(black_box("cold"), Level::Info));
    "capture, 100 breadcrumbs": || sent(full(), |hub| _ = hub.capture_message(black_box("cold"), Level::Info));
    "capture, 100 breadcrumbs and an integration": || {
        let hub = filled(hub_of(ClientOptions::new().add_integration(Passing)));
        sent(hub, |hub| _ = hub.capture_message(black_box("cold"), Level::Info));
    };
    "`capture_error`": || sent(hub(), |hub| _ = hub.capture_error(black_box(&std::fmt::Error)));

    // Traces.
    "transaction, sampled": || sent(hub(), |hub| transaction(hub).finish());
    "transaction + 10 spans, sampled": || sent(hub(), spans);
    "transaction, not sampled": || sent(unsampled(), |hub| transaction(hub).finish());
    "transaction + 10 spans, not sampled": || sent(unsampled(), spans);
    "span, not sampled": || {
        let transaction = transaction(&unsampled());
        steady(|_| transaction.start_child("db.query", black_box("SELECT 1")).finish());
    };
    "`set_data` on a sampled span": || {
        let hub = hub();
        let span = transaction(&hub).start_child("db.query", "SELECT 1");
        steady(|n| span.set_data("rows", n.into()));
    };
    "`trace_headers` of a sampled span, written": || headers(&hub());
    "`trace_headers` of a span that is not sampled, written": || headers(&unsampled());
    "`continue_from_headers`": || {
        let incoming = [("sentry-trace", "d49d9bf66f13450b81f65bc51cf49c03-1cc4b26ab9094ef0-1")];
        steady(|_| drop(black_box(TransactionContext::continue_from_headers("GET /", "http.server", black_box(incoming)))));
    };

    // Other telemetry.
    "`logger_info!`, 1 attribute": || sent(hub(), |_| logger_info!(rows = *black_box(&3), "loaded the cart"));
    "`logger_info!`, formatted, 1 text": || {
        sent(hub(), |_| logger_info!(user = *black_box(&"u-17"), "loaded {} rows", black_box(3)));
    };
    "counter, 1 attribute": || {
        sent(hub(), |_| metrics::counter("carts", *black_box(&1)).attribute("cold", false).capture());
    };
    "session of a request": || {
        sent(hub_of(ClientOptions::new().session_mode(SessionMode::Request)), |hub| {
            hub.start_session();
            hub.end_session_with_status(black_box(SessionStatus::Exited));
        });
    };
    "check-in": || {
        sent(hub(), |_| {
            _ = vidette::capture_check_in(MonitorCheckIn {
                check_in_id: black_box(vidette::types::Uuid::nil()),
                monitor_slug: String::new(),
                status: MonitorCheckInStatus::Ok,
                environment: None,
                duration: None,
                monitor_config: None,
            });
        });
    };

    // Envelopes.
    "envelope: write 23 KB into a warm buffer": || {
        let (envelope, mut buffer) = (Envelope::from(event()), Vec::with_capacity(1 << 16));
        steady(|_| {
            buffer.clear();
            assert!(black_box(&envelope).append_to(&mut buffer).is_ok());
        });
    };
    "envelope: parse 23 KB into types": || {
        let bytes = bytes();
        steady(|_| assert!(black_box(Envelope::from_slice(black_box(&bytes))).is_ok()));
    };
    "envelope: raw view of 23 KB": || {
        let bytes = bytes();
        steady(|_| assert!(EnvelopeView::new(black_box(&bytes)).is_ok_and(|view| view.items().count() == 1)));
    };
};

/// Takes envelopes on the sender thread, and forgets them.
struct Forget;

impl Transport for Forget {
    fn send_envelope(&self, _: Envelope) {}
}

/// Makes a capture fill its event on the calling thread.
struct Passing;

impl Integration for Passing {}

fn client(options: ClientOptions) -> Arc<Client> {
    Arc::new(Client::with_options(options))
}

/// A hub with a client that sends.
fn hub_of(options: ClientOptions) -> Hub {
    let options = options.dsn("https://public@sentry.invalid/1").release("service@1.2.3").transport(Arc::new(Forget));
    Hub::new(Some(client(options)), Arc::default())
}

/// The same, which samples all traces.
fn hub() -> Hub {
    hub_of(ClientOptions::new().traces_sample_rate(1.0))
}

fn unsampled() -> Hub {
    hub_of(ClientOptions::new().traces_sample_rate(0.0))
}

/// A hub that shows a hundred breadcrumbs.
fn full() -> Hub {
    filled(hub())
}

fn filled(hub: Hub) -> Hub {
    let hub = Arc::new(hub);
    Hub::run(Arc::clone(&hub), || (0..100).for_each(three_fields));
    Arc::into_inner(hub).unwrap_or_else(|| Hub::new(None, Arc::default()))
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
    breadcrumb!(category: "cache", "{}", *black_box(&"the cache was cold"));
}

fn built(n: u64) -> Breadcrumb {
    Breadcrumb { category: Some("cache".into()), message: Some(format!("miss {n}")), ..Breadcrumb::default() }
}

fn set_tag() {
    vidette::configure_scope(|scope| scope.set_tag("region", *black_box(&"eu-west-1")));
}

fn transaction(hub: &Hub) -> Transaction {
    hub.start_transaction(TransactionContext::new(black_box("GET /cart"), "http.server"))
}

fn spans(hub: &Hub) {
    let transaction = transaction(hub);
    (0..10).for_each(|_| transaction.start_child("db.query", black_box("SELECT 1")).finish());
    transaction.finish();
}

fn bytes() -> Vec<u8> {
    let mut bytes = Vec::new();
    assert!(Envelope::from(event()).append_to(&mut bytes).is_ok());
    bytes
}

fn headers(hub: &Hub) {
    let span = transaction(hub).start_child("http.client", "GET https://shop.invalid/stock");
    let mut buffer = String::with_capacity(1 << 10);
    steady(|_| {
        buffer.clear();
        span.trace_headers().iter().for_each(|(name, value)| _ = write!(buffer, "{name}: {value}\r\n"));
    });
}

/// Counts a call with this hub as the current one.
fn under(hub: Hub, call: impl FnMut(u64)) {
    Hub::run(Arc::new(hub), || steady(call));
}

/// Counts a call that hands something to the sender.
fn sent(hub: Hub, call: impl Fn(&Hub)) {
    let hub = Arc::new(hub);
    let settle = || assert!(hub.client().is_some_and(|client| client.flush(Some(Duration::from_secs(60)))));
    Hub::run(Arc::clone(&hub), || bursts(|_| call(&hub), settle));
}

/// Longer than what a breadcrumb has room for in its slot.
const LONG: &str = match std::str::from_utf8(&[b'x'; 500]) {
    Ok(text) => text,
    Err(_) => "",
};
