//! Bytes → envelope. Total: any input gives a value or an error, never a panic.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use simd_json::{Buffers, Deserializer, INPUT_PADDING, Tape};

use super::envelope::{Envelope, Original, Slot, Verbatim};
use super::error::EnvelopeError;
use super::frame::{Frame, Frames, is_object, object};
use super::item::{EnvelopeItem, ItemContainer, Kind, LOGS, METRICS};
use super::json;
use crate::protocol::{Attachment, AttachmentType};

impl Envelope {
    /// Reads an envelope. Items this version has no type for become [`EnvelopeItem::Raw`].
    ///
    /// # Errors
    ///
    /// When the bytes are not an envelope, or the payload of an item does not fit its type.
    pub fn from_slice(slice: &[u8]) -> Result<Self, EnvelopeError> {
        let (envelope, verbatim) = parse(slice)?;
        // Copied when all else is there: what the last envelope left free went into the items then, piece by piece.
        Ok(Self { source: slice.to_vec(), verbatim, ..envelope })
    }

    /// Reads an envelope from a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or as [`from_slice`](Self::from_slice).
    pub fn from_path<P: AsRef<Path>>(path: P) -> Result<Self, EnvelopeError> {
        let source = fs::read(path)?;
        let (envelope, verbatim) = parse(&source)?;
        Ok(Self { source, verbatim, ..envelope })
    }

    /// Wraps bytes that are to be sent as they are: nothing is parsed.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn from_bytes_raw(bytes: Vec<u8>) -> Result<Self, EnvelopeError> {
        Ok(Self { source: bytes, verbatim: Verbatim::Whole, ..Self::default() })
    }

    /// Wraps the bytes of a file that are to be sent as they are: nothing is parsed.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn from_path_raw<P: AsRef<Path>>(path: P) -> Result<Self, EnvelopeError> {
        Self::from_bytes_raw(fs::read(path)?)
    }
}

/// Reads headers and items; the source that they point into is for the caller to give.
fn parse(source: &[u8]) -> Result<(Envelope, Verbatim), EnvelopeError> {
    let (header, frames) = Frames::new(source)?;
    let verbatim = Verbatim::Headers(header.len());
    let headers = object(&source[header]).map_err(EnvelopeError::InvalidHeader)?;
    let mut reader = Reader { source, scratch: Vec::new(), buffers: None };
    let items = frames.map(|frame| reader.slot(frame?)).collect::<Result<_, _>>()?;
    Ok((Envelope { headers, items, ..Envelope::default() }, verbatim))
}

/// Reads one item after the other, with the same buffers.
struct Reader<'a> {
    source: &'a [u8],
    scratch: Vec<u8>,
    buffers: Option<Buffers>,
}

impl Reader<'_> {
    fn slot(&mut self, frame: Frame<'_>) -> Result<Slot, EnvelopeError> {
        let typed = self.item(&frame)?;
        let Frame { header, payload, .. } = frame;
        Ok(Slot { typed, original: Some(Original { header, payload }) })
    }

    fn item(&mut self, frame: &Frame<'_>) -> Result<EnvelopeItem, EnvelopeError> {
        let header = &self.source[frame.header.clone()];
        let payload = &self.source[frame.payload.clone()];
        match &*frame.ty {
            "event" => self.json(payload).map(EnvelopeItem::Event),
            "transaction" => self.json(payload).map(EnvelopeItem::Transaction),
            "session" => self.json(payload).map(EnvelopeItem::SessionUpdate),
            "sessions" => self.json(payload).map(EnvelopeItem::SessionAggregates),
            "check_in" => self.json(payload).map(EnvelopeItem::MonitorCheckIn),
            "client_report" => self.json(payload).map(EnvelopeItem::ClientReport),
            "attachment" => attachment(header, payload).map(EnvelopeItem::Attachment),
            ty if ty == LOGS.ty => self.container(&LOGS, header, payload, ItemContainer::Logs),
            ty if ty == METRICS.ty => self.container(&METRICS, header, payload, ItemContainer::Metrics),
            _ => Ok(EnvelopeItem::Raw),
        }
    }

    /// Reads a container, unless the header says that the payload is of another format.
    fn container<T: DeserializeOwned>(
        &mut self,
        kind: &Kind,
        header: &[u8],
        payload: &[u8],
        wrap: fn(Vec<T>) -> ItemContainer,
    ) -> Result<EnvelopeItem, EnvelopeError> {
        let ContainerHeader { content_type } = object(header).map_err(EnvelopeError::InvalidItemHeader)?;
        if content_type.is_some_and(|content_type| content_type != kind.content_type) {
            return Ok(EnvelopeItem::Raw);
        }
        let Items { items } = self.json(payload)?;
        Ok(wrap(items).into())
    }

    /// Reads JSON the way that suits it, and, where that fails, the way that knows line and column.
    fn json<T: DeserializeOwned>(&mut self, payload: &[u8]) -> Result<T, EnvelopeError> {
        if is_object(payload) {
            let value = if is_plain(payload) { json::read(payload) } else { self.simd(payload) };
            if let Some(value) = value {
                return Ok(value);
            }
        }
        object(payload).map_err(EnvelopeError::InvalidItemPayload)
    }

    /// Reads JSON by blocks of bytes, at most [`MAX_DEPTH`] levels deep, on a copy that it may write into.
    fn simd<T: DeserializeOwned>(&mut self, payload: &[u8]) -> Option<T> {
        let padded = payload.len().checked_add(INPUT_PADDING)?;
        self.scratch.clear();
        self.scratch.reserve(padded);
        self.scratch.extend_from_slice(payload);
        self.scratch.resize(padded, 0);
        let buffers = self.buffers.get_or_insert_with(|| Buffers::with_max_depth(0, MAX_DEPTH));
        let mut tape = Tape::null();
        simd_json::fill_tape_padded(&mut self.scratch, payload.len(), buffers, &mut tape).ok()?;
        T::deserialize(&mut Deserializer::from_tape(tape)).ok()
    }
}

/// Says whether JSON is mostly ASCII, and has few escapes, by a look at a quarter of it.
///
/// That is what one pass reads sooner than simd-json's two do. The others gain from blocks: in Cyrillic, simd-json takes half
/// the time.
fn is_plain(json: &[u8]) -> bool {
    let mut odd = 0;
    let mut seen = 0;
    for block in json.as_chunks::<64>().0.iter().step_by(4) {
        // As a byte, so that the compiler counts many at once.
        let here = block.iter().fold(0_u8, |count, byte| count + u8::from(*byte == b'\\' || !byte.is_ascii()));
        odd += usize::from(here);
        seen += block.len();
    }
    odd <= seen / PLAIN
}

fn attachment(header: &[u8], payload: &[u8]) -> Result<Attachment, EnvelopeError> {
    let header: AttachmentHeader = object(header).map_err(EnvelopeError::InvalidItemHeader)?;
    Ok(Attachment {
        buffer: payload.to_vec(),
        filename: header.filename.unwrap_or_default(),
        content_type: header.content_type,
        ty: header.attachment_type,
    })
}

#[derive(Deserialize)]
struct AttachmentHeader {
    filename: Option<String>,
    attachment_type: Option<AttachmentType>,
    content_type: Option<String>,
}

#[derive(Deserialize)]
struct ContainerHeader<'a> {
    #[serde(borrow)]
    content_type: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

/// How many levels of lists and objects simd-json may see: as many as `serde_json` allows.
const MAX_DEPTH: usize = 127;

/// One byte in so many may be part of an escape or of a letter beyond ASCII.
const PLAIN: usize = 16;
