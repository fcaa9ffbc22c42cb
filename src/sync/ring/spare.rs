//! The end of a chunk: it is emptied, and waits for its next use.

use std::sync::atomic::Ordering::Relaxed;

use super::slot::{EMPTY, WHOLE};
use super::{Chunk, Item, SLOTS, Spare};

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
