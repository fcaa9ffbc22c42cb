//! A shared pointer: readers borrow, writers publish.
//!
//! Any thread may borrow, load or publish at any time. It backs the words of a hub, which live for one request and are
//! read by a handful of threads at most, so neither a read nor a write nor a drop may depend on how many threads the
//! process has. (arc-swap backs what all threads share and few ever write; its writes and drops visit a node for each
//! thread that ever used it.)
//!
//! ```text
//!   word of a Swap                     node
//!   ┌───────┬──────────────┬───┐       ┌────────────────────┬─────────┐
//!   │ guests│   address    │tag│ ────► │ count              │  value  │
//!   └───────┴──────────────┴───┘       └────────────────────┴─────────┘
//!    12 bits     51 bits     1          handles + credits + BIAS while in a word
//! ```
//!
//! The address stands where it belongs, so that leak checkers follow a word that has no guests.
//!
//! A borrow adds a guest to the word, in the same atomic operation that reads the address, and takes it away from the
//! word again. A writer that swaps the address out moves the guests it found to the node's count; a guest who no longer
//! finds its address in the word, or finds others busy there, leaves through the count. So does one who stays for longer, as a
//! handle: his mark in the word remains.
//!
//! # Guarantees
//! Borrowing is wait-free (below 2,048 guests of one word at one instant), leaving, loading and publishing are
//! lock-free; only [`Shared::new`] allocates, and not while there are spare nodes.
//!
//! # Invariants
//! - **I1** A node's count plus the guests in words that hold its address, minus one BIAS for each such word, equals the
//!   handles plus the borrows that exist. So it is positive while anyone can reach the node. A [`Placed`] is such a word.
//! - **I2** While its address stands in a word, or its swap-out has not yet been settled, a node's count holds a BIAS,
//!   which is more than all guests together: the count can't reach zero before the writer settles. To whom the word belongs
//!   belongs the BIAS, less the guests.
//! - **I3** Whoever brings the count to zero is the only one left, and frees.
//! - **I4** Guests are interchangeable, and a word does not know them: one may leave through the count whose mark is in the word,
//!   or the other way round; the sum of I1 stays.
//! - **I5** A turn that was read before a value was borrowed ([`Swap::borrow_in_turn`]) has passed when an exchange of that
//!   value returns: whoever exchanges the word gives out a new one, after that and before returning, and none comes twice.
//!
//! # Orderings
//! SB1, SB2 ⇄ SP1, SP4, SP5 the node's contents · SB2 ⇄ SP1, SP4, SP5 the turn · SL1 ⇄ SP1, SP4, SP5 and SR1 ⇄ SR1, SR2,
//! SC4 the end of all reads before the free.
//!
//! # Not here
//! Tagged heap pointers: an address that does not fit 52 bits aborts the process in `pack`, as no supported platform
//! hands out such a one.

mod node;
mod placed;

use std::fmt;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

pub(crate) use self::node::{Content, Draft, Shared, Spare};
use self::node::{Node, give_up};
pub(crate) use self::placed::{Placed, Stacked};
use super::{AtomicU64, unique, yield_now};

/// A place for one [`Shared`] or none, which threads read and replace without waiting for each other.
pub(crate) struct Swap<T: Content> {
    /// `guests << 52 | address | tag`; zero address: nothing.
    word: AtomicU64,
    /// A number that no other word has, nor this one at any other time (I5).
    turn: AtomicU64,
    owns: PhantomData<Shared<T>>,
}

// SAFETY: a Swap hands out Shared<T> and &T to any thread that has it.
unsafe impl<T: Content + Send + Sync> Send for Swap<T> {}
// SAFETY: as above.
unsafe impl<T: Content + Send + Sync> Sync for Swap<T> {}

/// A guest of a [`Swap`]: reads the value without counting a handle. For short stretches without user code.
pub(crate) struct Borrow<'a, T: Content> {
    swap: &'a Swap<T>,
    node: NonNull<Node<T>>,
}

impl<T: Content> Swap<T> {
    pub(crate) fn new(value: Option<Shared<T>>) -> Self {
        let word = AtomicU64::new(value.map_or(0, Placed::enter));
        Self { word, turn: AtomicU64::new(unique::number()), owns: PhantomData }
    }

    /// Which turn it is; not zero. As long as this is the same, so is what stands here, or its replacement has not returned.
    #[inline]
    pub(crate) fn turn(&self) -> u64 {
        // ST1, Relaxed: after an exchange that happened before, coherence shows its turn or a later one (I5).
        self.turn.load(Relaxed)
    }

    /// Begins a new turn: what stood here has been exchanged.
    #[inline]
    fn change_turn(&self) {
        // ST2, Relaxed: as ST1. No two are the same, so it does not matter whose comes last.
        self.turn.store(unique::number(), Relaxed);
    }

