//! Puts vidette in the place of `sentry-core`: one `[patch]` entry, and `sentry` and its integrations run on vidette.
//!
//! ```toml
//! [patch.crates-io]
//! sentry-core = { git = "https://…/vidette" }
//! ```
//!
//! Everything here is vidette's, and its documentation applies. Only the hidden macros are defined here: the published
//! integrations call them, and nobody else should.

pub use vidette::*;

/// Says something to the diagnostics of the current hub's client.
#[doc(hidden)]
#[macro_export]
macro_rules! sentry_debug {
    ($($message:tt)*) => {
        $crate::__drop_in::say(::std::format_args!($($message)*))
    };
}

/// Says so when something does not hold. It never panics, in no build.
#[doc(hidden)]
#[macro_export]
macro_rules! debug_assert_or_log {
    ($holds:expr $(,)?) => {
        $crate::debug_assert_or_log!($holds, "this does not hold: {}", ::std::stringify!($holds))
    };
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            $crate::sentry_debug!($($message)+);
        }
    };
}

#[doc(hidden)]
pub mod __drop_in {
    use std::fmt::Arguments;

    /// Says something to the diagnostics of the current hub's client.
    #[cfg(feature = "client")]
    pub fn say(message: Arguments<'_>) {
        if let Some(client) = vidette::Hub::current().client() {
            vidette::__private::say(client.options(), vidette::Level::Debug, message);
        }
    }

    /// Nobody listens in builds without a client.
    #[cfg(not(feature = "client"))]
    pub fn say(_message: Arguments<'_>) {}
}
