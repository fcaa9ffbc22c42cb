//! A slot of a ring: a whole value, or a header with some bytes.

use std::mem::ManuallyDrop;
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
    brief: Brief<T::Heading>,
}

/// A header, and the bytes that belong to it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Brief<H> {
    pub(crate) heading: H,
    pub(crate) bytes: Bytes,
}

/// What a slot shows.
pub(crate) enum Seen<'a, T: Item> {
    Whole(&'a T),
    Brief(&'a Brief<T::Heading>),
}

/// A brief that is written where it is to stand.
pub(crate) trait Writes<H> {
    /// True if there is nothing to write.
    fn is_gone(&self) -> bool;

    fn heading(&self) -> H;

    /// Writes the bytes. No user code may run here: others wait for the slot.
    fn write_to(&self, bytes: &mut Bytes);
}

/// What is written to its slot.
pub(crate) struct Written<W>(pub(crate) W);

/// What can be moved to a slot: `Some` whole value, or what is [`Written`] there.
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
                _ => Seen::Brief(unsafe { &*either.cast::<Brief<T::Heading>>() }),
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

impl<T: Item, W: Writes<T::Heading>> Cargo<T> for Written<W> {
    #[inline]
    fn is_gone(&self) -> bool {
        self.0.is_gone()
    }

    #[inline]
    unsafe fn unload(&mut self, slot: &Slot<T>) -> u8 {
        slot.0.with_mut(|either| {
            let brief = either.cast::<Brief<T::Heading>>();
            // SAFETY: the slot is ours, and holds a brief as well as anything else.
            let heading = unsafe { &raw mut (*brief).heading };
            // SAFETY: as above.
            unsafe { heading.write(self.0.heading()) };
            // SAFETY: as above.
            let bytes = unsafe { &raw mut (*brief).bytes };
            // SAFETY: as above.
            let bytes = unsafe { Bytes::begin_at(bytes) };
            self.0.write_to(bytes);
        });
        BRIEF
    }
}

impl<H: Copy> Writes<H> for &Brief<H> {
    fn is_gone(&self) -> bool {
        false
    }

    fn heading(&self) -> H {
        self.heading
    }

    fn write_to(&self, bytes: &mut Bytes) {
        bytes.copy_from(&self.bytes);
    }
}

impl<T: Item> Seen<'_, T> {
    /// Pushes a copy. False: the chunk is full.
    pub(super) fn copy_to(&self, head: &Head<T>) -> bool {
        match self {
            Self::Whole(whole) => head.push(&mut Some((*whole).clone())),
            Self::Brief(brief) => head.push(&mut Written(*brief)),
        }
    }
}

/// Of a flag: nothing is published.
pub(super) const EMPTY: u8 = 0;
/// Of a flag: a whole value.
pub(super) const WHOLE: u8 = 1;
/// Of a flag: a header and bytes.
const BRIEF: u8 = 2;
