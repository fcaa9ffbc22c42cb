//! A ring of append-only chunks: push, freeze, share.
//!
//! Threads that share a [`Head`] push to its chunk; anyone who has a [`View`] reads. A full chunk gets a successor, which
//! remembers the chunks that came before, newest first, as far as the ring's length reaches back.
//!
//! ```text
//!   Head ──► chunk 4                      View = (chunk 4, the slots that were published when it was frozen)
//!            │ tail  flags  slots[32]
//!            └ past: 3, 2, 1              chunk 1 goes as a whole once no past and no head names it
//! ```
//!
//! No slot is ever written twice while someone can read it, so freezing copies nothing: it notes which slots are
//! published and shares the chunk. Whoever pushes after that, on either side, is not seen on the other.
//!
//! What is pushed is a [whole](Seen::Whole) value or a [`Brief`]: a header and some bytes, of which only those are copied
//! that are there.
//!
//! # Guarantees
//! Push: wait-free, one read-modify-write, no allocation, no user code between reserving a slot and publishing it. Freeze:
//! wait-free, and allocates only when a writer stands still between the two in an older chunk. A ring pins at most about
//! twice the chunks that what it shows would fill ([`Past::compact`]).
//!
//! # Invariants
//! - **I1** A slot belongs to the one writer that reserved its index, until its flag is up; from then on it is only read,
//!   until the chunk's last reference is gone. The flag says what the slot holds.
//! - **I2** A chunk's `past` is written before the chunk is shared, and emptied by whoever drops the last head; readers of
//!   `past` hold a head.
//! - **I3** A chunk is recycled by whoever drops its last reference; heads are references, so its past is empty by then.
//! - **I4** A past names chunks as references, or one as a head whose own past names references only: what dropping it
//!   sets off ends there.
//!
//! # Orderings
//! RW1 ⇄ RF1 a slot's contents · RS2 ⇄ RS1 those of the slots that another thread saw · RD1, RD2 ⇄ RD1, RD4 the end of all
//! reads before the slots are dropped · RD2 ⇄ RD3 the same for the past.
//!
//! # Not here
//! Who may push to which head and which head is current: the layers of a hub.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use smallvec::SmallVec;

pub(crate) use self::slot::{Brief, Cargo, Seen, Writes, Written};
use self::slot::{EMPTY, Slot};
use super::pool::Spares;
use super::{AtomicU8, AtomicU32, AtomicU64, UnsafeCell};

mod slot;
mod spare;

/// What a ring holds.
pub(crate) trait Item: Clone + Send + Sync + 'static {
    /// What stands before the bytes of what is stored as bytes.
    type Heading: Copy + Send + Sync + 'static;

    /// Where emptied chunks wait for their next use, if anywhere.
    fn spares() -> Option<&'static dyn Spares<Spare<Self>>>;
}

/// The right to push: one of the threads' handles to the newest chunk.
pub(crate) struct Head<T: Item>(ManuallyDrop<Reference<T>>);

/// The right to push to one chunk. It keeps the chunk, and shows nothing by itself: who reads holds a head.
pub(crate) struct Writer<T: Item>(Reference<T>);

/// What had been published when the ring was frozen.
pub(crate) struct View<T: Item> {
    head: Option<Head<T>>,
    /// The published slots of the head's chunk at that time.
    mask: u32,
}

/// An emptied chunk.
pub(crate) struct Spare<T: Item>(Box<Chunk<T>>);

struct Chunk<T: Item> {
    /// `heads << 32 | references`; each head is a reference as well.
    refs: AtomicU64,
    /// The next index to reserve; `SLOTS` and above: full.
    tail: AtomicU32,
    /// Slots that someone has seen published; a hint, from which a bit may be missing.
    seen: AtomicU32,
    /// What each slot holds; `EMPTY`: nothing that is published.
    flags: [AtomicU8; SLOTS],
    /// The chunks before this one (I2).
    past: UnsafeCell<Before<T>>,
    slots: [Slot<T>; SLOTS],
}

/// What came before a chunk.
enum Before<T: Item> {
    /// Newest first.
    Chunks(Chunks<T>),
    /// That chunk with these slots, and what came before it, which are [`Chunks`](Self::Chunks) (I4).
    Of(Head<T>, u32),
}

type Chunks<T> = SmallVec<[Past<T>; 9]>;

/// One chunk of a ring's past.
struct Past<T: Item> {
    chunk: Reference<T>,
    /// The slots that belong to this past; `None`: all, even those whose writers have yet to publish.
    mask: Option<u32>,
}

struct Reference<T: Item>(NonNull<Chunk<T>>);

// SAFETY: references give `&T` to many threads and may drop a T on any of them; Item: Send + Sync.
unsafe impl<T: Item> Send for Reference<T> {}
// SAFETY: as above.
unsafe impl<T: Item> Sync for Reference<T> {}
// SAFETY: a spare is owned by one, and holds no T.
unsafe impl<T: Item> Send for Spare<T> {}

