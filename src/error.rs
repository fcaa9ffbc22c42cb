//! Turning chains of `std::error::Error` into events.
//!
//! `Debug`, `Display` and `source` of an error are its author's code: they may panic, print without end, or lead
//! in a circle. Whatever they do, there is an event in the end, and its size is bounded.

use std::error::Error;
use std::fmt::{self, Debug, Display, Write};

use crate::callback;
use crate::matter::Chain;
use crate::protocol::{Event, Level};

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
    Event { exception: chain_of(err).exceptions(), level: Level::Error, ..Default::default() }
}

/// What an error and everything that caused it say of themselves, within the same bounds.
pub(crate) fn chain_of<E: Error + ?Sized>(err: &E) -> Chain {
    let mut chain = Chain::new();
    add(&mut chain, &err, &err);
    let mut source = callback::guarded("source of an error", || err.source()).ok().flatten();
    while let Some(cause) = source
        && chain.len() < MAX_CHAIN
    {
        add(&mut chain, &cause, &cause);
        source = callback::guarded("source of an error", || cause.source()).ok().flatten();
    }
    chain
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

fn add(chain: &mut Chain, debug: &dyn Debug, display: &dyn Display) {
    let texts = chain.texts();
    write_type(texts, debug);
    let name = texts.len();
    let (full, panicked) = bounded(texts, MAX_DISPLAY, "", format_args!("{display}"));
    if panicked {
        texts.push_str("… (its Display panicked)");
    } else if full {
        texts.push('…');
    }
    chain.end(name);
}

/// Writes the name of an error's type.
fn write_type(texts: &mut String, debug: &dyn Debug) {
    let start = texts.len();
    // What stands behind the first bracket says nothing about the name.
    let (_, panicked) = bounded(texts, MAX_DEBUG, "({<", format_args!("{debug:?}"));
    let written = &texts[start..];
    let name = start + written.len() - written.trim_start().len();
    match parse_type_from_debug(written) {
        UNNAMED => {
            texts.truncate(start);
            texts.push_str(if panicked { "Error (its Debug panicked)" } else { UNNAMED });
        }
        ty => {
            let end = name + ty.len();
            texts.truncate(end);
            texts.drain(start..name);
        }
    }
}

/// Formats at most `limit` bytes and not much beyond any of the bytes `last`; says whether there would have been more, and
/// whether the formatting panicked.
fn bounded(out: &mut String, limit: usize, last: &'static str, text: fmt::Arguments<'_>) -> (bool, bool) {
    let mut bounded = Bounded { room: limit, full: false, last, out };
    let panicked = callback::guarded("formatting of an error", || bounded.write_fmt(text)).is_err();
    (bounded.full, panicked)
}

/// A text that refuses to grow beyond its limit; whoever formats into it then stops.
struct Bounded<'a> {
    room: usize,
    full: bool,
    last: &'static str,
    out: &'a mut String,
}

impl Write for Bounded<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.full {
            return Err(fmt::Error);
        }
        let mut length = part.len().min(self.room);
        while !part.is_char_boundary(length) {
            length -= 1;
        }
        let fitting = &part[..length];
        self.out.push_str(fitting);
        self.room -= length;
        self.full = length < part.len() || fitting.bytes().any(|byte| self.last.as_bytes().contains(&byte));
        if self.full { Err(fmt::Error) } else { Ok(()) }
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
