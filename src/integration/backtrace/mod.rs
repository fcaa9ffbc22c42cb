//! Stack traces: taking them, and telling the application's frames from the others.
//!
//! ```text
//!  event without ──► AttachStacktraceIntegration ──► current_stacktrace ─┐
//!                                                                        ▼
//!  addresses ──► symbols (cached for the process) ──► trim ──► ≤ 50 frames
//!                                                                        │
//!  event with ─────► ProcessStacktraceIntegration ◄──────────────────────┘
//!                    trims what captured it, decides which frames are in the application
//! ```
//!
//! # Costs
//! The first stack trace of a process reads the executable's debug information: milliseconds, or hundreds of them
//! where that is large. Later ones walk the stack and look addresses up: microseconds.
//!
//! # Builds
//! What a frame can say depends on the `debug` setting of the profile: `1` or more gives functions with their
//! modules, `"line-tables-only"` files and lines, but bare names for the application's functions (those of downloaded
//! crates get the module of their file). Without debug information, and with it stripped, addresses remain.

mod attach;
mod capture;
mod in_app;
mod name;
mod process;
mod source;
mod symbols;
mod trim;

pub use self::attach::AttachStacktraceIntegration;
pub use self::capture::{backtrace_to_stacktrace, current_stacktrace};
pub use self::process::ProcessStacktraceIntegration;
