//! Error reporting for a Sentry-compatible backend, with a hot path nobody finds in a profile.

pub mod protocol;
pub mod types;
pub mod wire;

#[allow(
    unsafe_code,
    reason = "the lock-free parts; each block names the invariant that makes it sound"
)]
mod sync;

mod auth;
mod dsn;

pub mod transport;

pub mod integration;

mod error;
mod options;

pub use crate::error::{event_from_error, parse_type_from_debug};
pub use crate::integration::Integration;
pub use crate::options::ClientOptions;
