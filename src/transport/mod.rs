//! How envelopes leave the process: the two traits, and one file for each transport.

use std::sync::Arc;
use std::time::Duration;

/// What a server said about one envelope.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Reply {
    /// The HTTP status code.
    pub status: u16,
    /// The `X-Sentry-Rate-Limits` header, if there was one.
    pub rate_limits: Option<String>,
    /// The `Retry-After` header, if there was one.
    pub retry_after: Option<String>,
}
