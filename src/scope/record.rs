//! A breadcrumb as the hot path stores it: a call site, a time, typed fields and message bytes.
//!
//! [`breadcrumb!`](crate::breadcrumb!) builds one on the stack. Its bytes are the fields in the order of the call site's
//! keys, each a tag and a value, then the message. What does not fit the record spills to the heap whole.
//! A breadcrumb that was built in full is [packed] in the same place, if it fits.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use crate::clock;
use crate::message::Message;
use crate::protocol::{Breadcrumb, BreadcrumbFields, Level};
use crate::sync::bytes::Bytes;
use crate::sync::pool::{Pool, Share, Spares};
use crate::sync::ring::{Brief, Cargo, Item, Seen, Spare, Writes, Written};

use self::packed::Packed;
pub(crate) use self::packed::Packing;
use self::stored::{Fields, Stored};

mod again;
mod packed;
mod stored;
mod text;

/// What is known about a `breadcrumb!` when the program is compiled.
#[doc(hidden)]
#[derive(Debug)]
pub struct CallSite {
    pub ty: &'static str,
    pub category: Option<&'static str>,
    pub keys: &'static [&'static str],
}

/// What a ring's slot holds, if it is not [brief](Brief): what owns memory.
#[derive(Clone)]
pub(crate) enum Record {
    Owned(Breadcrumb),
    /// What did not fit a slot.
    Spilled(Header, Arc<[u8]>),
}

/// What stands before a record's bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Heading {
    /// Fields and message of a call site, with what is in a [`Header`]: one that stood here whole would leave no room to say so.
    Site { site: &'static CallSite, time: u64, message: u32, level: Level },
    /// Whatever else there is of a breadcrumb, [packed].
    Packed(SystemTime, Level),
}

/// What is known of a record, beside its fields and its message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    site: &'static CallSite,
    /// Nanoseconds since the epoch.
    time: u64,
    /// Where the message starts; `NO_MESSAGE` if there is none.
    message: u32,
    level: Level,
}

/// What can be added: it finds a slot, or a callback sees it first.
pub(crate) trait Addition: Cargo<Record> {
    /// Builds the breadcrumb that this stands for. `None`: it is gone already.
    fn take_breadcrumb(&mut self) -> Option<Breadcrumb>;
}

impl Addition for Option<Record> {
    fn take_breadcrumb(&mut self) -> Option<Breadcrumb> {
        Some(match self.take()? {
            Record::Owned(breadcrumb) => breadcrumb,
            Record::Spilled(header, bytes) => Compact { header, bytes: &bytes }.to_breadcrumb(),
        })
    }
}

impl Addition for Written<Recorded<'_>> {
    fn take_breadcrumb(&mut self) -> Option<Breadcrumb> {
        let Recorded { header, bytes } = self.0;
        Some(Compact { header, bytes: bytes.as_slice() }.to_breadcrumb())
    }
}

/// What a [`Recorder`] wrote, on its way to a slot.
pub(crate) struct Recorded<'a> {
    header: Header,
    bytes: &'a Bytes,
}

impl Writes<Heading> for Recorded<'_> {
    #[inline]
    fn is_gone(&self) -> bool {
        false
    }

    #[inline]
    fn heading(&self) -> Heading {
        let Header { site, time, message, level } = self.header;
        Heading::Site { site, time, message, level }
    }

    #[inline]
    fn write_to(&self, bytes: &mut Bytes) {
        bytes.copy_from(self.bytes);
    }
}

/// A breadcrumb as it stands in a ring.
pub(crate) enum Crumb<'a> {
    Owned(&'a Breadcrumb),
    Compact(Compact<'a>),
    Packed(Packed<'a>),
}

/// A breadcrumb as its call site left it.
pub(crate) struct Compact<'a> {
    header: Header,
    bytes: &'a [u8],
}

impl<'a> From<Seen<'a, Record>> for Crumb<'a> {
    fn from(seen: Seen<'a, Record>) -> Self {
        match seen {
            Seen::Whole(Record::Owned(breadcrumb)) => Self::Owned(breadcrumb),
            Seen::Whole(Record::Spilled(header, bytes)) => Self::Compact(Compact { header: *header, bytes }),
            Seen::Brief(brief) => match brief.heading {
                Heading::Site { site, time, message, level } => {
                    let header = Header { site, time, message, level };
                    Self::Compact(Compact { header, bytes: brief.bytes.as_slice() })
                }
                Heading::Packed(timestamp, level) => Self::Packed(Packed::of(timestamp, level, &brief.bytes)),
            },
        }
    }
}

impl Crumb<'_> {
    /// Builds the breadcrumb that this stands for.
    pub(crate) fn to_breadcrumb(&self) -> Breadcrumb {
        match self {
            Self::Owned(breadcrumb) => (*breadcrumb).clone(),
            Self::Compact(compact) => compact.to_breadcrumb(),
            Self::Packed(packed) => packed.to_breadcrumb(),
        }
    }
}

