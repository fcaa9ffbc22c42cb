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
//! finds its address in the word leaves through the count.
//!
//! # Guarantees
//! Borrowing is wait-free (below 2,048 guests of one word at one instant), leaving, loading and publishing are
//! lock-free; only [`Shared::new`] allocates, and not while there are spare nodes.
//!
//! # Invariants
//! - **I1** A node's count plus the guests in words that hold its address, minus one BIAS for each such word, equals the
//!   handles plus the borrows that exist. So it is positive while anyone can reach the node.
//! - **I2** While its address stands in a word, or its swap-out has not yet been settled, a node's count holds a BIAS,
//!   which is more than all guests together: the count can't reach zero before the writer settles.
//! - **I3** Whoever brings the count to zero is the only one left, and frees.
//! - **I4** Guests are interchangeable: a node that comes back into the word may be left by an older guest through the
//!   word and by a newer one through the count; the sum of I1 stays.
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

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

pub(crate) use self::node::{Content, Draft, Shared, Spare};
use self::node::{Node, give_up, new_node};
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
        let word = AtomicU64::new(enter_word(value));
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

    /// Counts a handle of its own for what stands here now.
    pub(crate) fn load(&self) -> Option<Shared<T>> {
        self.borrow().map(|guest| guest.to_shared())
    }

    /// Replaces whatever stands here and returns it.
    pub(crate) fn swap(&self, value: Option<Shared<T>>) -> Option<Shared<T>> {
        // SP1, AcqRel: Release publishes the new node's contents to SB1; Acquire takes in the reads of guests that left
        // through the word (SL1), which SS1 passes on.
        let word = self.word.swap(enter_word(value), AcqRel);
        self.change_turn();
        settle(word)
    }

    /// Puts a value here with what stands here now below it, in the place that `below` shows. The `tag` is made from that of
    /// what stands here now. False: it made none, or nothing stands here.
    ///
    /// What stood here is not looked at, only moved.
    #[inline]
    pub(crate) fn stack(
        &self,
        value: impl FnOnce() -> T,
        below: impl FnOnce(&mut T) -> &mut Option<Shared<T>>,
        tag: impl Fn(u64) -> Option<u64>,
    ) -> bool {
        // SP6, Relaxed: only a first guess, the exchange below decides.
        let mut word = self.word.load(Relaxed);
        if address::<T>(word).is_none() || tag(word & TAGS).is_none() {
            return false;
        }
        // One handle, which is to be the word's (I2).
        let mut node = new_node(BIAS, value);
        // SAFETY: nobody else has seen the node. All later uses of it are through this pointer or after the last one of it.
        let place: *mut Option<Shared<T>> = below(unsafe { &mut node.as_mut().value });
        let (old, found) = loop {
            let (Some(old), Some(tag)) = (address(word), tag(word & TAGS)) else {
                // The exchange failed, so the node is still ours alone, with its one BIAS.
                give_up(node, BIAS);
                return false;
            };
            // SAFETY: the node is ours until the exchange. The handle is not counted yet: if the exchange succeeds, it is
            // the one that the word had.
            let before = unsafe { place.replace(Some(Shared::of_unit(old))) };
            drop(before);
            // SP5, AcqRel: as SP1. Model: `what_is_stacked_upon_is_freed_after_all_reads`.
            match self.word.compare_exchange_weak(word, pack(node) | tag, AcqRel, Relaxed) {
                Ok(_) => break (old, word),
                Err(changed) => word = changed,
            }
            // SAFETY: the node is still ours; the handle that was not counted is taken back.
            std::mem::forget(unsafe { place.replace(None) });
        };
        self.change_turn();
        // The word's unit is the new value's now. It may be the last already, if others have taken the value out again.
        give_up(old, BIAS - 1 - guests(found));
        true
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
    pub(crate) fn to_shared(&self) -> Shared<T> {
        // SC2, Relaxed: as SC1; we are a guest, so by I1 and I2 the count is positive.
        self.node().count.fetch_add(1, Relaxed);
        Shared::of_unit(self.node)
    }

    /// Puts a value in the place of this one, which is let go with the borrow; or hands it back, if this one was replaced.
    ///
    /// If a value is dropped, nothing is borrowed any more.
    pub(crate) fn replace(self, by: Shared<T>) -> Result<(), Shared<T>> {
        let new = enter_word(Some(by));
        if self.exchange(new) { Ok(()) } else { Err(leave_word(new)) }
    }

    /// Puts what `below` shows in the place of this value, which is let go with the borrow. False: this one was replaced,
    /// or has nothing below.
    pub(crate) fn unstack(self, below: impl FnOnce(&T) -> Option<&Shared<T>>) -> bool {
        let Some(below) = below(&self) else { return false };
        let node = below.node;
        // SC5, Relaxed: as SC1, but for a word (I2).
        below.node().count.fetch_add(BIAS, Relaxed);
        let new = pack(node) | (below.tag() & TAGS);
        let replaced = self.exchange(new);
        if !replaced {
            give_up(node, BIAS);
        }
        replaced
    }

    /// Exchanges the word if this value still stands there, and ends the borrow.
    fn exchange(self, new: u64) -> bool {
        // SP2, Relaxed: only a first guess, the exchange below decides.
        let mut word = self.swap.word.load(Relaxed);
        while address(word) == Some(self.node) {
            // SP4, AcqRel: as SP1. Model: `what_is_published_over_is_freed_after_all_reads`.
            match self.swap.word.compare_exchange_weak(word, new, AcqRel, Relaxed) {
                Ok(_) => {
                    self.swap.change_turn();
                    // The guests found in the word move to the count, but for us; the BIAS and the word's handle go.
                    give_up(ManuallyDrop::new(self).node, BIAS + 1 - guests(word));
                    return true;
                }
                Err(changed) => word = changed,
            }
        }
        false
    }

    /// Ends the borrow, and drops nothing: a handle comes back if the value was swapped out meanwhile.
    pub(crate) fn end(self) -> Option<Shared<T>> {
        ManuallyDrop::new(self).leave()
    }

    /// Gives up the guest's unit; called once.
    fn leave(&self) -> Option<Shared<T>> {
        // SL2, Relaxed: a guess; SL1 decides.
        let mut word = self.swap.word.load(Relaxed);
        while address(word) == Some(self.node) && guests(word) > 0 {
            // SL1, Release: ends our reads before the writer's SP1, and through it before the free. Model:
            // `the_last_to_leave_frees_after_all_reads`.
            match self.swap.word.compare_exchange_weak(word, word - GUEST, Release, Relaxed) {
                Ok(_) => return None,
                Err(changed) => word = changed,
            }
        }
        // Swapped out meanwhile: a writer moved our unit to the count, or will (I2).
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

/// Turns a handle into a word without guests: one unit of the count becomes a BIAS (I2).
fn enter_word<T: Content>(value: Option<Shared<T>>) -> u64 {
    let Some(value) = value else { return 0 };
    let value = ManuallyDrop::new(value);
    let count = &value.node().count;
    // SC4, Acquire: ours is the only unit, so nobody can count or leave; takes in the reads of those who have left, which the
    // store would hide from SR1. Model: `a_handle_that_was_shared_may_enter_a_word`.
    if count.load(Acquire) == 1 {
        // SC6, Relaxed: SP1 publishes.
        count.store(BIAS, Relaxed);
    } else {
        // SC3, Relaxed: our handle keeps the node alive; SP1 publishes.
        count.fetch_add(BIAS - 1, Relaxed);
    }
    pack(value.node) | (value.tag() & TAGS)
}

/// Undoes [`enter_word`] for a word that was never published.
fn leave_word<T: Content>(word: u64) -> Shared<T> {
    let Some(shared) = settle(word) else {
        // Callers pass what `enter_word(Some(_))` made.
        std::process::abort()
    };
    shared
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
/// Larger than all guests of a word and settled guests of a node together.
const BIAS: u64 = 1 << 32;

#[cfg(test)]
mod tests;
