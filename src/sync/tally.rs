//! Counters bumped anywhere, read or taken by one.

use std::cell::Cell;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// `N` independent counters. Each alone is exact; reading several is not one snapshot.
///
/// Starts on a cache line of its own: who adds to one tally does not slow down who adds to another.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Tally<const N: usize>([AtomicU64; N]);

impl<const N: usize> Tally<N> {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    /// Adds to one counter; an index out of range is a defect of the caller and counts nowhere.
    #[inline]
    pub(crate) fn add(&self, index: usize, quantity: u64) {
        debug_assert!(index < N, "no such counter");
        if let Some(counter) = self.0.get(index) {
            // Relaxed: a count publishes nothing but itself.
            counter.fetch_add(quantity, Relaxed);
        }
    }

    /// Takes up to `quantity` from one counter, and returns how much was there to be taken.
    pub(crate) fn take_up_to(&self, index: usize, quantity: u64) -> u64 {
        let Some(counter) = self.0.get(index) else { return 0 };
        // Relaxed: as in `add`.
        let before = counter.fetch_update(Relaxed, Relaxed, |count| Some(count.saturating_sub(quantity)));
        before.unwrap_or(0).min(quantity)
    }

    pub(crate) fn get(&self, index: usize) -> u64 {
        // Relaxed: as in `add`.
        self.0.get(index).map_or(0, |counter| counter.load(Relaxed))
    }

    /// Raises one counter to `height`, unless it is there, and returns by how much: nothing is counted twice.
    pub(crate) fn raise(&self, index: usize, height: u64) -> u64 {
        // Relaxed: as in `add`.
        self.0.get(index).map_or(0, |counter| height.saturating_sub(counter.fetch_max(height, Relaxed)))
    }

    /// Reads and resets one counter in one step, so that nothing is counted twice or never.
    pub(crate) fn take(&self, index: usize) -> u64 {
        // Relaxed: as in `add`.
        self.0.get(index).map_or(0, |counter| counter.swap(0, Relaxed))
    }
}

/// A counter that costs the thread which made it no read-modify-write; for what is mostly counted where it began.
#[derive(Debug)]
pub(crate) struct Favoured {
    /// The number of the thread that made it.
    home: u64,
    /// Written by that thread alone.
    there: AtomicU64,
    elsewhere: AtomicU64,
}

impl Favoured {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { home: thread_number(), there: AtomicU64::new(0), elsewhere: AtomicU64::new(0) }
    }

    #[inline]
    pub(crate) fn add_one(&self) {
        // Relaxed, here and below: a count publishes nothing but itself.
        if self.home == thread_number() {
            // No addition is lost: this thread alone writes here.
            self.there.store(self.there.load(Relaxed) + 1, Relaxed);
        } else {
            self.elsewhere.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn get(&self) -> u64 {
        self.there.load(Relaxed) + self.elsewhere.load(Relaxed)
    }
}

/// A number that no other thread of the process has or had.
#[inline]
fn thread_number() -> u64 {
    thread_local! {
        static NUMBER: Cell<u64> = const { Cell::new(0) };
    }

    #[cold]
    fn next() -> u64 {
        static LAST: AtomicU64 = AtomicU64::new(0);
        // Relaxed: only uniqueness counts.
        LAST.fetch_add(1, Relaxed) + 1
    }

    // Nothing is dropped with it, so it is there for as long as the thread is.
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(next());
        }
        number.get()
    })
}

#[cfg(test)]
mod tests {
    use super::{Favoured, Tally};

    #[test]
    fn what_many_threads_add_is_taken_exactly_once() {
        let tally = Tally::<3>::new();
        let mut taken = 0;
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| tally.add(1, 2)));
            }
            for _ in 0..1_000 {
                taken += tally.take(1);
            }
        });
        taken += tally.take(1);
        assert_eq!(taken, 80_000);
        assert_eq!((tally.get(0), tally.get(1), tally.get(2)), (0, 0, 0));
    }

    #[test]
    fn a_favoured_counter_counts_what_all_threads_add() {
        let counter = Favoured::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| counter.add_one()));
            }
            (0..10_000).for_each(|_| counter.add_one());
        });
        assert_eq!((counter.get(), counter.there.into_inner()), (50_000, 10_000));
    }
}
