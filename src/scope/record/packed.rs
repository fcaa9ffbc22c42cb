//! A breadcrumb that was built in full, as a slot holds it: its texts one behind the other, and how long each of them is.
//!
//! ```text
//!   type category message key text key …   3 lengths   (length of a key, tag, number or length of a text) …
//!   └──────────── texts ──────────────┘   └───────────────────────── shape ─────────────────────────────┘
//! ```
//! Its own texts are freed where they were made, while they are at hand; what a ring holds is memory without pieces, which
//! is given back as a whole.
//!
//! # Guarantees
//! What comes back is what was packed, to the last bit. What can't be packed so, or does not fit, stays as it is: nested
//! values, and numbers that are neither of 64 bits nor a float.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use super::{Addition, Heading, Stored, TAG_FALSE, TAG_FLOAT, TAG_NULL, TAG_SIGNED, TAG_TEXT, TAG_TRUE, TAG_UNSIGNED};
use crate::protocol::{Breadcrumb, BreadcrumbFields, Level};
use crate::sync::bytes::Bytes;
use crate::sync::ring::{Writes, Written};

/// A breadcrumb on its way to a slot, where all of it has room.
pub(crate) struct Packing<'a>(Option<&'a mut Breadcrumb>);

impl<'a> Packing<'a> {
    /// `None`: it can't be packed.
    #[inline]
    pub(crate) fn of(breadcrumb: &'a mut Breadcrumb) -> Option<Written<Self>> {
        let Breadcrumb { ty, category, message, data, .. } = &*breadcrumb;
        let mut size = LENGTHS + ty.len() + len(category) + len(message);
        for (key, value) in data {
            size += 2 + key.len() + room(value)?;
        }
        (size <= Bytes::ROOM).then_some(Written(Self(Some(breadcrumb))))
    }
}

impl Writes<Heading> for Packing<'_> {
    #[inline]
    fn is_gone(&self) -> bool {
        self.0.is_none()
    }

    // Made here from single numbers: what is put together before is read in wider steps than it was written, and waited for.
    #[inline]
    fn heading(&self) -> Heading {
        match &self.0 {
            Some(breadcrumb) => Heading::Packed(breadcrumb.timestamp, breadcrumb.level),
            None => Heading::Packed(SystemTime::UNIX_EPOCH, Level::Info),
        }
    }

    #[inline]
    fn write_to(&self, bytes: &mut Bytes) {
        let Some(Breadcrumb { ty, category, message, data, .. }) = self.0.as_deref() else { return };
        // There is room for all of it.
        _ = bytes.append_first([ty, category.as_deref().unwrap_or_default(), message.as_deref().unwrap_or_default()]);
        for (key, value) in data {
            _ = bytes.append_first([key, value.as_str().unwrap_or_default()]);
        }
        _ = bytes
            .append([short(ty), category.as_deref().map_or(NONE, short), message.as_deref().map_or(NONE, short)], []);
        for (key, value) in data {
            let key = short(key);
            _ = match stored(value) {
                None | Some(Stored::Null) => bytes.append([key, TAG_NULL], []),
                Some(Stored::Bool(false)) => bytes.append([key, TAG_FALSE], []),
                Some(Stored::Bool(true)) => bytes.append([key, TAG_TRUE], []),
                Some(Stored::Signed(number)) => bytes.append([key, TAG_SIGNED], number.to_le_bytes()),
                Some(Stored::Unsigned(number)) => bytes.append([key, TAG_UNSIGNED], number.to_le_bytes()),
                Some(Stored::Float(float)) => bytes.append([key, TAG_FLOAT], float.to_le_bytes()),
                Some(Stored::Text(text)) => bytes.append([key, TAG_TEXT, short(&text)], []),
            };
        }
    }
}

impl Addition for Written<Packing<'_>> {
    fn take_breadcrumb(&mut self) -> Option<Breadcrumb> {
        let nothing = Breadcrumb {
            timestamp: SystemTime::UNIX_EPOCH,
            ty: String::new(),
            category: None,
            level: Level::Info,
            message: None,
            data: BTreeMap::new(),
        };
        self.0.0.take().map(|breadcrumb| std::mem::replace(breadcrumb, nothing))
    }
}

/// A breadcrumb as a slot holds it.
pub(crate) struct Packed<'a> {
    pub(super) timestamp: SystemTime,
    pub(super) level: Level,
    pub(super) ty: &'a str,
    pub(super) category: Option<&'a str>,
    pub(super) message: Option<&'a str>,
    entries: Entries<'a>,
}

