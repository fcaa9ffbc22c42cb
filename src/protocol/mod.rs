//! The data types of the Sentry protocol: plain serde data, one concept a file.

mod attachment;
mod breadcrumb;
mod context;
mod debug_meta;
mod event;
mod exception;
mod ids;
mod level;
mod log;
mod metric;
mod monitor;
mod request;
mod sdk;
mod session;
mod span;
mod stacktrace;
mod time;
mod trace;
mod transaction;
mod unit;
mod user;
mod value;

pub mod client_report;

pub use self::trace::{InvalidSampleRandError, OrganizationId, SampleRand};
