//! What passes between the sender and a transport that takes bytes: the bytes, and what became of them.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::wire::Envelope;

/// How a transport wants its envelopes.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Delivery<'a> {
    /// [`send_envelope`](super::Transport::send_envelope) on the sender thread. Nobody learns what became of the
    /// envelope: its items count as handed over.
    Envelopes,
    /// [`send_envelope`](super::Transport::send_envelope) on the thread that captured, for transports that only store.
    Inline,
    /// Serialized envelopes on the sender thread, each with an outcome.
    Bytes(&'a dyn SendBytes),
}

impl fmt::Debug for Delivery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Envelopes => "Envelopes",
            Self::Inline => "Inline",
            Self::Bytes(_) => "Bytes(..)",
        })
    }
}

/// Sends serialized envelopes and says what became of each.
pub trait SendBytes: Send + Sync {
    /// Sends one serialized envelope, within `time_limit` if there is one and within the transport's own limits.
    ///
    /// # Errors
    ///
    /// When no complete answer arrived. Whether the envelope did is then unknown, except where the variant says so.
    fn send_bytes(&self, envelope: &[u8], time_limit: Option<Duration>) -> Result<Reply, SendError>;

    /// Sends an envelope for a caller who chose not to hear about the outcome.
    fn send_unheard(&self, envelope: &Envelope) {
        let mut bytes = Vec::new();
        if envelope.append_to(&mut bytes).is_ok() {
            _ = self.send_bytes(&bytes, None);
        }
    }
}

/// What a server said about one envelope.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Reply {
    /// The HTTP status code; transports without one say 200.
    pub status: u16,
    /// The `X-Sentry-Rate-Limits` header, if there was one; several are joined by commas.
    pub rate_limits: Option<String>,
    /// The `Retry-After` header, if there was one.
    pub retry_after: Option<String>,
}

impl Reply {
    /// Returns the reply of a server that says `status` and nothing else.
    pub fn from_status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }
}

/// Why an envelope got no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// No connection: the name did not resolve, or nobody listens. The envelope never left.
    Connect(Cause),
    /// The TLS handshake failed, most often because the certificate is not trusted. The envelope never left.
    Tls(Cause),
    /// The proxy refused to connect us. The envelope never left.
    Proxy(Cause),
    /// The time ran out.
    Timeout(Cause),
    /// What came back is not an answer in the transport's protocol.
    Protocol(Cause),
    /// Reading or writing failed.
    Io(io::Error),
    /// Anything else.
    Other(Cause),
}

/// The underlying error, of a type that belongs to the transport.
pub type Cause = Box<dyn Error + Send + Sync>;

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect(_) => "no connection to the server",
            Self::Tls(_) => "no trusted connection to the server",
            Self::Proxy(_) => "no connection through the proxy",
            Self::Timeout(_) => "no answer in time",
            Self::Protocol(_) => "no valid answer from the server",
            Self::Io(_) => "the transfer failed",
            Self::Other(_) => "the transport failed",
        })
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connect(cause)
            | Self::Tls(cause)
            | Self::Proxy(cause)
            | Self::Timeout(cause)
            | Self::Protocol(cause)
            | Self::Other(cause) => Some(&**cause),
            Self::Io(cause) => Some(cause),
        }
    }
}

impl From<io::Error> for SendError {
    fn from(cause: io::Error) -> Self {
        Self::Io(cause)
    }
}
