//! What hubs, scopes and clients promise, each behaviour in a module of its own.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that goes wrong says so by panicking")]

mod breadcrumbs;
mod callbacks;
mod capture;
mod check_ins;
mod clones;
mod dsn;
mod flush;
mod futures;
mod integrations;
#[cfg(all(feature = "logs", feature = "metrics"))]
mod limits;
#[cfg(feature = "logs")]
mod logs;
mod losses;
mod messages;
#[cfg(feature = "metrics")]
mod metrics;
mod sampling;
mod scopes;
#[cfg(feature = "release-health")]
mod sessions;
mod trace_headers;
mod transactions;
mod written;

#[path = "../support/rig.rs"]
mod rig;

#[path = "../support/wiretap.rs"]
mod wiretap;
