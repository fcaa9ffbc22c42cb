//! The data types of the Sentry protocol, under the names the mirrored API gives them.
