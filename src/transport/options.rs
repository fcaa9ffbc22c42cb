//! What a transport is told when it is created.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::types::Dsn;

/// What a transport is told when it is created.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use vidette::transport::TransportOptions;
///
/// let mut options = TransportOptions::new("https://public@sentry.example/1".parse()?);
/// options.transfer_timeout = Duration::from_secs(5);
/// assert_eq!(options.connect_timeout, Duration::from_secs(10));
/// # Ok::<(), vidette::types::ParseDsnError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransportOptions {
    /// Where the envelopes go.
    pub dsn: Dsn,
    /// The name and version the transport gives for itself, as `name/version`.
    pub user_agent: Cow<'static, str>,
    /// The proxy for `http` addresses, as a URL; an empty text means none, whatever the environment says.
    pub http_proxy: Option<Cow<'static, str>>,
    /// The proxy for `https` addresses, as a URL; an empty text means none, whatever the environment says.
    ///
    /// Where it is not set, in the environment neither, the proxy for `http` addresses is used.
    pub https_proxy: Option<Cow<'static, str>>,
    /// Whether to send to servers whose certificate nobody vouches for. Everyone on the way can read along then.
    pub accept_invalid_certs: bool,
    /// How many envelopes a transport with a queue of its own should hold; ours have none.
    pub transport_channel_capacity: Option<NonZeroUsize>,
    /// A PEM file of certificates to trust in addition to the well-known ones.
    pub ca_certs: Option<PathBuf>,
    /// How long a connection may take, with name resolution, proxy and TLS. 10 seconds unless set.
    pub connect_timeout: Duration,
    /// How long an envelope may take, from the first step to the end of the answer. 30 seconds unless set.
    pub transfer_timeout: Duration,
}

impl TransportOptions {
    /// Returns the defaults for sending to `dsn`.
    pub fn new(dsn: Dsn) -> Self {
        Self {
            dsn,
            user_agent: Cow::Borrowed(USER_AGENT),
            http_proxy: None,
            https_proxy: None,
            accept_invalid_certs: false,
            transport_channel_capacity: None,
            ca_certs: None,
            connect_timeout: CONNECT_TIMEOUT,
            transfer_timeout: TRANSFER_TIMEOUT,
        }
    }
}

const USER_AGENT: &str = concat!("vidette/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(30);
