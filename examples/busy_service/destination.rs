//! Where the events go: to a receiver in this process, or to the server that `SENTRY_DSN` names.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use vidette::protocol::{EnvelopeItem, Event};
use vidette::types::Dsn;

use crate::receiver::Receiver;

/// A receiver, or only an address.
pub enum Destination {
    Embedded(Receiver, Mutex<Tally>),
    Server(Dsn),
}

/// What a receiver was sent.
#[derive(Default)]
pub struct Tally {
    pub events: u64,
    /// Requests that were no acceptable envelope.
    pub refused: u64,
    /// The last event.
    pub last: Option<Box<Event<'static>>>,
}

impl Destination {
    pub fn embedded() -> io::Result<Self> {
        Ok(Self::Embedded(Receiver::start()?, Mutex::default()))
    }

    pub fn dsn(&self) -> Dsn {
        match self {
            Self::Embedded(receiver, _) => receiver.dsn(),
            Self::Server(dsn) => dsn.clone(),
        }
    }

    /// Counts what arrived since the last look, so that it need not be kept. Nothing if that is not for us to know.
    pub fn look(&self) -> Option<MutexGuard<'_, Tally>> {
        let Self::Embedded(receiver, tally) = self else { return None };
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        for received in receiver.take() {
            for item in received.envelope.into_items() {
                if let EnvelopeItem::Event(event) = item {
                    tally.events += 1;
                    tally.last = Some(event);
                }
            }
        }
        tally.refused += receiver.take_refused().len() as u64;
        Some(tally)
    }

    pub fn stop(&self) {
        if let Self::Embedded(receiver, _) = self {
            receiver.stop();
        }
    }
}

/// Shows how far a run is, and does what is due meanwhile.
pub struct Watcher<'a> {
    bar: ProgressBar,
    destination: Option<&'a Destination>,
    stops_halfway: bool,
}

impl<'a> Watcher<'a> {
    /// The bar is on the standard error stream, and only if that is a terminal.
    pub fn new(name: &'static str, requests: usize, destination: Option<&'a Destination>, stops_halfway: bool) -> Self {
        let style = ProgressStyle::with_template("{msg:24} {bar:40} {human_pos:>9} of {human_len} requests");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(requests as u64).with_style(style).with_message(name);
        Self { bar, destination, stops_halfway }
    }

    /// Called now and then, with the number of requests taken so far.
    pub fn progress(&self, taken: usize) {
        self.bar.set_position(taken as u64);
        if let Some(destination) = self.destination {
            drop(destination.look());
        }
    }

    /// Called once, by a worker, in the middle of the run.
    pub fn halfway(&self) {
        if self.stops_halfway
            && let Some(destination) = self.destination
        {
            destination.stop();
        }
    }
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
