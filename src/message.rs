//! A message, written piece by piece: what is plain needs no formatter.
//!
//! ```text
//!  "GET {path} took {took:.1} ms" ─► .text("GET ").value(&path).text(" took ").format("{:.1}", took).text(" ms")
//! ```
//! # Guarantees
//! The text is the one that `format!` makes. A `Display` runs where nothing is held; one that fails ends the message, and what
//! was written stays.
//!
//! # Not here
//! Format strings: `vidette-macros` takes them apart when the program is compiled.

pub(crate) mod digits;

use std::fmt::{self, Display};

use crate::sync::plain::Plain;

/// Where a message is written to. Writing to memory does not fail.
pub trait Sink: fmt::Write {
    fn put_text(&mut self, text: &str);
    fn put_number(&mut self, number: u64);
}

impl Sink for String {
    #[inline]
    fn put_text(&mut self, text: &str) {
        self.push_str(text);
    }

    #[inline(never)]
    fn put_number(&mut self, number: u64) {
        digits::each(number, &mut |digits, len| {
            let digits = digits.get(..len).unwrap_or_default();
            self.push_str(str::from_utf8(digits).unwrap_or_default());
        });
    }
}

/// A message in the making. `None`: a `Display` has failed, and nothing comes after it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Message<'a, S>(Option<&'a mut S>);

impl<'a, S: Sink> Message<'a, S> {
    #[inline]
    pub(crate) fn to(sink: &'a mut S) -> Self {
        Self(Some(sink))
    }

    #[inline]
    pub fn text(mut self, text: &str) -> Self {
        if let Some(sink) = &mut self.0 {
            sink.put_text(text);
        }
        self
    }

    /// Writes a value as `{}` does.
    #[inline]
    pub fn value<T: Display + ?Sized>(mut self, value: &T) -> Self {
        let Some(sink) = &mut self.0 else {
            return self;
        };
        match Plain::of(value) {
            Some(Plain::Text(text)) => sink.put_text(text),
            Some(Plain::Unsigned(number)) => sink.put_number(number),
            Some(Plain::Signed(number)) => {
                if number < 0 {
                    sink.put_text("-");
                }
                sink.put_number(number.unsigned_abs());
            }
            Some(Plain::Bool(flag)) => sink.put_text(if flag { "true" } else { "false" }),
            Some(Plain::Char(character)) => sink.put_text(character.encode_utf8(&mut [0; 4])),
            None => return self.format(format_args!("{value}")),
        }
        self
    }

    /// Writes what has a format.
    #[inline]
    pub fn format(mut self, message: fmt::Arguments<'_>) -> Self {
        if let Some(sink) = &mut self.0 {
            match message.as_str() {
                Some(text) => sink.put_text(text),
                None if sink.write_fmt(message).is_err() => self.0 = None,
                None => {}
            }
        }
        self
    }
}

/// Takes the arguments of a message one at a time, and hands them on as `{[name] argument {value}}` each, where each
/// `argument` is one of its own.
#[doc(hidden)]
#[macro_export]
macro_rules! __arguments {
    ($then:ident $given:tt [$($done:tt)*] $name:ident = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__arguments!($then $given [$($done)* {[$name] argument {$value}}] $($($rest)*)?)
    };
    ($then:ident $given:tt [$($done:tt)*] $value:expr $(, $($rest:tt)*)?) => {
        $crate::__arguments!($then $given [$($done)* {[] argument {$value}}] $($($rest)*)?)
    };
    ($then:ident $given:tt [$($done:tt)*]) => {
        $crate::$then!($given $($done)*)
    };
}
