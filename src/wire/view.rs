//! An envelope's bytes with the items marked, and none of them opened.

use std::borrow::Cow;
use std::iter::FusedIterator;

use serde::de::IgnoredAny;

use super::error::EnvelopeError;
use super::frame::{Frame, Frames, object};

/// Borrowed bytes of an envelope: the way for relays and tests, which count items, or pass them on.
///
/// Nothing is copied, and payloads are not read: an item whose length is declared costs the same however
/// long it is.
///
/// # Examples
///
/// ```
/// use vidette::wire::EnvelopeView;
///
/// let view = EnvelopeView::new(b"{}\n{\"type\":\"poem\",\"length\":4}\nrose\n")?;
/// let item = view.items().next().transpose()?;
/// assert!(item.is_some_and(|item| item.ty() == "poem" && item.payload() == b"rose"));
/// # Ok::<(), vidette::wire::EnvelopeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct EnvelopeView<'a> {
    bytes: &'a [u8],
    header: &'a [u8],
    frames: Frames<'a>,
}

impl<'a> EnvelopeView<'a> {
    /// Finds the headers, and checks that they are an object.
    ///
    /// # Errors
    ///
    /// When the first line is empty or not an object. Errors in items are for [`items`](Self::items) to find.
    pub fn new(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        let (header, frames) = Frames::new(bytes)?;
        let header = &bytes[header];
        object::<IgnoredAny>(header).map_err(EnvelopeError::InvalidHeader)?;
        Ok(Self { bytes, header, frames })
    }

    /// Returns the line of headers, without its newline.
    pub fn header(&self) -> &'a [u8] {
        self.header
    }

    /// Walks over the items, up to the first error.
    pub fn items(&self) -> ItemViews<'a> {
        ItemViews { bytes: self.bytes, frames: self.frames.clone() }
    }
}

/// The items of an [`EnvelopeView`].
#[derive(Clone, Debug)]
pub struct ItemViews<'a> {
    bytes: &'a [u8],
    frames: Frames<'a>,
}

impl<'a> Iterator for ItemViews<'a> {
    type Item = Result<ItemView<'a>, EnvelopeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let frame = self.frames.next()?;
        Some(frame.map(|Frame { ty, header, payload }| ItemView {
            ty,
            header: &self.bytes[header],
            payload: &self.bytes[payload],
        }))
    }
}

impl FusedIterator for ItemViews<'_> {}

/// One item of an [`EnvelopeView`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ItemView<'a> {
    ty: Cow<'a, str>,
    header: &'a [u8],
    payload: &'a [u8],
}

impl<'a> ItemView<'a> {
    /// Returns the type, such as `event`.
    pub fn ty(&self) -> &str {
        &self.ty
    }

    /// Returns the line of the item's header, without its newline.
    pub fn header(&self) -> &'a [u8] {
        self.header
    }

    /// Returns the payload, without the newline that ends it.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }
}
