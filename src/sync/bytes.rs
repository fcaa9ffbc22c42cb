//! A few bytes in place: appended to, read as a whole, copied as far as they reach.
//!
//! # Invariants
//! - **I1** The first `len` are initialised.
//! - **I2** The first `texts` are UTF-8: whole texts, one after the other, and nothing else came before them or between.

use std::fmt;
use std::mem::{MaybeUninit, offset_of};
use std::ptr;

/// At most [`Bytes::ROOM`] bytes: those that begin with texts say so.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Bytes {
    len: u8,
    texts: u8,
    room: [MaybeUninit<u8>; Self::ROOM],
}

impl Bytes {
    /// How many there can be.
    pub(crate) const ROOM: usize = 136;
    /// How much of what is short is copied: with what stands before it, a line and a half.
    const LINE: usize = 72;

    #[inline]
    pub(crate) const fn new() -> Self {
        Self { len: 0, texts: 0, room: [MaybeUninit::uninit(); Self::ROOM] }
    }

    /// Begins with none, in memory that may hold anything.
    ///
    /// # Safety
    /// The place is valid for writes of this type, and the caller's for as long as the reference lives.
    #[inline]
    pub(super) unsafe fn begin_at<'a>(place: *mut Self) -> &'a mut Self {
        // SAFETY: the caller's promise.
        let len = unsafe { &raw mut (*place).len };
        // SAFETY: as above.
        unsafe { len.write(0) };
        // SAFETY: as above.
        let texts = unsafe { &raw mut (*place).texts };
        // SAFETY: as above.
        unsafe { texts.write(0) };
        // SAFETY: both numbers are there, and what is in the room need not be initialised.
        unsafe { &mut *place }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Appends a head and what follows it. False: there is no room for both, and nothing was appended.
    ///
    /// Both are stored in one instruction each: what is put together in another place first, and read from there in wider steps
    /// than it was written, waits until the writes are through.
    #[inline]
    pub(crate) fn append<const H: usize, const N: usize>(&mut self, head: [u8; H], rest: [u8; N]) -> bool {
        let len = self.len();
        if len + H + N > Self::ROOM {
            return false;
        }
        // SAFETY: there is room for both, so this is inside.
        let end = unsafe { self.room.as_mut_ptr().add(len) };
        // SAFETY: as above; bytes may stand anywhere.
        unsafe { end.cast::<[u8; H]>().write_unaligned(head) };
        // SAFETY: as above.
        unsafe { end.wrapping_add(H).cast::<[u8; N]>().write_unaligned(rest) };
        self.len += (H + N) as u8;
        true
    }

    /// Appends the first ones of some bytes. False: there is no room for all of these, and nothing was appended.
    #[inline]
    pub(crate) fn append_some<const N: usize>(&mut self, bytes: [u8; N], count: usize) -> bool {
        let len = self.len();
        if count > N || len + N > Self::ROOM {
            return false;
        }
        // SAFETY: there is room for all, so this is inside.
        let end = unsafe { self.room.as_mut_ptr().add(len) };
        // SAFETY: as above; bytes may stand anywhere.
        unsafe { end.cast::<[u8; N]>().write_unaligned(bytes) };
        self.len += count as u8;
        true
    }

    /// Appends text that is short. False: it is longer than [`SHORT`], or there is no room, and nothing was appended.
    #[inline]
    pub(crate) fn append_short(&mut self, text: &[u8]) -> bool {
        let len = self.len();
        if text.len() > SHORT || text.len() > Self::ROOM - len {
            return false;
        }
        // SAFETY: the length is at most `ROOM`, so this is inside, or just behind.
        let end = unsafe { self.room.as_mut_ptr().add(len) };
        // SAFETY: there is room for the text, which is short, and not among ourselves.
        unsafe { copy_short(text.as_ptr().cast(), end, text.len()) };
        self.len += text.len() as u8;
        true
    }

    /// Appends texts that the bytes [begin with](Self::texts): nothing but such comes before them. False: there is no room for all,
    /// and nothing was appended.
    #[inline]
    pub(crate) fn append_first<const N: usize>(&mut self, texts: [&str; N]) -> bool {
        let mut at = self.len();
        let len = texts.iter().fold(at, |len, text| len.saturating_add(text.len()));
        if len > Self::ROOM {
            return false;
        }
        let is_first = self.len == self.texts;
        for text in texts {
            // SAFETY: what has been copied ends inside, or just behind.
            let end = unsafe { self.room.as_mut_ptr().add(at) };
            let from: *const MaybeUninit<u8> = text.as_ptr().cast();
            if text.len() <= SHORT {
                // SAFETY: there is room for all texts; this one is short, and not among ourselves.
                unsafe { copy_short(from, end, text.len()) };
            } else {
                // SAFETY: as above, of any length.
                unsafe { ptr::copy_nonoverlapping(from, end, text.len()) };
            }
            at += text.len();
        }
        self.len = len as u8;
        if is_first {
            // I2: they were all texts up to here.
            self.texts = len as u8;
        }
        true
    }

    /// Appends text of any length. False: there is no room for all of it, and nothing was appended.
    pub(crate) fn append_text(&mut self, text: &[u8]) -> bool {
        let len = self.len();
        if text.len() > Self::ROOM - len {
            return false;
        }
        // SAFETY: the length is at most `ROOM`, so this is inside, or just behind.
        let end = unsafe { self.room.as_mut_ptr().add(len) };
        // SAFETY: there is room for the text, and it is not among ourselves.
        unsafe { ptr::copy_nonoverlapping(text.as_ptr(), end.cast(), text.len()) };
        self.len += text.len() as u8;
        true
    }

    /// Leaves no room for more.
    #[cold]
    pub(crate) fn fill(&mut self) {
        let len = self.len();
        self.room.iter_mut().skip(len).for_each(|byte| _ = byte.write(0));
        self.len = Self::ROOM as u8;
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: I1: they were appended.
        unsafe { std::slice::from_raw_parts(self.room.as_ptr().cast(), self.len()) }
    }

    /// The texts that the bytes begin with, and the bytes after them.
    #[inline]
    pub(crate) fn texts(&self) -> (&str, &[u8]) {
        match self.as_slice().split_at_checked(usize::from(self.texts)) {
            // SAFETY: I2.
            Some((texts, rest)) => (unsafe { str::from_utf8_unchecked(texts) }, rest),
            None => ("", &[]),
        }
    }

    /// Becomes the same as another.
    #[inline]
    pub(crate) fn copy_from(&mut self, other: &Self) {
        let (from, to) = (ptr::from_ref(other).cast(), ptr::from_mut(self).cast());
        // In one or two steps of lengths that are known here, so that a few wide moves are all.
        // SAFETY: `LINE` is less than the size of either.
        unsafe { step::<{ Self::LINE }>(from, to, 0) };
        if offset_of!(Self, room) + other.len() > Self::LINE {
            // SAFETY: the rest of what both have room for.
            unsafe { step::<{ size_of::<Self>() - Self::LINE }>(from, to, Self::LINE) };
        }
    }
}

/// Copies at most [`SHORT`] bytes, in line: a call costs more than the copy.
///
/// What is shorter than a word is copied in steps of one, two and four, in this order: so a number that was written digit by
/// digit from its end, the last four at once, is read in the steps in which it was written, and need not wait for them.
///
/// # Safety
/// As for [`ptr::copy_nonoverlapping`].
#[inline]
pub(super) unsafe fn copy_short(from: *const MaybeUninit<u8>, to: *mut MaybeUninit<u8>, len: usize) {
    if len >= 16 {
        // SAFETY: there are at least as many bytes; the steps overlap if there are less than twice as many.
        unsafe { step::<16>(from, to, 0) };
        // SAFETY: as above.
        unsafe { step::<16>(from, to, len - 16) };
    } else if len >= 8 {
        // SAFETY: as above.
        unsafe { step::<8>(from, to, 0) };
        // SAFETY: as above.
        unsafe { step::<8>(from, to, len - 8) };
    } else {
        let mut at = 0;
        if len & 1 != 0 {
            // SAFETY: one of the bytes that are there.
            unsafe { step::<1>(from, to, 0) };
            at = 1;
        }
        if len & 2 != 0 {
            // SAFETY: two of those that are left.
            unsafe { step::<2>(from, to, at) };
            at += 2;
        }
        if len & 4 != 0 {
            // SAFETY: the four that are left.
            unsafe { step::<4>(from, to, at) };
        }
    }
}

/// Copies `N` bytes from a place on.
///
/// # Safety
/// As for [`ptr::copy_nonoverlapping`], of those bytes.
#[inline(always)]
unsafe fn step<const N: usize>(from: *const MaybeUninit<u8>, to: *mut MaybeUninit<u8>, at: usize) {
    // SAFETY: the caller's promise. What is outside is not touched, so the pointers stay inside.
    unsafe { ptr::copy_nonoverlapping(from.wrapping_add(at), to.wrapping_add(at), N) };
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

/// How many bytes are copied in line, at most.
pub(super) const SHORT: usize = 32;

const _: () = assert!(Bytes::ROOM <= u8::MAX as usize, "the length fits");

#[cfg(all(test, not(vidette_loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_appended_whole_and_what_does_not_is_refused_whole() {
        let mut bytes = Bytes::new();
        assert!(bytes.as_slice().is_empty());
        assert!(bytes.append([1], [1; 99]));
        assert!(!bytes.append([2], [2; 36]));
        assert!(!bytes.append_text(&[2; 37]));
        assert!(bytes.append([3; 36], []));
        assert!(bytes.append_short(&[]) && bytes.append_text(&[]));
        assert!(!bytes.append_short(&[4]) && !bytes.append_text(&[4]) && !bytes.append([4], []));
        assert_eq!(bytes.as_slice(), [[1; 100].as_slice(), &[3; 36]].concat());
        let copy = bytes;
        assert_eq!(copy.as_slice(), bytes.as_slice());
    }

