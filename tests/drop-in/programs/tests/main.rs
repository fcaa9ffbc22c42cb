//! Programs written against `sentry` and its integrations, in the way their documentation shows, and what arrives of them.
//!
//! Each test holds a program and what is expected of it. The test runs itself again as a process of its own, where the
//! program runs; a receiver on this machine keeps what it sends.

#[macro_use]
mod stage;

mod anyhow;
mod attachments;
mod backtrace;
mod check_ins;
mod contexts;
mod hubs;
mod images;
mod init;
mod integrations;
mod log;
mod panic;
mod reports;
mod sessions;
mod slog;
mod telemetry;
mod testing;
mod tracing;
mod transports;