impl<'a> Packed<'a> {
    #[inline]
    pub(super) fn of(timestamp: SystemTime, level: Level, bytes: &'a Bytes) -> Self {
        let (texts, shape) = bytes.texts();
        let mut entries = Entries { texts, shape };
        let [ty, category, message] = entries.bytes().unwrap_or([NONE; LENGTHS]);
        let mut text = |len| (len != NONE).then(|| entries.text(len));
        let (ty, category, message) = (text(ty).unwrap_or_default(), text(category), text(message));
        Self { timestamp, level, ty, category, message, entries }
    }

    pub(super) fn to_breadcrumb(&self) -> Breadcrumb {
        Breadcrumb {
            timestamp: self.timestamp,
            ty: self.ty.to_owned(),
            category: self.category.map(str::to_owned),
            level: self.level,
            message: self.message.map(str::to_owned),
            data: self.data(),
        }
    }

    pub(super) fn data(&self) -> BTreeMap<String, Value> {
        let mut data = BTreeMap::new();
        // One by one: collecting would put them into a list first.
        self.entries().for_each(|(key, value)| _ = data.insert(key.to_owned(), value.into()));
        data
    }

    #[inline]
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Stored<'a>)> {
        self.entries
    }
}

impl Serialize for Packed<'_> {
    /// Writes the JSON of the breadcrumb that this stands for, without building it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = BreadcrumbFields {
            timestamp: self.timestamp,
            ty: self.ty,
            category: self.category,
            level: self.level,
            message: self.message,
            data: (!self.entries.shape.is_empty()).then_some(self.entries),
        };
        fields.serialize(serializer)
    }
}

/// The data, in the order of its keys.
#[derive(Clone, Copy)]
struct Entries<'a> {
    texts: &'a str,
    shape: &'a [u8],
}

impl<'a> Entries<'a> {
    #[inline]
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.shape.split_first_chunk::<N>()?;
        self.shape = rest;
        Some(*head)
    }

    #[inline]
    fn text(&mut self, len: u8) -> &'a str {
        let (text, rest) = self.texts.split_at_checked(usize::from(len)).unwrap_or_default();
        self.texts = rest;
        text
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a str, Stored<'a>);

    // Into each loop: what it makes is taken apart again at once.
    #[inline(always)]
    fn next(&mut self) -> Option<(&'a str, Stored<'a>)> {
        let [key, tag] = self.bytes()?;
        let key = self.text(key);
        let value = match tag {
            TAG_FALSE => Stored::Bool(false),
            TAG_TRUE => Stored::Bool(true),
            TAG_SIGNED => Stored::Signed(i64::from_le_bytes(self.bytes()?)),
            TAG_UNSIGNED => Stored::Unsigned(u64::from_le_bytes(self.bytes()?)),
            TAG_FLOAT => Stored::Float(f64::from_le_bytes(self.bytes()?)),
            TAG_TEXT => {
                let [len] = self.bytes()?;
                Stored::Text(Cow::Borrowed(self.text(len)))
            }
            _ => Stored::Null,
        };
        Some((key, value))
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(*self)
    }
}

/// What of a value is stored. `None`: it can't be, without a loss.
#[inline]
fn stored(value: &Value) -> Option<Stored<'_>> {
    Some(match value {
        Value::Null => Stored::Null,
        Value::Bool(flag) => Stored::Bool(*flag),
        Value::Number(number) => return stored_number(number),
        Value::String(text) => Stored::Text(Cow::Borrowed(text)),
        Value::Array(_) | Value::Object(_) => return None,
    })
}

/// With `arbitrary_precision` of `serde_json`, which a stranger may switch on, a number is whatever text it was read from.
fn stored_number(number: &Number) -> Option<Stored<'static>> {
    let (stored, back) = if let Some(whole) = number.as_u64() {
        (Stored::Unsigned(whole), Some(whole.into()))
    } else if let Some(whole) = number.as_i64() {
        (Stored::Signed(whole), Some(whole.into()))
    } else {
        let float = number.as_f64()?;
        (Stored::Float(float), Number::from_f64(float))
    };
    (back.as_ref() == Some(number)).then_some(stored)
}

/// How much a value takes, beside its tag.
#[inline]
fn room(value: &Value) -> Option<usize> {
    Some(match stored(value)? {
        Stored::Null | Stored::Bool(_) => 0,
        Stored::Signed(_) | Stored::Unsigned(_) | Stored::Float(_) => size_of::<u64>(),
        Stored::Text(text) => 1 + text.len(),
    })
}

#[inline]
fn len(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}

/// The length of a text for which there is room.
#[inline]
fn short(text: &str) -> u8 {
    text.len() as u8
}

/// The lengths of type, category and message.
const LENGTHS: usize = 3;
/// In place of a length: there is no such text.
const NONE: u8 = u8::MAX;

const _: () = assert!(Bytes::ROOM < NONE as usize, "the length of what fits is none that stands for nothing");

#[cfg(test)]
mod tests;
