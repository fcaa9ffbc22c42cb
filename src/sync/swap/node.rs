//! What a [`Swap`](super::Swap) holds: a value with a count.

use std::fmt;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use crate::sync::AtomicU64;
use crate::sync::pool::Spares;

/// What stands in a [`Swap`](super::Swap).
pub(crate) trait Content: Sized + 'static {
    /// What readers want before anything else: the bits of [`TAGS`](super::TAGS).
    fn tag(&self) -> u64 {
        0
    }

    /// Where emptied nodes wait for their next use, if anywhere.
    fn spares() -> Option<&'static dyn Spares<Spare<Self>>> {
        None
    }
}

/// The memory of a node without a value.
pub(crate) struct Spare<T>(Box<MaybeUninit<Node<T>>>);

/// A counted handle to an immutable value, as `Arc` is, that can stand in a [`Swap`](super::Swap).
pub(crate) struct Shared<T: Content> {
    pub(super) node: NonNull<Node<T>>,
    owns: PhantomData<Node<T>>,
}

#[repr(align(16))]
pub(super) struct Node<T> {
    /// Handles, settled guests, and BIAS for each word that holds the address (I1).
    pub(super) count: AtomicU64,
    pub(super) value: T,
}

// SAFETY: a handle gives `&T` to many threads (Sync) and may drop the value on any of them (Send).
unsafe impl<T: Content + Send + Sync> Send for Shared<T> {}
// SAFETY: as above; `&Shared<T>` can be cloned into a `Shared<T>`.
unsafe impl<T: Content + Send + Sync> Sync for Shared<T> {}

impl<T: Content> Shared<T> {
    pub(crate) fn new(value: T) -> Self {
        Self::make(|| value)
    }

    /// The same, with the value made where it is to be.
    #[inline]
    pub(crate) fn make(value: impl FnOnce() -> T) -> Self {
        Self { node: new_node(1, value), owns: PhantomData }
    }

    /// Gives the value back if this is the only handle, and drops the handle otherwise.
    pub(crate) fn into_inner(self) -> Option<T> {
        let node = ManuallyDrop::new(self).node;
        if !were_last(node, 1) {
            return None;
        }
        // SAFETY: by I3 the node is ours alone.
        let value: *const T = unsafe { &raw const (*node.as_ptr()).value };
        // SAFETY: the node is not used again but as a place.
        let value = unsafe { value.read() };
        recycle(node);
        Some(value)
    }

    /// The handle that a unit of the count stands for.
    #[inline]
    pub(super) fn of_unit(node: NonNull<Node<T>>) -> Self {
        Self { node, owns: PhantomData }
    }

    #[inline]
    pub(super) fn node(&self) -> &Node<T> {
        // SAFETY: the handle counts (I1), so the node lives as long as `self`, and nobody writes to it but atomically.
        unsafe { self.node.as_ref() }
    }
}

impl<T: Content> Clone for Shared<T> {
    fn clone(&self) -> Self {
        // SC1, Relaxed: the handle we clone from keeps the node alive; nothing is published by counting.
        self.node().count.fetch_add(1, Relaxed);
        Self { node: self.node, owns: PhantomData }
    }
}

impl<T: Content> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.node().value
    }
}

impl<T: Content> Drop for Shared<T> {
    fn drop(&mut self) {
        give_up(self.node, 1);
    }
}

impl<T: Content + fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[inline]
pub(super) fn new_node<T: Content>(count: u64, value: impl FnOnce() -> T) -> NonNull<Node<T>> {
    let place = match T::spares().and_then(|spares| spares.take()) {
        Some(Spare(place)) => place,
        None => Box::new_uninit(),
    };
    NonNull::from(Box::leak(Box::write(place, Node { count: AtomicU64::new(count), value: value() })))
}

/// Gives up units of a node's count, which the caller owns. If they were the last, drops the value.
pub(super) fn give_up<T: Content>(node: NonNull<Node<T>>, units: u64) {
    if were_last(node, units) {
        // SAFETY: by I3 the node is ours alone.
        let value: *mut T = unsafe { &raw mut (*node.as_ptr()).value };
        // SAFETY: the node is not used again but as a place.
        unsafe { value.drop_in_place() };
        recycle(node);
    }
}

/// Gives up units of a node's count, which the caller owns. True: they were the last, and the node is the caller's.
#[inline]
fn were_last<T: Content>(node: NonNull<Node<T>>, units: u64) -> bool {
    // SAFETY: the caller owns units of the count, so by I1 the node lives until the subtraction.
    let count = unsafe { &node.as_ref().count };
    // SR2, Acquire: nobody but us has units, so nobody can count or leave any more; takes in all others' reads. Model:
    // `a_lone_handle_frees_after_all_reads`.
    count.load(Acquire) == units
        // SR1, AcqRel: Release ends our reads before any free; Acquire takes in all others'. Model:
        // `the_last_to_leave_frees_after_all_reads`.
        || count.fetch_sub(units, AcqRel) == units
}

/// Keeps the memory of a node that the caller owns and whose value is gone.
fn recycle<T: Content>(node: NonNull<Node<T>>) {
    // SAFETY: the node is the caller's; it came from a Box of this layout, and is initialised no longer.
    let place = unsafe { Box::from_raw(node.as_ptr().cast::<MaybeUninit<Node<T>>>()) };
    if let Some(spares) = T::spares() {
        spares.give(Spare(place));
    }
}
