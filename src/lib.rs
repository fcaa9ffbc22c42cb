//! Error reporting for a Sentry-compatible backend, with a hot path nobody finds in a profile.
//!
//! A service can leave a breadcrumb on every request and a tag on every task: no operation on a hub takes a lock or waits for
//! another thread, forks copy nothing, and [`breadcrumb!`] allocates nothing. What is captured travels through one bounded
//! queue to one sender thread, and is accounted for to the last item ([`Client::stats`](crate::Client::stats)).
//!
//! ```
//! use std::sync::Arc;
//! use vidette::{ClientOptions, Hub, Level, breadcrumb};
//!
//! let _guard = vidette::init(("https://key@sentry.example/1", ClientOptions::new().release("shop@1.4.2")));
//!
//! // A hub for each request keeps its tags and breadcrumbs apart.
//! let hub = Arc::new(Hub::new_from_top(Hub::current()));
//! Hub::run(hub, || {
//!     vidette::configure_scope(|scope| scope.set_tag("route", "/cart"));
//!     breadcrumb!(category: "db", level: Level::Info, rows = 3, "loaded cart {}", 7);
//!     if let Err(error) = "12,50".parse::<f64>() {
//!         vidette::capture_error(&error);
//!     }
//! });
//! ```
//!
//! # Where things are
//!
//! ```text
//!  api, breadcrumb!, init      free functions and macros on the current hub
//!  Hub, Scope, ScopeGuard      what is captured with an event, and for how long
//!  Transaction, Span           what took how long, here and in other services
//!  logger_*!, metrics          structured logs, and numbers
//!  Monitor, capture_check_in   how scheduled jobs go
//!  Client, ClientOptions       who captures, and how
//!  integration                 what adds to events: panics, stack traces, contexts
//!  transport                   how envelopes leave: HTTP(S), a file, yours
//!  wire, protocol, types       envelopes and the data in them
//! ```
//!
//! The names, signatures and behaviours are those of `sentry-core` 0.49 where both have them. Chapters on migration,
//! architecture, memory orderings, cost and differences stand in `docs`.
//!
//! # Limits
//!
//! A panic strategy of `abort` leaves callbacks unguarded.

#[cfg(any(doc, doctest))]
pub mod docs;
#[doc(hidden)]
pub mod fuzzing;
pub mod integration;
#[cfg(feature = "metrics")]
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "used by clients"))]
pub mod metrics;
pub mod protocol;
#[cfg(feature = "test")]
pub mod test;
pub mod transport;
pub mod types;
pub mod utils;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "used by clients"))]
pub mod wire;

mod api;
#[cfg(any(feature = "logs", feature = "metrics"))]
#[cfg_attr(
    not(all(feature = "client", feature = "logs", feature = "metrics")),
    allow(dead_code, reason = "used by clients, and by what they capture")
)]
mod attributes;
mod auth;
mod breadcrumb;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "used by clients"))]
mod callback;
mod check_in;
#[cfg(feature = "client")]
#[cfg_attr(not(all(feature = "logs", feature = "metrics")), allow(dead_code, reason = "used by what travels in lanes"))]
mod client;
mod clock;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "used by clients"))]
mod diag;
mod dsn;
mod error;
mod future;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "used by clients"))]
mod gate;
#[cfg_attr(
    not(all(feature = "client", feature = "logs", feature = "metrics")),
    allow(dead_code, reason = "used by clients, and by what they capture")
)]
mod hub;
#[cfg(feature = "client")]
mod init;
mod into_dsn;
#[cfg(feature = "logs")]
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "used by clients"))]
mod logs;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "used by clients"))]
mod loss;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "used by clients"))]
mod matter;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "used by clients"))]
mod message;
#[cfg_attr(
    not(all(feature = "client", feature = "logs", feature = "metrics")),
    allow(dead_code, reason = "used by what travels in lanes")
)]
mod offer;
mod options;
mod release;
#[cfg(feature = "release-health")]
mod release_health;
#[cfg_attr(
    not(all(feature = "client", feature = "logs", feature = "metrics")),
    allow(dead_code, reason = "used by clients, and by what they capture")
)]
mod scope;
#[cfg_attr(not(feature = "client"), allow(dead_code, unused_imports, reason = "used by clients"))]
mod session;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "used by clients"))]
#[allow(unsafe_code, reason = "the lock-free parts; each block names the invariant that makes it sound")]
mod sync;
#[cfg_attr(not(feature = "client"), allow(dead_code, reason = "used by clients"))]
mod trace;

pub use crate::api::{
    add_breadcrumb, capture_error, capture_event, capture_message, configure_scope, last_event_id, start_transaction,
    start_transaction_with_timestamp, with_integration, with_scope,
};
pub use crate::check_in::{Monitor, MonitorRun, capture_check_in};
#[cfg(feature = "client")]
pub use crate::client::Client;
pub use crate::diag::Diagnostics;
pub use crate::error::{event_from_error, parse_type_from_debug};
pub use crate::future::{SentryFuture, SentryFutureExt};
pub use crate::hub::{Hub, HubSwitchGuard, IntoBreadcrumbs, ScopeGuard};
#[cfg(feature = "client")]
pub use crate::init::{ClientInitGuard, init};
pub use crate::integration::Integration;
pub use crate::into_dsn::IntoDsn;
pub use crate::loss::{ClientStats, Discarded};
pub use crate::options::{
    BeforeCallback, ClientOptions, EventSamplingStrategy, MaxRequestBodySize, SessionMode, TracesSamplingStrategy,
};
pub use crate::protocol::{Breadcrumb, Envelope, Level, User};
#[cfg(feature = "release-health")]
pub use crate::release_health::{end_session, end_session_with_status, start_session};
pub use crate::scope::Scope;
pub use crate::scope::record::Field;
pub use crate::trace::{
    CustomTransactionContext, Data, HeaderParseError, Span, TraceHeader, TraceHeaders, TraceHeadersIter,
    TracePropagationContext, TracesSampler, Transaction, TransactionContext, TransactionContextBuilder,
    TransactionData, TransactionOrSpan,
};
#[expect(deprecated, reason = "what is deprecated is there all the same")]
pub use crate::trace::{SentryTrace, parse_headers};
pub use crate::transport::{Transport, TransportFactory, TransportOptions};

/// Telling a client what its transport lost.
pub mod client_report {
    pub use crate::loss::{LossReason as Reason, Recorder};
}

#[doc(hidden)]
pub mod __private {
    pub use crate::diag::say;
    pub use crate::hub::record;
    #[cfg(feature = "logs")]
    pub use crate::logs::{Body as LogBody, Site as LogSite, Writer as LogWriter, is_logging};
    pub use crate::message::Message;
    pub use crate::scope::record::{CallSite, Recorder};
    pub use vidette_macros::write_message;
}

/// The README's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
