//! Takes a file of envelopes apart again.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

/// The envelopes in a file that [`FileTransport`](super::FileTransport) wrote, as bytes, one after the other.
///
/// Checks no more than it needs to find where an envelope ends, and holds one at a time. Ends with the first error.
#[derive(Debug)]
pub struct EnvelopeFile<R> {
    /// Nothing after an error.
    reader: Option<R>,
}

impl EnvelopeFile<BufReader<File>> {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened for reading.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        File::open(path).map(|file| Self::new(BufReader::new(file)))
    }
}

impl<R: BufRead> EnvelopeFile<R> {
    /// Reads from what is not a file.
    pub fn new(reader: R) -> Self {
        Self { reader: Some(reader) }
    }
}

impl<R: BufRead> Iterator for EnvelopeFile<R> {
    type Item = Result<Vec<u8>, EnvelopeFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        let outcome = read_envelope(self.reader.as_mut()?).transpose();
        if !matches!(outcome, Some(Ok(_))) {
            self.reader = None;
        }
        outcome
    }
}

/// Why the next envelope in a file cannot be told from what follows.
#[derive(Debug)]
#[non_exhaustive]
pub enum EnvelopeFileError {
    /// Reading failed.
    Io(io::Error),
    /// The file ends within an envelope, or a payload is longer or shorter than its header says.
    Broken,
    /// What should be an item's header is not one.
    InvalidItemHeader(serde_json::Error),
    /// The envelope is larger than 200 MiB, which no server takes.
    TooLarge,
}

impl fmt::Display for EnvelopeFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Io(_) => "cannot read the envelope",
            Self::Broken => "the envelope is broken off",
            Self::InvalidItemHeader(_) => "invalid item header",
            Self::TooLarge => "the envelope is too large",
        })
    }
}

impl Error for EnvelopeFileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(cause) => Some(cause),
            Self::InvalidItemHeader(cause) => Some(cause),
            Self::Broken | Self::TooLarge => None,
        }
    }
}

impl From<io::Error> for EnvelopeFileError {
    fn from(cause: io::Error) -> Self {
        Self::Io(cause)
    }
}

#[derive(Deserialize)]
struct ItemHeader {
    length: Option<u64>,
}

fn read_envelope(reader: &mut impl BufRead) -> Result<Option<Vec<u8>>, EnvelopeFileError> {
    let mut envelope = Vec::new();
    // The empty lines that end the envelope before.
    while matches!(envelope.as_slice(), [] | [b'\n']) {
        envelope.clear();
        if read_line(reader, &mut envelope)?.is_empty() {
            return Ok(None);
        }
    }
    loop {
        let header = match read_line(reader, &mut envelope)? {
            b"" => break,
            b"\n" => {
                envelope.pop();
                break;
            }
            line => serde_json::from_slice::<ItemHeader>(line),
        };
        match header.map_err(EnvelopeFileError::InvalidItemHeader)?.length {
            Some(length) => read_payload(reader, &mut envelope, length)?,
            None => {
                read_line(reader, &mut envelope)?;
            }
        }
    }
    Ok(Some(envelope))
}

/// Appends a line, with its line break, and returns it; an empty one at the end of the file.
fn read_line<'a>(reader: &mut impl BufRead, envelope: &'a mut Vec<u8>) -> Result<&'a [u8], EnvelopeFileError> {
    let start = envelope.len();
    reader.take(room(envelope)).read_until(b'\n', envelope)?;
    if room(envelope) == 0 {
        return Err(EnvelopeFileError::TooLarge);
    }
    Ok(&envelope[start..])
}

/// Appends a payload of `length` bytes and the line break after it.
fn read_payload(reader: &mut impl BufRead, envelope: &mut Vec<u8>, length: u64) -> Result<(), EnvelopeFileError> {
    if length >= room(envelope) {
        return Err(EnvelopeFileError::TooLarge);
    }
    // Grows with what is there, not with what the header says.
    let read = reader.take(length).read_to_end(envelope)?;
    if (read as u64) < length {
        return Err(EnvelopeFileError::Broken);
    }
    match read_line(reader, envelope)? {
        b"" | b"\n" => Ok(()),
        _ => Err(EnvelopeFileError::Broken),
    }
}

fn room(envelope: &[u8]) -> u64 {
    LARGEST.saturating_sub(envelope.len() as u64)
}

const LARGEST: u64 = 200 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn split(file: &[u8]) -> Result<Vec<Vec<u8>>, EnvelopeFileError> {
        EnvelopeFile::new(file).collect()
    }

    const ATTACHMENT: &[u8] = b"{}\n{\"type\":\"attachment\",\"length\":6}\na\n\n\nb\n\n";

    #[test]
    fn payloads_with_empty_lines_do_not_end_an_envelope() {
        let file = [ATTACHMENT, b"\n\n", b"{}\n\n\n", ATTACHMENT, b"\n"].concat();
        let envelopes = split(&file).unwrap();
        assert_eq!(envelopes, [ATTACHMENT, b"{}\n", ATTACHMENT]);
    }

    #[test]
    fn envelopes_without_a_line_break_at_their_end_stay_apart() {
        let bare = ATTACHMENT.strip_suffix(b"\n").unwrap();
        let file = [bare, b"\n\n", b"{\"a\":1}", b"\n\n", bare, b"\n\n"].concat();
        let envelopes = split(&file).unwrap();
        assert_eq!(envelopes, [ATTACHMENT, b"{\"a\":1}\n", ATTACHMENT]);
    }

    #[test]
    fn an_item_without_a_length_ends_with_its_line() {
        let file = b"{}\n{\"type\":\"event\"}\n{\"a\":1}\n\n{}\n\n";
        let envelopes = split(file).unwrap();
        assert_eq!(envelopes, [&b"{}\n{\"type\":\"event\"}\n{\"a\":1}\n"[..], b"{}\n"]);
    }

    #[test]
    fn an_envelope_that_ends_the_file_is_whole() {
        for end in ["\n", "\n\n"] {
            let envelope = format!("{{}}\n{{\"type\":\"attachment\",\"length\":1}}\n{end}");
            assert_eq!(split(envelope.as_bytes()).unwrap(), [envelope.as_bytes()]);
        }
    }

    #[test]
    fn an_empty_file_holds_nothing() {
        assert!(split(b"").unwrap().is_empty());
        assert!(split(b"\n\n\n").unwrap().is_empty());
    }

    #[test]
    fn a_broken_file_gives_what_comes_before_the_break_and_one_error() {
        let file = [ATTACHMENT, b"\n", b"{}\n{\"length\":100}\nshort\n\n"].concat();
        let mut envelopes = EnvelopeFile::new(file.as_slice());
        assert_eq!(envelopes.next().unwrap().unwrap(), ATTACHMENT);
        assert!(matches!(envelopes.next(), Some(Err(EnvelopeFileError::Broken))));
        assert!(envelopes.next().is_none());
    }

    #[test]
    fn wrong_lengths_and_headers_are_errors() {
        let broken = split(b"{}\n{\"length\":2}\nabc\n\n").unwrap_err();
        assert!(matches!(broken, EnvelopeFileError::Broken));
        let header = split(b"{}\nnot a header\n\n").unwrap_err();
        assert!(matches!(header, EnvelopeFileError::InvalidItemHeader(_)));
        assert!(header.source().is_some());
        let large = split(b"{}\n{\"length\":18446744073709551615}\nx\n\n").unwrap_err();
        assert!(matches!(large, EnvelopeFileError::TooLarge));
    }
}