    /// Borrows what stands here now, in the turn that is returned.
    #[inline]
    pub(crate) fn borrow_in_turn(&self) -> Option<(u64, Borrow<'_, T>)> {
        let turn = self.turn();
        // SB2, AcqRel: Acquire as SB1; Release puts the read of the turn before the exchange that takes this value out (SP1, SP4,
        // SP5), and so before the turn that follows it (I5). Model: `a_turn_has_passed_when_its_value_has`.
        self.borrow_with(|word| word.fetch_add(GUEST, AcqRel)).map(|guest| (turn, guest))
    }

    /// Borrows what stands here now.
    #[inline]
    pub(crate) fn borrow(&self) -> Option<Borrow<'_, T>> {
        // SB1, Acquire: pairs with SP1; the node's contents are visible. Model: `a_reader_sees_a_whole_value`.
        self.borrow_with(|word| word.fetch_add(GUEST, Acquire))
    }

    #[inline]
    fn borrow_with(&self, enter: impl Fn(&AtomicU64) -> u64) -> Option<Borrow<'_, T>> {
        loop {
            let word = enter(&self.word);
            match address(word) {
                Some(node) if guests(word) < MOST_GUESTS => return Some(Borrow { swap: self, node }),
                node => self.step_back(node),
            }
            if guests(word) < MOST_GUESTS {
                return None;
            }
        }
    }

    /// Takes back a guest who found nothing, or thousands of others.
    #[cold]
    fn step_back(&self, node: Option<NonNull<Node<T>>>) {
        match node {
            Some(node) => {
                // They stand between coming and leaving. Their count must never overflow.
                drop(Borrow { swap: self, node });
                yield_now();
            }
            None => self.retract_from_empty(),
        }
    }

    /// A handle of its own to what stands here now.
    #[inline]
    pub(crate) fn load(&self) -> Option<Shared<T>> {
        self.borrow().map(Borrow::keep)
    }

    /// Replaces whatever stands here and returns it.
    pub(crate) fn swap(&self, value: Option<Shared<T>>) -> Option<Shared<T>> {
        // SP1, AcqRel: Release publishes the new node's contents to SB1; Acquire takes in the reads of guests that left
        // through the word (SL1), which SS1 passes on.
        let word = self.word.swap(value.map_or(0, Placed::enter), AcqRel);
        self.change_turn();
        settle(word)
    }

    /// Puts `by` in the place of `old`, of which the handle is given up; or hands it back, if other things stand here by now.
    ///
    /// If a value is dropped, nothing is borrowed any more.
    #[inline]
    pub(crate) fn replace(&self, old: Shared<T>, by: Placed<T>) -> Result<(), Placed<T>> {
        let Some(units) = self.exchange(old.node, by.word) else { return Err(by) };
        mem::forget(by);
        // The handle goes with the word's units.
        give_up(ManuallyDrop::new(old).node, units + 1);
        Ok(())
    }

    /// Exchanges the word if this node still stands here. Returns the units of its count that were the word's (I2).
    #[inline]
    fn exchange(&self, node: NonNull<Node<T>>, new: u64) -> Option<u64> {
        // SP2, Relaxed: only a first guess, the exchange below decides.
        let mut word = self.word.load(Relaxed);
        while address(word) == Some(node) {
            // SP4, AcqRel: as SP1. Model: `what_is_published_over_is_freed_after_all_reads`.
            match self.word.compare_exchange_weak(word, new, AcqRel, Relaxed) {
                Ok(_) => {
                    self.change_turn();
                    return Some(BIAS - guests(word));
                }
                Err(changed) => word = changed,
            }
        }
        None
    }

    /// The tag of what stands here now: a plain load.
    #[inline]
    pub(crate) fn tag(&self) -> u64 {
        // SG1, Relaxed: the bits tell of themselves alone.
        self.word.load(Relaxed) & TAGS
    }

    /// Takes back the guest that `borrow` added to a word without an address.
    fn retract_from_empty(&self) {
        // SL3, Relaxed: nothing was read.
        let mut word = self.word.load(Relaxed);
        // The address may have changed since, and the writer that changed it forgot our guest with the empty word.
        while address::<T>(word).is_none() && guests(word) > 0 {
            match self.word.compare_exchange_weak(word, word - GUEST, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(changed) => word = changed,
            }
        }
    }
}

impl<T: Content> Drop for Swap<T> {
    fn drop(&mut self) {
        // SP3, Relaxed: `&mut self`, so there are no guests, and all who were have left before.
        let word = self.word.load(Relaxed);
        if let Some(node) = address::<T>(word) {
            give_up(node, BIAS - guests(word));
        }
    }
}

