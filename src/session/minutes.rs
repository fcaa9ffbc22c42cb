//! A small table of minutes, in which requests are counted as they end.
//!
//! Any thread counts, the sender takes. A cell is one word, a minute and a count, so that a count can't be taken for
//! that of another minute, and what is taken is taken exactly once.
//!
//! ```text
//!   cell   minute (32 bits) | count (32 bits)         count 0: free for any minute
//! ```
//! # Guarantees
//! Lock-free; never allocates; what finds no cell is refused, not lost.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::Outcome;

#[derive(Debug)]
pub(crate) struct Minutes([[AtomicU64; CELLS]; Outcome::ALL.len()]);

/// All cells belong to other minutes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Full;

/// Whether a cell was free until now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Counted {
    First,
    Another,
}

impl Minutes {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))))
    }

    /// Counts a request. The first of a cell has to tell whoever takes.
    pub(crate) fn count(&self, minute: u32, outcome: Outcome) -> Result<Counted, Full> {
        let cells = self.0.get(outcome as usize).ok_or(Full)?;
        let first = minute as usize % CELLS;
        for cell in cells.iter().cycle().skip(first).take(CELLS) {
            // Relaxed: a count publishes nothing but itself.
            match cell.fetch_update(Relaxed, Relaxed, |word| counted(word, minute)) {
                Ok(word) if count_of(word) == 0 => return Ok(Counted::First),
                Ok(_) => return Ok(Counted::Another),
                Err(_) => {}
            }
        }
        Err(Full)
    }

    /// Takes all counts. One minute may come more than once.
    pub(crate) fn take(&self, mut visit: impl FnMut(u32, Outcome, u32)) {
        for (cells, outcome) in self.0.iter().zip(Outcome::ALL) {
            for cell in cells {
                // Relaxed: as in `count`.
                let word = cell.swap(0, Relaxed);
                if count_of(word) != 0 {
                    visit((word >> 32) as u32, outcome, count_of(word));
                }
            }
        }
    }
}

/// A cell with one more of this minute. `None`: it belongs to another one, or is full.
fn counted(word: u64, minute: u32) -> Option<u64> {
    match count_of(word) {
        0 => Some(u64::from(minute) << 32 | 1),
        u32::MAX => None,
        _ => (word >> 32 == u64::from(minute)).then_some(word + 1),
    }
}

fn count_of(word: u64) -> u32 {
    // The lower half.
    word as u32
}

/// How many minutes can be counted at once for each outcome. Requests that take longer than that are few.
const CELLS: usize = 16;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering::Relaxed;

    use super::{CELLS, Counted, Full, Minutes};
    use crate::session::Outcome;

    #[test]
    fn what_many_threads_count_is_taken_exactly_once_and_for_its_minute() {
        const EACH: u32 = 200_000;
        let table = Minutes::new();
        let done = AtomicBool::new(false);
        let mut taken = BTreeMap::<(u32, usize), u32>::new();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..2_u32)
                .map(|thread| {
                    let table = &table;
                    scope.spawn(move || {
                        for n in 0..EACH {
                            // Minutes that share cells: 7 and 23 start at the same one.
                            let minute = [7, 23, 8][n as usize % 3];
                            let outcome = Outcome::ALL[(n + thread) as usize % 4];
                            assert_ne!(table.count(minute, outcome), Err(Full));
                        }
                    })
                })
                .collect();
            let (table, done) = (&table, &done);
            let taker = scope.spawn(move || {
                let mut taken = BTreeMap::<(u32, usize), u32>::new();
                while !done.load(Relaxed) {
                    table.take(|minute, outcome, count| *taken.entry((minute, outcome as usize)).or_default() += count);
                }
                taken
            });
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            done.store(true, Relaxed);
            taken = taker.join().unwrap();
        });
        table.take(|minute, outcome, count| *taken.entry((minute, outcome as usize)).or_default() += count);
        let mut expected = BTreeMap::<(u32, usize), u32>::new();
        for (thread, n) in (0..2).flat_map(|thread| (0..EACH).map(move |n| (thread, n))) {
            *expected.entry(([7, 23, 8][n as usize % 3], (n + thread) as usize % 4)).or_default() += 1;
        }
        assert_eq!(taken, expected);
    }

    #[test]
    fn a_minute_that_finds_no_cell_is_refused_and_those_there_go_on() {
        let table = Minutes::new();
        for minute in 0..CELLS as u32 {
            assert_eq!(table.count(minute, Outcome::Exited), Ok(Counted::First));
        }
        assert_eq!(table.count(99, Outcome::Exited), Err(Full));
        assert_eq!(table.count(99, Outcome::Crashed), Ok(Counted::First));
        assert_eq!(table.count(3, Outcome::Exited), Ok(Counted::Another));
        let mut all = 0;
        table.take(|_, _, count| all += count);
        assert_eq!(all as usize, CELLS + 2);
        assert_eq!(table.count(99, Outcome::Exited), Ok(Counted::First), "there is room again");
    }
}
