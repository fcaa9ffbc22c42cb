//! Keeping some items.

use std::mem;

use super::envelope::{Envelope, Verbatim};
use super::item::EnvelopeItem;

/// What decides which items of an envelope stay: a closure, or [`EnvelopeFilterCallbacks`].
pub trait EnvelopeFilter: private::Sealed {
    /// Says whether an item stays.
    fn filter(&mut self, item: &EnvelopeItem) -> bool;

    /// Takes an item that does not stay. By default it is dropped.
    fn on_filtered(&mut self, item: EnvelopeItem) {
        let _ = item;
    }
}

mod private {
    /// Keeps the list of filters in this crate.
    pub trait Sealed {}
}

impl<F> private::Sealed for F where F: FnMut(&EnvelopeItem) -> bool {}

impl<F> EnvelopeFilter for F
where
    F: FnMut(&EnvelopeItem) -> bool,
{
    fn filter(&mut self, item: &EnvelopeItem) -> bool {
        self(item)
    }
}

/// A filter that hands over what does not stay.
#[derive(Clone, Debug)]
pub struct EnvelopeFilterCallbacks<F, C> {
    filter: F,
    on_filtered: C,
}

impl<F, C> EnvelopeFilterCallbacks<F, C> {
    /// Builds a filter from what decides and what takes the rest.
    pub fn new(filter: F, on_filtered: C) -> Self {
        Self { filter, on_filtered }
    }
}

impl<F, C> private::Sealed for EnvelopeFilterCallbacks<F, C> {}

impl<F, C> EnvelopeFilter for EnvelopeFilterCallbacks<F, C>
where
    F: FnMut(&EnvelopeItem) -> bool,
    C: FnMut(EnvelopeItem),
{
    fn filter(&mut self, item: &EnvelopeItem) -> bool {
        (self.filter)(item)
    }

    fn on_filtered(&mut self, item: EnvelopeItem) {
        (self.on_filtered)(item);
    }
}

impl Envelope {
    /// Keeps the items for which `filter` says so, and the headers; returns `None` when no item stays.
    ///
    /// Attachments go with the event or transaction they belong to, and so does its id, unless an item stays that
    /// this version has no type for: they might belong to that. An envelope that was never parsed counts as one [`EnvelopeItem::Raw`].
    ///
    /// # Examples
    ///
    /// ```
    /// use vidette::protocol::{Attachment, Envelope, EnvelopeItem, Event};
    ///
    /// let mut envelope = Envelope::from(Event::default());
    /// envelope.add_item(Attachment::default());
    /// let kept = envelope.filter(|item: &EnvelopeItem| !matches!(item, EnvelopeItem::Event(_)));
    /// assert!(kept.is_none());
    /// ```
    pub fn filter<F>(mut self, mut filter: F) -> Option<Self>
    where
        F: EnvelopeFilter,
    {
        let carried = self.has_carrier();
        let blob = matches!(self.verbatim, Verbatim::Whole | Verbatim::Rest);
        if blob && !filter.filter(&EnvelopeItem::Raw) {
            filter.on_filtered(EnvelopeItem::Raw);
            self.source.clear();
            self.verbatim = Verbatim::Items;
        }
        self.retain(&mut filter, |filter, item| filter.filter(item));
        let orphaned = carried || self.headers.event_id.is_none();
        if orphaned && !self.has_carrier() && !self.is_opaque() {
            self.retain(&mut filter, |_, item| !matches!(item, EnvelopeItem::Attachment(_)));
            if self.headers.event_id.is_some() {
                self.change_headers().event_id = None;
            }
        }
        (self.is_opaque() || !self.items.is_empty()).then_some(self)
    }

    fn retain<F>(&mut self, filter: &mut F, mut keep: impl FnMut(&mut F, &EnvelopeItem) -> bool)
    where
        F: EnvelopeFilter,
    {
        for slot in mem::take(&mut self.items) {
            if keep(filter, &slot.typed) {
                self.items.push(slot);
            } else {
                filter.on_filtered(slot.typed);
            }
        }
    }

    fn has_carrier(&self) -> bool {
        let carries = |item| matches!(item, &EnvelopeItem::Event(_) | &EnvelopeItem::Transaction(_));
        self.items().any(carries)
    }

    /// Says whether something in it might be what attachments belong to.
    fn is_opaque(&self) -> bool {
        matches!(self.verbatim, Verbatim::Whole | Verbatim::Rest)
            || self.items().any(|item| matches!(item, EnvelopeItem::Raw))
    }
}
