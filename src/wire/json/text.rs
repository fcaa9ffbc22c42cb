//! Texts, and what in them must be escaped: quotation marks, backslashes and control characters.

use std::fmt::{self, Display, Write as _};

use serde::ser::Error as _;
use serde_json::Error;

use crate::sync::tail::append_between;

/// Writes a text in quotation marks.
#[inline]
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    write_utf8(out, text.as_bytes());
}

/// Writes the bytes of a text in quotation marks.
#[inline]
pub(super) fn write_utf8(out: &mut Vec<u8>, text: &[u8]) {
    match has_special(text) {
        false => append_between(out, *b"\"", text, *b"\""),
        true => write_pieces(out, text),
    }
}

/// Writes the name of an entry, with what stands before it, and the colon after it.
#[inline]
pub(super) fn write_entry_name(out: &mut Vec<u8>, before: u8, name: &str) {
    let name = name.as_bytes();
    match has_special(name) {
        false => append_between(out, [before, b'"'], name, *b"\":"),
        true => {
            out.push(before);
            write_pieces(out, name);
            out.push(b':');
        }
    }
}

/// Writes what a value displays, in quotation marks.
///
/// # Errors
///
/// When the value says that it failed to display itself.
pub(super) fn write_display<T>(out: &mut Vec<u8>, value: &T) -> Result<(), Error>
where
    T: Display + ?Sized,
{
    out.push(b'"');
    write!(Escaping { out }, "{value}").map_err(Error::custom)?;
    out.push(b'"');
    Ok(())
}

/// Says whether nothing in a text has to be escaped.
pub(super) fn is_plain(text: &str) -> bool {
    !has_special(text.as_bytes())
}

struct Escaping<'b> {
    out: &'b mut Vec<u8>,
}

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape_pieces(self.out, text.as_bytes());
        Ok(())
    }
}

/// Writes a text in quotation marks of which some bytes have to be escaped.
#[cold]
fn write_pieces(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    escape_pieces(out, text);
    out.push(b'"');
}

/// Writes a text, and escapes what has to be.
fn escape_pieces(out: &mut Vec<u8>, text: &[u8]) {
    // Pieces of a length that is quick to look through, so that one special byte does not slow down the others.
    for piece in text.chunks(PIECE) {
        if !has_special(piece) {
            out.extend_from_slice(piece);
            continue;
        }
        for byte in piece {
            match is_special(*byte) {
                false => out.push(*byte),
                true => escape(out, *byte),
            }
        }
    }
}

fn escape(out: &mut Vec<u8>, special: u8) {
    let letter = match special {
        b'"' | b'\\' => special,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend([special >> 4, special & 15].map(|digit| HEX_DIGITS[usize::from(digit)]));
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// Says whether a byte must be escaped: looks at 16 at once, and at some of the last ones twice.
#[inline]
fn has_special(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk() {
        return bytes.as_chunks().0.iter().any(is_block_special) || is_block_special(last);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        let mut block = [0; 16];
        block[..8].copy_from_slice(first);
        block[8..].copy_from_slice(last);
        return is_block_special(&block);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let [first, last] = [first, last].map(|half| u64::from(u32::from_le_bytes(*half)));
        return is_word_special(first << 32 | last);
    }
    bytes.iter().any(|byte| is_special(*byte))
}

/// Looks at all bytes, even after one was found, so that the compiler has no reason to take them one by one.
#[inline]
fn is_block_special(block: &[u8; 16]) -> bool {
    // What is zero afterwards was one of the two, or below 0x20.
    let marked = |byte: u8| (byte ^ b'"').min(byte ^ b'\\').min(byte.saturating_sub(0x1f));
    block.iter().fold(false, |found, byte| found | (marked(*byte) == 0))
}

#[inline]
fn is_word_special(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    // A byte below `n` borrows from its highest bit, unless it had that bit before. Bits above the lowest such byte may be
    // echoes of its borrow.
    let below = |word: u64, n: u64| word.wrapping_sub(n * ONES) & !word;
    let equal = |byte: u8| below(word ^ (u64::from(byte) * ONES), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & (0x80 * ONES) != 0
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// How many bytes are copied at once if none of them is special, in a text that has some.
const PIECE: usize = 32;

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";
