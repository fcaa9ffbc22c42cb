//! The keys of the last object, as a guess at those of the next one.
//!
//! A list holds objects of one kind, and whoever writes them writes their keys in one order. A key that stands where it is
//! expected is compared, word by word, and neither searched for its end nor looked at for escapes.
//!
//! # Invariants
//! What is expected at a place was read there, in an object as deep: from the opening brace or the value before it to the
//! colon. The same bytes read the same there.

/// What is expected, for the first keys of objects that are not too deep.
#[derive(Default)]
pub(super) struct Order<'de> {
    keys: [[Option<Expected<'de>>; KEYS]; LEVELS],
}

/// A key that was read.
#[derive(Clone, Copy)]
struct Expected<'de> {
    name: &'de str,
    /// What stood behind the brace, or behind the value before, up to the colon; zeros behind it.
    words: [u64; WORDS],
    /// How many bytes that is.
    len: usize,
}

impl<'de> Order<'de> {
    /// Returns the key that stands at the start of bytes, and its length with all around it, if it was expected.
    ///
    /// `count` keys were read of the object before.
    #[inline(always)]
    pub(super) fn find(&self, depth: usize, count: usize, bytes: &[u8]) -> Option<(&'de str, usize)> {
        let expected = self.keys.get(depth)?.get(count)?.as_ref()?;
        let words = words(bytes.first_chunk()?);
        let masks = MASKS.get(expected.len)?;
        let differences = (0..WORDS).fold(0, |all, word| all | ((words[word] ^ expected.words[word]) & masks[word]));
        (differences == 0).then_some((expected.name, expected.len))
    }

    /// Remembers what was read there instead.
    #[inline]
    pub(super) fn expect(&mut self, depth: usize, count: usize, name: &'de str, bytes: &[u8]) {
        let mut padded = [0; LONGEST];
        let Some(start) = padded.get_mut(..bytes.len()) else { return };
        start.copy_from_slice(bytes);
        if let Some(place) = self.keys.get_mut(depth).and_then(|keys| keys.get_mut(count)) {
            *place = Some(Expected { name, words: words(&padded), len: bytes.len() });
        }
    }
}

#[inline(always)]
fn words(bytes: &[u8; LONGEST]) -> [u64; WORDS] {
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

/// So many keys of an object are expected. With [`LEVELS`], three kilobytes are cleared for each payload.
const KEYS: usize = 8;

/// So deep: the frames of an exception are at seven.
const LEVELS: usize = 8;

/// A key of so many bytes is expected, with the comma, the quotation marks and the colon around it.
const LONGEST: usize = 8 * WORDS;

const WORDS: usize = 3;

/// Marks the first bytes, by their number.
const MASKS: [[u64; WORDS]; LONGEST + 1] = {
    let mut masks = [[0; WORDS]; LONGEST + 1];
    let mut len = 0;
    while len <= LONGEST {
        let mut byte = 0;
        while byte < len {
            masks[len][byte / 8] |= 0xff << (byte % 8 * 8);
            byte += 1;
        }
        len += 1;
    }
    masks
};
