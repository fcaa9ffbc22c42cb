//! A ring of append-only chunks: push, freeze, share.
//!
//! Threads that share a [`Head`] push to its chunk; anyone who has a [`View`] reads. A full chunk gets a successor, which
//! remembers the chunks that came before, newest first, as far as the ring's length reaches back.
//!
//! ```text
//!   Head ──► chunk 4                      View = (chunk 4, the slots that were published when it was frozen)
//!            │ tail  mask  slots[32]
//!            └ past: 3, 2, 1              chunk 1 goes as a whole once no past and no head names it
//! ```
//!
//! No slot is ever written twice while someone can read it, so freezing copies nothing: it notes which slots are
//! published and shares the chunk. Whoever pushes after that, on either side, is not seen on the other.
//!
//! # Guarantees
//! Push: wait-free, no allocation, no user code between reserving a slot and publishing it. Freeze: wait-free, and
//! allocates only when a writer stands still between the two in an older chunk. A ring pins at most about twice the
//! chunks that what it shows would fill ([`Past::compact`]).
//!
//! # Invariants
//! - **I1** A slot belongs to the one writer that reserved its index, until its bit stands in `mask`; from then on it is
//!   only read, until the chunk's last reference is gone.
//! - **I2** A chunk's `past` is written before the chunk is shared, and emptied by whoever drops the last head; readers of
//!   `past` hold a head.
//! - **I3** A chunk is recycled by whoever drops its last reference; heads are references, so its past is empty by then.
//!   A past names chunks as references, never as heads: dropping one never cascades.
//!
//! # Orderings
//! RW1 ⇄ RF1, RV1 a slot's contents · RD1 ⇄ RD1 the end of all reads before the slots are dropped · RD2 ⇄ RD2 the same for
//! the past.
//!
//! # Not here
//! Who may push to which head and which head is current: the layers of a hub.

use std::fmt;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use crossbeam_queue::ArrayQueue;
use smallvec::SmallVec;

use super::{AtomicU32, AtomicU64, UnsafeCell};

/// What a ring holds.
pub(crate) trait Item: Clone + Send + Sync + 'static {
    /// Where emptied chunks wait for their next use, if anywhere.
    fn spares() -> Option<&'static ArrayQueue<Spare<Self>>>;
}

/// The ring was full: the value comes back.
pub(crate) struct Full<T>(pub(crate) T);

/// The right to push: one of the threads' handles to the newest chunk.
pub(crate) struct Head<T: Item>(NonNull<Chunk<T>>);

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
    /// Bit i: slot i is published.
    mask: AtomicU32,
    /// The chunks before this one, newest first (I2).
    past: UnsafeCell<SmallVec<[Past<T>; 9]>>,
    slots: [UnsafeCell<MaybeUninit<T>>; SLOTS],
}

/// One chunk of a ring's past.
struct Past<T: Item> {
    chunk: Reference<T>,
    /// The slots that belong to this past; `None`: all, even those whose writers have yet to publish.
    mask: Option<u32>,
}

struct Reference<T: Item>(NonNull<Chunk<T>>);

// SAFETY: heads and references give `&T` to many threads and may drop a T on any of them; Item: Send + Sync.
unsafe impl<T: Item> Send for Head<T> {}
// SAFETY: as above.
unsafe impl<T: Item> Sync for Head<T> {}
// SAFETY: as above.
unsafe impl<T: Item> Send for Reference<T> {}
// SAFETY: as above.
unsafe impl<T: Item> Sync for Reference<T> {}
// SAFETY: a spare is owned by one, and holds no T.
unsafe impl<T: Item> Send for Spare<T> {}

impl<T: Item> Head<T> {
    /// Starts a ring after what `view` shows, keeping at least its newest `length`.
    pub(crate) fn after(view: &View<T>, length: usize) -> Self {
        let past = match &view.head {
            Some(head) => Past::of(head, Some(view.mask), length),
            None => SmallVec::new(),
        };
        Self::with_past(past)
    }

    /// Continues this ring, whose chunk is full, in a new one.
    pub(crate) fn successor(&self, length: usize) -> Self {
        Self::with_past(Past::of(self, None, length))
    }

    fn with_past(past: SmallVec<[Past<T>; 9]>) -> Self {
        let chunk = Spare::take();
        // SAFETY: the chunk is ours alone until we return it (I2).
        chunk.past.with_mut(|place| unsafe { *place = past });
        // RN1, Relaxed: not shared yet; whoever shares the head publishes it.
        chunk.refs.store(HEAD + 1, Relaxed);
        Self(NonNull::from(Box::leak(chunk)))
    }

