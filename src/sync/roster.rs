//! A roster: entries that begin, each in a place of its own, and in order those that have ended.
//!
//! Any thread begins an entry and gets a handle, which can be cloned. Entries take notes until they are ended; the first who
//! ends one lines it up with those that ended before. Places are slots of shelves, which the roster puts up as they are
//! needed, each as large as all before it; an entry for which there is no place left is allocated alone. The first two
//! shelves, which most rosters do with, come from a pool and go back there.
//!
//! ```text
//!   Member ─► Roster ─ head                          what the owner wants to keep with it
//!      │         ├─ shelves ─► 8 slots, 8, 16, 32 … 512
//!      └─────────┼──────────────────► entry          value, notes
//!                └─ ended ─► entry ─► entry          a chain, the newest first
//! ```
//! # Guarantees
//! Beginning and ending are lock-free, reading is wait-free. An entry with a place costs no allocation but for its share of a
//! shelf. What it keeps is bounded: entries that never end keep their place until the roster goes, and there are
//! 1,024 places.
//!
//! # Invariants
//! - **I1** A slot is given out once, and is filled by whoever got it, before the borrow of the roster ends.
//! - **I2** A shelf stays where it is until the roster is dropped. A member keeps the roster.
//! - **I3** An entry is lined up by whoever sealed its notes, and only one does that. An entry with a single handle, which was
//!   never cloned, needs no seal: ending it takes the handle, and after that nobody can reach the entry.
//!
//! # Orderings
//! RO2 ⇄ RO1 a shelf.

use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::chain::{Chain, Link, Refused};
use super::pool::Spares;
use super::{AtomicU8, AtomicU32, AtomicU64, UnsafeCell};

/// Entries that began, and those that ended; `head` goes along.
pub(crate) struct Roster<H, T: Subject<N>, N: 'static> {
    head: H,
    /// How many slots are given out.
    taken: AtomicU32,
    /// The addresses of the shelves; zero for one that is not there yet.
    shelves: [AtomicU64; SHELVES],
    ended: Chain<Entry<T, N>>,
    owns: PhantomData<Arc<Link<Entry<T, N>>>>,
}

/// A value, and what is noted about it until it ends.
#[derive(Debug)]
pub(crate) struct Entry<T, N> {
    value: T,
    notes: Chain<N>,
    /// One once there was a second handle, zero before.
    shared: AtomicU8,
}

/// A handle to an entry, which keeps the roster.
pub(crate) struct Member<H, T: Subject<N>, N: 'static> {
    roster: Arc<Roster<H, T, N>>,
    seat: Seat<T, N>,
}

enum Seat<T, N> {
    /// In a slot of the roster (I2).
    Slot(Place<T, N>),
    Alone(Arc<Link<Entry<T, N>>>),
}

/// Eight slots with nothing in them, which wait for their next use.
pub(crate) struct Shelf<T, N>(Box<[Slot<T, N>]>);

/// What entries are about.
pub(crate) trait Subject<N: 'static>: Sized + 'static {
    /// What stands in a place until the value is told there: what is large is not moved.
    fn blank() -> Self;

    /// Where empty shelves come from and go to. `None`: they are allocated and freed.
    fn spares() -> Option<&'static dyn Spares<Shelf<Self, N>>> {
        None
    }
}

/// The roster of an entry that was to end, and whether it did.
pub(crate) type Ended<H, T, N> = (Arc<Roster<H, T, N>>, Result<(), Refused>);

type Place<T, N> = NonNull<Link<Entry<T, N>>>;

type Slot<T, N> = UnsafeCell<MaybeUninit<Link<Entry<T, N>>>>;

// SAFETY: a seat is shared access to an entry, as a reference is; whose memory it is makes no difference.
unsafe impl<T: Send + Sync, N: Send + Sync> Send for Seat<T, N> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync, N: Send + Sync> Sync for Seat<T, N> {}

