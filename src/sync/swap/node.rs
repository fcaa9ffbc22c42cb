//! What a [`Swap`](super::Swap) holds: a value with a count.

use std::fmt;
use std::marker::PhantomData;
#[cfg(test)]
use std::mem::ManuallyDrop;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
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
    #[inline(always)]
    pub(crate) fn make(value: impl FnOnce() -> T) -> Self {
        Self { node: new_node(1, value), owns: PhantomData }
    }

    /// The value, to be changed, if this is the only handle.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        // SR3, Acquire: as SR2. Model: `a_lone_handle_may_change_its_value`.
        if self.node().count.load(Acquire) != 1 {
            return None;
        }
        // SAFETY: by I1 nobody else can reach the node, and nobody will as long as the handle is borrowed.
        Some(unsafe { &mut (*self.node.as_ptr()).value })
    }

    /// Gives the value back if this is the only handle, and drops the handle otherwise.
    #[cfg(test)]
    pub(crate) fn into_inner(self) -> Option<T> {
        Self::take_out(ManuallyDrop::new(self).node, 1)
    }

    /// Gives up units that the caller owns, and the value back if they were the last.
    #[inline]
    pub(super) fn take_out(node: NonNull<Node<T>>, units: u64) -> Option<T> {
        if !were_last(node, units) {
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

impl<T: Content + Clone + Default> Shared<T> {
    /// The value, to be changed: this handle's own, copied if there are others.
    pub(crate) fn make_mut(&mut self) -> &mut T {
        if self.get_mut().is_none() {
            // Copied to where it is to be.
            let mut copy = Draft::make(T::default);
            copy.clone_from(self);
            *self = copy.share();
        }
        // SAFETY: the handle is the only one, as above, or new.
        unsafe { &mut (*self.node.as_ptr()).value }
    }
}

/// A value that is to be [`Shared`] and can be changed until then.
pub(crate) struct Draft<T: Content>(Shared<T>);

impl<T: Content> Draft<T> {
    /// Makes the value where it is to be.
    #[inline(always)]
    pub(crate) fn make(value: impl FnOnce() -> T) -> Self {
        Self(Shared::make(value))
    }

    pub(crate) fn share(self) -> Shared<T> {
        self.0
    }
}

impl<T: Content> Deref for Draft<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Content> DerefMut for Draft<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the handle is the only one: it was made here, and is cloned only when it has left.
        unsafe { &mut (*self.0.node.as_ptr()).value }
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

// Inlined whatever it takes, as are those that call it: else the value is moved here from somewhere else, in steps of 100 and
// more bytes.
#[inline(always)]
pub(super) fn new_node<T: Content>(count: u64, value: impl FnOnce() -> T) -> NonNull<Node<T>> {
    let place = match T::spares().and_then(|spares| spares.take()) {
        Some(Spare(place)) => place,
        None => Box::new_uninit(),
    };
    let node: NonNull<Node<T>> = NonNull::from(Box::leak(place)).cast();
    // SAFETY: the place is ours, of the right size and alignment.
    let to: *mut T = unsafe { &raw mut (*node.as_ptr()).value };
    // SAFETY: as above. Should `value` panic, the place is lost, and nothing else.
    unsafe { to.write(value()) };
    // SAFETY: as above.
    let to: *mut AtomicU64 = unsafe { &raw mut (*node.as_ptr()).count };
    // SAFETY: as above.
    unsafe { to.write(AtomicU64::new(count)) };
    node
}

/// Gives up units of a node's count, which the caller owns. If they were the last, drops the value.
pub(super) fn give_up<T: Content>(node: NonNull<Node<T>>, units: u64) {
    if were_last(node, units) {
        let_go(node);
    }
}

/// Drops the value of a node that the caller owns alone (I3), and keeps its memory.
pub(super) fn let_go<T: Content>(node: NonNull<Node<T>>) {
    // SAFETY: by I3 the node is ours alone.
    let value: *mut T = unsafe { &raw mut (*node.as_ptr()).value };
    // SAFETY: the node is not used again but as a place.
    unsafe { value.drop_in_place() };
    recycle(node);
}

/// True if these units, which the caller owns, are the last of a node's count: then the node is the caller's alone (I3).
#[inline]
pub(super) fn is_last<T: Content>(node: NonNull<Node<T>>, units: u64) -> bool {
    // SAFETY: the caller owns units of the count, so by I1 the node lives.
    let count = unsafe { &node.as_ref().count };
    // SR2, Acquire: nobody but us has units, so nobody can count or leave any more; takes in all others' reads. Model:
    // `a_lone_handle_frees_after_all_reads`.
    count.load(Acquire) == units
}

/// Gives up units of a node's count, which the caller owns. True: they were the last, and the node is the caller's.
#[inline]
fn were_last<T: Content>(node: NonNull<Node<T>>, units: u64) -> bool {
    // SAFETY: the caller owns units of the count, so by I1 the node lives until the subtraction.
    let count = unsafe { &node.as_ref().count };
    // SR1, AcqRel: Release ends our reads before any free; Acquire takes in all others'. Model:
    // `the_last_to_leave_frees_after_all_reads`.
    is_last(node, units) || count.fetch_sub(units, AcqRel) == units
}

/// Keeps the memory of a node that the caller owns and whose value is gone.
fn recycle<T: Content>(node: NonNull<Node<T>>) {
    // SAFETY: the node is the caller's; it came from a Box of this layout, and is initialised no longer.
    let place = unsafe { Box::from_raw(node.as_ptr().cast::<MaybeUninit<Node<T>>>()) };
    if let Some(spares) = T::spares() {
        spares.give(Spare(place));
    }
}
