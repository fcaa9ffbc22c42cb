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
    /// No text: a place to [`set`](Self::set) one.
    pub(super) const EMPTY: Self = Self(Repr::Short { length: 0, bytes: [0; SHORT] });

    #[inline]
    pub(super) fn new(text: &str) -> Self {
        let mut new = Self::EMPTY;
        new.set(text);
        new
    }

    /// Replaces the text, where it stands.
    #[inline(always)]
    pub(super) fn set(&mut self, text: &str) {
        *self = match words(text.as_bytes()) {
            Some(words) => Self(Repr::Short { length: text.len() as u8, bytes: join(words) }),
            None => Self(Repr::Long(text.into())),
        };
    }

    pub(super) fn as_str(&self) -> &str {
        // They were taken from a text.
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            // The length is right, too.
            Repr::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Repr::Long(text) => text.as_bytes(),
        }
    }
}

impl Default for Text {
    #[inline]
    fn default() -> Self {
        Self::EMPTY
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

/// The bytes of a text in three words, with zeros behind them. `None`: they are too many.
// Inlined by force: a call costs as much as the whole.
#[inline(always)]
fn words(text: &[u8]) -> Option<[u64; 3]> {
    let length = text.len();
    Some(match length {
        0..4 => [text.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0, 0],
        // The first bytes and the last ones, which may overlap: then both say the same there.
        4..=8 => {
            let (first, last) = (u32::from_le_bytes(*text.first_chunk()?), u32::from_le_bytes(*text.last_chunk()?));
            [u64::from(first) | u64::from(last) << (8 * (length - 4)), 0, 0]
        }
        9..=16 => {
            let (first, last) = (*text.first_chunk()?, u64::from_le_bytes(*text.last_chunk()?));
            [u64::from_le_bytes(first), last >> (8 * (16 - length)), 0]
        }
        17..=SHORT => {
            let (first, rest) = text.split_first_chunk()?;
            let (second, last) = (*rest.first_chunk()?, u64::from_le_bytes(*text.last_chunk()?));
            [u64::from_le_bytes(*first), u64::from_le_bytes(second), last >> (8 * (24 - length))]
        }
        _ => return None,
    })
}

#[inline(always)]
fn join([first, second, rest]: [u64; 3]) -> [u8; SHORT] {
    let mut bytes = [0; SHORT];
    let (head, tail) = bytes.split_at_mut(16);
    head.copy_from_slice(&(u128::from(first) | u128::from(second) << 64).to_le_bytes());
    tail.copy_from_slice(&rest.to_le_bytes()[..SHORT - 16]);
    bytes
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
