//! A word that is out of its place: what a value lies on, in a stack.

use std::fmt;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use super::node::{Content, Node, Shared, give_up, is_last, let_go, new_node};
use super::{BIAS, Borrow, GUEST, MOST_MARKS, Swap, TAGS, address, guests, pack};

/// A handle that counts as a word does (I1), so that it moves to a word and back as it is.
pub(crate) struct Placed<T: Content> {
    /// As in a [`Swap`], and never zero.
    pub(super) word: u64,
    owns: PhantomData<Shared<T>>,
}

/// What can lie on another of its kind.
pub(crate) trait Stacked: Content {
    /// What it lies on.
    fn below(&self) -> Option<&Placed<Self>>;

    /// The same, to be taken or set.
    fn below_mut(&mut self) -> &mut Option<Placed<Self>>;
}

impl<T: Content> Placed<T> {
    /// Turns a handle into a word without guests: one unit of the count becomes a BIAS (I2).
    #[inline]
    pub(crate) fn new(value: Shared<T>) -> Self {
        Self::of(Self::enter(value))
    }

    /// The same, as a bare word.
    pub(super) fn enter(value: Shared<T>) -> u64 {
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

    /// Gives the value back if nobody else has a part in it, and drops the handle otherwise.
    #[inline]
    pub(crate) fn into_inner(self) -> Option<T> {
        let this = ManuallyDrop::new(self);
        Shared::take_out(this.node(), this.units())
    }

    /// The tag that the word has: that of the value when it came to its place.
    #[inline]
    pub(crate) fn tag(&self) -> u64 {
        self.word & TAGS
    }

    #[inline]
    fn of(word: u64) -> Self {
        Self { word, owns: PhantomData }
    }

    /// The units of the count that are the word's (I2).
    #[inline]
    fn units(&self) -> u64 {
        BIAS - guests(self.word)
    }

    #[inline]
    fn node(&self) -> NonNull<Node<T>> {
        // A word of zero is never put here.
        address(self.word).unwrap_or_else(|| std::process::abort())
    }

    #[inline]
    fn node_ref(&self) -> &Node<T> {
        // SAFETY: the word counts (I1), so the node lives as long as `self`, and nobody writes to it but atomically.
        unsafe { self.node().as_ref() }
    }
}

impl<T: Stacked> Swap<T> {
    /// Puts a value here that lies on what stands here now. The `tag` is made from that of what stands here now. False: it made
    /// none, or nothing stands here.
    ///
    /// What stood here is not looked at, only moved: the word as it was becomes what the value lies on.
    #[inline]
    pub(crate) fn stack(&self, value: impl FnOnce() -> T, tag: impl Fn(u64) -> Option<u64>) -> bool {
        // SP6, Relaxed: only a first guess, the exchange below decides.
        let mut word = self.word.load(Relaxed);
        if address::<T>(word).is_none() || tag(word & TAGS).is_none() {
            return false;
        }
        // One handle, which is to be the word's (I2).
        let mut node = new_node(BIAS, value);
        // SAFETY: nobody else has seen the node. All later uses of it are through this pointer or after the last one of it.
        let place: *mut Option<Placed<T>> = unsafe { node.as_mut() }.value.below_mut();
        loop {
            let (Some(_), Some(tag)) = (address::<T>(word), tag(word & TAGS)) else {
                // SAFETY: the exchange failed, so the node is still ours, and what it lies on is not: it is forgotten.
                mem::forget(unsafe { place.replace(None) });
                give_up(node, BIAS);
                return false;
            };
            // SAFETY: the node is ours until the exchange. What is overwritten is nothing, or was not ours.
            unsafe { place.write(Some(Placed::of(word))) };
            // SP5, AcqRel: as SP1. Model: `what_is_stacked_upon_is_freed_after_all_reads`.
            match self.word.compare_exchange_weak(word, pack(node) | tag, AcqRel, Relaxed) {
                Ok(_) => break,
                Err(changed) => word = changed,
            }
        }
        self.change_turn();
        true
    }
}

impl<T: Stacked> Borrow<'_, T> {
    /// Puts what this value lies on in its place; the value is let go with the borrow. False: it was replaced, or lies on nothing.
    pub(crate) fn unstack(self) -> bool {
        let Some(below) = self.below() else { return false };
        if guests(below.word) >= MOST_MARKS {
            let copy = below.clone();
            return self.replace(copy).is_ok();
        }
        let (under, units_below) = (below.node(), below.units());
        // We come along as a guest of what lies below: its units are the word's from the exchange on, and until it is known whether
        // they are still the value's, too, nobody may let go of it.
        let new = below.word + GUEST;
        let Some(units) = self.swap.exchange(self.node, new) else { return false };
        let this = ManuallyDrop::new(self);
        let (node, units) = (this.node, units + 1);
        let guest = Borrow { swap: this.swap, node: under };
        if is_last(node, units) {
            // SAFETY: by I3 the node is ours alone.
            let value = unsafe { &mut (*node.as_ptr()).value };
            // Its units have moved to the word.
            mem::forget(value.below_mut().take());
            drop(guest);
            let_go(node);
        } else {
            // SC5, Relaxed: as SC1; we are a guest. The value's units have moved to the word, so it gets others.
            guest.node().count.fetch_add(units_below, Relaxed);
            drop(guest);
            give_up(node, units);
        }
        true
    }
}

impl<T: Content> Clone for Placed<T> {
    #[inline]
    fn clone(&self) -> Self {
        // SC7, Relaxed: as SC1, but for a word (I2).
        self.node_ref().count.fetch_add(BIAS, Relaxed);
        Self::of(self.word & (GUEST - 1))
    }
}

impl<T: Content> Deref for Placed<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.node_ref().value
    }
}

impl<T: Content> Drop for Placed<T> {
    #[inline]
    fn drop(&mut self) {
        give_up(self.node(), self.units());
    }
}

impl<T: Content + fmt::Debug> fmt::Debug for Placed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
