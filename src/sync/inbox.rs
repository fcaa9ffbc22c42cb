//! A bounded queue that says when its taker is to be woken.
//!
//! Any thread pushes; whoever owns the work takes, and before it sleeps says how much must have come for it to be woken.
//!
//! ```text
//!            came ───────────────────────────► push: one exchange, the slot, a look at `wake_at`
//!   ┌────┬────┬────┬────┬────┬────┬────┐
//!   │free│full│full│full│ .. │free│free│       slot: a stamp and a value        .. reserved, not full yet
//!   └────┴────┴────┴────┴────┴────┴────┘
//!   gone ──► take
//! ```
//! A place is a lap and an index. The stamp of a slot is twice the lap whose value it waits for, and one more while it holds it.
//!
//! # Guarantees
//! Pushing and taking are lock-free, and wait for nobody: a slot that is reserved and not full yet is no item yet, and what
//! stands behind it comes after it. Only the first push allocates. Values are taken in the order of their reservation.
//!
//! # Invariants
//! - **I1** A place is handed out once, by the exchange of `came`; only who got it writes to the slot in that lap.
//! - **I2** A place is taken once, by the exchange of `gone`; only who took it reads the slot, if it was full before, and a
//!   slot is free for the next lap after that.
//! - **I3** Of a push and an [`arm`](Inbox::arm), one changes `came` first: either the `arm` counts the push, or the push
//!   sees what the `arm` asked for. The same holds for a push, a [`seal`](Inbox::seal) and what was stored before that.
//!
//! # Orderings
//! IF1 ⇄ IP1 the slot's value · IP2 ⇄ IF2 the end of its reading · IC1 ⇄ IA1, IS1 what the taker stored before ·
//! IS1 ⇄ IS1 what both have pushed.

use std::fmt;
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use super::{AtomicU64, UnsafeCell};

/// A queue of at most so many values as it was made for.
pub(crate) struct Inbox<T> {
    /// Made with the first push.
    slots: OnceLock<Box<[Slot<T>]>>,
    capacity: u32,
    /// The place of the next push. Written by all who push.
    came: Apart<AtomicU64>,
    /// The place of the next value to be taken. Written by the taker alone, as a rule.
    gone: Apart<AtomicU64>,
    /// The taker is to be woken by the push after which `came` is this. Read by all, and written when the taker goes to sleep.
    wake_at: AtomicU64,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pushed {
    Queued,
    /// It is queued, and the taker is to be woken.
    Wake,
    /// There is no room.
    Full,
}

struct Slot<T> {
    stamp: AtomicU64,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// Keeps what is written by some from slowing down others, who read what stands beside it.
#[repr(align(128))]
struct Apart<T>(T);

// SAFETY: values are moved in on one thread and out on another; none is shared.
unsafe impl<T: Send> Send for Inbox<T> {}
// SAFETY: as above; by I1 and I2 nobody touches a slot at the same time as another.
unsafe impl<T: Send> Sync for Inbox<T> {}

impl<T> Inbox<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = u32::try_from(capacity).unwrap_or(u32::MAX).max(1);
        Self {
            slots: OnceLock::new(),
            capacity,
            came: Apart(AtomicU64::new(0)),
            gone: Apart(AtomicU64::new(0)),
            // A taker that never looked is to be woken by the first.
            wake_at: AtomicU64::new(place_after(0, 1, capacity)),
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// How many values wait, those included that are being written.
    pub(crate) fn len(&self) -> usize {
        // IL1, Relaxed: in this order the difference is never below zero.
        let gone = self.gone.0.load(Relaxed);
        self.between(gone, self.came.0.load(Relaxed))
    }

    /// Moves the value in, if there is one and there is room; otherwise it stays.
    ///
    /// It is copied once: a large one that passes through variables is copied more often, which costs as much as the rest.
    #[inline]
    pub(crate) fn push(&self, value: &mut Option<T>) -> Pushed {
        let slots = self.slots();
        let Some(whole) = value else { return Pushed::Queued };
        // IC2, Relaxed: a guess; IC1 decides.
        let mut place = self.came.0.load(Relaxed);
        loop {
            let Some(slot) = slots.get(index(place)) else { return Pushed::Full };
            // IF2, Acquire: pairs with IP2; the end of the reading of what was here a lap ago. Model:
            // `a_slot_is_used_again_after_it_was_read`.
            let stamp = slot.stamp.load(Acquire);
            if stamp != free(place) {
                // IC3, Relaxed: as IC2.
                let now = self.came.0.load(Relaxed);
                if now == place {
                    return Pushed::Full;
                }
                place = now;
                continue;
            }
            let next = place_after(place, 1, self.capacity);
            // IC1, Acquire: pairs with IA1 and IS1; what the taker stored before (I3). Models: `whoever_fills_an_empty_inbox_is_told`,
            // `a_push_after_the_seal_sees_what_was_stored_before`.
            match self.came.0.compare_exchange_weak(place, next, Acquire, Relaxed) {
                Ok(_) => {
                    let from: *const T = whole;
                    // SAFETY: the place is ours (I1), and the slot is free in its lap: IF2.
                    slot.value.with_mut(|slot| unsafe { slot.cast::<T>().copy_from_nonoverlapping(from, 1) });
                    // SAFETY: the value has moved to the slot, so it is forgotten here.
                    unsafe { std::ptr::write(value, None) };
                    // IP1, Release: pairs with IF1; hands over the value. Models: `values_arrive_whole_and_once`,
                    // `a_push_after_the_seal_sees_what_was_stored_before`.
                    slot.stamp.store(full(place), Release);
                    // IW1, Relaxed: IC1 orders it.
                    return if self.wake_at.load(Relaxed) == next { Pushed::Wake } else { Pushed::Queued };
                }
                Err(now) => place = now,
            }
        }
    }

    /// Takes the oldest value. `None`: there is none, or it is not written yet.
    pub(crate) fn take(&self) -> Option<T> {
        let slots = self.slots.get()?;
        // IG1, Relaxed: a guess; IG2 decides.
        let mut place = self.gone.0.load(Relaxed);
        loop {
            let slot = slots.get(index(place))?;
            // IF1, Acquire: pairs with IP1; the value. Models: `values_arrive_whole_and_once`,
            // `two_takers_share_what_is_there`.
            if slot.stamp.load(Acquire) != full(place) {
                // IG3, Relaxed: as IG1.
                let now = self.gone.0.load(Relaxed);
                if now == place {
                    return None;
                }
                place = now;
                continue;
            }
            let next = place_after(place, 1, self.capacity);
            // IG2, Relaxed: only decides who takes; IF1 has brought the value.
            match self.gone.0.compare_exchange(place, next, Relaxed, Relaxed) {
                Ok(_) => {
                    // SAFETY: the slot was full in this lap (IF1), and the place is ours to take (I2): the value is read once.
                    let value = slot.value.with(|slot| unsafe { slot.cast::<T>().read() });
                    // IP2, Release: pairs with IF2; ends our reading. Model: `a_slot_is_used_again_after_it_was_read`.
                    slot.stamp.store(free(next_lap(place)), Release);
                    return Some(value);
                }
                Err(now) => place = now,
            }
        }
    }

    /// Asks to be woken: by the next value if none waits, or else by the one that makes `most`. Returns how many wait.
    ///
    /// Only for the taker. If `most` wait already, nobody will wake it.
    pub(crate) fn arm(&self, most: usize) -> usize {
        match self.arm_at(1) {
            0 => 0,
            _ => self.arm_at(most),
        }
    }

    /// Asks to be woken by the value that makes `wanted`, those included that wait. Returns how many do.
    ///
    /// Only for the taker. If `wanted` wait already, nobody will wake it.
    pub(crate) fn arm_at(&self, wanted: usize) -> usize {
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX).clamp(1, self.capacity);
        // IG6, Relaxed: written by the caller.
        let gone = self.gone.0.load(Relaxed);
        // IW2, Relaxed: IA1 publishes.
        self.wake_at.store(place_after(gone, wanted, self.capacity), Relaxed);
        // IA1, Release: pairs with IC1; whoever comes after this sees what is wanted. Model:
        // `whoever_fills_an_empty_inbox_is_told`.
        self.between(gone, self.came.0.fetch_add(0, Release))
    }

