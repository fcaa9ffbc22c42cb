//! What makes a transport when a client starts.

use std::sync::Arc;

use super::{Transport, TransportOptions};
use crate::options::ClientOptions;

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
    /// Makes a transport from all that the client is configured with.
    fn create_transport(&self, options: &ClientOptions) -> Arc<dyn Transport>;

    /// Makes a transport. This is what clients call; by default it calls [`create_transport`](Self::create_transport).
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        self.create_transport(&options.client)
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
    fn create_transport(&self, _: &ClientOptions) -> Arc<dyn Transport> {
        Arc::clone(self) as Arc<dyn Transport>
    }
}