impl<T: Item> Head<T> {
    /// Starts a ring after what `view` shows, keeping at least its newest `length`.
    pub(crate) fn after(view: View<T>, length: usize) -> Self {
        let View { head, mask } = view;
        Self::with_past(match head {
            None => Before::Chunks(SmallVec::new()),
            // One count instead of one for each chunk; the head pins no more than a ring of its length does.
            Some(head) if mask != 0 && matches!(head.past(), Before::Chunks(_)) => Before::Of(head, mask),
            Some(head) => Before::Chunks(Past::of(&head, Some(mask), length)),
        })
    }

    /// Continues this ring, whose chunk is full, in a new one.
    pub(crate) fn successor(&self, length: usize) -> Self {
        Self::with_past(Before::Chunks(Past::of(self, None, length)))
    }

    fn with_past(past: Before<T>) -> Self {
        let chunk = Spare::take();
        // SAFETY: the chunk is ours alone until we return it (I2).
        chunk.past.with_mut(|place| unsafe { *place = past });
        // RN1, Relaxed: not shared yet; whoever shares the head publishes it.
        chunk.refs.store(HEAD + 1, Relaxed);
        Self(ManuallyDrop::new(Reference(NonNull::from(Box::leak(chunk)))))
    }

    /// Moves what is in `cargo` to a slot. False: the chunk is full, and the cargo stays where it is.
    #[inline]
    pub(crate) fn push(&self, cargo: &mut impl Cargo<T>) -> bool {
        self.0.chunk().push(cargo)
    }

    /// True if a slot is free. By the time of a push, others may have taken it.
    pub(crate) fn has_room(&self) -> bool {
        self.0.chunk().has_room()
    }

    /// A writer to this head's chunk.
    pub(crate) fn writer(&self) -> Writer<T> {
        Writer(Reference::clone(&self.0))
    }

    /// Notes what is published now. Later pushes, here or anywhere, do not show.
    pub(crate) fn freeze(&self) -> View<T> {
        // Before the older chunks, so that the newest seen is never newer than what is missed in those.
        let mask = self.0.chunk().published();
        if self.before().all(|(chunk, mask)| chunk.is_settled(mask)) {
            return View { head: Some(self.clone()), mask };
        }
        // A writer has reserved a slot in an older chunk and not published it yet. What it publishes later must not
        // show, so pin down the masks, in the past of an empty chunk.
        let mut past = Past::of(self, Some(mask), usize::MAX);
        past.iter_mut().for_each(Past::settle);
        View { head: Some(Self::with_past(Before::Chunks(past))), mask: 0 }
    }

    fn past(&self) -> &Before<T> {
        // SAFETY: a head exists, so nobody writes to `past` (I2).
        self.0.chunk().past.with(|past| unsafe { &*past })
    }

    /// The chunks before this head's, newest first, each with the slots that belong to the past.
    fn before(&self) -> impl Iterator<Item = (&Reference<T>, Option<u32>)> {
        let (newest, rest) = match self.past() {
            Before::Chunks(chunks) => (None, Some(chunks)),
            Before::Of(head, mask) => {
                let rest = if let Before::Chunks(chunks) = head.past() { Some(chunks) } else { None };
                (Some((&*head.0, Some(*mask))), rest)
            }
        };
        newest.into_iter().chain(rest.into_iter().flatten().map(|past| (&past.chunk, past.mask)))
    }
}

impl<T: Item> Writer<T> {
    /// Moves what is in `cargo` to a slot. False: the chunk is full, and the cargo stays where it is.
    #[inline]
    pub(crate) fn push(&self, cargo: &mut impl Cargo<T>) -> bool {
        self.0.chunk().push(cargo)
    }
}

impl<T: Item> fmt::Debug for Writer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl<T: Item> Clone for Head<T> {
    fn clone(&self) -> Self {
        // RC1, Relaxed: the head we clone from keeps the chunk and its past.
        self.0.chunk().refs.fetch_add(HEAD + 1, Relaxed);
        Self(ManuallyDrop::new(Reference(self.0.0)))
    }
}

impl<T: Item> Drop for Head<T> {
    fn drop(&mut self) {
        let chunk = self.0.chunk();
        loop {
            // RD3, Acquire: takes in the reads of `past` by the heads that have gone. Model: `the_past_goes_with_the_last_head`.
            let refs = chunk.refs.load(Acquire);
            if refs >> 32 == 1 {
                break;
            }
            // RD2, Release: ends our reads of the past before RD3 and of the slots before RD1. Model:
            // `the_past_goes_with_the_last_head`.
            if chunk.refs.compare_exchange_weak(refs, refs - HEAD - 1, Release, Relaxed).is_ok() {
                return;
            }
        }
        // Our reference stays until the past is out.
        // SAFETY: ours is the only head, and none can be made but from a head: the past is ours (I2).
        let past =
            chunk.past.with_mut(|past| unsafe { std::mem::replace(&mut *past, Before::Chunks(SmallVec::new())) });
        give_up(self.0.0, HEAD + 1);
        drop(past);
    }
}

