//! Envelopes over HTTP(S): one request each, over a connection that is kept.
//!
//! ```text
//!  sender thread ── bytes ─► gzip ─► POST …/api/<project>/envelope/ ─► (proxy) ─► server
//!                ◄─ Reply: status, rate limits ───────────────────────────────────┘
//! ```
//! **Guarantees**: no queue, and no thread but a short-lived one now and then to look up the server's name; a call ends
//! within its time limit; redirects are not followed, and any status is an answer.

mod error;
mod factory;
mod gzip;
mod proxy;
mod resolve;
mod tls;

use std::fmt;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use ureq::Agent;
use ureq::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use ureq::http::{Response, Uri};
use ureq::unversioned::transport::DefaultConnector;

use self::gzip::Gzip;
use self::resolve::Lookup;
use super::{Delivery, Reply, SendBytes, SendError, Transport, TransportOptions};
use crate::wire::Envelope;

pub use self::error::HttpTransportError;
pub(crate) use self::factory::HttpTransportFactory;

/// Sends envelopes over HTTP(S).
///
/// The proxy comes from the options or else from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` (or their lower-case
/// names), and is asked to connect us through (`CONNECT`) for `http` addresses too.
///
/// # Examples
///
/// ```
/// use vidette::transport::{HttpTransport, TransportOptions};
///
/// let options = TransportOptions::new("https://public@sentry.example/1".parse()?);
/// let transport = HttpTransport::new(&options)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct HttpTransport {
    agent: Agent,
    lookup: Lookup,
    endpoint: Uri,
    auth: HeaderValue,
    transfer_timeout: Duration,
    /// Empty while someone compresses; whoever comes then makes an encoder of their own.
    gzip: ArrayQueue<Gzip>,
}

impl HttpTransport {
    /// Prepares sending; connects with the first envelope.
    ///
    /// # Errors
    ///
    /// When a proxy or the user agent is not valid, or the file of certificates cannot be read.
    pub fn new(options: &TransportOptions) -> Result<Self, HttpTransportError> {
        Self::with_env(options, |name| std::env::var(name).ok())
    }

    fn with_env(options: &TransportOptions, env: impl Fn(&str) -> Option<String>) -> Result<Self, HttpTransportError> {
        let endpoint = options
            .dsn
            .envelope_api_url()
            .as_str()
            .parse::<Uri>()
            .map_err(|cause| HttpTransportError::InvalidAddress(cause.into()))?;
        // ureq takes any text for a user agent, and panics over it when it sends.
        HeaderValue::from_str(&options.user_agent)
            .map_err(|cause| HttpTransportError::InvalidUserAgent(cause.into()))?;
        let auth = options.dsn.to_auth(Some(&options.user_agent)).to_string();
        let mut auth =
            HeaderValue::try_from(auth).map_err(|cause| HttpTransportError::InvalidUserAgent(cause.into()))?;
        auth.set_sensitive(true);

        let transfer_timeout = options.transfer_timeout.min(LONGEST_TIME);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy::choose(options, env)?)
            .tls_config(tls::config(options)?)
            .timeout_connect(Some(options.connect_timeout.min(LONGEST_TIME)))
            .timeout_global(Some(transfer_timeout))
            .timeout_recv_body(Some(DRAIN_TIMEOUT))
            .user_agent(options.user_agent.as_ref())
            .build();
        let lookup = Lookup::default();
        Ok(Self {
            agent: Agent::with_parts(config, DefaultConnector::new(), lookup.clone()),
            lookup,
            endpoint,
            auth,
            transfer_timeout,
            gzip: ArrayQueue::new(1),
        })
    }

    fn post(&self, body: &[u8], zipped: bool, limit: Option<Duration>) -> Result<Reply, SendError> {
        let mut request = self
            .agent
            .post(self.endpoint.clone())
            .header(CONTENT_TYPE, ENVELOPE)
            .header("X-Sentry-Auth", self.auth.clone());
        if zipped {
            request = request.header(CONTENT_ENCODING, GZIP);
        }
        if let Some(limit) = limit.filter(|limit| *limit < self.transfer_timeout) {
            request = request.config().timeout_global(Some(limit)).build();
        }
        let response = request.send(body).map_err(|cause| self.classify(cause))?;
        let reply = read_head(response.status().as_u16(), response.headers());
        drain(response);
        Ok(reply)
    }

    fn classify(&self, cause: ureq::Error) -> SendError {
        error::classify(cause, self.endpoint.scheme_str() == Some("https"))
    }
}

impl Transport for HttpTransport {
    fn send_envelope(&self, envelope: Envelope) {
        self.send_unheard(&envelope);
    }

    fn delivery(&self) -> Delivery<'_> {
        Delivery::Bytes(self)
    }
}

impl SendBytes for HttpTransport {
    fn send_bytes(&self, envelope: &[u8], limit: Option<Duration>) -> Result<Reply, SendError> {
        let mut gzip = self.gzip.pop().unwrap_or_else(Gzip::new);
        let (body, zipped) = match gzip.encode(envelope) {
            Some(packed) => (packed, true),
            None => (envelope, false),
        };
        // ureq is full of assertions; one that fails must not end the thread that sends.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.post(body, zipped, limit)))
            .unwrap_or_else(|_| Err(SendError::Other("the HTTP client panicked".into())));
        if outcome.is_err() {
            self.lookup.expire();
        }
        // Full when two clients sent at once: one encoder is enough to keep.
        let _ = self.gzip.push(gzip);
        outcome
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

fn read_head(status: u16, headers: &HeaderMap) -> Reply {
    let text = |name| {
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    };
    let mut reply = Reply::from_status(status);
    reply.rate_limits = text("X-Sentry-Rate-Limits");
    reply.retry_after = text("Retry-After");
    reply
}

/// Reads the body to its end, so that the connection can be used again; gives up on a long or slow one.
fn drain(response: Response<ureq::Body>) {
    let mut reader = response.into_body().into_reader().take(LONGEST_BODY);
    let mut buffer = [0; 1024];
    while matches!(reader.read(&mut buffer), Ok(1..)) {}
}

const ENVELOPE: HeaderValue = HeaderValue::from_static("application/x-sentry-envelope");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");
/// Servers answer with an id or a short reason; a new connection costs less than more than that.
const LONGEST_BODY: u64 = 16 << 10;
/// ureq adds limits to the current time, and panics where there is no such time.
const LONGEST_TIME: Duration = Duration::from_secs(24 * 60 * 60);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
