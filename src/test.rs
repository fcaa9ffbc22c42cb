//! Capturing envelopes in tests.
//!
//! ```
//! use vidette::test::with_captured_events;
//! use vidette::{Level, breadcrumb, capture_message};
//!
//! let events = with_captured_events(|| {
//!     breadcrumb!("before");
//!     capture_message("hello", Level::Info);
//! });
//! assert_eq!(events[0].message.as_deref(), Some("hello"));
//! assert_eq!(events[0].breadcrumbs[0].message.as_deref(), Some("before"));
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_queue::SegQueue;

use crate::client::Client;
use crate::hub::Hub;
use crate::options::ClientOptions;
use crate::protocol::Event;
use crate::scope::Scope;
use crate::transport::{Delivery, Transport};
use crate::types::Dsn;
use crate::wire::{Envelope, EnvelopeItem};

/// Keeps envelopes instead of sending them.
///
/// It is handed them on the thread that captures, so what was captured before a call is there to be seen.
#[derive(Default)]
pub struct TestTransport {
    collected: SegQueue<Envelope>,
}

impl TestTransport {
    /// Makes a transport that holds nothing. A clone of the `Arc` is what to give to the options.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Takes the events out of all that was captured, and forgets the rest.
    #[must_use]
    pub fn fetch_and_clear_events(&self) -> Vec<Event<'static>> {
        events(self.fetch_and_clear_envelopes())
    }

    /// Takes all that was captured, in the order of its capture.
    #[must_use]
    pub fn fetch_and_clear_envelopes(&self) -> Vec<Envelope> {
        std::iter::from_fn(|| self.collected.pop()).collect()
    }
}

impl Transport for TestTransport {
    fn send_envelope(&self, envelope: Envelope) {
        self.collected.push(envelope);
    }

    fn flush(&self, _: Duration) -> bool {
        true
    }

    fn shutdown(&self, _: Duration) -> bool {
        true
    }

    fn delivery(&self) -> Delivery<'_> {
        Delivery::Inline
    }
}

impl fmt::Debug for TestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestTransport").field("collected", &self.collected.len()).finish()
    }
}

/// Runs `f` under a hub of its own and returns the events it captured on this thread.
pub fn with_captured_events<F: FnOnce()>(f: F) -> Vec<Event<'static>> {
    with_captured_events_options(f, ClientOptions::default())
}

/// As [`with_captured_events`], with options; a DSN and the transport are filled in.
pub fn with_captured_events_options<F: FnOnce(), O: Into<ClientOptions>>(f: F, options: O) -> Vec<Event<'static>> {
    events(with_captured_envelopes_options(f, options))
}

/// Runs `f` under a hub of its own and returns the envelopes it captured on this thread.
pub fn with_captured_envelopes<F: FnOnce()>(f: F) -> Vec<Envelope> {
    with_captured_envelopes_options(f, ClientOptions::default())
}

/// As [`with_captured_envelopes`], with options; a DSN and the transport are filled in.
pub fn with_captured_envelopes_options<F: FnOnce(), O: Into<ClientOptions>>(f: F, options: O) -> Vec<Envelope> {
    let transport = TestTransport::new();
    let mut options = options.into();
    options.dsn = options.dsn.or_else(some_dsn);
    options.transport = Some(Arc::new(Arc::clone(&transport)));
    let client = Arc::new(Client::with_options(options));
    let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::new(Scope::default())));
    Hub::run(hub, f);
    // What travels in batches waits for the sender.
    client.flush(None);
    transport.fetch_and_clear_envelopes()
}

fn events(envelopes: Vec<Envelope>) -> Vec<Event<'static>> {
    let items = envelopes.into_iter().flat_map(Envelope::into_items);
    items
        .filter_map(|item| match item {
            EnvelopeItem::Event(event) => Some(*event),
            _ => None,
        })
        .collect()
}

fn some_dsn() -> Option<Dsn> {
    "https://public@sentry.invalid/1".parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Level;

    #[test]
    fn what_a_spawned_thread_captures_is_there_when_it_carries_the_hub() {
        let events = with_captured_events(|| {
            let hub = Hub::current();
            let thread = std::thread::spawn(|| Hub::run(hub, || crate::capture_message("from afar", Level::Info)));
            assert!(!thread.join().unwrap().is_nil());
            crate::capture_message("from here", Level::Info);
        });
        let messages: Vec<_> = events.iter().filter_map(|event| event.message.as_deref()).collect();
        assert_eq!(messages, ["from afar", "from here"]);
    }

    #[test]
    fn options_reach_the_client_and_the_hub_outside_is_left_alone() {
        let before = Hub::current();
        let options = ClientOptions::new().release("shop@1");
        let envelopes = with_captured_envelopes_options(|| _ = crate::capture_message("m", Level::Info), options);
        assert_eq!(envelopes[0].event().and_then(|event| event.release.as_deref()), Some("shop@1"));
        assert!(Arc::ptr_eq(&before, &Hub::current()));
        assert!(crate::capture_message("outside", Level::Info).is_nil());
    }
}
