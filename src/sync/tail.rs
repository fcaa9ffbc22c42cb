//! The end of a vector of bytes, where text is put together with what stands around it.
//!
//! Room is asked for once and the length is written once. Each further step would read the length that the step before
//! wrote, and wait for it: a text of ten bytes in quotation marks takes longer to be counted than to be copied.

use std::mem::MaybeUninit;
use std::ptr;

use super::bytes::{SHORT, copy_short};

/// Appends a text between a few bytes that stand before it, and a few that stand after it.
#[inline]
pub(crate) fn append_between<const B: usize, const A: usize>(
    out: &mut Vec<u8>,
    before: [u8; B],
    text: &[u8],
    after: [u8; A],
) {
    let (len, more) = (out.len(), B + text.len() + A);
    // A slice is at most half of the address space, so the sum does not overflow.
    out.reserve(more);
    // SAFETY: the vector has room for `more` bytes from its length on.
    let end = unsafe { out.as_mut_ptr().add(len) };
    // SAFETY: the first `B` of them; bytes may stand anywhere.
    unsafe { end.cast::<[u8; B]>().write_unaligned(before) };
    // SAFETY: behind these, inside.
    let place: *mut MaybeUninit<u8> = unsafe { end.add(B) }.cast();
    let from: *const MaybeUninit<u8> = text.as_ptr().cast();
    if text.len() <= SHORT {
        // SAFETY: there is room for the text, and it is not in what the vector has to itself.
        unsafe { copy_short(from, place, text.len()) };
    } else {
        // SAFETY: as above, of any length.
        unsafe { ptr::copy_nonoverlapping(from, place, text.len()) };
    }
    // SAFETY: behind the text, inside.
    let last = unsafe { place.add(text.len()) };
    // SAFETY: the last `A` of the room; bytes may stand anywhere.
    unsafe { last.cast::<[u8; A]>().write_unaligned(after) };
    // SAFETY: there is room for as many, and all of them were written.
    unsafe { out.set_len(len + more) };
}

#[cfg(all(test, not(vidette_loom)))]
mod tests {
    use super::append_between;

    #[test]
    fn texts_of_each_length_stand_between_what_is_put_around_them() {
        let text: Vec<u8> = (0..200).collect();
        for spare in [0, 1, 7, 64, 1_000] {
            for len in 0..text.len() {
                let mut out = Vec::with_capacity(3 + spare);
                out.extend_from_slice(b"old");
                append_between(&mut out, *b",\"", &text[..len], *b"\":");
                append_between(&mut out, [], &text[..len], []);
                append_between(&mut out, [b'<'], &text[..len], [b'>']);
                let expected = [b"old,\"", &text[..len], b"\":", &text[..len], b"<", &text[..len], b">"].concat();
                assert_eq!(out, expected, "{len} bytes, {spare} spare");
            }
        }
    }
}
