//! A few bytes in place: appended to, read as a whole, copied as far as they reach.

use std::fmt;
use std::mem::{MaybeUninit, offset_of};
use std::ptr;

/// At most [`Bytes::ROOM`] bytes, of which the first `len` are initialised.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Bytes {
    len: u8,
    room: [MaybeUninit<u8>; Self::ROOM],
}

impl Bytes {
    /// How many there can be.
    pub(crate) const ROOM: usize = 136;

    #[inline]
    pub(crate) const fn new() -> Self {
        Self { len: 0, room: [MaybeUninit::uninit(); Self::ROOM] }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Appends all parts. False: there is no room for all, and nothing was appended.
    ///
    /// Parts of a known length are stored in one instruction each: what is put together in another place first, and read
    /// from there in wider steps than it was written, waits until the writes are through.
    #[inline]
    pub(crate) fn append<const N: usize>(&mut self, parts: [&[u8]; N]) -> bool {
        let mut free = Self::ROOM - self.len();
        for part in parts {
            if part.len() > free {
                return false;
            }
            free -= part.len();
        }
        let mut len = self.len();
        for part in parts {
            // SAFETY: the length is at most `ROOM`, so this is inside, or just behind.
            let end = unsafe { self.room.as_mut_ptr().add(len) };
            // SAFETY: there is room for all parts, and no reference into ourselves can be among them.
            unsafe { ptr::copy_nonoverlapping(part.as_ptr(), end.cast(), part.len()) };
            len += part.len();
        }
        self.len = len as u8;
        true
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: the first `len` are initialised: they were appended.
        unsafe { std::slice::from_raw_parts(self.room.as_ptr().cast(), self.len()) }
    }

    /// How far the first `len` bytes reach into this type.
    #[inline]
    pub(crate) const fn reach(len: usize) -> usize {
        offset_of!(Self, room) + len
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

const _: () = assert!(Bytes::ROOM <= u8::MAX as usize, "the length fits");

#[cfg(all(test, not(vidette_loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_appended_whole_and_what_does_not_is_refused_whole() {
        let mut bytes = Bytes::new();
        assert!(bytes.as_slice().is_empty());
        assert!(bytes.append([&[1; 50], &[1; 50]]));
        assert!(!bytes.append([&[2; 37]]));
        assert!(!bytes.append([&[2; 36], &[2]]));
        assert!(bytes.append([&[3; 36]]));
        assert!(bytes.append([&[]]));
        assert!(!bytes.append([&[4]]));
        assert_eq!(bytes.as_slice(), [[1; 100].as_slice(), &[3; 36]].concat());
        let copy = bytes;
        assert_eq!(copy.as_slice(), bytes.as_slice());
    }
}
