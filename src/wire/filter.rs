//! Keeping some items.

use super::envelope::{Content, Envelope, Slot};
use super::item::EnvelopeItem;

/// What decides which items of an envelope stay: a closure, or [`EnvelopeFilterCallbacks`].
pub trait EnvelopeFilter: private::Sealed {
    /// Says whether an item stays.
    fn filter(&mut self, item: &EnvelopeItem) -> bool;

    /// Takes an item that does not stay.
    fn on_filtered(&mut self, item: EnvelopeItem);
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

    fn on_filtered(&mut self, _: EnvelopeItem) {}
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
    /// Attachments go with the event or transaction they belong to, and so does its id unless an item stays that
    /// this version knows nothing about. An envelope that was never parsed counts as one [`EnvelopeItem::Raw`].
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
        if let Content::Blob = self.content
            && !filter.filter(&EnvelopeItem::Raw)
        {
            filter.on_filtered(EnvelopeItem::Raw);
            self.content = Content::Items { header: None };
            self.source.clear();
        }
        self.retain(&mut filter, EnvelopeFilter::filter);
        let carried = self.items.iter().any(|slot| is_carrier(&slot.typed));
        if !carried && self.has_carrier {
            // Those who stayed belonged to what went.
            self.retain(&mut filter, |_, item| !matches!(item, EnvelopeItem::Attachment(_)));
            self.has_carrier = false;
            if !self.items.iter().any(|slot| slot.typed == EnvelopeItem::Raw) && self.headers.event_id.is_some() {
                self.change_headers().event_id = None;
            }
        } else if !carried && self.headers.event_id.is_none() {
            self.retain(&mut filter, |_, item| !matches!(item, EnvelopeItem::Attachment(_)));
        }
        let empty = self.items.is_empty() && !matches!(self.content, Content::Blob);
        (!empty).then_some(self)
    }

    fn retain<F: EnvelopeFilter>(&mut self, filter: &mut F, mut keep: impl FnMut(&mut F, &EnvelopeItem) -> bool) {
        let gone = self.items.extract_if(.., |slot: &mut Slot| !keep(filter, &slot.typed));
        let gone: Vec<Slot> = gone.collect();
        for slot in gone {
            filter.on_filtered(slot.typed);
        }
    }
}

/// Says whether attachments belong to an item.
pub(super) fn is_carrier(item: &EnvelopeItem) -> bool {
    matches!(item, EnvelopeItem::Event(_) | EnvelopeItem::Transaction(_))
}