impl<H, T: Subject<N>, N: 'static> Roster<H, T, N> {
    pub(crate) fn new(head: H) -> Self {
        Self {
            head,
            taken: AtomicU32::new(0),
            shelves: std::array::from_fn(|_| AtomicU64::new(0)),
            ended: Chain::new(),
            owns: PhantomData,
        }
    }

    /// The entries that have ended, the newest first.
    pub(crate) fn ended(&self) -> &Chain<Entry<T, N>> {
        &self.ended
    }

    /// How many entries it keeps in places of its own, whether they have ended or not.
    pub(crate) fn kept(&self) -> u32 {
        // RO3, Relaxed: an estimate, but where all who began entries have ended.
        self.taken.load(Relaxed).min(PLACES)
    }

    /// Forgets all entries, and begins anew with another head.
    pub(crate) fn renew(&mut self, head: H) {
        // RO7, Relaxed: `&mut self`, so all who began entries have ended before.
        if self.taken.load(Relaxed) == 0 && self.ended.is_new() {
            // Nothing was put up either.
            self.head = head;
        } else {
            *self = Self::new(head);
        }
    }

    pub(crate) fn head_mut(&mut self) -> &mut H {
        &mut self.head
    }

    /// Gives out a slot, which must be filled. `None`: there is none left.
    #[inline]
    fn slot(&self) -> Option<&Slot<T, N>> {
        // RO4, Relaxed: keeps the number from growing forever; RO5 decides.
        if self.taken.load(Relaxed) >= PLACES {
            return None;
        }
        // RO5, Relaxed: only uniqueness counts. Model: `each_entry_has_a_place_of_its_own`.
        let index = self.taken.fetch_add(1, Relaxed);
        let (slots, offset) = self.shelf_of(index)?;
        // SAFETY: a shelf has as many slots as `locate` says.
        let slot = unsafe { slots.add(offset) };
        // SAFETY: it stays where it is (I2).
        Some(unsafe { slot.as_ref() })
    }

    /// The shelf where a place is, and which of its slots that is. `None`: there is no such place.
    #[inline]
    fn shelf_of(&self, index: u32) -> Option<(NonNull<Slot<T, N>>, usize)> {
        let (number, offset) = locate(index);
        let shelf = self.shelves.get(number)?;
        // RO1, Acquire: pairs with RO2; the shelf. Model: `each_entry_has_a_place_of_its_own`.
        let slots = slots_at(shelf.load(Acquire));
        Some((slots.unwrap_or_else(|| put_up(shelf, length_of(number))), offset))
    }
}

impl<H, T: Subject<N>, N: 'static> Deref for Roster<H, T, N> {
    type Target = H;

    fn deref(&self) -> &H {
        &self.head
    }
}

impl<H, T: Subject<N>, N: 'static> Drop for Roster<H, T, N> {
    fn drop(&mut self) {
        // First, since it walks over what is in the slots.
        self.ended.clear();
        let mut left = self.kept() as usize;
        for (number, shelf) in self.shelves.iter().enumerate() {
            if left == 0 {
                // Shelves are put up for the places on them.
                break;
            }
            // RO6, Relaxed: `&mut self`, so all who put up shelves have ended before.
            let Some(slots) = slots_at::<T, N>(shelf.load(Relaxed)) else { continue };
            let length = length_of(number);
            for offset in 0..length.min(left) {
                // SAFETY: a shelf has so many slots.
                let slot = unsafe { slots.add(offset) };
                // SAFETY: it is there until the next step but one.
                let slot = unsafe { slot.as_ref() };
                // SAFETY: it was given out, so it is filled (I1), and members are gone with their references.
                slot.with_mut(|slot| unsafe { slot.cast::<Link<Entry<T, N>>>().drop_in_place() });
            }
            left = left.saturating_sub(length);
            // SAFETY: put up with this length, and nobody knows it any more.
            unsafe { take_down(slots, length) };
        }
    }
}

impl<H: fmt::Debug, T: Subject<N> + fmt::Debug, N: fmt::Debug + 'static> fmt::Debug for Roster<H, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roster").field("head", &self.head).field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl<T, N> Entry<T, N> {
    #[inline]
    pub(crate) fn new(value: T) -> Self {
        Self { value, notes: Chain::new(), shared: AtomicU8::new(0) }
    }

    pub(crate) fn value(&self) -> &T {
        &self.value
    }

    pub(crate) fn notes(&self) -> &Chain<N> {
        &self.notes
    }
}

