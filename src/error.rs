//! Turning chains of `std::error::Error` into events.
//!
//! `Debug`, `Display` and `source` of an error are its author's code: they may panic, print without end, or lead
//! in a circle. Whatever they do, there is an event in the end, and its size is bounded.

use std::error::Error;
use std::fmt::{self, Debug, Display, Write};

use crate::callback;
use crate::protocol::{Event, Exception, Level, Mechanism, Values};

/// Builds an event from an error and everything that caused it.
///
/// The exceptions stand in the order in which things went wrong: the root cause first, `err` itself last. Each one's
/// type is guessed from the error's `Debug` text by [`parse_type_from_debug`], its value is the `Display` text.
///
/// A chain of more than 50 errors (or one that leads in a circle) is cut after the 50 outermost, a `Display` text
/// after 8 KiB. A `Debug` or `Display` that panics leaves a note in the exception instead.
///
/// # Examples
/// ```
/// let error = "many".parse::<u32>().unwrap_err();
/// let event = vidette::event_from_error(&error);
/// assert_eq!(event.exception[0].ty, "ParseIntError");
/// assert_eq!(event.exception[0].value.as_deref(), Some("invalid digit found in string"));
/// ```
pub fn event_from_error<E: Error + ?Sized>(err: &E) -> Event<'static> {
    let mut outermost = exception(&err, &err);
    outermost.mechanism = Some(Mechanism { ty: "generic".into(), handled: Some(true), ..Default::default() });
    let mut exceptions = vec![outermost];
    let mut source = callback::guarded("source of an error", || err.source()).ok().flatten();
    while let Some(cause) = source
        && exceptions.len() < MAX_CHAIN
    {
        exceptions.push(exception(&cause, &cause));
        source = callback::guarded("source of an error", || cause.source()).ok().flatten();
    }
    exceptions.reverse();
    Event { exception: Values::from(exceptions), level: Level::Error, ..Default::default() }
}

/// Guesses the name of a type from its `Debug` text.
///
/// Reads what `#[derive(Debug)]` writes: a path, followed by nothing, by fields in braces or by values in parentheses.
/// A text that starts otherwise, as the message that `anyhow` prints, names no type; the answer is then `"Error"`.
///
/// # Examples
/// ```
/// use vidette::parse_type_from_debug;
///
/// assert_eq!(parse_type_from_debug("ParseIntError { kind: Empty }"), "ParseIntError");
/// assert_eq!(parse_type_from_debug("db::Error(Closed)"), "db::Error");
/// assert_eq!(parse_type_from_debug("could not open the file"), "Error");
/// ```
pub fn parse_type_from_debug(debug: &str) -> &str {
    let debug = debug.trim();
    let (path, rest) = debug.split_at(path_len(debug));
    let names_a_type = match rest.chars().next() {
        None | Some(':') => is_camel_case(path),
        Some('(' | '{' | '<') => !path.is_empty(),
        Some(' ') => rest.starts_with(" {") && !path.is_empty(),
        Some(_) => false,
    };
    if names_a_type { path } else { UNNAMED }
}

/// Length of the path of identifiers (`a::b::C`) that `text` starts with; 0 when it starts with something else.
fn path_len(text: &str) -> usize {
    let mut len = 0;
    loop {
        let segment = &text[len..];
        if !segment.starts_with(|first: char| first.is_alphabetic() || first == '_') {
            // What looked like a separator was none: give it back.
            return len.saturating_sub("::".len());
        }
        len += segment.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(segment.len());
        if !text[len..].starts_with("::") {
            return len;
        }
        len += "::".len();
    }
}

/// Whether the last segment of `path` looks like the name of a Rust type.
fn is_camel_case(path: &str) -> bool {
    let last = path.rsplit("::").next().unwrap_or(path);
    last.starts_with(char::is_uppercase)
}

fn exception(debug: &dyn Debug, display: &dyn Display) -> Exception {
    let (debug, panicked) = bounded(MAX_DEBUG, format_args!("{debug:?}"));
    let ty = match parse_type_from_debug(&debug.text) {
        UNNAMED if panicked => "Error (its Debug panicked)",
        ty => ty,
    };
    let (mut value, panicked) = bounded(MAX_DISPLAY, format_args!("{display}"));
    if panicked {
        value.text.push_str("… (its Display panicked)");
    } else if value.full {
        value.text.push('…');
    }
    Exception { ty: ty.to_owned(), value: Some(value.text), ..Default::default() }
}

/// Formats at most `limit` bytes, and says whether the formatting panicked.
fn bounded(limit: usize, text: fmt::Arguments<'_>) -> (Bounded, bool) {
    let mut buffer = Bounded { full: false, limit, text: String::new() };
    let panicked = callback::guarded("formatting of an error", || buffer.write_fmt(text)).is_err();
    (buffer, panicked)
}

/// A text that refuses to grow beyond its limit; whoever formats into it then stops.
struct Bounded {
    full: bool,
    limit: usize,
    text: String,
}

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.full {
            return Err(fmt::Error);
        }
        let mut room = self.limit - self.text.len();
        if part.len() <= room {
            self.text.push_str(part);
            return Ok(());
        }
        while !part.is_char_boundary(room) {
            room -= 1;
        }
        self.text.push_str(&part[..room]);
        self.full = true;
        Err(fmt::Error)
    }
}

/// The type of an error whose `Debug` text names none.
const UNNAMED: &str = "Error";
/// Errors in a chain, the outermost included.
const MAX_CHAIN: usize = 50;
/// Bytes of `Debug` text looked at for a type's name.
const MAX_DEBUG: usize = 256;
/// Bytes of `Display` text kept; what the server keeps of a value.
const MAX_DISPLAY: usize = 8 << 10;

#[cfg(test)]
mod tests;
