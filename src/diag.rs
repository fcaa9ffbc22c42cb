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
pub fn say(options: &ClientOptions, level: Level, message: fmt::Arguments<'_>) {
    if !options.debug {
        return;
    }
    match &options.diagnostics {
        Some(diagnostics) => callback::muted(|| diagnostics(level, message)),
        None => speak(level, message),
    }
}

#[cfg(not(feature = "debug-logs"))]
#[expect(clippy::print_stderr, reason = "the one place where the SDK speaks, and only when asked to")]
fn speak(level: Level, message: fmt::Arguments<'_>) {
    eprintln!("[vidette] {level}: {message}");
}

/// A logger is code of the host, and may well capture what it is told.
#[cfg(feature = "debug-logs")]
fn speak(level: Level, message: fmt::Arguments<'_>) {
    let level = match level {
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warning => log::Level::Warn,
        Level::Error | Level::Fatal => log::Level::Error,
    };
    callback::muted(|| log::log!(target: "vidette", level, "{message}"));
}
