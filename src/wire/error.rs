//! Why bytes are not an envelope.

use std::error::Error;
use std::{fmt, io};

/// Why bytes are not an envelope.
#[derive(Debug)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The bytes end before a declared length is reached.
    UnexpectedEof,
    /// There is no line of headers.
    MissingHeader,
    /// Where an item's header should be there is an empty line, and more after it.
    MissingItemHeader,
    /// A payload is longer than declared: no newline follows it.
    MissingNewline,
    /// The headers are not JSON, or not headers.
    InvalidHeader(serde_json::Error),
    /// An item's header is not JSON, or not a header.
    InvalidItemHeader(serde_json::Error),
    /// The payload of an item does not fit the item's type.
    InvalidItemPayload(serde_json::Error),
    /// A file could not be read.
    Io(io::Error),
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnexpectedEof => "the envelope ends inside a payload",
            Self::MissingHeader => "the envelope has no headers",
            Self::MissingItemHeader => "an item has no header",
            Self::MissingNewline => "no newline follows a payload",
            Self::InvalidHeader(_) => "the headers of the envelope are invalid",
            Self::InvalidItemHeader(_) => "the header of an item is invalid",
            Self::InvalidItemPayload(_) => "the payload of an item is invalid",
            Self::Io(_) => "the file could not be read",
        })
    }
}

impl Error for EnvelopeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::InvalidHeader(cause) | Self::InvalidItemHeader(cause) | Self::InvalidItemPayload(cause) => {
                Some(cause)
            }
            Self::Io(cause) => Some(cause),
            Self::UnexpectedEof | Self::MissingHeader | Self::MissingItemHeader | Self::MissingNewline => None,
        }
    }
}

impl From<io::Error> for EnvelopeError {
    fn from(cause: io::Error) -> Self {
        Self::Io(cause)
    }
}
