//! A roster: entries that begin, each in a place of its own, and in order those that have ended.
//!
//! Any thread begins an entry and gets a handle, which can be cloned. Entries take notes until they are ended; the first who
//! ends one lines it up with those that ended before. Places are slots of shelves, which the roster puts up as they are
//! needed, each as large as all before it; an entry for which there is no place left is allocated alone. A roster that is
//! cleared keeps its first two shelves, which most do with, for its next use.
//!
//! ```text
//!   Member ─► Roster ─ head                          what the owner wants to keep with it
//!      │         ├─ shelves ─► 8 slots, 8, 16, 32 … 512
//!      └─────────┼──────────────────► entry          value, notes
//!                └─ ended ─► entry ─► entry          a chain, the newest first
//! ```
//! # Guarantees
//! Beginning and ending are lock-free, reading is wait-free. An entry with a place costs no allocation but for its share of a
//! shelf. What it keeps is bounded: entries that never end keep their place until the roster is cleared or goes, and there are
//! 1,024 places.
//!
//! # Invariants
//! - **I1** A slot that is not given out holds a blank entry. A slot is given out once until the roster is cleared, and
//!   written by whoever got it, before there is a handle to it.
//! - **I2** A shelf stays where it is until the roster is cleared or dropped. A member keeps the roster.
//! - **I3** An entry is lined up by whoever sealed its notes, and only one does that. An entry with a single handle, which was
//!   never cloned, needs no seal: ending it takes the handle, and after that nobody can reach the entry.
//!
//! # Orderings
//! RO2 ⇄ RO1 a shelf.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::num::NonZero;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::chain::{Chain, Link, Refused};
use super::{AtomicU8, AtomicU32, AtomicU64, UnsafeCell};

/// Entries that began, and those that ended; `head` goes along.
pub(crate) struct Roster<H, T: Subject<N>, N: 'static> {
    head: H,
    /// How many slots are given out.
    taken: AtomicU32,
    /// The addresses of the shelves; zero for one that is not there yet.
    shelves: [AtomicU64; SHELVES],
    ended: Chain<Entry<T, N>>,
    owns: PhantomData<Alone<T, N>>,
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

/// Where an entry is: in a slot of the roster (I2), or [alone](ALONE), and then this owns a count of it.
///
/// One word, so that a handle is two, which calls pass and return in registers.
struct Seat<T, N>(Place<T, N>);

/// What entries are about.
pub(crate) trait Subject<N: 'static>: Sized + 'static {
    /// What stands in a place until the value is told there: what is large is not moved.
    fn blank() -> Self;
}

/// The roster of an entry that was to end, and whether it did.
pub(crate) type Ended<H, T, N> = (Arc<Roster<H, T, N>>, Result<(), Refused>);

type Place<T, N> = NonNull<Link<Entry<T, N>>>;

/// An entry that is in no slot.
type Alone<T, N> = Arc<Link<Entry<T, N>>>;

type Slot<T, N> = UnsafeCell<Link<Entry<T, N>>>;

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

    /// Forgets all entries, and keeps room for some. All members are gone: each keeps the roster.
    pub(crate) fn clear(&mut self) {
        // RO7, Relaxed: `&mut self`, so all who began entries have ended before.
        if self.taken.load(Relaxed) == 0 && self.ended.is_new() {
            // Nothing was put up either, or all of it is blank.
            return;
        }
        // First, since it walks over what is in the slots.
        self.ended.clear();
        let mut left = self.kept() as usize;
        for (number, shelf) in self.shelves.iter().enumerate() {
            // RO6, Relaxed: `&mut self`, so all who put up shelves have ended before.
            let Some(slots) = slots_at::<T, N>(shelf.load(Relaxed)) else { continue };
            let length = length_of(number);
            if number < KEPT {
                for offset in 0..length.min(left) {
                    // SAFETY: a shelf has so many slots.
                    let slot = unsafe { slots.add(offset) };
                    // SAFETY: it stays where it is (I2).
                    let slot = unsafe { slot.as_ref() };
                    // SAFETY: `&mut self`, and members are gone with their references.
                    slot.with_mut(|slot| unsafe { *slot = blank() });
                }
            } else {
                // RO10, Relaxed: as RO6.
                shelf.store(0, Relaxed);
                // SAFETY: put up with this length, and nobody knows it any more.
                unsafe { take_down(slots, length) };
            }
            left = left.saturating_sub(length);
        }
        // RO11, Relaxed: as RO7.
        self.taken.store(0, Relaxed);
    }

    pub(crate) fn head_mut(&mut self) -> &mut H {
        &mut self.head
    }

    /// Gives out a slot. `None`: there is none left.
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
        for (number, shelf) in self.shelves.iter().enumerate() {
            // RO12, Relaxed: as RO6.
            if let Some(slots) = slots_at::<T, N>(shelf.load(Relaxed)) {
                // SAFETY: put up with this length, and nobody knows it any more: members keep the roster.
                unsafe { take_down(slots, length_of(number)) };
            }
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

    /// Forgets what was noted, for another value in the same place.
    pub(crate) fn renew(&mut self) -> &mut T {
        self.notes.clear();
        // RO13, Relaxed: `&mut self`.
        self.shared.store(0, Relaxed);
        &mut self.value
    }

    pub(crate) fn notes(&self) -> &Chain<N> {
        &self.notes
    }
}