    /// Appends a value, or gives it back when the chunk is full.
    pub(crate) fn push(&self, value: T) -> Result<(), Full<T>> {
        let chunk = self.chunk();
        // RT1, Relaxed: only keeps the tail from growing without end.
        if chunk.tail.load(Relaxed) >= SLOTS as u32 {
            return Err(Full(value));
        }
        // RT2, Relaxed: hands out an index once; RW1 publishes what is written there.
        let index = chunk.tail.fetch_add(1, Relaxed);
        let Some(slot) = chunk.slots.get(index as usize) else {
            return Err(Full(value));
        };
        slot.with_mut(|slot| {
            // SAFETY: RT2 gave this index to us alone, and its bit is not set: the slot is ours (I1).
            let slot = unsafe { &mut *slot };
            slot.write(value);
        });
        // RW1, Release: pairs with RF1 and RV1; the slot's contents. Model: `a_view_shows_whole_values`.
        chunk.mask.fetch_or(1 << index, Release);
        Ok(())
    }

    /// Notes what is published now. Later pushes, here or anywhere, do not show.
    pub(crate) fn freeze(&self) -> View<T> {
        // RF1, Acquire: pairs with RW1. Before RF2, so that the newest seen is never newer than what RF2 misses.
        let mask = self.chunk().mask.load(Acquire);
        if self.past().iter().all(Past::is_settled) {
            return View { head: Some(self.clone()), mask };
        }
        // A writer has reserved a slot in an older chunk and not published it yet. What it publishes later must not
        // show, so pin down the masks, in the past of an empty chunk.
        let mut past = Past::of(self, Some(mask), usize::MAX);
        past.iter_mut().for_each(Past::settle);
        View { head: Some(Self::with_past(past)), mask: 0 }
    }

    fn chunk(&self) -> &Chunk<T> {
        // SAFETY: a head is a reference, so the chunk is not recycled (I3).
        unsafe { self.0.as_ref() }
    }

    fn past(&self) -> &[Past<T>] {
        // SAFETY: a head exists, so nobody writes to `past` (I2).
        self.chunk().past.with(|past| unsafe { &*past })
    }
}

impl<T: Item> Clone for Head<T> {
    fn clone(&self) -> Self {
        // RC1, Relaxed: the head we clone from keeps the chunk and its past.
        self.chunk().refs.fetch_add(HEAD + 1, Relaxed);
        Self(self.0)
    }
}

impl<T: Item> Drop for Head<T> {
    fn drop(&mut self) {
        let chunk = self.chunk();
        // RD2, AcqRel: Release ends our reads of `past`, Acquire takes in those of the other heads before it is emptied.
        // Our reference stays until the past is out. Model: `the_past_goes_with_the_last_head`.
        let before = chunk.refs.fetch_sub(HEAD, AcqRel);
        if before >> 32 == 1 {
            // SAFETY: no head is left and none can be made but from a head: the past is ours (I2).
            let past = chunk.past.with_mut(|past| unsafe { std::mem::take(&mut *past) });
            drop(past);
        }
        drop(Reference(self.0));
    }
}

impl<T: Item> View<T> {
    /// A view that shows nothing.
    pub(crate) const EMPTY: Self = Self { head: None, mask: 0 };

