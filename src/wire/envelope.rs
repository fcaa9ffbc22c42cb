//! Headers and items, and the bytes they were read from.

use std::fmt;
use std::ops::Range;
use std::slice;

use uuid::Uuid;

use super::headers::EnvelopeHeaders;
use super::item::EnvelopeItem;
use crate::protocol::Event;

/// What is sent to a server in one request: headers and items.
///
/// # Examples
///
/// ```
/// use vidette::protocol::{Attachment, Envelope, Event};
///
/// let mut envelope = Envelope::from(Event::default());
/// envelope.add_item(Attachment { filename: "log.txt".into(), ..Attachment::default() });
/// let mut bytes = Vec::new();
/// envelope.to_writer(&mut bytes)?;
/// assert_eq!(Envelope::from_slice(&bytes)?.items().count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Envelope {
    pub(super) headers: EnvelopeHeaders,
    pub(super) items: Vec<Slot>,
    pub(super) source: Vec<u8>,
    pub(super) verbatim: Verbatim,
}

/// How much of an envelope's source is still true, and written as it is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Verbatim {
    /// Only what the items point to.
    #[default]
    Items,
    /// The line of headers too, which has this many bytes.
    Headers(usize),
    /// All of it: nothing was parsed.
    Whole,
    /// All of it, after headers that were given later.
    Rest,
}

/// An item, and where in the source it stands if it was read from there.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) typed: EnvelopeItem,
    pub(super) original: Option<Original>,
}

#[derive(Clone, Debug)]
pub(super) struct Original {
    pub(super) header: Range<usize>,
    pub(super) payload: Range<usize>,
}

impl Envelope {
    /// Builds an envelope without items.
    pub fn new() -> Self {
        Self::default()
    }

    /// Builds an envelope for one item, mostly, and moves the headers once.
    pub(crate) fn begun(headers: EnvelopeHeaders) -> Self {
        Self { headers, items: Vec::with_capacity(1), source: Vec::new(), verbatim: Verbatim::Items }
    }

    /// Puts an item at the end. An event or transaction lends the envelope its id if the envelope has none.
    ///
    /// [`EnvelopeItem::Raw`] outside its envelope holds nothing, and so adds nothing.
    pub fn add_item<I>(&mut self, item: I)
    where
        I: Into<EnvelopeItem>,
    {
        let item = item.into();
        let id = match &item {
            EnvelopeItem::Event(event) => Some(event.event_id),
            EnvelopeItem::Transaction(transaction) => Some(transaction.event_id),
            EnvelopeItem::Raw => return,
            _ => None,
        };
        if id.is_some() && self.headers.event_id.is_none() && self.verbatim != Verbatim::Whole {
            self.change_headers().event_id = id;
        }
        self.items.push(Slot { typed: item, original: None });
    }

    /// Walks over the items. An envelope that was never parsed shows none.
    pub fn items(&self) -> EnvelopeItemIter<'_> {
        EnvelopeItemIter { slots: self.items.iter() }
    }

    /// Takes the items out; the bytes they were read from are gone with the envelope.
    pub fn into_items(self) -> impl Iterator<Item = EnvelopeItem> {
        self.items.into_iter().map(|slot| slot.typed)
    }

    /// Returns the headers.
    pub fn headers(&self) -> &EnvelopeHeaders {
        &self.headers
    }

    /// Replaces the headers.
    #[must_use]
    pub fn with_headers(mut self, headers: EnvelopeHeaders) -> Self {
        *self.change_headers() = headers;
        self
    }

    /// Returns the id in the headers.
    pub fn uuid(&self) -> Option<&Uuid> {
        self.headers.event_id.as_ref()
    }

    /// Returns the first event.
    pub fn event(&self) -> Option<&Event<'static>> {
        self.items().find_map(|item| match item {
            EnvelopeItem::Event(event) => Some(&**event),
            _ => None,
        })
    }

    /// Gives access to the headers, which are written anew from now on.
    pub(super) fn change_headers(&mut self) -> &mut EnvelopeHeaders {
        match self.verbatim {
            Verbatim::Headers(_) => self.verbatim = Verbatim::Items,
            Verbatim::Whole => {
                let line = memchr::memchr(b'\n', &self.source).map_or(self.source.len(), |end| end + 1);
                self.source.drain(..line);
                self.verbatim = Verbatim::Rest;
            }
            Verbatim::Items | Verbatim::Rest => {}
        }
        &mut self.headers
    }

    /// Returns the bytes that were not parsed.
    fn blob(&self) -> Option<&[u8]> {
        matches!(self.verbatim, Verbatim::Whole | Verbatim::Rest).then_some(&self.source)
    }

    /// Returns the payload an item was read from.
    fn payload(&self, slot: &Slot) -> Option<&[u8]> {
        self.source.get(slot.original.as_ref()?.payload.clone())
    }
}

impl fmt::Debug for Envelope {
    /// Shows headers and items, and of unparsed bytes their number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items: Vec<&EnvelopeItem> = self.items().collect();
        f.debug_struct("Envelope")
            .field("headers", &self.headers)
            .field("items", &items)
            .field("unparsed", &self.blob().map(<[u8]>::len))
            .finish()
    }
}

impl PartialEq for Envelope {
    /// Compares headers and items, and what has no type by its bytes.
    fn eq(&self, other: &Self) -> bool {
        let same = |(left, right): (&Slot, &Slot)| {
            left.typed == right.typed && (left.typed != EnvelopeItem::Raw || self.payload(left) == other.payload(right))
        };
        self.headers == other.headers
            && self.blob() == other.blob()
            && self.items.len() == other.items.len()
            && self.items.iter().zip(&other.items).all(same)
    }
}

impl<T> From<T> for Envelope
where
    T: Into<EnvelopeItem>,
{
    fn from(item: T) -> Self {
        let mut envelope = Self::new();
        envelope.add_item(item);
        envelope
    }
}

/// The items of an [`Envelope`].
#[derive(Clone, Debug)]
pub struct EnvelopeItemIter<'s> {
    slots: slice::Iter<'s, Slot>,
}

impl<'s> Iterator for EnvelopeItemIter<'s> {
    type Item = &'s EnvelopeItem;

    fn next(&mut self) -> Option<Self::Item> {
        self.slots.next().map(|slot| &slot.typed)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.slots.size_hint()
    }
}
