//! Chapters for readers of the code and for those who carry it on.
//!
//! - [`architecture`]: threads, data, and the life of an event
//! - [`orderings`]: each atomic operation, its partner, its payload and its model
//! - [`cost`]: what each call allocates, touches and takes
//! - [`differences`]: where this crate leaves the API it mirrors on purpose
//! - [`migration`]: from `sentry` to this crate by one line, and back

#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[doc = include_str!("orderings.md")]
pub mod orderings {}

#[doc = include_str!("cost.md")]
pub mod cost {}

#[doc = include_str!("differences.md")]
pub mod differences {}

#[doc = include_str!("migration.md")]
pub mod migration {}
