//! Puts vidette in the place of `sentry-core`: one `[patch]` entry, and `sentry` and its integrations run on vidette.
//!
//! ```toml
//! [patch.crates-io]
//! sentry-core = { git = "…" }
//! ```
//!
//! Everything here is vidette's; its documentation applies.

pub use vidette::*;
