//! What a transport is told when it is created.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::PathBuf;
use std::time::Duration;

use crate::client_report::Recorder;
use crate::options::ClientOptions;
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
    /// Who is to be told what the transport lost of what it was handed.
    pub client_report_recorder: Recorder,
    /// How many envelopes a transport with a queue of its own should hold; ours have none.
    pub transport_channel_capacity: Option<NonZeroUsize>,
    /// A PEM file of certificates to trust in addition to the well-known ones.
    pub ca_certs: Option<PathBuf>,
    /// How long a connection may take, with name resolution, proxy and TLS. 10 seconds unless set.
    pub connect_timeout: Duration,
    /// How long an envelope may take, from the first step to the end of the answer. 30 seconds unless set.
    pub transfer_timeout: Duration,
    /// All that the client is configured with, for factories that ask for it.
    pub(crate) client: Box<ClientOptions>,
    /// True while a factory that has no method of its own is asked by the default of one for the other.
    pub(super) asked_by_default: bool,
}

/// Its callbacks run where panics are caught.
impl RefUnwindSafe for TransportOptions {}
impl UnwindSafe for TransportOptions {}

impl TransportOptions {
    /// Returns the defaults for sending to `dsn`. What is recorded as lost is counted nowhere.
    #[must_use]
    pub fn new(dsn: Dsn) -> Self {
        Self::of(dsn, &ClientOptions::default(), Recorder::detached())
    }

    /// Takes over what concerns transports. `None`: there is no DSN. What is recorded as lost is counted nowhere.
    #[must_use]
    pub fn try_from_client_options(options: &ClientOptions) -> Option<Self> {
        Self::for_client(options, Recorder::detached())
    }

    pub(crate) fn for_client(options: &ClientOptions, recorder: Recorder) -> Option<Self> {
        Some(Self::of(options.dsn.clone()?, options, recorder))
    }

    fn of(dsn: Dsn, options: &ClientOptions, client_report_recorder: Recorder) -> Self {
        Self {
            dsn,
            user_agent: options.user_agent.clone(),
            http_proxy: options.http_proxy.clone(),
            https_proxy: options.https_proxy.clone(),
            accept_invalid_certs: options.accept_invalid_certs,
            client_report_recorder,
            transport_channel_capacity: options.transport_channel_capacity,
            ca_certs: options.ca_certs.clone(),
            connect_timeout: CONNECT_TIMEOUT,
            transfer_timeout: TRANSFER_TIMEOUT,
            client: Box::new(options.clone()),
            asked_by_default: false,
        }
    }
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(30);
