//! A short text that is stored in place: the name of a span, or what kind of operation it is.
//!
//! It is put together in registers and written once, in whole words. A text that is copied byte by byte, or by calling
//! `memcpy`, costs several times as much as soon as it is moved: the processor waits for the small writes.

use std::fmt;

/// A text. Up to 22 bytes cost no allocation.
#[derive(Clone)]
pub(super) struct Text(Repr);

#[derive(Clone)]
enum Repr {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Box<str>),
}

impl Text {
    #[inline]
    pub(super) fn new(text: &str) -> Self {
        match short(text.as_bytes()) {
            Some(bytes) => Self(Repr::Short { length: text.len() as u8, bytes }),
            None => Self(Repr::Long(text.into())),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match &self.0 {
            // Both are right: they were taken from a text.
            Repr::Short { length, bytes } => {
                bytes.get(..usize::from(*length)).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
            }
            Repr::Long(text) => text,
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// The bytes of a text, and zeros behind them. `None`: they are too many.
#[inline]
fn short(text: &[u8]) -> Option<[u8; SHORT]> {
    let length = text.len();
    let word = match length {
        0..8 => u128::from(word_up_to_7(text)),
        8..=16 => {
            // The first eight bytes and the last eight, which may overlap: then both say the same there.
            let first = u64::from_le_bytes(*text.first_chunk()?);
            let last = u64::from_le_bytes(*text.last_chunk()?);
            u128::from(first) | u128::from(last) << (8 * (length - 8))
        }
        17..=SHORT => {
            let first = u128::from_le_bytes(*text.first_chunk()?);
            let last = u64::from_le_bytes(*text.last_chunk()?);
            return Some(join(first, last >> (8 * (24 - length))));
        }
        _ => return None,
    };
    Some(join(word, 0))
}

/// Sixteen bytes, and six more.
#[inline]
fn join(first: u128, rest: u64) -> [u8; SHORT] {
    let mut bytes = [0; SHORT];
    let (head, tail) = bytes.split_at_mut(16);
    head.copy_from_slice(&first.to_le_bytes());
    tail.copy_from_slice(&rest.to_le_bytes()[..SHORT - 16]);
    bytes
}

#[inline]
fn word_up_to_7(text: &[u8]) -> u64 {
    match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            u64::from(first) | u64::from(last) << (8 * (text.len() - 4))
        }
        _ => text.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// Bytes that are stored in place: with a length and what tells a short text from a long one, three words.
const SHORT: usize = 22;

const _: () = assert!(size_of::<Text>() == 24, "three words");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_any_length_reads_back_as_it_was() {
        for length in 0..60 {
            let text: String = ('a'..='z').cycle().take(length).collect();
            assert_eq!(Text::new(&text).as_str(), text);
            assert_eq!(matches!(Text::new(&text).0, Repr::Short { .. }), length <= SHORT);
            let wide = "\u{e9}".repeat(length);
            assert_eq!(format!("{:?}", Text::from(wide.clone())), format!("{wide:?}"));
        }
    }
}
