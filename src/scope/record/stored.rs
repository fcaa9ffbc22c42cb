//! The value of a breadcrumb's field, as it is stored: read back, built, and written as JSON.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{TAG_FALSE, TAG_FLOAT, TAG_SIGNED, TAG_TEXT, TAG_TRUE, TAG_UNSIGNED};

/// The value of a field.
pub(super) enum Stored<'a> {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(Cow<'a, str>),
}

impl From<Stored<'_>> for Value {
    fn from(stored: Stored<'_>) -> Self {
        match stored {
            Stored::Null => Self::Null,
            Stored::Bool(flag) => flag.into(),
            Stored::Signed(number) => number.into(),
            Stored::Unsigned(number) => number.into(),
            Stored::Float(float) if float.is_finite() => float.into(),
            // JSON has no word for what is not finite; its text is better than nothing.
            Stored::Float(float) => float.to_string().into(),
            Stored::Text(text) => text.into(),
        }
    }
}

impl Serialize for Stored<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Signed(number) => serializer.serialize_i64(*number),
            Self::Unsigned(number) => serializer.serialize_u64(*number),
            Self::Float(float) if float.is_finite() => serializer.serialize_f64(*float),
            Self::Float(float) => serializer.collect_str(float),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// Reads fields back, in the order in which they were written.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Stored<'a>;

    fn next(&mut self) -> Option<Stored<'a>> {
        let [tag] = self.take()?;
        Some(match tag {
            TAG_FALSE => Stored::Bool(false),
            TAG_TRUE => Stored::Bool(true),
            TAG_SIGNED => Stored::Signed(i64::from_le_bytes(self.take()?)),
            TAG_UNSIGNED => Stored::Unsigned(u64::from_le_bytes(self.take()?)),
            TAG_FLOAT => Stored::Float(f64::from_le_bytes(self.take()?)),
            TAG_TEXT => {
                let len = u32::from_le_bytes(self.take()?) as usize;
                let (text, rest) = self.0.split_at_checked(len)?;
                self.0 = rest;
                Stored::Text(String::from_utf8_lossy(text))
            }
            _ => Stored::Null,
        })
    }
}
