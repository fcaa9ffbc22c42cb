//! What makes a transport when a client starts.

use std::sync::Arc;

use super::{Transport, TransportOptions};
use crate::options::ClientOptions;
use crate::wire::Envelope;

/// Makes a transport when a client starts.
///
/// A closure from options to a transport is one, and so is a transport in an `Arc`.
///
/// ```
/// use std::sync::Arc;
/// use vidette::transport::{Transport, TransportFactory};
/// use vidette::{ClientOptions, Envelope};
///
/// struct Forget;
///
/// impl Transport for Forget {
///     fn send_envelope(&self, _: Envelope) {}
/// }
///
/// let options = ClientOptions::new().transport(|_: &ClientOptions| Arc::new(Forget) as Arc<dyn Transport>);
/// assert!(options.transport.is_some());
/// ```
pub trait TransportFactory: Send + Sync {
    /// Makes a transport: what clients call, and what a factory should implement.
    ///
    /// By default it asks [`create_transport`](Self::create_transport), for the sake of factories that have only that.
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        if options.asked_by_default {
            // The factory has neither method, so each of the two would ask the other for ever.
            return Arc::new(Forget);
        }
        #[expect(deprecated, reason = "factories written for it keep working")]
        self.create_transport(&options.client)
    }

    /// Makes a transport from all that the client is configured with. Clients don't call it.
    ///
    /// By default it asks [`create_transport_with_options`](Self::create_transport_with_options). Without a DSN that
    /// can't be, and the transport forgets what it is given.
    #[deprecated = "implement and call `create_transport_with_options`"]
    fn create_transport(&self, options: &ClientOptions) -> Arc<dyn Transport> {
        match TransportOptions::try_from_client_options(options) {
            Some(options) => self.create_transport_with_options(TransportOptions { asked_by_default: true, ..options }),
            None => Arc::new(Forget),
        }
    }
}

impl<F> TransportFactory for F
where
    F: Fn(&ClientOptions) -> Arc<dyn Transport> + Clone + Send + Sync + 'static,
{
    fn create_transport(&self, options: &ClientOptions) -> Arc<dyn Transport> {
        self(options)
    }
}

impl<T: Transport> TransportFactory for Arc<T> {
    fn create_transport_with_options(&self, _: TransportOptions) -> Arc<dyn Transport> {
        Arc::clone(self) as Arc<dyn Transport>
    }
}

/// Forgets what it is given.
struct Forget;

impl Transport for Forget {
    fn send_envelope(&self, _: Envelope) {}
}
