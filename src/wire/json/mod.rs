//! Values → JSON, at the end of a buffer: the same bytes that `serde_json` writes, sooner.
//!
//! What it saves is in the texts: they are looked through by blocks and copied whole, where nothing in them has to be
//! escaped. Numbers are `serde_json`'s own, so that both write the same whatever its version, but for times ([`seconds`]).
//!
//! # Guarantees
//! Allocates only to grow the buffer, and for nothing of its own. Fails only where a value says so, or for a map's key
//! that is no scalar; what was written until then stays in the buffer.
//!
//! # Invariants
//! The names of fields and variants need no escapes, and are not looked through.

mod fields;
mod key;
mod read;
mod seconds;
mod text;

use std::fmt::Display;
use std::io;

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant, Serializer,
};
use serde_json::Error;
use serde_json::ser::{CompactFormatter, Formatter};

pub(crate) use self::fields::Fields;
use self::key::Key;
pub(crate) use self::read::read;
use self::seconds::write_seconds;
use self::text::{is_plain, write_display, write_text};

/// Writes a value to the end of a buffer.
///
/// # Errors
///
/// When the value refuses, or a map in it has a key that is neither a text nor a scalar.
pub(crate) fn append<T>(out: &mut Vec<u8>, value: &T) -> Result<(), Error>
where
    T: Serialize + ?Sized,
{
    value.serialize(Json { out })
}

/// Writes one value.
struct Json<'b> {
    out: &'b mut Vec<u8>,
}

/// Writes the items of a list.
pub(super) struct List<'b> {
    out: &'b mut Vec<u8>,
    is_empty: bool,
    end: &'static str,
}

/// Writes the fields of an object.
pub(super) struct Object<'b> {
    out: &'b mut Vec<u8>,
    is_empty: bool,
    end: &'static str,
    /// Not an object at all, but the digits of one number.
    is_digits: bool,
}

impl<'b> Json<'b> {
    #[inline]
    fn number(self, write: impl FnOnce(CompactFormatter, &mut Vec<u8>) -> io::Result<()>) -> Result<(), Error> {
        write(CompactFormatter, self.out).map_err(Error::io)
    }

    /// Opens the object around a variant's content.
    fn variant(&mut self, variant: &'static str) {
        write_name(self.out, b'{', variant);
    }

    #[inline]
    fn list(self, end: &'static str) -> List<'b> {
        List { out: self.out, is_empty: true, end }
    }

    #[inline]
    fn object(self, end: &'static str) -> Object<'b> {
        Object { out: self.out, is_empty: true, end, is_digits: false }
    }
}

/// Implements what is written by `serde_json`'s formatter.
macro_rules! numbers {
    ($($serialize:ident($number:ty) = $write:ident;)*) => {$(
        #[inline]
        fn $serialize(self, value: $number) -> Result<(), Error> {
            self.number(|mut formatter, out| formatter.$write(out, value))
        }
    )*};
}

impl<'b> Serializer for Json<'b> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = List<'b>;
    type SerializeTuple = List<'b>;
    type SerializeTupleStruct = List<'b>;
    type SerializeTupleVariant = List<'b>;
    type SerializeMap = Object<'b>;
    type SerializeStruct = Object<'b>;
    type SerializeStructVariant = Object<'b>;

    numbers! {
        serialize_i8(i8) = write_i8;
        serialize_i16(i16) = write_i16;
        serialize_i32(i32) = write_i32;
        serialize_i64(i64) = write_i64;
        serialize_i128(i128) = write_i128;
        serialize_u8(u8) = write_u8;
        serialize_u16(u16) = write_u16;
        serialize_u32(u32) = write_u32;
        serialize_u64(u64) = write_u64;
        serialize_u128(u128) = write_u128;
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    /// JSON has no word for what is not finite; it becomes null.
    #[inline]
    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        match value.is_finite() {
            true => self.number(|mut formatter, out| formatter.write_f32(out, value)),
            false => self.serialize_unit(),
        }
    }

    /// JSON has no word for what is not finite; it becomes null.
    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        if write_seconds(self.out, value) {
            return Ok(());
        }
        match value.is_finite() {
            true => self.number(|mut formatter, out| formatter.write_f64(out, value)),
            false => self.serialize_unit(),
        }
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Error> {
        write_text(self.out, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        self.collect_seq(value)
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant);
        append(self.out, value)?;
        self.out.push(b'}');
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<List<'b>, Error> {
        Ok(self.list("]"))
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<List<'b>, Error> {
        Ok(self.list("]"))
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List<'b>, Error> {
        Ok(self.list("]"))
    }

    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'b>, Error> {
        self.variant(variant);
        Ok(self.list("]}"))
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Result<Object<'b>, Error> {
        Ok(self.object("}"))
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Object<'b>, Error> {
        Ok(Object { is_digits: name == DIGITS, ..self.object("}") })
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Object<'b>, Error> {
        self.variant(variant);
        Ok(self.object("}}"))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        write_display(self.out, value)
    }
}

