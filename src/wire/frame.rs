//! Where items start and end: the one place that knows, for the typed parser and the view alike.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny};

use super::error::EnvelopeError;

/// Where one item stands in the envelope's bytes.
#[derive(Clone, Debug)]
pub(super) struct Frame<'a> {
    pub(super) ty: Cow<'a, str>,
    pub(super) header: Range<usize>,
    pub(super) payload: Range<usize>,
}

/// Walks over the items.
#[derive(Clone, Debug)]
pub(super) struct Frames<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Frames<'a> {
    /// Splits the line of headers off.
    pub(super) fn new(bytes: &'a [u8]) -> Result<(Range<usize>, Self), EnvelopeError> {
        let line = line(bytes, 0);
        if line.is_empty() {
            return Err(EnvelopeError::MissingHeader);
        }
        let at = after(bytes, line.end);
        Ok((line, Self { bytes, at }))
    }

    fn frame(&mut self) -> Result<Frame<'a>, EnvelopeError> {
        let bytes = self.bytes;
        let header = line(bytes, self.at);
        if header.is_empty() {
            return Err(EnvelopeError::MissingItemHeader);
        }
        let Header { ty, length } = object(&bytes[header.clone()]).map_err(EnvelopeError::InvalidItemHeader)?;
        let start = after(bytes, header.end);
        let payload = match length {
            None => line(bytes, start),
            Some(length) => {
                let rest = &bytes[start..];
                let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
                let length = length.ok_or(EnvelopeError::UnexpectedEof)?;
                if rest.get(length).is_some_and(|next| *next != b'\n') {
                    return Err(EnvelopeError::MissingNewline);
                }
                start..start + length
            }
        };
        self.at = after(bytes, payload.end);
        Ok(Frame { ty, header, payload })
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, EnvelopeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.bytes[self.at..];
        // Newlines at the end are not items.
        if rest.first().is_none_or(|first| *first == b'\n') && rest.iter().all(|byte| *byte == b'\n') {
            self.at = self.bytes.len();
            return None;
        }
        let frame = self.frame();
        if frame.is_err() {
            self.at = self.bytes.len();
        }
        Some(frame)
    }
}

/// The two fields of an item's header that say where it ends and what it is.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow, rename = "type")]
    ty: Cow<'a, str>,
    length: Option<u64>,
}

/// Reads an object; serde would also take a list for a struct.
pub(super) fn object<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, serde_json::Error> {
    if is_object(bytes) {
        serde_json::from_slice(bytes)
    } else {
        // Bytes that are no JSON at all get the parser's own words.
        serde_json::from_slice::<IgnoredAny>(bytes)?;
        Err(serde_json::Error::custom("expected an object"))
    }
}

/// Says whether the bytes can be an object.
pub(super) fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'{')
}

/// Returns what is left of the line at `start`, without its newline.
fn line(bytes: &[u8], start: usize) -> Range<usize> {
    let length = memchr::memchr(b'\n', &bytes[start..]);
    start..length.map_or(bytes.len(), |length| start + length)
}

/// Returns where the next line starts when the last one ends at `end`.
fn after(bytes: &[u8], end: usize) -> usize {
    // Both are at most the length of a slice, which is below `usize::MAX`.
    (end + 1).min(bytes.len())
}
