//! The message of a breadcrumb, as it is written behind the fields.

use std::fmt;

use super::Recorder;
use crate::message::{Sink, digits};

impl Sink for Recorder {
    #[inline]
    fn put_text(&mut self, text: &str) {
        self.put_bytes(text.as_bytes());
    }

    #[inline(never)]
    fn put_number(&mut self, number: u64) {
        if digits::short(number).is_none_or(|(digits, len)| !self.brief.bytes.append_some(digits, len)) {
            self.put_long_number(number);
        }
    }
}

impl Recorder {
    /// The same for a number that is long, or comes near the end of the room.
    #[inline(never)]
    fn put_long_number(&mut self, number: u64) {
        digits::each(number, &mut |digits, len| self.put_bytes(digits.get(..len).unwrap_or_default()));
    }
}

impl fmt::Write for Recorder {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put_text(text);
        Ok(())
    }
}