    #[test]
    fn the_first_ones_of_some_bytes_are_appended_where_all_have_room() {
        let mut bytes = Bytes::new();
        assert!(bytes.append_some(*b"12345678", 3) && bytes.append_some(*b"45678\0\0\0", 5));
        assert!(bytes.append_some(*b"nothing.", 0));
        assert!(!bytes.append_some(*b"2", 2), "there are not as many");
        assert_eq!(bytes.as_slice(), b"12345678");
        assert!(bytes.append([0; 121], []));
        assert!(!bytes.append_some(*b"12345678", 1) && bytes.append_some(*b"1234567", 7));
        assert_eq!(bytes.as_slice().len(), 136);
    }

    #[test]
    fn text_of_each_length_is_appended_as_it_is() {
        let text: Vec<u8> = (1..=150).collect();
        for (start, len) in [0, 3, 101, 136].into_iter().flat_map(|start| (0..=text.len()).map(move |len| (start, len)))
        {
            let mut begun = Bytes::new();
            assert!(begun.append_text(&text[..start]));
            let (mut short, mut long) = (begun, begun);
            let has_room = start + len <= Bytes::ROOM;
            let is_short = short.append_short(&text[..len]);
            assert_eq!(is_short, has_room && len <= SHORT);
            assert_eq!(long.append_text(&text[..len]), has_room);
            for (bytes, is_taken) in [(short, is_short), (long, has_room)] {
                let appended = if is_taken { &text[..len] } else { &[] };
                assert_eq!(bytes.as_slice(), [&text[..start], appended].concat());
            }
        }
    }

