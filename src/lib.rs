//! Error reporting for a Sentry-compatible backend, with a hot path nobody finds in a profile.

pub mod protocol;
pub mod types;
pub mod wire;

mod auth;
mod dsn;

#[doc(hidden)]
pub mod fuzzing;

pub mod transport;

pub mod integration;

mod error;
