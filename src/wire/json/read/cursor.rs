//! A place in JSON, and the tokens that follow it.

use std::error::Error;
use std::fmt::{self, Display};

use serde::de;

use super::number::Token;

/// That this is for another parser to judge.
#[derive(Debug)]
pub(super) struct Refused;

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl Error for Refused {}

impl de::Error for Refused {
    /// Makes no text of it: who reads again finds the words.
    fn custom<T: Display>(_: T) -> Self {
        Self
    }

    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self
    }
}

/// A place in JSON.
pub(super) struct Cursor<'de> {
    text: &'de str,
    /// At most the number of bytes.
    at: usize,
    /// Control characters stand somewhere; in a text they would be an error.
    has_controls: bool,
    /// The next backslash, or the end if none follows. Before the place it says nothing of what follows.
    escape: usize,
    unescaped: String,
}

/// What stands between quotation marks.
pub(super) enum Text<'de> {
    Plain(&'de str),
    /// It is in [`Cursor::unescaped`].
    Escaped,
}

impl<'de> Cursor<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        // Once for all of it costs an eighth of what it costs text by text.
        let lowest = text.bytes().fold(u8::MAX, u8::min);
        let has_controls = lowest < b' ';
        Self { text, at: 0, has_controls, escape: backslash(text.as_bytes(), 0), unescaped: String::new() }
    }

    /// Returns the text that was read last, if it had escapes.
    #[inline]
    pub(super) fn unescaped(&self) -> &str {
        &self.unescaped
    }

    /// Returns the byte `ahead` of the place, white space or not.
    #[inline(always)]
    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// Goes over white space, and returns the byte behind it.
    #[inline(always)]
    pub(super) fn peek(&mut self) -> Result<u8, Refused> {
        match self.byte(0) {
            Some(byte) if byte > b' ' => Ok(byte),
            _ => self.peek_behind_space(),
        }
    }

    #[cold]
    #[inline(never)]
    fn peek_behind_space(&mut self) -> Result<u8, Refused> {
        self.skip_space();
        self.byte(0).ok_or(Refused)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte(0) {
            self.at += 1;
        }
    }

    /// Says whether nothing but white space is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.skip_space();
        self.at == self.text.len()
    }

    /// Goes behind the byte that was seen by [`peek`](Self::peek).
    #[inline(always)]
    pub(super) fn skip_peeked(&mut self) {
        self.at += 1;
    }

    /// Goes behind a byte, if that is what comes next.
    #[inline(always)]
    pub(super) fn take(&mut self, byte: u8) -> Result<(), Refused> {
        if self.byte(0) != Some(byte) && self.peek_behind_space()? != byte {
            return Err(Refused);
        }
        self.skip_peeked();
        Ok(())
    }

    /// Returns the place.
    #[inline(always)]
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Returns what was read since a place.
    #[inline(always)]
    pub(super) fn since(&self, start: usize) -> &'de [u8] {
        self.text.as_bytes().get(start..self.at).unwrap_or_default()
    }

    /// Returns what is still to be read.
    #[inline(always)]
    pub(super) fn rest(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Goes over bytes that were seen in the [`rest`](Self::rest).
    #[inline(always)]
    pub(super) fn skip(&mut self, count: usize) {
        self.at += count;
    }

    /// Goes behind bytes, if they stand right here.
    #[inline(always)]
    pub(super) fn take_all<const N: usize>(&mut self, bytes: &[u8; N]) -> bool {
        let is_there = self.text.as_bytes()[self.at..].first_chunk() == Some(bytes);
        if is_there {
            self.at += N;
        }
        is_there
    }

    /// Reads a text behind its opening quotation mark.
    #[inline(always)]
    pub(super) fn text(&mut self) -> Result<Text<'de>, Refused> {
        let start = self.at;
        let end = self.quotation_mark()?;
        if self.escape < end {
            return self.text_near_escape(end);
        }
        let text = self.piece(start, end)?;
        self.at = end + 1;
        Ok(Text::Plain(text))
    }

    /// Reads a text up to its end, where a backslash stands before the quotation mark at `end`: in the text, or before it.
    #[cold]
    #[inline(never)]
    fn text_near_escape(&mut self, end: usize) -> Result<Text<'de>, Refused> {
        if self.escape < self.at {
            self.escape = backslash(self.text.as_bytes(), self.at);
        }
        if self.escape < end {
            return self.unescape(self.escape).map(|()| Text::Escaped);
        }
        let text = self.piece(self.at, end)?;
        self.at = end + 1;
        Ok(Text::Plain(text))
    }

    /// Reads a text up to its end, the first escape of which stands at `end`.
    fn unescape(&mut self, mut end: usize) -> Result<(), Refused> {
        self.unescaped.clear();
        loop {
            let piece = self.piece(self.at, end)?;
            self.unescaped.push_str(piece);
            self.at = end + 1;
            if self.text.as_bytes().get(end) == Some(&b'"') {
                return Ok(());
            }
            let letter = self.escape()?;
            self.unescaped.push(letter);
            end = self.end_of_piece()?;
        }
    }

    /// Finds the next quotation mark, in a text or at its end.
    #[inline(always)]
    fn quotation_mark(&self) -> Result<usize, Refused> {
        let rest = &self.text.as_bytes()[self.at..];
        // What is longer is worth a call.
        if let Some(block) = rest.first_chunk::<64>() {
            for (number, word) in block.as_chunks().0.iter().enumerate() {
                let marks = quotation_marks(u64::from_le_bytes(*word));
                if marks != 0 {
                    return Ok(self.at + 8 * number + marks.trailing_zeros() as usize / 8);
                }
            }
        }
        memchr::memchr(b'"', rest).map(|place| self.at + place).ok_or(Refused)
    }

    /// Finds the next quotation mark or backslash.
    fn end_of_piece(&self) -> Result<usize, Refused> {
        let rest = self.text.as_bytes().get(self.at..).ok_or(Refused)?;
        memchr::memchr2(b'"', b'\\', rest).map(|place| self.at + place).ok_or(Refused)
    }

    #[inline(always)]
    fn piece(&self, start: usize, end: usize) -> Result<&'de str, Refused> {
        let piece = self.text.get(start..end).ok_or(Refused)?;
        if self.has_controls && piece.bytes().any(|byte| byte < b' ') {
            return Err(Refused);
        }
        Ok(piece)
    }

    /// Reads what follows a backslash.
    fn escape(&mut self) -> Result<char, Refused> {
        let letter = self.byte(0).ok_or(Refused)?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => letter.into(),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode()?,
            _ => return Err(Refused),
        })
    }

    /// Reads a character by its number; some are written as two halves.
    fn unicode(&mut self) -> Result<char, Refused> {
        let first = self.hex()?;
        let is_half = matches!(first, 0xd800..0xdc00);
        let second = if is_half && self.take_all(b"\\u") { Some(self.hex()?) } else { None };
        match char::decode_utf16([first].into_iter().chain(second)).next() {
            Some(Ok(letter)) => Ok(letter),
            _ => Err(Refused),
        }
    }

    fn hex(&mut self) -> Result<u16, Refused> {
        let digits: &[u8; 4] = self.text.as_bytes()[self.at..].first_chunk().ok_or(Refused)?;
        self.at += digits.len();
        digits.iter().try_fold(0, |number, digit| {
            let digit = char::from(*digit).to_digit(16).ok_or(Refused)?;
            // It is below 16.
            Ok(number << 4 | digit as u16)
        })
    }

    /// Reads a number that starts right here.
    #[inline(always)]
    pub(super) fn number(&mut self) -> Result<Token<'de>, Refused> {
        let token = Token::at_start(self.text.get(self.at..).ok_or(Refused)?).ok_or(Refused)?;
        self.at += token.len();
        Ok(token)
    }
}

/// Marks the highest bit of the lowest byte that is a quotation mark; what is marked above means nothing.
#[inline(always)]
fn quotation_marks(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    // Only a zero borrows from its highest bit without having had it, unless a byte below borrowed.
    let zero = word ^ (u64::from(b'"') * ONES);
    zero.wrapping_sub(ONES) & !zero & (0x80 * ONES)
}

/// Finds the next backslash from a place on, or else the end.
fn backslash(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    memchr::memchr(b'\\', rest).map_or(bytes.len(), |place| from + place)
}