    /// Visits the newest `length` values, oldest first.
    pub(crate) fn for_each(&self, length: usize, mut visit: impl FnMut(&T)) {
        let Some(head) = &self.head else { return };
        let mut parts: SmallVec<[(&Chunk<T>, u32); 8]> = SmallVec::new();
        let mut missing = length;
        let past = head.past().iter().map(|past| (past.chunk.chunk(), past.visible()));
        for (chunk, mask) in std::iter::once((head.chunk(), self.mask)).chain(past) {
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
    fn of(head: &Head<T>, mask: Option<u32>, length: usize) -> SmallVec<[Self; 9]> {
        let newest = Self { chunk: Reference::of(head), mask };
        let mut past: SmallVec<[Self; 9]> = SmallVec::new();
        let mut shown = 0_usize;
        for entry in std::iter::once(newest).chain(head.past().iter().cloned()) {
            let visible = entry.mask.unwrap_or(FULL).count_ones() as usize;
            if visible > 0 {
                past.push(entry);
            }
            shown = shown.saturating_add(visible);
            if shown >= length {
                break;
            }
        }
        if past.len() > 2 * shown.min(length).div_ceil(SLOTS) + 1 && past.iter().all(Self::is_settled) {
            return Self::compact(&past);
        }
        past
    }

    /// Copies what sparse chunks show into as few as it takes.
    fn compact(sparse: &[Self]) -> SmallVec<[Self; 9]> {
        let mut dense: SmallVec<[Self; 9]> = SmallVec::new();
        let mut head = Head::with_past(SmallVec::new());
        let mut keep = |full: &Head<T>| dense.insert(0, Self { chunk: Reference::of(full), mask: None });
        for past in sparse.iter().rev() {
            past.chunk.chunk().for_each(past.visible(), &mut |value: &T| {
                let mut value = value.clone();
                while let Err(Full(back)) = head.push(value) {
                    keep(&head);
                    head = Head::with_past(SmallVec::new());
                    value = back;
                }
            });
        }
        // The last one is not full; nobody will push to it any more, so its mask is final.
        // RF3, Relaxed: we published all of it ourselves.
        let mask = head.chunk().mask.load(Relaxed);
        if mask != 0 {
            dense.insert(0, Self { chunk: Reference::of(&head), mask: Some(mask) });
        }
        dense
    }

    /// True if this entry's slots can't change any more.
    fn is_settled(&self) -> bool {
        // RF2, Relaxed: only asks; whoever reads the slots loads again at RV1, and a mask never shrinks.
        self.mask.is_some() || self.chunk.chunk().mask.load(Relaxed) == FULL
    }

    /// Pins down the slots that are published now.
    fn settle(&mut self) {
        self.mask = Some(self.visible());
    }

    fn visible(&self) -> u32 {
        // RV1, Acquire: pairs with RW1. Model: `an_older_chunk_shows_whole_values`.
        self.mask.unwrap_or_else(|| self.chunk.chunk().mask.load(Acquire))
    }
}

impl<T: Item> Clone for Past<T> {
    fn clone(&self) -> Self {
        // RC2, Relaxed: as RC1.
        self.chunk.chunk().refs.fetch_add(1, Relaxed);
        Self { chunk: Reference(self.chunk.0), mask: self.mask }
    }
}

impl<T: Item> Reference<T> {
    fn of(head: &Head<T>) -> Self {
        // RC3, Relaxed: as RC1.
        head.chunk().refs.fetch_add(1, Relaxed);
        Self(head.0)
    }

    fn chunk(&self) -> &Chunk<T> {
        // SAFETY: the reference counts, so the chunk is not recycled (I3).
        unsafe { self.0.as_ref() }
    }
}

impl<T: Item> Drop for Reference<T> {
    fn drop(&mut self) {
        // RD1, AcqRel: Release ends our reads of slots, Acquire takes in those of all others before the slots are dropped.
        // Model: `slots_are_dropped_after_all_reads`.
        if self.chunk().refs.fetch_sub(1, AcqRel) == 1 {
            // SAFETY: the last reference is gone through us, so the chunk is ours alone (I3); it came from a Box.
            Spare::give(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}

impl<T: Item> Chunk<T> {
    fn new() -> Box<Self> {
        Box::new(Self {
            refs: AtomicU64::new(0),
            tail: AtomicU32::new(0),
            mask: AtomicU32::new(0),
            past: UnsafeCell::new(SmallVec::new()),
            slots: std::array::from_fn(|_| UnsafeCell::new(MaybeUninit::uninit())),
        })
    }

    /// Visits the slots in `mask`, all of which are published, in the order of their indices.
    fn for_each(&self, mut mask: u32, visit: &mut impl FnMut(&T)) {
        while mask != 0 {
            let index = mask.trailing_zeros();
            mask &= mask - 1;
            if let Some(slot) = self.slots.get(index as usize) {
                // SAFETY: the bit was read with Acquire after RW1, so the slot is initialised and only read (I1).
                slot.with(|slot| visit(unsafe { &*slot.cast::<T>() }));
            }
        }
    }
}

impl<T: Item> Spare<T> {
    fn take() -> Box<Chunk<T>> {
        match T::spares().and_then(ArrayQueue::pop) {
            Some(Self(chunk)) => chunk,
            None => Chunk::new(),
        }
    }

    /// Empties a chunk that nobody refers to, and keeps it if there is room.
    fn give(chunk: Box<Chunk<T>>) {
        // RE1, Relaxed: RD1 took in everything.
        let mut mask = chunk.mask.load(Relaxed);
        // RE2, Relaxed: the chunk is ours; whoever shares it next publishes it.
        chunk.mask.store(0, Relaxed);
        // RE3, Relaxed: as RE2.
        chunk.tail.store(0, Relaxed);
        while mask != 0 {
            let index = mask.trailing_zeros();
            mask &= mask - 1;
            if let Some(slot) = chunk.slots.get(index as usize) {
                // SAFETY: published, so initialised (I1); nobody refers to the chunk any more (I3).
                slot.with_mut(|slot| unsafe { slot.cast::<T>().drop_in_place() });
            }
        }
        if let Some(spares) = T::spares() {
            // A full pool gives the chunk back, and it is freed.
            drop(spares.push(Self(chunk)));
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
