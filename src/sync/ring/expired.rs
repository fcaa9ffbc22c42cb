//! The end of a chunk: it is emptied, and waits for its next use.
//!
//! All at once, or, where a ring has outgrown it, value by value: a thread that adds values one at a time drops
//! them one at a time, too. Memory that comes back in bursts is more than an allocator keeps at hand.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;

use super::slot::{EMPTY, WHOLE};
use super::{Chunk, FULL, Head, Item, Reference, SLOTS, Spare, were_last};

/// A reference to a chunk that the next head of a ring does not remember.
pub(crate) struct Outgrown<T: Item>(Reference<T>);

/// A chunk that nobody else refers to, with values to be dropped. What is left of them goes with it.
pub(crate) struct Expired<T: Item> {
    chunk: NonNull<Chunk<T>>,
    next: usize,
}

impl<T: Item> Head<T> {
    /// The chunk that this head remembers, and a [successor](Head::successor) does not, if it holds whole values.
    pub(crate) fn outgrown(&self, length: usize) -> Option<Outgrown<T>> {
        let mut shown = SLOTS;
        let mut past = self.before().skip_while(|(_, mask)| {
            let is_remembered = shown < length;
            shown += mask.unwrap_or(FULL).count_ones() as usize;
            is_remembered
        });
        let (chunk, _) = past.next()?;
        // RK2, Relaxed: a guess. If it is wrong, the values go at once.
        let holds_whole = chunk.chunk().flags.first().is_some_and(|flag| flag.load(Relaxed) == WHOLE);
        holds_whole.then(|| Outgrown(chunk.clone()))
    }
}

impl<T: Item> Outgrown<T> {
    /// Takes the chunk, if no other reference is left.
    pub(crate) fn expire(self) -> Option<Expired<T>> {
        let chunk = ManuallyDrop::new(self.0).0;
        // Lazily: what is made is dropped.
        were_last(chunk, 1).then(|| Expired { chunk, next: 0 })
    }
}

impl<T: Item> Expired<T> {
    /// Drops the next value. False: there is none left.
    #[inline]
    pub(crate) fn drop_next(&mut self) -> bool {
        // SAFETY: the chunk is ours alone (I3), until we are dropped.
        let chunk = unsafe { self.chunk.as_ref() };
        while let (Some(slot), Some(flag)) = (chunk.slots.get(self.next), chunk.flags.get(self.next)) {
            self.next += 1;
            // RE6, Relaxed: as RE4.
            if flag.load(Relaxed) == WHOLE {
                // RE7, Relaxed: as RE5.
                flag.store(EMPTY, Relaxed);
                // SAFETY: published as a whole value (I1), which nobody refers to any more; the flag is down, so that it is
                // dropped once.
                unsafe { slot.clear() };
                return true;
            }
        }
        false
    }
}

impl<T: Item> Drop for Expired<T> {
    fn drop(&mut self) {
        // SAFETY: the chunk is ours alone (I3), and came from a Box.
        Spare::give(unsafe { Box::from_raw(self.chunk.as_ptr()) });
    }
}

impl<T: Item> std::fmt::Debug for Expired<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expired").field("next", &self.next).finish_non_exhaustive()
    }
}

impl<T: Item> Spare<T> {
    pub(super) fn take() -> Box<Chunk<T>> {
        match T::spares().and_then(|spares| spares.take()) {
            Some(Self(chunk)) => chunk,
            None => Chunk::new(),
        }
    }

    /// Empties a chunk that nobody refers to, and keeps it if there is room.
    pub(super) fn give(chunk: Box<Chunk<T>>) {
        // RE1, Relaxed: RD1 took in everything.
        let used = chunk.tail.load(Relaxed).min(SLOTS as u32) as usize;
        // RE2, Relaxed: the chunk is ours; whoever shares it next publishes it.
        chunk.seen.store(0, Relaxed);
        // RE3, Relaxed: as RE2.
        chunk.tail.store(0, Relaxed);
        for (index, flag) in chunk.flags.iter().enumerate().take(used) {
            // RE4, Relaxed: as RE1.
            let kind = flag.load(Relaxed);
            // RE5, Relaxed: as RE2.
            flag.store(EMPTY, Relaxed);
            if kind == WHOLE
                && let Some(slot) = chunk.slots.get(index)
            {
                // SAFETY: published as a whole value (I1); nobody refers to the chunk any more (I3).
                unsafe { slot.clear() };
            }
        }
        if let Some(spares) = T::spares() {
            spares.give(Self(chunk));
        }
    }
}
