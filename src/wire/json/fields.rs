//! Objects whose fields are written one by one, by who knows more of a value than that it can be serialized.
//!
//! Ids need no escapes, times come as whole numbers, and what never changes is JSON already. The bytes are those that the
//! same fields get in a struct.

use serde::Serialize;
use serde_json::Error;

use super::seconds::write_time;
use super::text::{is_plain, write_entry_name, write_utf8};
use super::{append, write_name};
use crate::sync::tail::append_between;

/// Writes the fields of an object, and of objects in it.
pub(crate) struct Fields<'b> {
    out: &'b mut Vec<u8>,
    /// What stands before the next name: `{` or `,`.
    before: u8,
}

impl<'b> Fields<'b> {
    #[inline]
    pub(crate) fn open(out: &'b mut Vec<u8>) -> Self {
        Self { out, before: b'{' }
    }

    /// Writes any value.
    ///
    /// # Errors
    ///
    /// As [`append`].
    #[inline(always)]
    pub(crate) fn value<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        append(self.name(name), value)
    }

    /// Writes a text, as its bytes: who has no more than these needs not find out that they are one.
    #[inline(always)]
    pub(crate) fn text(&mut self, name: &'static str, text: impl AsRef<[u8]>) {
        write_utf8(self.name(name), text.as_ref());
    }

    /// Writes a text that is known to need no escapes.
    #[inline(always)]
    pub(crate) fn plain(&mut self, name: &'static str, text: &[u8]) {
        debug_assert!(str::from_utf8(text).is_ok_and(is_plain), "{text:?} would have to be escaped");
        append_between(self.name(name), *b"\"", text, *b"\"");
    }

    /// Writes what is JSON already.
    #[inline(always)]
    pub(crate) fn json(&mut self, name: &'static str, json: &[u8]) {
        self.name(name).extend_from_slice(json);
    }

    /// Writes a time, in nanoseconds since the epoch, as seconds to the microsecond.
    ///
    /// # Errors
    ///
    /// None: a number can always be written.
    #[inline(always)]
    pub(crate) fn time(&mut self, name: &'static str, nanos: u64) -> Result<(), Error> {
        write_time(self.name(name), nanos)
    }

    /// Begins an object that is one of the fields.
    #[inline(always)]
    pub(crate) fn object(&mut self, name: &'static str) -> Fields<'_> {
        Fields::open(self.name(name))
    }

    /// Begins the value of a field whose name may have to be escaped.
    #[inline]
    pub(crate) fn entry(&mut self, name: &str) -> &mut Vec<u8> {
        write_entry_name(self.out, self.before, name);
        self.before = b',';
        self.out
    }

    /// Writes a list; each item is written by `write`.
    ///
    /// # Errors
    ///
    /// The first one of `write`.
    #[inline]
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        items: impl Iterator<Item = T>,
        mut write: impl FnMut(T, &mut Vec<u8>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let out = self.name(name);
        out.push(b'[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write(item, out)?;
        }
        out.push(b']');
        Ok(())
    }

    #[inline]
    pub(crate) fn close(self) {
        if self.before == b'{' {
            self.out.push(b'{');
        }
        self.out.push(b'}');
    }

    #[inline(always)]
    fn name(&mut self, name: &'static str) -> &mut Vec<u8> {
        write_name(self.out, self.before, name);
        self.before = b',';
        self.out
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::clock;
    use crate::protocol::time::seconds;

    #[derive(Serialize)]
    struct Typed<'a> {
        id: &'a str,
        #[serde(with = "seconds")]
        time: SystemTime,
        list: Vec<u8>,
        inner: Inner<'a>,
        empty: Empty,
    }

    #[derive(Serialize)]
    struct Inner<'a> {
        #[serde(rename = "a \"name\"")]
        text: &'a str,
    }

    #[derive(Serialize)]
    struct Empty {}

    #[test]
    fn fields_are_written_as_those_of_a_struct() {
        for nanos in [0, 999, 1_700_000_000_000_000_000, 1_700_000_000_123_456_789, 999_999_999_999_999, u64::MAX] {
            let text = "a\ttext";
            let typed = Typed {
                id: "0f",
                time: clock::time_of(nanos),
                list: vec![1, 2],
                inner: Inner { text },
                empty: Empty {},
            };
            let mut out = Vec::new();
            let mut fields = Fields::open(&mut out);
            fields.plain("id", b"0f");
            fields.time("time", nanos).unwrap();
            fields.list("list", [1, 2].iter(), |item, out| append(out, item)).unwrap();
            let mut inner = fields.object("inner");
            write_utf8(inner.entry("a \"name\""), text.as_bytes());
            inner.close();
            fields.object("empty").close();
            fields.close();
            assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&typed).unwrap());
        }
    }
}
