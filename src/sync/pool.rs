//! Memory that was let go and waits for its next use: a little with each thread, the rest with the process.
//!
//! A thread that lets go of what it took a moment ago finds it again without an atomic operation. What the thread has no
//! room for goes to the process's share, and what that has no room for is freed. A thread that ends gives its share
//! back.
//!
//! # Guarantees
//! Bounded on both sides; never waits. A thread whose locals are gone uses the process's share.

use std::cell::Cell;
use std::sync::OnceLock;
use std::thread::LocalKey;

use crossbeam_queue::ArrayQueue;

/// The process's share of spare values of one kind.
pub(crate) struct Pool<T> {
    queue: OnceLock<ArrayQueue<T>>,
    most: usize,
}

/// A thread's share of them: at most `N`.
pub(crate) struct Share<T: 'static, const N: usize> {
    kept: [Cell<Option<T>>; N],
    count: Cell<usize>,
    pool: &'static Pool<T>,
}

/// Where spare values of one kind are taken from and given to.
pub(crate) trait Spares<T> {
    fn take(&'static self) -> Option<T>;

    /// Keeps a value, or frees it. It must not be one whose drop runs code of the user.
    fn give(&'static self, value: T);
}

impl<T> Pool<T> {
    /// A share that keeps at most `most` values.
    pub(crate) const fn new(most: usize) -> Self {
        Self { queue: OnceLock::new(), most }
    }

    #[cold]
    #[inline(never)]
    fn pop(&self) -> Option<T> {
        self.queue.get()?.pop()
    }

    #[cold]
    #[inline(never)]
    fn push(&self, value: T) {
        drop(self.queue.get_or_init(|| ArrayQueue::new(self.most)).push(value));
    }
}

impl<T, const N: usize> Share<T, N> {
    pub(crate) const fn of(pool: &'static Pool<T>) -> Self {
        Self { kept: [const { Cell::new(None) }; N], count: Cell::new(0), pool }
    }

    #[inline]
    fn pop(&self) -> Option<T> {
        let top = self.count.get().checked_sub(1)?;
        self.count.set(top);
        self.kept.get(top)?.take()
    }

    #[inline]
    fn push(&self, value: T) -> Result<(), T> {
        let count = self.count.get();
        let Some(place) = self.kept.get(count) else { return Err(value) };
        self.count.set(count + 1);
        place.set(Some(value));
        Ok(())
    }
}

impl<T, const N: usize> Spares<T> for LocalKey<Share<T, N>> {
    #[inline]
    fn take(&'static self) -> Option<T> {
        self.try_with(|share| share.pop().or_else(|| share.pool.pop())).ok().flatten()
    }

    #[inline]
    fn give(&'static self, value: T) {
        let mut value = Some(value);
        _ = self.try_with(|share| {
            if let Some(value) = value.take()
                && let Err(value) = share.push(value)
            {
                share.pool.push(value);
            }
        });
        // A thread without locals: what is left in `value` is freed.
    }
}

impl<T, const N: usize> Drop for Share<T, N> {
    fn drop(&mut self) {
        while let Some(value) = self.pop() {
            self.pool.push(value);
        }
    }
}

#[cfg(all(test, not(vidette_loom)))]
mod tests {
    use std::sync::Arc;

    use super::*;

    type Counted = Arc<()>;

    static POOL: Pool<Counted> = Pool::new(3);

    thread_local! {
        static SHARE: Share<Counted, 2> = const { Share::of(&POOL) };
    }

    #[test]
    fn what_a_thread_lets_go_is_kept_within_bounds_and_survives_the_thread() {
        let counted = Counted::default();
        let values: Vec<Counted> = (0..7).map(|_| Arc::clone(&counted)).collect();
        std::thread::spawn(move || {
            for value in values {
                SHARE.give(value);
            }
            assert!(SHARE.take().is_some());
            SHARE.with(|share| assert_eq!(share.count.get(), 1));
        })
        .join()
        .unwrap();
        // Two stayed with the thread, three in the pool, two were freed; of the thread's, one was taken and dropped, and
        // the other found no room when the thread ended.
        assert_eq!(Arc::strong_count(&counted), 1 + 3);
        let taken: Vec<Counted> = std::iter::from_fn(|| SHARE.take()).collect();
        assert_eq!(taken.len(), 3);
        drop(taken);
        assert_eq!(Arc::strong_count(&counted), 1);
    }
}
