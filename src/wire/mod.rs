//! An envelope: headers and items.
//!
//! ```text
//!  {"event_id":"…","sent_at":"…"}            headers: one line of JSON
//!  {"type":"event","length":41}              an item: one line of JSON …
//!  {"event_id":"…","level":"error"}          … and its payload: as long as said, or up to the line's end
//!  {"type":"attachment","length":3,…}
//!  abc
//! ```
//!
//! Three ways lead in and out:
//! - [`Envelope`] holds typed items; what is for [`from_slice`](Envelope::from_slice) to read and
//!   [`append_to`](Envelope::append_to) to write.
//! - [`EnvelopeView`] borrows the bytes and finds the items, but looks into none.
//! - A crate-internal writer puts items into a reused buffer without an envelope around them.
//!
//! # Guarantees
//! - Any bytes give a value or an error: no panic, memory linear in the input, values at most 127 levels deep
//!   (what is skipped may be deeper, and costs no stack).
//! - What was read is written byte for byte (headers, items, unknown ones too) until it is changed: the headers
//!   with [`with_headers`](Envelope::with_headers), an item by taking it out with
//!   [`into_items`](Envelope::into_items).
//! - Writing into a buffer that is large enough allocates nothing of its own.

mod envelope;
mod error;
mod filter;
mod frame;
pub(crate) mod headers;
mod item;
pub(crate) mod json;
mod parse;
mod view;
pub(crate) mod write;

pub use self::envelope::{Envelope, EnvelopeItemIter};
pub use self::error::EnvelopeError;
pub use self::filter::{EnvelopeFilter, EnvelopeFilterCallbacks};
pub use self::headers::EnvelopeHeaders;
pub use self::item::{EnvelopeItem, ItemContainer};
pub use self::view::{EnvelopeView, ItemView, ItemViews};
