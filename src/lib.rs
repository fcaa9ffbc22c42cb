//! Error reporting for a Sentry-compatible backend, with a hot path nobody finds in a profile.

#![cfg_attr(not(feature = "client"), allow(dead_code, reason = "what only clients use is deleted"))]

#[doc(hidden)]
pub mod fuzzing;
pub mod integration;
pub mod protocol;
#[cfg(feature = "test")]
pub mod test;
pub mod transport;
pub mod types;
pub mod wire;

mod api;
mod auth;
mod breadcrumb;
mod callback;
#[cfg(feature = "client")]
mod client;
mod clock;
mod diag;
mod dsn;
mod error;
mod future;
mod hub;
mod into_dsn;
mod options;
mod scope;
#[allow(unsafe_code, reason = "the lock-free parts; each block names the invariant that makes it sound")]
mod sync;

pub use crate::api::{
    add_breadcrumb, capture_error, capture_event, capture_message, configure_scope, last_event_id, with_scope,
};
#[cfg(feature = "client")]
pub use crate::client::loss::{ClientStats, Discarded};
#[cfg(feature = "client")]
pub use crate::client::{Client, ClientInitGuard, init};
pub use crate::diag::Diagnostics;
pub use crate::error::{event_from_error, parse_type_from_debug};
pub use crate::future::{SentryFuture, SentryFutureExt};
pub use crate::hub::{Hub, HubSwitchGuard, IntoBreadcrumbs, ScopeGuard};
pub use crate::integration::Integration;
pub use crate::into_dsn::IntoDsn;
pub use crate::options::{BeforeCallback, ClientOptions, EventSamplingStrategy};
pub use crate::protocol::{Breadcrumb, Envelope, Level, User};
pub use crate::scope::Scope;
pub use crate::scope::record::Field;
pub use crate::transport::{Transport, TransportFactory, TransportOptions};

/// Telling a client what its transport lost.
#[cfg(feature = "client")]
pub mod client_report {
    pub use crate::client::loss::{LossReason as Reason, Recorder};
}

#[doc(hidden)]
pub mod __private {
    pub use crate::hub::record;
    pub use crate::scope::record::{CallSite, Recorder};
}