impl<H, T: Subject<N>, N: 'static> Member<H, T, N> {
    /// Begins an entry, and lets `tell` say what is in it: a blank, where it stays.
    #[inline]
    pub(crate) fn new(roster: Arc<Roster<H, T, N>>, tell: impl FnOnce(&mut T)) -> Self {
        let seat = match roster.slot() {
            // SAFETY: RO5 gave the slot to us alone (I1).
            Some(slot) => Seat(slot.with_mut(|slot| NonNull::from(unsafe { &mut *slot }))),
            None => Seat::alone(),
        };
        // SAFETY: as above, or nobody else has a count.
        let link = unsafe { &mut *seat.link().as_ptr() };
        tell(&mut link.value_mut().value);
        Self { roster, seat }
    }

    pub(crate) fn roster(&self) -> &Arc<Roster<H, T, N>> {
        &self.roster
    }

    #[inline]
    pub(crate) fn entry(&self) -> &Entry<T, N> {
        // SAFETY: written before we got it, and there as long as the roster, which we keep (I2), or the count.
        unsafe { self.seat.link().as_ref() }.value()
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
        let ended = match seat.into_alone() {
            Err(slot) => {
                // SAFETY: as in `entry`.
                let link = unsafe { slot.as_ref() };
                // SAFETY: nobody else pushes it (I3); the roster clears the chain before slots go, or are used again.
                unsafe { roster.ended.push_lent(link, most) }
            }
            // SAFETY: nobody else pushes it (I3).
            Ok(link) => unsafe { roster.ended.push_link(link, most) },
        };
        (roster, ended)
    }
}

impl<H, T: Subject<N>, N: 'static> Clone for Member<H, T, N> {
    fn clone(&self) -> Self {
        // RO9, Relaxed: as RO8.
        self.entry().shared.store(1, Relaxed);
        Self { roster: Arc::clone(&self.roster), seat: self.seat.clone() }
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

impl<T, N> Seat<T, N> {
    #[cold]
    #[inline(never)]
    fn alone() -> Self
    where
        T: Subject<N>,
        N: 'static,
    {
        const { assert!(align_of::<Link<Entry<T, N>>>() > ALONE, "the bit is free") };
        // The count becomes the seat's.
        let link = Arc::into_raw(Arc::new(blank())).cast_mut();
        // SAFETY: the address of what is in an Arc is not null.
        let place = unsafe { NonNull::new_unchecked(link) };
        Self(place.map_addr(|address| address | ALONE))
    }

    #[inline]
    fn is_alone(&self) -> bool {
        self.0.addr().get() & ALONE != 0
    }

    #[inline]
    fn link(&self) -> Place<T, N> {
        self.0.map_addr(|address| NonZero::new(address.get() & !ALONE).unwrap_or(address))
    }

    /// The count of an entry that is alone, or else the slot.
    #[inline]
    fn into_alone(self) -> Result<Alone<T, N>, Place<T, N>> {
        let seat = ManuallyDrop::new(self);
        if seat.is_alone() {
            // SAFETY: it came from an Arc, and the count was the seat's, which is gone without its drop.
            Ok(unsafe { Arc::from_raw(seat.link().as_ptr()) })
        } else {
            Err(seat.link())
        }
    }
}

impl<T, N> Clone for Seat<T, N> {
    fn clone(&self) -> Self {
        if self.is_alone() {
            // SAFETY: it came from an Arc, of which this owns a count; the new one is the clone's.
            unsafe { Arc::increment_strong_count(self.link().as_ptr()) };
        }
        Self(self.0)
    }
}

impl<T, N> Drop for Seat<T, N> {
    #[inline]
    fn drop(&mut self) {
        if self.is_alone() {
            // SAFETY: it came from an Arc, and this owned a count.
            unsafe { Arc::decrement_strong_count(self.link().as_ptr()) };
        }
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

fn blank<T: Subject<N>, N: 'static>() -> Link<Entry<T, N>> {
    Link::new(Entry::new(T::blank()))
}

/// Puts up a shelf with so many slots, or finds that another thread was faster.
#[cold]
#[inline(never)]
fn put_up<T: Subject<N>, N: 'static>(shelf: &AtomicU64, length: usize) -> NonNull<Slot<T, N>> {
    let slots: Box<[Slot<T, N>]> = (0..length).map(|_| UnsafeCell::new(blank())).collect();
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
/// The slots were put up with this length, and are taken down once.
unsafe fn take_down<T, N>(slots: NonNull<Slot<T, N>>, length: usize) {
    // SAFETY: as the caller says.
    drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(slots.as_ptr(), length)) });
}

fn slots_at<T, N>(address: u64) -> Option<NonNull<Slot<T, N>>> {
    NonNull::new(ptr::with_exposed_provenance_mut(address as usize))
}

/// Slots of the first shelf, and of the second; each after them has twice as many as the one before.
const FIRST: usize = 8;
const SHELVES: usize = 8;
/// The bit of an address that says that a link is in no slot.
const ALONE: usize = 1;
/// Shelves that are kept for the next use.
const KEPT: usize = 2;
/// Slots of all shelves.
const PLACES: u32 = (FIRST << (SHELVES - 1)) as u32;

#[cfg(test)]
mod tests;
