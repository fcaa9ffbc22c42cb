//! Small value types that several interfaces share: lists, addresses, registers.

use std::fmt;
use std::marker::PhantomData;
use std::num::ParseIntError;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::{slice, vec};

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeSeed, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::tolerant;

/// A list that the wire wraps in an object: `{"values": […]}`.
///
/// A bare list, a single item and null are read as well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Values<T> {
    /// The items, in order.
    pub values: Vec<T>,
}

impl<T> Values<T> {
    /// Makes an empty list.
    pub fn new() -> Values<T> {
        Values { values: Vec::new() }
    }

    /// Tells whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Values::new()
    }
}

impl<T> From<Vec<T>> for Values<T> {
    fn from(values: Vec<T>) -> Self {
        Values { values }
    }
}

impl<T> AsRef<[T]> for Values<T> {
    fn as_ref(&self) -> &[T] {
        &self.values
    }
}

impl<T> AsMut<Vec<T>> for Values<T> {
    fn as_mut(&mut self) -> &mut Vec<T> {
        &mut self.values
    }
}

impl<T> Deref for Values<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T> DerefMut for Values<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
}

impl<T> Extend<T> for Values<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, iter: I) {
        self.values.extend(iter);
    }
}

impl<T> FromIterator<T> for Values<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        Vec::from_iter(iter).into()
    }
}

impl<T> IntoIterator for Values<T> {
    type Item = <Vec<T> as IntoIterator>::Item;
    type IntoIter = vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Values<T> {
    type Item = <&'a Vec<T> as IntoIterator>::Item;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut Values<T> {
    type Item = <&'a mut Vec<T> as IntoIterator>::Item;
    type IntoIter = slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.iter_mut()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Values<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor(PhantomData)).map(Values::from)
    }
}

struct ValuesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ValuesVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `values`, a list, or a single item")
    }

    fn visit_unit<E: Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut values = Vec::new();
        while let Some(item) = seq.next_element::<Option<T>>()? {
            if let Some(item) = item {
                tolerant::make_room(&mut values, seq.size_hint());
                values.push(item);
            }
        }
        values.shrink_to_fit();
        Ok(values)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<T>, A::Error> {
        // The first key tells a wrapped list from a single item, so that neither has to be buffered.
        match map.next_key::<String>()? {
            None => Ok(Vec::new()),
            Some(key) if key == "values" => {
                let values = map.next_value_seed(self)?;
                while map.next_entry::<de::IgnoredAny, de::IgnoredAny>()?.is_some() {}
                Ok(values)
            }
            Some(key) => {
                let item = Unread { key: Some(key), rest: map };
                T::deserialize(MapAccessDeserializer::new(item)).map(|item| vec![item])
            }
        }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for ValuesVisitor<T> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// An object whose first key has been read, as if it had not.
struct Unread<A> {
    key: Option<String>,
    rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Unread<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.key.take() {
            Some(key) => seed.deserialize(key.into_deserializer()).map(Some),
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}

/// An address in memory, written as `0x…`; a number or decimal digits are read as well.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Addr(pub u64);

impl Addr {
    /// Tells whether this is the null pointer.
    pub fn is_null(&self) -> bool {
        self.0 == 0
    }
}

/// What a register held, written as `0x…`; a number or decimal digits are read as well.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RegVal(pub u64);

/// Implements what addresses and register values have in common.
macro_rules! hex_number {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:#x}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            /// Reads hex digits after `0x`, else decimal ones.
            fn from_str(text: &str) -> Result<$name, ParseIntError> {
                match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                    Some(digits) => u64::from_str_radix(digits, 16),
                    None => text.parse(),
                }
                .map($name)
            }
        }

        impl From<u64> for $name {
            fn from(value: u64) -> $name {
                $name(value)
            }
        }

        impl From<u32> for $name {
            fn from(value: u32) -> $name {
                $name(value.into())
            }
        }

        impl From<i32> for $name {
            /// Keeps the bits: a negative number is sign-extended.
            fn from(value: i32) -> $name {
                $name(value as u64)
            }
        }

        impl From<usize> for $name {
            fn from(value: usize) -> $name {
                $name(value as u64)
            }
        }

        impl<T> From<*const T> for $name {
            fn from(pointer: *const T) -> $name {
                $name(pointer as usize as u64)
            }
        }

        impl<T> From<*mut T> for $name {
            fn from(pointer: *mut T) -> $name {
                $name(pointer as usize as u64)
            }
        }

        impl From<$name> for u64 {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                deserializer.deserialize_any(HexNumber).map($name)
            }
        }
    };
}

hex_number!(Addr);
hex_number!(RegVal);

struct HexNumber;

impl Visitor<'_> for HexNumber {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a text such as 0x1f")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<u64, E> {
        u64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        text.parse::<Addr>().map(u64::from).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::protocol::Breadcrumb;

    #[test]
    fn a_list_is_read_in_all_its_forms() {
        let two = Values::from(vec![1, 2]);
        for json in [json!({"values": [1, 2]}), json!([1, null, 2])] {
            assert_eq!(serde_json::from_value::<Values<u8>>(json).unwrap(), two);
        }
        for json in [json!(null), json!([]), json!({}), json!({ "values": null })] {
            assert!(serde_json::from_value::<Values<u8>>(json).unwrap().is_empty());
        }
        assert!(serde_json::from_value::<Values<u8>>(json!("x")).is_err());
    }

    #[test]
    fn a_single_object_is_a_list_of_one() {
        let json = r#"{"message":"a","category":"b","timestamp":1}"#;
        let list: Values<Breadcrumb> = serde_json::from_str(json).unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].message.as_deref(), Some("a"));
        assert_eq!(list[0].category.as_deref(), Some("b"));
    }

    #[test]
    fn a_list_is_written_wrapped() {
        let json = serde_json::to_value(Values::from(vec![1, 2])).unwrap();
        assert_eq!(json, json!({"values": [1, 2]}));
    }

    #[test]
    fn an_address_is_written_as_hex_and_read_from_numbers_too() {
        assert_eq!(serde_json::to_value(Addr(31)).unwrap(), json!("0x1f"));
        for json in [json!("0x1f"), json!("0X1F"), json!("31"), json!(31)] {
            assert_eq!(serde_json::from_value::<Addr>(json).unwrap(), Addr(31));
        }
        for json in [json!(-1), json!("0x"), json!("0x1ffffffffffffffff"), json!([]), Value::Null] {
            assert!(serde_json::from_value::<RegVal>(json).is_err());
        }
        assert_eq!(RegVal::from(-1), RegVal(u64::MAX));
    }
}
