//! JSON → values, in one pass over the bytes.
//!
//! Takes what `serde_json` takes, to the same values, or refuses: what is odd (a struct as a list, a number that no float
//! holds, a level too deep, bytes that are no text) is left to `serde_json`, which also finds the words for what is wrong.
//!
//! # Guarantees
//! Time is linear in the input, depth at most [`MAX_DEPTH`]. Allocates one buffer for texts with escapes, no longer than
//! the input, and else only what the values ask for.

mod cursor;
mod number;

use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use self::cursor::{Cursor, Refused, Text};
use self::number::Number;

/// Reads one value; `None` where `serde_json` is to judge.
pub(crate) fn read<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Option<T> {
    let cursor = Cursor::new(str::from_utf8(json).ok()?);
    let mut reader = Reader { cursor, levels: MAX_DEPTH };
    let value = T::deserialize(&mut reader).ok()?;
    reader.cursor.is_at_end().then_some(value)
}

struct Reader<'de> {
    cursor: Cursor<'de>,
    /// How many lists and objects may still be opened in one another.
    levels: usize,
}

impl<'de> Reader<'de> {
    #[inline(always)]
    fn visit_text<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        self.cursor.take(b'"')?;
        match self.cursor.text()? {
            Text::Plain(text) => visitor.visit_borrowed_str(text),
            Text::Escaped => visitor.visit_str(self.cursor.unescaped()),
        }
    }

    #[inline(always)]
    fn visit_number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        self.cursor.peek()?;
        match self.cursor.number()?.number().ok_or(Refused)? {
            Number::Unsigned(number) => visitor.visit_u64(number),
            Number::Negative(number) => visitor.visit_i64(number),
            Number::Float(number) => visitor.visit_f64(number),
        }
    }

    #[inline(always)]
    fn visit_bool<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        self.cursor.peek()?;
        if self.cursor.take_all(b"true") {
            visitor.visit_bool(true)
        } else if self.cursor.take_all(b"false") {
            visitor.visit_bool(false)
        } else {
            Err(Refused)
        }
    }

    #[inline(always)]
    fn visit_null<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        self.cursor.peek()?;
        if self.cursor.take_all(b"null") { visitor.visit_unit() } else { Err(Refused) }
    }

    #[inline(always)]
    fn visit_list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        self.open(b'[')?;
        let value = visitor.visit_seq(Inside { reader: self, is_first: true })?;
        self.close(b']')?;
        Ok(value)
    }

    #[inline(always)]
    fn visit_object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        self.open(b'{')?;
        let value = visitor.visit_map(Inside { reader: self, is_first: true })?;
        self.close(b'}')?;
        Ok(value)
    }

    #[inline(always)]
    fn open(&mut self, bracket: u8) -> Result<(), Refused> {
        self.cursor.take(bracket)?;
        self.levels = self.levels.checked_sub(1).ok_or(Refused)?;
        Ok(())
    }

    #[inline(always)]
    fn close(&mut self, bracket: u8) -> Result<(), Refused> {
        self.levels += 1;
        self.cursor.take(bracket)
    }
}

/// The inside of a list or object.
struct Inside<'r, 'de> {
    reader: &'r mut Reader<'de>,
    is_first: bool,
}

impl Inside<'_, '_> {
    /// Goes to the next item, or stays at the end; says which.
    #[inline(always)]
    fn is_more(&mut self, end: u8) -> Result<bool, Refused> {
        let byte = self.reader.cursor.peek()?;
        if byte == end {
            return Ok(false);
        }
        if self.is_first {
            self.is_first = false;
            return Ok(true);
        }
        self.reader.cursor.take(b',')?;
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Inside<'_, 'de> {
    type Error = Refused;

    #[inline(always)]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        match self.is_more(b']')? {
            true => seed.deserialize(&mut *self.reader).map(Some),
            false => Ok(None),
        }
    }
}

impl<'de> MapAccess<'de> for Inside<'_, 'de> {
    type Error = Refused;

    #[inline(always)]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        // Nearly every key but the first.
        if self.is_first || !self.reader.cursor.take_all(b",\"") {
            if !self.is_more(b'}')? {
                return Ok(None);
            }
            self.reader.cursor.take(b'"')?;
        }
        seed.deserialize(Key { reader: self.reader }).map(Some)
    }

    #[inline(always)]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        seed.deserialize(&mut *self.reader)
    }
}

/// A key behind its opening quotation mark, and the colon behind it.
struct Key<'r, 'de> {
    reader: &'r mut Reader<'de>,
}

impl<'de> Deserializer<'de> for Key<'_, 'de> {
    type Error = Refused;

    #[inline(always)]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let cursor = &mut self.reader.cursor;
        let text = cursor.text()?;
        cursor.take(b':')?;
        match text {
            Text::Plain(text) => visitor.visit_borrowed_str(text),
            Text::Escaped => visitor.visit_str(cursor.unescaped()),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Implements the types that JSON has one form for.
macro_rules! visits {
    ($($visit:ident: $($deserialize:ident)*;)*) => {$($(
        #[inline]
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            self.$visit(visitor)
        }
    )*)*};
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Refused;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.cursor.peek()? {
            b'"' => self.visit_text(visitor),
            b'{' => self.visit_object(visitor),
            b'[' => self.visit_list(visitor),
            b't' | b'f' => self.visit_bool(visitor),
            b'n' => self.visit_null(visitor),
            _ => self.visit_number(visitor),
        }
    }

    visits! {
        visit_text: deserialize_str deserialize_string deserialize_identifier;
        visit_number: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
            deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f64;
        visit_bool: deserialize_bool;
        visit_null: deserialize_unit;
        visit_list: deserialize_seq;
        visit_object: deserialize_map;
    }

    /// Rounds once, from the digits.
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.cursor.peek()?;
        visitor.visit_f32(self.cursor.number()?.single().ok_or(Refused)?)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.cursor.peek()? {
            b'n' if self.cursor.take_all(b"null") => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Refused> {
        self.visit_list(visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.visit_object(visitor)
    }

    /// Reads a variant that is nothing but a name.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.cursor.take(b'"')?;
        match self.cursor.text()? {
            Text::Plain(name) => visitor.visit_enum(BorrowedStrDeserializer::new(name)),
            Text::Escaped => visitor.visit_enum(StrDeserializer::new(self.cursor.unescaped())),
        }
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit_struct tuple_struct ignored_any
    }
}

/// How many levels of lists and objects a payload may have: as many as `serde_json` allows.
const MAX_DEPTH: usize = 127;

#[cfg(test)]
mod tests;