    /// Makes sure that whoever pushes after this sees what was stored before, and that of two who come here after a push one
    /// sees the value of the other. For the end, when nobody is woken any more.
    pub(crate) fn seal(&self) {
        // IS1, AcqRel: Release pairs with IC1, for what was stored before, and with IS1, for a value that was pushed before;
        // Acquire pairs with IS1. Models: `a_push_after_the_seal_sees_what_was_stored_before`,
        // `of_two_who_push_and_take_one_sees_both`.
        self.came.0.fetch_add(0, AcqRel);
    }

    #[inline]
    fn slots(&self) -> &[Slot<T>] {
        match self.slots.get() {
            Some(slots) => slots,
            None => self.make_slots(),
        }
    }

    #[cold]
    #[inline(never)]
    fn make_slots(&self) -> &[Slot<T>] {
        // Made outside, so that nobody waits for the allocation.
        let slot = |_| Slot { stamp: AtomicU64::new(free(0)), value: UnsafeCell::new(MaybeUninit::uninit()) };
        let fresh = (0..self.capacity).map(slot).collect();
        self.slots.get_or_init(|| fresh)
    }

    /// How many places there are from one to another.
    fn between(&self, gone: u64, came: u64) -> usize {
        let laps = (came >> LAP).wrapping_sub(gone >> LAP) as usize;
        (laps * self.capacity as usize + index(came)).saturating_sub(index(gone))
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        for slot in self.slots.get_mut().into_iter().flatten() {
            // IX1, Relaxed: `&mut self`: all pushes have ended.
            if slot.stamp.load(Relaxed) & FULL != 0 {
                // SAFETY: the slot is full, and nobody else has access any more.
                slot.value.with_mut(|slot| unsafe { slot.cast::<T>().drop_in_place() });
            }
        }
    }
}

impl<T> fmt::Debug for Inbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// The place `count` further on, by a lap at most.
#[inline]
fn place_after(place: u64, count: u32, capacity: u32) -> u64 {
    let index = (place & INDEX) + u64::from(count);
    match index.checked_sub(u64::from(capacity)) {
        None => place + u64::from(count),
        Some(index) => (next_lap(place) & !INDEX) | index,
    }
}

/// The place of the same slot in the next lap.
fn next_lap(place: u64) -> u64 {
    place.wrapping_add(1 << LAP)
}

fn index(place: u64) -> usize {
    (place & INDEX) as usize
}

/// The stamp of a slot that waits for the value of this place.
fn free(place: u64) -> u64 {
    (place >> LAP) << 1
}

/// The stamp of a slot that holds the value of this place.
fn full(place: u64) -> u64 {
    free(place) | FULL
}

/// Where the lap begins in a place.
const LAP: u32 = 32;
/// The index in a place.
const INDEX: u64 = (1 << LAP) - 1;
/// Of a stamp: the slot is full.
const FULL: u64 = 1;

#[cfg(test)]
mod tests;