impl Serialize for Crumb<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Owned(breadcrumb) => breadcrumb.serialize(serializer),
            Self::Compact(compact) => compact.serialize(serializer),
            Self::Packed(packed) => packed.serialize(serializer),
        }
    }
}

impl Compact<'_> {
    fn to_breadcrumb(&self) -> Breadcrumb {
        let Header { site, level, .. } = self.header;
        let (data, message) = self.parts();
        Breadcrumb {
            timestamp: self.timestamp(),
            ty: site.ty.to_owned(),
            category: site.category.map(str::to_owned),
            level,
            message: message.map(Cow::into_owned),
            data: data.iter().map(|(key, value)| (key.to_owned(), value.into())).collect(),
        }
    }

    fn timestamp(&self) -> SystemTime {
        clock::time_of(self.header.time)
    }

    /// Splits the fields from the message.
    fn parts(&self) -> (Data<'_>, Option<Cow<'_, str>>) {
        let (fields, message) = match self.bytes.split_at_checked(self.header.message as usize) {
            Some((fields, message)) => (fields, Some(String::from_utf8_lossy(message))),
            None => (self.bytes, None),
        };
        (Data { keys: self.header.site.keys, fields }, message)
    }
}

impl Serialize for Compact<'_> {
    /// Writes the JSON of the breadcrumb that this stands for, without building it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Header { site, level, .. } = self.header;
        let (data, message) = self.parts();
        let fields = BreadcrumbFields {
            timestamp: self.timestamp(),
            ty: site.ty,
            category: site.category,
            level,
            message: message.as_deref(),
            data: (!data.keys.is_empty()).then_some(data),
        };
        fields.serialize(serializer)
    }
}

/// The fields of a record, with the keys of its call site.
#[derive(Clone, Copy)]
struct Data<'a> {
    keys: &'static [&'static str],
    fields: &'a [u8],
}

impl<'a> Data<'a> {
    fn iter(self) -> impl Iterator<Item = (&'static str, Stored<'a>)> {
        self.keys.iter().copied().zip(Fields(self.fields))
    }
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.iter().enumerate();
        // A key that comes twice has the last of its values, as in a map.
        let last = entries.filter(|(index, (key, _))| !self.keys.iter().skip(index + 1).any(|later| later == key));
        serializer.collect_map(last.map(|(_, entry)| entry))
    }
}

/// Writes the fields and the message of one breadcrumb.
#[doc(hidden)]
pub struct Recorder {
    brief: Brief<Header>,
    /// Everything, once it no longer fits; there is no room left in the brief then.
    spilled: Option<Vec<u8>>,
}

impl Recorder {
    #[inline]
    pub(crate) fn new(site: &'static CallSite) -> Self {
        let header = Header { site, time: 0, message: NO_MESSAGE, level: Level::Info };
        Self { brief: Brief { heading: header, bytes: Bytes::new() }, spilled: None }
    }

    /// Writes the next field.
    #[inline]
    pub fn field<F: Field + ?Sized>(&mut self, value: &F) {
        value.write_to(self);
    }

    /// Begins the message, after all fields.
    #[inline]
    pub fn message(&mut self) -> Message<'_, Self> {
        self.brief.heading.message = u32::try_from(self.written()).unwrap_or(NO_MESSAGE);
        Message::to(self)
    }

    /// Ends the record; `time` is in nanoseconds since the epoch. `None`: it has [spilled](Self::take_spilled).
    #[inline]
    pub(crate) fn finish(&mut self, level: Level, time: u64) -> Option<Written<Recorded<'_>>> {
        let header = Header { level, time, ..self.brief.heading };
        if self.spilled.is_some() {
            self.brief.heading = header;
            return None;
        }
        Some(Written(Recorded { header, bytes: &self.brief.bytes }))
    }

    /// The finished record, if it no longer fitted.
    #[cold]
    pub(crate) fn take_spilled(&mut self) -> Option<Record> {
        self.spilled.take().map(|bytes| Record::Spilled(self.brief.heading, Arc::from(bytes)))
    }

    #[inline]
    fn written(&self) -> usize {
        self.spilled.as_ref().map_or(self.brief.bytes.len(), Vec::len)
    }

    /// Writes a tag, and the value that has this length.
    #[inline]
    fn put<const N: usize>(&mut self, tag: u8, value: [u8; N]) {
        if !self.brief.bytes.append([tag], value) {
            self.spill_value(tag, value);
        }
    }

    #[inline]
    fn put_bytes(&mut self, text: &[u8]) {
        if !self.brief.bytes.append_short(text) {
            self.put_long(text);
        }
    }

    #[inline(never)]
    fn put_long(&mut self, text: &[u8]) {
        if !self.brief.bytes.append_text(text) {
            self.spill().extend_from_slice(text);
        }
    }

    // By value: what is passed by reference would be stored first, and always.
    #[cold]
    #[inline(never)]
    fn spill_value<const N: usize>(&mut self, tag: u8, value: [u8; N]) {
        let spilled = self.spill();
        spilled.push(tag);
        spilled.extend_from_slice(&value);
    }

    #[cold]
    fn spill(&mut self) -> &mut Vec<u8> {
        let inline = &mut self.brief.bytes;
        self.spilled.get_or_insert_with(|| {
            let bytes = inline.as_slice().to_vec();
            inline.fill();
            bytes
        })
    }
}