/// Gives up references to a chunk, which the caller owns. If they were the last, recycles it.
fn give_up<T: Item>(chunk: NonNull<Chunk<T>>, units: u64) {
    // SAFETY: the caller's references count, so the chunk is not recycled before the subtraction (I3).
    let refs = unsafe { &chunk.as_ref().refs };
    // RD4, Acquire: nobody but us has references, so nobody can make or drop one; takes in all others' reads of the slots.
    // Model: `an_older_chunk_goes_after_all_reads`.
    if refs.load(Acquire) == units
        // RD1, AcqRel: Release ends our reads of slots, Acquire takes in those of all others before the slots are dropped.
        // Model: `slots_are_dropped_after_all_reads`.
        || refs.fetch_sub(units, AcqRel) == units
    {
        // SAFETY: the last references are gone through us, so the chunk is ours alone (I3); it came from a Box.
        Spare::give(unsafe { Box::from_raw(chunk.as_ptr()) });
    }
}

impl<T: Item> View<T> {
    /// A view that shows nothing.
    pub(crate) const EMPTY: Self = Self { head: None, mask: 0 };

    /// Visits the newest `length` values, oldest first.
    pub(crate) fn for_each(&self, length: usize, mut visit: impl FnMut(Seen<'_, T>)) {
        let Some(head) = &self.head else { return };
        let mut parts: SmallVec<[(&Chunk<T>, u32); 8]> = SmallVec::new();
        let mut missing = length;
        let past = head.before().map(|(chunk, mask)| (chunk.chunk(), chunk.visible(mask)));
        for (chunk, mask) in std::iter::once((head.0.chunk(), self.mask)).chain(past) {
            let mask = newest(mask, missing);
            missing -= mask.count_ones() as usize;
            parts.push((chunk, mask));
            if missing == 0 {
                break;
            }
        }
        for (chunk, mask) in parts.into_iter().rev() {
            chunk.for_each(mask, &mut visit);
        }
    }
}

impl<T: Item> Clone for View<T> {
    fn clone(&self) -> Self {
        Self { head: self.head.clone(), mask: self.mask }
    }
}

impl<T: Item> fmt::Debug for View<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = 0;
        self.for_each(usize::MAX, |_| shown += 1);
        f.debug_struct("View").field("shown", &shown).finish()
    }
}

impl<T: Item> Past<T> {
    /// The past of a chunk that follows `head`: as much as holds the newest `length` values.
    fn of(head: &Head<T>, mask: Option<u32>, length: usize) -> Chunks<T> {
        let mut past: Chunks<T> = SmallVec::new();
        let mut shown = 0_usize;
        for (chunk, mask) in std::iter::once((&*head.0, mask)).chain(head.before()) {
            let visible = mask.unwrap_or(FULL).count_ones() as usize;
            if visible > 0 {
                past.push(Self { chunk: chunk.clone(), mask });
            }
            shown = shown.saturating_add(visible);
            if shown >= length {
                break;
            }
        }
        if past.len() > 2 * shown.min(length).div_ceil(SLOTS) + 1
            && past.iter().all(|past| past.chunk.is_settled(past.mask))
        {
            return Self::compact(&past);
        }
        past
    }

    /// Copies what sparse chunks show into as few as it takes.
    fn compact(sparse: &[Self]) -> Chunks<T> {
        let mut dense: Chunks<T> = SmallVec::new();
        let mut head = Head::with_past(Before::Chunks(SmallVec::new()));
        let mut keep = |full: &Head<T>| dense.insert(0, Self { chunk: Reference::clone(&full.0), mask: None });
        for past in sparse.iter().rev() {
            past.chunk.chunk().for_each(past.chunk.visible(past.mask), &mut |seen: Seen<'_, T>| {
                while !seen.copy_to(&head) {
                    keep(&head);
                    head = Head::with_past(Before::Chunks(SmallVec::new()));
                }
            });
        }
        // The last one is not full; nobody will push to it any more, so its mask is final.
        let mask = head.0.chunk().published();
        if mask != 0 {
            dense.insert(0, Self { chunk: Reference::clone(&head.0), mask: Some(mask) });
        }
        dense
    }

    /// Pins down the slots that are published now.
    fn settle(&mut self) {
        self.mask = Some(self.chunk.visible(self.mask));
    }
}