impl<H, T: Subject<N>, N: 'static> Member<H, T, N> {
    /// Begins an entry, and lets `tell` say what is in it.
    #[inline]
    pub(crate) fn new(roster: Arc<Roster<H, T, N>>, tell: impl FnOnce(&mut T)) -> Self {
        // Made before there is a slot, which must be filled.
        let blank = Link::new(Entry::new(T::blank()));
        let mut alone = None;
        let link = match roster.slot() {
            // SAFETY: RO5 gave the slot to us alone (I1), and nothing is in it.
            Some(slot) => slot.with_mut(|slot| unsafe { &mut *slot }.write(blank)),
            None => alone.insert(blank),
        };
        tell(&mut link.value_mut().value);
        let place = NonNull::from(link);
        let seat = match alone {
            Some(link) => Seat::Alone(Arc::new(link)),
            None => Seat::Slot(place),
        };
        Self { roster, seat }
    }

    pub(crate) fn roster(&self) -> &Arc<Roster<H, T, N>> {
        &self.roster
    }

    pub(crate) fn entry(&self) -> &Entry<T, N> {
        match &self.seat {
            // SAFETY: filled before we got it, and there as long as the roster, which we keep (I2).
            Seat::Slot(slot) => unsafe { slot.as_ref() }.value(),
            Seat::Alone(link) => link.value(),
        }
    }

    /// Ends the entry, unless it has ended, lets `last` see its value, and lines it up if no more than `most` are then. Returns
    /// the roster with what came of it.
    #[inline]
    pub(crate) fn end(self, most: u32, last: impl FnOnce(&T)) -> Ended<H, T, N> {
        let entry = self.entry();
        // RO8, Relaxed: a clone was made by borrowing this handle, or the one that this was cloned from, so whoever has one of
        // them comes after it. Model: `an_entry_ends_once`.
        if entry.shared.load(Relaxed) != 0 && !entry.notes.seal() {
            return (self.roster, Err(Refused::Sealed));
        }
        last(&entry.value);
        let Self { roster, seat } = self;
        let ended = match seat {
            Seat::Slot(slot) => {
                // SAFETY: as in `entry`.
                let link = unsafe { slot.as_ref() };
                // SAFETY: nobody else pushes it (I3); the roster clears the chain before slots go.
                unsafe { roster.ended.push_lent(link, most) }
            }
            // SAFETY: nobody else pushes it (I3).
            Seat::Alone(link) => unsafe { roster.ended.push_link(link, most) },
        };
        (roster, ended)
    }
}

impl<H, T: Subject<N>, N: 'static> Clone for Member<H, T, N> {
    fn clone(&self) -> Self {
        // RO9, Relaxed: as RO8.
        self.entry().shared.store(1, Relaxed);
        let seat = match &self.seat {
            Seat::Slot(slot) => Seat::Slot(*slot),
            Seat::Alone(link) => Seat::Alone(Arc::clone(link)),
        };
        Self { roster: Arc::clone(&self.roster), seat }
    }
}

impl<H, T: Subject<N>, N: 'static> PartialEq for Member<H, T, N> {
    /// True for handles to the same entry.
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.entry(), other.entry())
    }
}

impl<H, T: Subject<N> + fmt::Debug, N: fmt::Debug + 'static> fmt::Debug for Member<H, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry().fmt(f)
    }
}

/// The number of the shelf where a place is, and of its slot.
#[inline]
fn locate(index: u32) -> (usize, usize) {
    let index = index as usize;
    match (index / FIRST).checked_ilog2() {
        None => (0, index),
        Some(doublings) => (1 + doublings as usize, index - (FIRST << doublings)),
    }
}

/// How many slots a shelf has.
#[inline]
fn length_of(number: usize) -> usize {
    FIRST << number.saturating_sub(1)
}

/// Puts up a shelf with so many slots, or finds that another thread was faster.
#[cold]
#[inline(never)]
fn put_up<T: Subject<N>, N: 'static>(shelf: &AtomicU64, length: usize) -> NonNull<Slot<T, N>> {
    let spare = T::spares().filter(|_| length == FIRST).and_then(|spares| spares.take());
    let slots = spare
        .map_or_else(|| (0..length).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect(), |Shelf(slots)| slots);
    let slots: NonNull<Slot<T, N>> = NonNull::from(Box::leak(slots)).cast();
    // RO2, Release: pairs with RO1; the shelf. When it fails, it reads the address, as RO1 does. Model:
    // `each_entry_has_a_place_of_its_own`.
    match shelf.compare_exchange(0, slots.as_ptr().expose_provenance() as u64, Release, Acquire) {
        Ok(_) => slots,
        Err(first) => {
            // SAFETY: made above, and nobody else knows it.
            unsafe { take_down(slots, length) };
            slots_at(first).unwrap_or(slots)
        }
    }
}

/// # Safety
/// The slots were put up with this length, are empty, and are taken down once.
unsafe fn take_down<T: Subject<N>, N: 'static>(slots: NonNull<Slot<T, N>>, length: usize) {
    // SAFETY: as the caller says.
    let slots = unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(slots.as_ptr(), length)) };
    if let Some(spares) = T::spares().filter(|_| length == FIRST) {
        spares.give(Shelf(slots));
    }
}

fn slots_at<T, N>(address: u64) -> Option<NonNull<Slot<T, N>>> {
    NonNull::new(ptr::with_exposed_provenance_mut(address as usize))
}

/// Slots of the first shelf, and of the second; each after them has twice as many as the one before.
const FIRST: usize = 8;
const SHELVES: usize = 8;
/// Slots of all shelves.
const PLACES: u32 = (FIRST << (SHELVES - 1)) as u32;

#[cfg(test)]
mod tests;
