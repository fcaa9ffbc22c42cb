//! What real receivers make of what we send: a Bugsink server, and the normalizer that Sentry's own ingestion runs.
//!
//! Both come from Python packages, which the first run installs into `target/receivers` (half a minute, 200 MB).
//! A machine that cannot have them skips these tests with a line on stderr; with `CI` in the environment it fails.
#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy.toml allows in the tests themselves only"
)]

mod bugsink;
mod delivery;
mod http;
mod peers;
mod python;
mod relay;
mod schema;