    #[test]
    fn texts_come_first_or_are_bytes_like_others() {
        let texts = |bytes: &Bytes| (bytes.texts().0.to_owned(), bytes.texts().1.to_owned());
        let long = "ü".repeat(40);
        let mut bytes = Bytes::new();
        assert_eq!(texts(&bytes), (String::new(), Vec::new()));
        assert!(bytes.append_first(["http", "", "ß"]) && bytes.append_first([&long]));
        assert_eq!(texts(&bytes), (format!("httpß{long}"), Vec::new()));
        assert!(bytes.append([0xff], [1, 2]) && bytes.append_first(["late"]) && bytes.append_first([]));
        assert_eq!(texts(&bytes), (format!("httpß{long}"), b"\xff\x01\x02late".to_vec()));
        assert!(!bytes.append_first(["a", &long]), "no room for all");
        assert_eq!(bytes.len(), 4 + 2 + 80 + 3 + 4);
        let mut others = Bytes::new();
        assert!(others.append_text(b"\xff") && others.append_first(["text"]));
        assert_eq!(texts(&others), (String::new(), b"\xfftext".to_vec()));
        for len in 0..=Bytes::ROOM + 1 {
            let text = "x".repeat(len);
            let mut bytes = Bytes::new();
            assert_eq!(bytes.append_first([&text]), len <= Bytes::ROOM);
            assert_eq!(bytes.texts().0.len(), if len <= Bytes::ROOM { len } else { 0 });
        }
    }

    #[test]
    fn what_is_filled_has_no_room_for_more() {
        let mut bytes = Bytes::new();
        assert!(bytes.append_short(b"once"));
        bytes.fill();
        assert!(!bytes.append_short(b"more") && !bytes.append(*b"more", []));
        assert!(bytes.as_slice().starts_with(b"once"));
    }
}
