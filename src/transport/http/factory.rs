//! The HTTP transport of clients that were not given a transport.

use std::sync::Arc;
use std::time::Duration;

use super::{HttpTransport, HttpTransportError};
use crate::transport::{Delivery, Reply, SendBytes, SendError, Transport, TransportFactory, TransportOptions};
use crate::wire::Envelope;

/// Makes HTTP transports. With settings that can't work it makes one that fails each time, and says why.
pub(crate) struct HttpTransportFactory;

impl TransportFactory for HttpTransportFactory {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        match HttpTransport::new(&options) {
            Ok(transport) => Arc::new(transport),
            Err(error) => Arc::new(Unusable(explain(&error).into())),
        }
    }
}

/// Fails to send, for a reason known from the start.
struct Unusable(Arc<str>);

impl Transport for Unusable {
    fn send_envelope(&self, _: Envelope) {}

    fn delivery(&self) -> Delivery<'_> {
        Delivery::Bytes(self)
    }
}

impl SendBytes for Unusable {
    fn send_bytes(&self, _: &[u8], _: Option<Duration>) -> Result<Reply, SendError> {
        Err(SendError::Other(self.0.as_ref().into()))
    }
}

/// The error and all its causes in one line.
fn explain(error: &HttpTransportError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_told_with_each_failure() {
        let mut options = TransportOptions::new("https://key@sentry.example/1".parse().unwrap());
        options.https_proxy = Some("not a proxy".into());
        let transport = HttpTransportFactory.create_transport_with_options(options);
        let Delivery::Bytes(bytes) = transport.delivery() else { panic!("takes bytes") };
        let SendError::Other(cause) = bytes.send_bytes(b"{}\n", None).unwrap_err() else { panic!("of no other kind") };
        assert!(cause.to_string().contains("proxy"), "{cause}");
    }
}
