//! What the SDK says about itself when `debug` is on. The only file that may print.

use std::fmt;
use std::sync::Arc;

use crate::callback;
use crate::options::ClientOptions;
use crate::protocol::Level;

/// Who is told what the SDK says about itself. What it captures while it runs is ignored.
pub type Diagnostics = Arc<dyn Fn(Level, fmt::Arguments<'_>) + Send + Sync>;

/// Says something, if the options want to hear it.
#[cold]
#[expect(clippy::print_stderr, reason = "the one place where the SDK speaks, and only when asked to")]
pub fn say(options: &ClientOptions, level: Level, message: fmt::Arguments<'_>) {
    if !options.debug {
        return;
    }
    match &options.diagnostics {
        Some(diagnostics) => callback::muted(|| diagnostics(level, message)),
        None => eprintln!("[vidette] {level}: {message}"),
    }
}