/// A value that a breadcrumb's field can have: stored as it is, formatted only if an event is sent.
///
/// Integers up to 64 bits, floats, `bool`, `char` and text have it, and options and references of them.
pub trait Field: sealed::Sealed {
    #[doc(hidden)]
    fn write_to(&self, recorder: &mut Recorder);
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! numeric_fields {
    ($($tag:ident as $wide:ty: $($ty:ty),+;)*) => {$($(
        impl sealed::Sealed for $ty {}
        impl Field for $ty {
            #[inline]
            fn write_to(&self, recorder: &mut Recorder) {
                recorder.put($tag, <$wide>::to_le_bytes(*self as $wide));
            }
        }
    )+)*};
}

numeric_fields! {
    TAG_SIGNED as i64: i8, i16, i32, i64, isize;
    TAG_UNSIGNED as u64: u8, u16, u32, u64, usize;
    TAG_FLOAT as f64: f32, f64;
}

impl sealed::Sealed for bool {}
impl Field for bool {
    #[inline]
    fn write_to(&self, recorder: &mut Recorder) {
        recorder.put(if *self { TAG_TRUE } else { TAG_FALSE }, []);
    }
}

impl sealed::Sealed for str {}
impl Field for str {
    #[inline]
    fn write_to(&self, recorder: &mut Recorder) {
        // More than 4 GiB do not fit the length; what does is cut at no character, as it is decoded leniently.
        let len = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let text = self.as_bytes().get(..len as usize).unwrap_or_default();
        recorder.put(TAG_TEXT, len.to_le_bytes());
        recorder.put_bytes(text);
    }
}

impl sealed::Sealed for char {}
impl Field for char {
    fn write_to(&self, recorder: &mut Recorder) {
        self.encode_utf8(&mut [0; 4]).write_to(recorder);
    }
}

impl sealed::Sealed for String {}
impl Field for String {
    #[inline]
    fn write_to(&self, recorder: &mut Recorder) {
        self.as_str().write_to(recorder);
    }
}

impl sealed::Sealed for std::borrow::Cow<'_, str> {}
impl Field for std::borrow::Cow<'_, str> {
    #[inline]
    fn write_to(&self, recorder: &mut Recorder) {
        (**self).write_to(recorder);
    }
}

impl<F: Field + ?Sized> sealed::Sealed for &F {}
impl<F: Field + ?Sized> Field for &F {
    #[inline]
    fn write_to(&self, recorder: &mut Recorder) {
        (**self).write_to(recorder);
    }
}

impl<F: Field> sealed::Sealed for Option<F> {}
impl<F: Field> Field for Option<F> {
    #[inline]
    fn write_to(&self, recorder: &mut Recorder) {
        match self {
            Some(value) => value.write_to(recorder),
            None => recorder.put(TAG_NULL, []),
        }
    }
}

impl Item for Record {
    type Heading = Heading;

    fn spares() -> Option<&'static dyn Spares<Spare<Self>>> {
        static POOL: Pool<Spare<Record>> = Pool::new(MOST_SPARES);
        thread_local! {
            static SHARE: Share<Spare<Record>, 2> = const { Share::of(&POOL) };
        }
        Some(&SHARE)
    }
}

/// Emptied chunks that wait for their next use, at most, beside two with each thread: about 720 KiB.
const MOST_SPARES: usize = 128;
const NO_MESSAGE: u32 = u32::MAX;

const TAG_NULL: u8 = 0;
const TAG_FALSE: u8 = 1;
const TAG_TRUE: u8 = 2;
const TAG_SIGNED: u8 = 3;
const TAG_UNSIGNED: u8 = 4;
const TAG_FLOAT: u8 = 5;
const TAG_TEXT: u8 = 6;

const _: () = assert!(size_of::<Heading>() == size_of::<Header>(), "which of both it is takes no room");
const _: () = assert!(size_of::<Record>() <= size_of::<Brief<Heading>>(), "no slot is larger than a brief");

#[cfg(test)]
mod tests;
