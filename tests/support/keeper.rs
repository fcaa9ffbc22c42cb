//! A transport that keeps what it is handed, on the thread that captures. It needs no feature of the crate's.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::{Arc, Mutex, PoisonError};

use vidette::protocol::Event;
use vidette::transport::{Delivery, Transport};
use vidette::{Envelope, protocol::EnvelopeItem};

#[derive(Debug, Default)]
pub(crate) struct Keeper(Mutex<Vec<Envelope>>);

impl Keeper {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Takes all that was captured, in the order of its capture.
    pub(crate) fn take_envelopes(&self) -> Vec<Envelope> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the events out of it, and forgets the rest.
    pub(crate) fn take_events(&self) -> Vec<Event<'static>> {
        let items = self.take_envelopes().into_iter().flat_map(Envelope::into_items);
        items
            .filter_map(|item| match item {
                EnvelopeItem::Event(event) => Some(*event),
                _ => None,
            })
            .collect()
    }
}

impl Transport for Keeper {
    fn send_envelope(&self, envelope: Envelope) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(envelope);
    }

    fn delivery(&self) -> Delivery<'_> {
        Delivery::Inline
    }
}
