//! A slot of a ring: a whole value, or a header with some bytes.

use std::mem::{ManuallyDrop, MaybeUninit, offset_of};
use std::ptr;

use super::{Head, Item};
use crate::sync::UnsafeCell;
use crate::sync::bytes::Bytes;

/// What one slot holds, if anything. Which it is stands in the chunk's flags.
pub(crate) struct Slot<T: Item>(UnsafeCell<Either<T>>);

#[repr(C)]
union Either<T: Item> {
    nothing: (),
    whole: ManuallyDrop<T>,
    brief: Brief<T::Header>,
}

/// A header, and the bytes that belong to it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Brief<H> {
    pub(crate) header: H,
    pub(crate) bytes: Bytes,
}

/// What a slot shows.
pub(crate) enum Seen<'a, T: Item> {
    Whole(&'a T),
    Brief(&'a Brief<T::Header>),
}

/// What can be moved to a slot: `Some` whole value, or a [`Brief`].
pub(crate) trait Cargo<T: Item> {
    /// True if there is nothing to move.
    fn is_gone(&self) -> bool;

    /// Moves itself to the slot, and returns what the slot's flag is to say. Called once.
    ///
    /// # Safety
    /// The slot is empty, and the caller's alone.
    unsafe fn unload(&mut self, slot: &Slot<T>) -> u8;
}

impl<T: Item> Slot<T> {
    pub(super) fn new() -> Self {
        Self(UnsafeCell::new(Either { nothing: () }))
    }

    /// Shows what is there.
    ///
    /// # Safety
    /// The slot was published with this flag, and is only read.
    #[inline]
    pub(super) unsafe fn show(&self, flag: u8, visit: &mut impl FnMut(Seen<'_, T>)) {
        self.0.with(|either| {
            visit(match flag {
                // SAFETY: the flag says what was written, and nobody writes: the caller's promise.
                WHOLE => Seen::Whole(unsafe { &*either.cast::<T>() }),
                // SAFETY: as above.
                _ => Seen::Brief(unsafe { &*either.cast::<Brief<T::Header>>() }),
            });
        });
    }

    /// Drops the whole value that is there.
    ///
    /// # Safety
    /// The slot was published as a whole value, and is the caller's alone; it is not shown again.
    #[inline]
    pub(super) unsafe fn clear(&self) {
        // SAFETY: the caller's promise.
        self.0.with_mut(|either| unsafe { either.cast::<T>().drop_in_place() });
    }
}

impl<T: Item> Cargo<T> for Option<T> {
    #[inline]
    fn is_gone(&self) -> bool {
        self.is_none()
    }

    #[inline]
    unsafe fn unload(&mut self, slot: &Slot<T>) -> u8 {
        let Some(whole) = self else { return EMPTY };
        let from: *const T = whole;
        // SAFETY: the slot is ours. The value is copied once: a large one that passes through variables is copied more often,
        // which costs as much as the rest.
        slot.0.with_mut(|either| unsafe { either.cast::<T>().copy_from_nonoverlapping(from, 1) });
        // SAFETY: the value has moved to the slot, so it is forgotten here.
        unsafe { ptr::write(self, None) };
        WHOLE
    }
}

impl<T: Item> Cargo<T> for Brief<T::Header> {
    #[inline]
    fn is_gone(&self) -> bool {
        false
    }

    #[inline]
    unsafe fn unload(&mut self, slot: &Slot<T>) -> u8 {
        let from: *const MaybeUninit<u8> = ptr::from_ref(self).cast();
        slot.0.with_mut(|either| {
            let to = either.cast::<MaybeUninit<u8>>();
            // In one or two steps of lengths that are known here, so that a few wide moves are all.
            // SAFETY: the slot is ours; `SHORT` is less than the size of either.
            unsafe { ptr::copy_nonoverlapping(from, to, SHORT) };
            if offset_of!(Self, bytes) + Bytes::reach(self.bytes.len()) > SHORT {
                let (from, to) = (from.wrapping_add(SHORT), to.wrapping_add(SHORT));
                // SAFETY: as above, the rest of what both have room for.
                unsafe { ptr::copy_nonoverlapping(from, to, size_of::<Self>() - SHORT) };
            }
        });
        const { assert!(size_of::<Self>() >= SHORT, "a short copy stays inside") };
        BRIEF
    }
}

impl<T: Item> Seen<'_, T> {
    /// Pushes a copy. False: the chunk is full.
    pub(super) fn copy_to(&self, head: &Head<T>) -> bool {
        match self {
            Self::Whole(whole) => head.push(&mut Some((*whole).clone())),
            Self::Brief(brief) => head.push(&mut { **brief }),
        }
    }
}

/// Of a flag: nothing is published.
pub(super) const EMPTY: u8 = 0;
/// Of a flag: a whole value.
pub(super) const WHOLE: u8 = 1;
/// Of a flag: a header and bytes.
const BRIEF: u8 = 2;
/// How much of a brief that is short is copied: a line and a half.
const SHORT: usize = 96;
