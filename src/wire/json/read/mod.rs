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
mod order;

use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use self::cursor::{Cursor, Refused, Text};
use self::number::Number;
use self::order::Order;

/// Reads one value; `None` where `serde_json` is to judge.
pub(crate) fn read<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Option<T> {
    let cursor = Cursor::new(str::from_utf8(json).ok()?);
    let mut reader = Reader { cursor, depth: 0, order: Order::default() };
    let value = T::deserialize(&mut reader).ok()?;
    reader.cursor.is_at_end().then_some(value)
}

struct Reader<'de> {
    cursor: Cursor<'de>,
    /// How many lists and objects are open.
    depth: usize,
    order: Order<'de>,
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
        self.visit_number_here(visitor)
    }

    #[inline(always)]
    fn visit_number_here<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
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
        let start = self.cursor.at();
        let value = visitor.visit_seq(Items { reader: self, start, count: 0 })?;
        self.close(b']')?;
        Ok(value)
    }

    #[inline(always)]
    fn visit_object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Refused> {
        self.open(b'{')?;
        let value = visitor.visit_map(Fields { reader: self, count: 0 })?;
        self.close(b'}')?;
        Ok(value)
    }

    #[inline(always)]
    fn open(&mut self, bracket: u8) -> Result<(), Refused> {
        self.cursor.take(bracket)?;
        if self.depth == MAX_DEPTH {
            return Err(Refused);
        }
        self.depth += 1;
        Ok(())
    }

    #[inline(always)]
    fn close(&mut self, bracket: u8) -> Result<(), Refused> {
        self.depth -= 1;
        self.cursor.take(bracket)
    }

    /// Goes to the next item, or stays at the end; says which.
    #[inline(always)]
    fn is_more(&mut self, is_first: bool, end: u8) -> Result<bool, Refused> {
        if self.cursor.peek()? == end {
            return Ok(false);
        }
        if !is_first {
            self.cursor.take(b',')?;
        }
        Ok(true)
    }

    /// Reads a key of an object that `count` keys were read of, with the colon behind it; `None` at the object's end.
    #[inline(always)]
    fn key(&mut self, count: usize) -> Result<Option<Text<'de>>, Refused> {
        let rest = self.cursor.rest();
        if rest.first() == Some(&b'}') {
            return Ok(None);
        }
        match self.order.find(self.depth, count, rest) {
            Some((name, len)) => {
                self.cursor.skip(len);
                Ok(Some(Text::Plain(name)))
            }
            None => self.unexpected_key(count),
        }
    }

    fn unexpected_key(&mut self, count: usize) -> Result<Option<Text<'de>>, Refused> {
        let start = self.cursor.at();
        if !self.is_more(count == 0, b'}')? {
            return Ok(None);
        }
        self.cursor.take(b'"')?;
        let text = self.cursor.text()?;
        self.cursor.take(b':')?;
        if let Text::Plain(name) = text {
            self.order.expect(self.depth, count, name, self.cursor.since(start));
        }
        Ok(Some(text))
    }
}

/// The inside of a list.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    /// Where it starts.
    start: usize,
    /// How many items were read.
    count: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Refused;

    #[inline(always)]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        match self.reader.is_more(self.count == 0, b']')? {
            true => {
                self.count += 1;
                seed.deserialize(&mut *self.reader).map(Some)
            }
            false => Ok(None),
        }
    }

    /// Guesses how many items are left, from how long those before were. What follows the list counts as well.
    fn size_hint(&self) -> Option<usize> {
        let read = self.reader.cursor.at() - self.start;
        self.reader.cursor.rest().len().saturating_mul(self.count).checked_div(read).filter(|_| self.count > 0)
    }
}

/// The inside of an object.
struct Fields<'r, 'de> {
    reader: &'r mut Reader<'de>,
    /// How many keys were read.
    count: usize,
}

impl<'de> MapAccess<'de> for Fields<'_, 'de> {
    type Error = Refused;

    #[inline(always)]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        let Some(text) = self.reader.key(self.count)? else { return Ok(None) };
        self.count += 1;
        seed.deserialize(Key { reader: self.reader, text }).map(Some)
    }

    #[inline(always)]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        seed.deserialize(&mut *self.reader)
    }
}

/// A key that was read.
struct Key<'r, 'de> {
    reader: &'r Reader<'de>,
    text: Text<'de>,
}

impl<'de> Deserializer<'de> for Key<'_, 'de> {
    type Error = Refused;

    #[inline(always)]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.text {
            Text::Plain(text) => visitor.visit_borrowed_str(text),
            Text::Escaped => visitor.visit_str(self.reader.cursor.unescaped()),
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
            _ => self.visit_number_here(visitor),
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