impl<T: Content + fmt::Debug> fmt::Debug for Swap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Swap").field(&self.load().as_deref()).finish()
    }
}

impl<T: Content> Borrow<'_, T> {
    /// Stays, as a handle: the guest's unit becomes the handle's.
    #[inline]
    pub(crate) fn keep(self) -> Shared<T> {
        // SM1, Relaxed: only keeps the marks from adding up.
        if guests(self.swap.word.load(Relaxed)) < MOST_MARKS {
            return Shared::of_unit(ManuallyDrop::new(self).node);
        }
        // SC2, Relaxed: as SC1; we are a guest, so by I1 and I2 the count is positive.
        self.node().count.fetch_add(1, Relaxed);
        Shared::of_unit(self.node)
    }

    /// Puts a value in the place of this one, which is let go with the borrow; or hands it back, if this one was replaced.
    ///
    /// If a value is dropped, nothing is borrowed any more.
    pub(crate) fn replace(self, by: Placed<T>) -> Result<(), Placed<T>> {
        let Some(units) = self.swap.exchange(self.node, by.word) else { return Err(by) };
        mem::forget(by);
        give_up(ManuallyDrop::new(self).node, units + 1);
        Ok(())
    }

    /// Ends the borrow, and drops nothing: a handle comes back if this may be the last that is left of the value.
    pub(crate) fn end(self) -> Option<Shared<T>> {
        ManuallyDrop::new(self).leave()
    }

    /// Gives up the guest's unit; called once. What comes back owns it still.
    fn leave(&self) -> Option<Shared<T>> {
        // SL2, Relaxed: a guess; SL1 decides.
        let mut word = self.swap.word.load(Relaxed);
        while address(word) == Some(self.node) && guests(word) > 0 {
            // SL1, Release: ends our reads before the writer's SP1, and through it before the free. Model:
            // `the_last_to_leave_frees_after_all_reads`.
            match self.swap.word.compare_exchange_weak(word, word - GUEST, Release, Relaxed) {
                Ok(_) => return None,
                // Others are busy here: leaving through the count does not get in their way.
                Err(changed) if guests(changed) < MOST_MARKS => break,
                Err(changed) => word = changed,
            }
        }
        // Swapped out meanwhile, and a writer moved our unit to the count, or will (I2); or our mark stays here (I4).
        Some(Shared::of_unit(self.node))
    }

    fn node(&self) -> &Node<T> {
        // SAFETY: a guest counts in the word or in the count (I1), so the node outlives the borrow.
        unsafe { self.node.as_ref() }
    }
}

impl<T: Content> Deref for Borrow<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.node().value
    }
}

impl<T: Content> Drop for Borrow<'_, T> {
    fn drop(&mut self) {
        drop(self.leave());
    }
}

/// Moves the guests of a swapped-out word to the node's count, and the BIAS back to one handle.
fn settle<T: Content>(word: u64) -> Option<Shared<T>> {
    let node = address::<T>(word)?;
    // SAFETY: the BIAS of the word we took out keeps the node alive (I2).
    let count = unsafe { &node.as_ref().count };
    // SS1, Relaxed: the handle made here passes on what SP1 took in, when it leaves (SR1).
    count.fetch_sub(BIAS - 1 - guests(word), Relaxed);
    Some(Shared::of_unit(node))
}

fn pack<T>(node: NonNull<Node<T>>) -> u64 {
    let address = node.as_ptr().expose_provenance() as u64;
    if address & !ADDRESS != 0 {
        // Bits would be lost, and every later read would be wild. No supported platform comes here.
        std::process::abort();
    }
    address
}

fn address<T>(word: u64) -> Option<NonNull<Node<T>>> {
    NonNull::new(ptr::with_exposed_provenance_mut((word & ADDRESS) as usize))
}

fn guests(word: u64) -> u64 {
    word / GUEST
}

/// One guest: the lowest of the bits above an address.
const GUEST: u64 = 1 << 52;
/// Nodes are aligned to 16 bytes, and user space ends below 2⁵².
const ADDRESS: u64 = GUEST - 16;
/// The bits of a tag: those which an address has not.
pub(crate) const TAGS: u64 = 15;
/// Guests beyond this step back, long before their count could overflow.
const MOST_GUESTS: u64 = 1 << 11;
/// Beyond this, nobody leaves a mark in a word. Inside the model checker, most do not.
const MOST_MARKS: u64 = if cfg!(vidette_loom) { 3 } else { 1 << 10 };
/// Larger than all guests of a word and settled guests of a node together.
const BIAS: u64 = 1 << 32;

#[cfg(test)]
mod tests;
