//! Files sent along with an event.

use std::fmt;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// What a file attached to an event is.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum AttachmentType {
    /// Any file.
    #[default]
    #[serde(rename = "event.attachment")]
    Attachment,
    /// A minidump, from which the server makes an event.
    #[serde(rename = "event.minidump")]
    Minidump,
    /// A crash report of Apple's systems, from which the server makes an event.
    #[serde(rename = "event.applecrashreport")]
    AppleCrashReport,
    /// The context file of an Unreal Engine crash.
    #[serde(rename = "unreal.context")]
    UnrealContext,
    /// The log file of an Unreal Engine crash.
    #[serde(rename = "unreal.logs")]
    UnrealLogs,
    /// A type this list does not know.
    #[serde(untagged)]
    Custom(String),
}

impl AttachmentType {
    /// Returns the type as the wire has it.
    pub fn as_str(&self) -> &str {
        match self {
            AttachmentType::Attachment => "event.attachment",
            AttachmentType::Minidump => "event.minidump",
            AttachmentType::AppleCrashReport => "event.applecrashreport",
            AttachmentType::UnrealContext => "unreal.context",
            AttachmentType::UnrealLogs => "unreal.logs",
            AttachmentType::Custom(name) => name,
        }
    }
}

/// A file attached to an event.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Attachment {
    /// What the file holds.
    pub buffer: Vec<u8>,
    /// The name of the file.
    pub filename: String,
    /// The media type of the file.
    pub content_type: Option<String>,
    /// What the file is for.
    pub ty: Option<AttachmentType>,
}

impl Attachment {
    /// Writes the attachment as an item of an envelope: a header, a line feed, and the bytes of the file.
    ///
    /// # Errors
    /// Gives back what `writer` fails with.
    pub fn to_writer<W>(&self, writer: &mut W) -> io::Result<()>
    where
        W: Write,
    {
        let header = Header {
            ty: "attachment",
            length: self.buffer.len(),
            filename: &self.filename,
            attachment_type: self.ty.as_ref().unwrap_or(&AttachmentType::Attachment),
            content_type: self.content_type.as_deref().unwrap_or("application/octet-stream"),
        };
        serde_json::to_writer(&mut *writer, &header)?;
        writer.write_all(b"\n")?;
        writer.write_all(&self.buffer)
    }
}

impl fmt::Debug for Attachment {
    /// Shows how long the file is, not what it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment")
            .field("buffer", &self.buffer.len())
            .field("filename", &self.filename)
            .field("content_type", &self.content_type)
            .field("type", &self.ty)
            .finish()
    }
}

/// The header of the item.
#[derive(Serialize)]
struct Header<'a> {
    #[serde(rename = "type")]
    ty: &'static str,
    length: usize,
    filename: &'a str,
    attachment_type: &'a AttachmentType,
    content_type: &'a str,
}
