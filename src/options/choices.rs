//! The choices that options offer.

use std::fmt;
use std::sync::Arc;

use crate::trace::TracesSampler;

/// Which share of events is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum EventSamplingStrategy {
    /// Each event is kept with this probability, from `0.0` (none) to `1.0` (all).
    FixedRate(f32),
}

impl Default for EventSamplingStrategy {
    fn default() -> Self {
        Self::FixedRate(1.0)
    }
}

/// Which share of transactions is sampled.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum TracesSamplingStrategy {
    /// Each transaction that continues no decision is sampled with this probability, from `0.0` (none) to `1.0` (all).
    FixedRate(f32),
    /// A function says the probability for each transaction, and so overrides what a caller decided.
    ///
    /// It runs on the thread that starts the transaction. If it panics, the transaction is sampled as if there were none.
    Function(Arc<TracesSampler>),
    /// Tracing is off: no transaction is sampled, whatever a caller decided, but traces are passed on.
    #[default]
    Disabled,
}

impl fmt::Debug for TracesSamplingStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FixedRate(rate) => f.debug_tuple("FixedRate").field(rate).finish(),
            Self::Function(_) => f.debug_tuple("Function").finish_non_exhaustive(),
            Self::Disabled => f.write_str("Disabled"),
        }
    }
}

/// What one session stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionMode {
    /// The run of an application by one user. Each update is sent.
    Application,
    /// One request of a server. Sessions are counted by the minute, and only the counts are sent.
    Request,
}

/// How large a request's body may be for integrations to add it to events.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MaxRequestBodySize {
    /// No body is added.
    None,
    /// Up to 1,000 bytes.
    Small,
    /// Up to 10,000 bytes.
    Medium,
    /// All bodies are added.
    Always,
    /// Up to this many bytes.
    Explicit(usize),
}

impl MaxRequestBodySize {
    /// True if a body of `content_length` bytes may be added.
    #[must_use]
    pub fn is_within_size_limit(&self, content_length: usize) -> bool {
        match *self {
            Self::None => false,
            Self::Small => content_length <= 1_000,
            Self::Medium => content_length <= 10_000,
            Self::Always => true,
            Self::Explicit(most) => content_length <= most,
        }
    }
}