impl List<'_> {
    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(if self.is_empty { b'[' } else { b',' });
        self.is_empty = false;
        append(self.out, value)
    }

    #[inline]
    fn close(self) {
        if self.is_empty {
            self.out.push(b'[');
        }
        self.out.extend_from_slice(self.end.as_bytes());
    }
}

impl Object<'_> {
    #[inline(always)]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        if self.is_digits {
            return self.digits(value);
        }
        write_name(self.out, if self.is_empty { b'{' } else { b',' }, name);
        self.is_empty = false;
        append(self.out, value)
    }

    /// Writes a number that comes as a text.
    fn digits<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let start = self.out.len();
        append(self.out, value)?;
        // The quotation marks go: a number has nothing to escape.
        if self.out.len() > start + 1 && self.out.get(start) == Some(&b'"') {
            self.out.pop();
            self.out.remove(start);
        }
        Ok(())
    }

    #[inline]
    fn close(self) {
        if self.is_digits {
            return;
        }
        if self.is_empty {
            self.out.push(b'{');
        }
        self.out.extend_from_slice(self.end.as_bytes());
    }
}

/// Writes the name of a field or variant, with what stands before it: `{` or `,`.
// Inlined where the name is known, so that all of it is one constant.
#[inline(always)]
fn write_name(out: &mut Vec<u8>, before: u8, name: &'static str) {
    debug_assert!(is_plain(name), "{name:?} would have to be escaped");
    let mut text = [b'"'; 32];
    match text.get_mut(2..name.len() + 4) {
        Some([letters @ .., _, colon]) => {
            letters.copy_from_slice(name.as_bytes());
            *colon = b':';
        }
        _ => return write_long_name(out, before, name),
    }
    text[0] = before;
    out.extend_from_slice(&text[..name.len() + 4]);
}

#[cold]
fn write_long_name(out: &mut Vec<u8>, before: u8, name: &'static str) {
    out.extend_from_slice(&[before, b'"']);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Implements a trait for [`List`].
macro_rules! lists {
    ($($list:ident::$item:ident;)*) => {$(
        impl $list for List<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        }
    )*};
}

lists! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

/// Implements a trait for [`Object`].
macro_rules! objects {
    ($($object:ident;)*) => {$(
        impl $object for Object<'_> {
            type Ok = ();
            type Error = Error;

            #[inline(always)]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
                self.field(name, value)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        }
    )*};
}

objects! {
    SerializeStruct;
    SerializeStructVariant;
}

impl SerializeMap for Object<'_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let before = if self.is_empty { b'{' } else { b',' };
        self.is_empty = false;
        key.serialize(Key { out: self.out, before })
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        append(self.out, value)
    }

    #[inline]
    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

/// The name of the struct as which `serde_json` writes a number whose digits it has kept, in a build where someone
/// turned its `arbitrary_precision` on.
const DIGITS: &str = "$serde_json::private::Number";

#[cfg(test)]
mod tests;
