//! How envelopes leave the process: the traits a transport implements, and one file for each transport.
//!
//! All methods of a [`Transport`] run on the client's sender thread, so a transport may block, within the
//! time limit it was given, and needs no thread, queue or lock of its own.
//!
//! **Not here**: queueing, rate limits, retries and loss accounting belong to the sender.

mod factory;
#[cfg(feature = "client")]
mod file;
#[cfg(feature = "http")]
mod http;
mod options;
mod send;

use std::sync::Arc;
use std::time::Duration;

use crate::wire::Envelope;

pub use self::factory::TransportFactory;
#[cfg(feature = "client")]
pub use self::file::{EnvelopeFile, EnvelopeFileError, FileTransport};
#[cfg(feature = "http")]
pub use self::http::{HttpTransport, HttpTransportError};
pub use self::options::TransportOptions;
#[doc(hidden)]
pub use self::send::{Cause, Delivery, Reply, SendBytes, SendError};

/// Carries envelopes out of the process.
///
/// A transport that only implements [`send_envelope`](Self::send_envelope) is complete. The client calls it on its
/// sender thread, one envelope at a time; what such a transport does with the envelope is its own business, so the
/// client counts the items as handed over.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use vidette::transport::Transport;
/// use vidette::wire::Envelope;
///
/// /// Counts envelopes and forgets them.
/// #[derive(Default)]
/// struct Counter(AtomicUsize);
///
/// impl Transport for Counter {
///     fn send_envelope(&self, _envelope: Envelope) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let counter = Counter::default();
/// counter.send_envelope(Envelope::new());
/// assert_eq!(counter.0.into_inner(), 1);
/// ```
pub trait Transport: Send + Sync + 'static {
    /// Sends one envelope, or queues it to be sent.
    fn send_envelope(&self, envelope: Envelope);

    /// Waits up to `timeout` until everything accepted so far is sent; true when it is.
    ///
    /// The default suits a transport that queues nothing: there is nothing to wait for.
    fn flush(&self, timeout: Duration) -> bool {
        let _ = timeout;
        true
    }

    /// Flushes, and then stops what the transport runs, within `timeout`; true when everything was sent.
    ///
    /// The client calls this once, when it closes. Envelopes that come later may be discarded.
    fn shutdown(&self, timeout: Duration) -> bool {
        self.flush(timeout)
    }

    /// Says how the sender should hand envelopes over.
    #[doc(hidden)]
    fn delivery(&self) -> Delivery<'_> {
        Delivery::Envelopes
    }
}

/// Forwards every method, so that a shared transport behaves as the transport itself.
impl<T: Transport> Transport for Arc<T> {
    fn send_envelope(&self, envelope: Envelope) {
        (**self).send_envelope(envelope);
    }

    fn flush(&self, timeout: Duration) -> bool {
        (**self).flush(timeout)
    }

    fn shutdown(&self, timeout: Duration) -> bool {
        (**self).shutdown(timeout)
    }

    fn delivery(&self) -> Delivery<'_> {
        (**self).delivery()
    }
}

/// The transport of clients that were not given one.
#[cfg(feature = "http")]
pub(crate) fn default_factory() -> Option<Arc<dyn TransportFactory>> {
    Some(Arc::new(http::HttpTransportFactory))
}

/// The transport of clients that were not given one: none, in builds without.
#[cfg(all(feature = "client", not(feature = "http")))]
pub(crate) fn default_factory() -> Option<Arc<dyn TransportFactory>> {
    None
}

#[cfg(test)]
mod tests;
