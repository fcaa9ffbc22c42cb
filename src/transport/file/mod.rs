//! Envelopes in a file, one after the other.
//!
//! ```text
//!  envelope header ⏎
//!  item header ⏎  payload ⏎  …
//!  ⏎
//!  envelope header ⏎ …
//! ```
//! Each envelope is followed by at least one empty line, and a header is never an empty line. Payloads may hold any
//! bytes, empty lines too: their length is in the item's header. [`EnvelopeFile`] takes such a file apart.

mod read;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::{Delivery, Reply, SendBytes, SendError, Transport};
use crate::wire::Envelope;

pub use self::read::{EnvelopeFile, EnvelopeFileError};

/// Appends envelopes to a file.
///
/// Each envelope is one write at the file's end, so several transports, in several processes too, may share a file
/// where the file system keeps appended writes apart, as local ones do.
///
/// # Examples
///
/// ```
/// use vidette::transport::{EnvelopeFile, FileTransport, Transport};
/// use vidette::wire::Envelope;
///
/// let path = std::env::temp_dir().join(format!("envelopes-{}", std::process::id()));
/// FileTransport::open(&path)?.send_envelope(Envelope::new());
///
/// for bytes in EnvelopeFile::open(&path)? {
///     assert!(Envelope::from_slice(&bytes?).is_ok());
/// }
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileTransport {
    file: File,
}

impl FileTransport {
    /// Opens a file to append to, and creates it where there is none.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened for writing.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self { file })
    }
}

impl Transport for FileTransport {
    fn send_envelope(&self, envelope: Envelope) {
        self.send_unheard(&envelope);
    }

    fn delivery(&self) -> Delivery<'_> {
        Delivery::Bytes(self)
    }
}

impl SendBytes for FileTransport {
    /// Appends one envelope.
    ///
    /// # Errors
    ///
    /// When the file takes nothing, or, on a full disk, only a part: then a fragment stays behind.
    fn send_bytes(&self, envelope: &[u8], _limit: Option<Duration>) -> Result<Reply, SendError> {
        // One line break ends the last payload where the envelope has none of its own; the other is the empty line.
        let bytes = [envelope, b"\n\n"].concat();
        let written = loop {
            match (&self.file).write(&bytes) {
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                outcome => break outcome?,
            }
        };
        if written < bytes.len() {
            return Err(SendError::Io(io::ErrorKind::WriteZero.into()));
        }
        Ok(Reply::from_status(200))
    }
}
