//! Why there is no HTTP transport, and what ureq's errors mean to the sender.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use ureq::Timeout;

use crate::transport::{Cause, SendError};

/// Why an HTTP transport cannot be created from its options.
#[derive(Debug)]
#[non_exhaustive]
pub enum HttpTransportError {
    /// The address in the DSN is not one that HTTP takes.
    InvalidAddress(Cause),
    /// The user agent holds characters that no header may hold.
    InvalidUserAgent(Cause),
    /// The text given for the proxy is not a URL of a proxy. Not shown, since it may hold a password.
    InvalidProxy(Cause),
    /// The proxy speaks neither HTTP nor HTTPS.
    UnsupportedProxy,
    /// The file of certificates cannot be read.
    CaCerts {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        cause: io::Error,
    },
    /// There is no certificate in the file of certificates.
    NoCaCerts {
        /// The file.
        path: PathBuf,
    },
}

impl fmt::Display for HttpTransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidAddress(_) => f.write_str("invalid server address"),
            Self::InvalidUserAgent(_) => f.write_str("invalid user agent"),
            Self::InvalidProxy(_) => f.write_str("invalid proxy URL"),
            Self::UnsupportedProxy => f.write_str("the proxy's protocol is neither http nor https"),
            Self::CaCerts { path, .. } => {
                write!(f, "cannot read certificates from {}", path.display())
            }
            Self::NoCaCerts { path } => write!(f, "no certificate in {}", path.display()),
        }
    }
}

impl Error for HttpTransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::InvalidAddress(cause) | Self::InvalidUserAgent(cause) | Self::InvalidProxy(cause) => Some(&**cause),
            Self::CaCerts { cause, .. } => Some(cause),
            Self::UnsupportedProxy | Self::NoCaCerts { .. } => None,
        }
    }
}

/// Says in our words what ureq said; `tls` when the server is asked over TLS.
#[cold]
pub(super) fn classify(error: ureq::Error, tls: bool) -> SendError {
    use ureq::Error as E;

    match error {
        E::Io(cause) => classify_io(cause, tls),
        E::Timeout(Timeout::Resolve | Timeout::Connect) | E::HostNotFound | E::ConnectionFailed => {
            SendError::Connect(error.into())
        }
        E::Timeout(_) => SendError::Timeout(error.into()),
        E::InvalidProxyUrl | E::ConnectProxyFailed(_) => SendError::Proxy(error.into()),
        E::Tls(_) | E::Pem(_) | E::Rustls(_) | E::TlsRequired => SendError::Tls(error.into()),
        E::Protocol(_) | E::Http(_) | E::LargeResponseHeader(..) => SendError::Protocol(error.into()),
        _ => SendError::Other(error.into()),
    }
}

fn classify_io(cause: io::Error, tls: bool) -> SendError {
    match cause.kind() {
        ErrorKind::ConnectionRefused
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::AddrNotAvailable
        | ErrorKind::NetworkDown => SendError::Connect(cause.into()),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => SendError::Timeout(cause.into()),
        // rustls hands its errors through the stream as invalid data; a socket has none of that kind.
        ErrorKind::InvalidData if tls => SendError::Tls(cause.into()),
        // What the system says about names it cannot resolve has no kind of its own.
        _ if cause.to_string().starts_with("failed to lookup") => SendError::Connect(cause.into()),
        _ => SendError::Io(cause),
    }
}
