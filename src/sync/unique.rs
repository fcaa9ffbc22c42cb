//! Numbers that no other call in the process gets: names of layers and of drafts.

use std::cell::Cell;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

thread_local! {
    /// The last number of this thread. Without a destructor, so that it can be used at any time.
    static LAST: Cell<u64> = const { Cell::new(BLOCK - 1) };
}

/// Where the next block of numbers begins.
static NEXT_BLOCK: AtomicU64 = AtomicU64::new(0);

/// Returns a number that is unique in the process, and not zero.
#[inline]
pub(crate) fn number() -> u64 {
    LAST.with(|last| {
        let mut number = last.get() + 1;
        if number % BLOCK == 0 {
            number = begin_block();
        }
        last.set(number);
        number
    })
}

/// The first number of a block of this thread's own.
#[cold]
fn begin_block() -> u64 {
    // Relaxed: only uniqueness counts. At a million blocks a second they last for centuries.
    NEXT_BLOCK.fetch_add(BLOCK, Relaxed) + 1
}

/// How many numbers a thread takes at once; the first of them is not used.
const BLOCK: u64 = 1 << 10;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_number_is_handed_out_twice_and_none_is_zero() {
        let take = || (0..3 * BLOCK).map(|_| number()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(take)).collect();
        let numbers: Vec<u64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert!(!numbers.contains(&0));
        assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), numbers.len());
    }
}