impl<T: Item> Reference<T> {
    fn chunk(&self) -> &Chunk<T> {
        // SAFETY: the reference counts, so the chunk is not recycled (I3).
        unsafe { self.0.as_ref() }
    }

    /// True if these slots of the chunk can't change any more.
    fn is_settled(&self, mask: Option<u32>) -> bool {
        mask.is_some() || self.chunk().published() == FULL
    }

    /// Those of these slots of the chunk that can be read.
    fn visible(&self, mask: Option<u32>) -> u32 {
        mask.unwrap_or_else(|| self.chunk().published())
    }
}

impl<T: Item> Clone for Reference<T> {
    fn clone(&self) -> Self {
        // RC2, Relaxed: as RC1.
        self.chunk().refs.fetch_add(1, Relaxed);
        Self(self.0)
    }
}

impl<T: Item> Drop for Reference<T> {
    fn drop(&mut self) {
        give_up(self.0, 1);
    }
}

impl<T: Item> Chunk<T> {
    fn new() -> Box<Self> {
        Box::new(Self {
            refs: AtomicU64::new(0),
            tail: AtomicU32::new(0),
            seen: AtomicU32::new(0),
            flags: std::array::from_fn(|_| AtomicU8::new(EMPTY)),
            past: UnsafeCell::new(Before::Chunks(SmallVec::new())),
            slots: std::array::from_fn(|_| Slot::new()),
        })
    }

    #[inline]
    fn has_room(&self) -> bool {
        // RT1, Relaxed: a guess, which keeps the tail from growing without end; RT2 decides.
        self.tail.load(Relaxed) < SLOTS as u32
    }

    #[inline]
    fn push(&self, cargo: &mut impl Cargo<T>) -> bool {
        if cargo.is_gone() {
            return true;
        }
        if !self.has_room() {
            return false;
        }
        // RT2, Relaxed: hands out an index once; RW1 publishes what is written there.
        let index = self.tail.fetch_add(1, Relaxed) as usize;
        let (Some(slot), Some(flag)) = (self.slots.get(index), self.flags.get(index)) else { return false };
        // SAFETY: RT2 gave this index to us alone, and its flag is not up: the slot is ours (I1).
        let kind = unsafe { cargo.unload(slot) };
        // RW1, Release: pairs with RF1; the slot's contents. Model: `a_view_shows_whole_values`.
        flag.store(kind, Release);
        true
    }

    /// The slots that are published now.
    fn published(&self) -> u32 {
        // RS1, Acquire: pairs with RS2; the contents of the slots that the other saw. Model:
        // `a_view_shows_whole_what_another_saw`.
        let seen = self.seen.load(Acquire);
        // RT3, Relaxed: whatever was pushed before has moved the tail before.
        let end = if seen == FULL { 0 } else { self.tail.load(Relaxed).min(SLOTS as u32) };
        let mut mask = seen;
        for index in seen.trailing_ones()..end {
            let Some(flag) = self.flags.get(index as usize) else { break };
            // RF1, Acquire: pairs with RW1. Model: `a_view_shows_whole_values`.
            if flag.load(Acquire) != EMPTY {
                mask |= 1 << index;
            }
        }
        if mask != seen {
            // RS2, Release: pairs with RS1; passes on what RF1 took in. Another thread's store may get lost over it, or come
            // after it: then the flags are looked at once more. Model: `a_view_shows_whole_what_another_saw`.
            self.seen.store(mask, Release);
        }
        mask
    }

    /// Visits the slots in `mask`, all of which are published, in the order of their indices.
    fn for_each(&self, mut mask: u32, visit: &mut impl FnMut(Seen<'_, T>)) {
        while mask != 0 {
            let index = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            if let (Some(slot), Some(flag)) = (self.slots.get(index), self.flags.get(index)) {
                // RK1, Relaxed: the flag is up and stays as it is; it was taken in at RF1 or RS1.
                let kind = flag.load(Relaxed);
                // SAFETY: the bit was read after RF1, so the slot is published as that kind and only read (I1).
                unsafe { slot.show(kind, visit) };
            }
        }
    }
}

impl<T: Item> fmt::Debug for Head<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.freeze().fmt(f)
    }
}

/// The `keep` highest bits of `mask`.
fn newest(mut mask: u32, keep: usize) -> u32 {
    while mask.count_ones() as usize > keep {
        mask &= mask - 1;
    }
    mask
}

/// Slots of a chunk; few inside the model checker, which explores them all.
#[cfg(not(vidette_loom))]
const SLOTS: usize = 32;
#[cfg(vidette_loom)]
const SLOTS: usize = 2;
/// The mask of a chunk whose slots are all published.
const FULL: u32 = if SLOTS == 32 { u32::MAX } else { (1 << SLOTS) - 1 };
/// One head in `Chunk::refs`.
const HEAD: u64 = 1 << 32;

#[cfg(test)]
mod tests;
