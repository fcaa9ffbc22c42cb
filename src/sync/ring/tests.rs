//! Models of the ring; stress tests when not under the model checker.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Brief, Head, Item, SLOTS, Seen, Spare, View, Written};
use crate::sync::bytes::Bytes;
use crate::sync::pool::Spares;
use crate::sync::{Arc, UnsafeCell, model, spawn};

impl Item for u64 {
    type Heading = u64;

    fn spares() -> Option<&'static dyn Spares<Spare<Self>>> {
        None
    }
}

/// A value whose reads and whose end the model checker watches.
struct Watched {
    cell: UnsafeCell<u64>,
    drops: std::sync::Arc<AtomicUsize>,
}

impl Watched {
    fn read(&self) -> u64 {
        // SAFETY: written only before it is pushed and in `drop`: what is tested here.
        self.cell.with(|value| unsafe { *value })
    }
}

impl Clone for Watched {
    fn clone(&self) -> Self {
        Self { cell: UnsafeCell::new(self.read()), drops: self.drops.clone() }
    }
}

// SAFETY: as in `read`; the model checker reports every access that is not ordered.
unsafe impl Sync for Watched {}
// SAFETY: as above.
unsafe impl Send for Watched {}

impl Drop for Watched {
    fn drop(&mut self) {
        // SAFETY: `&mut self`; the model checker reports a reader that is not ordered before this.
        self.cell.with_mut(|value| unsafe { *value = u64::MAX });
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

impl Item for Watched {
    type Heading = ();

    fn spares() -> Option<&'static dyn Spares<Spare<Self>>> {
        None
    }
}

fn shown(view: &View<u64>, length: usize) -> Vec<u64> {
    let mut values = Vec::new();
    view.for_each(length, |seen| {
        values.push(match seen {
            Seen::Whole(value) => *value,
            Seen::Brief(brief) => {
                assert_eq!(brief.bytes.as_slice(), bytes_of(brief.heading));
                brief.heading
            }
        });
    });
    values
}

/// What is pushed along with a value that is pushed as a brief.
fn bytes_of(value: u64) -> Vec<u8> {
    vec![value as u8; (value % (Bytes::ROOM as u64 + 1)) as usize]
}

/// Pushes every other value as a brief.
fn push(head: &Head<u64>, value: u64) -> bool {
    if value.is_multiple_of(2) {
        return head.push(&mut Some(value));
    }
    let mut bytes = Bytes::new();
    assert!(bytes.append_text(&bytes_of(value)));
    head.push(&mut Written(&Brief { heading: value, bytes }))
}

/// The value that a slot shows.
fn read(seen: Seen<'_, Watched>) -> u64 {
    match seen {
        Seen::Whole(value) => value.read(),
        Seen::Brief(_) => 0,
    }
}

#[test]
fn a_view_shows_whole_values() {
    model(|| {
        let drops = std::sync::Arc::new(AtomicUsize::new(0));
        let head = Arc::new(Head::after(View::EMPTY, 4));
        let writer = {
            let (head, drops) = (Arc::clone(&head), drops.clone());
            spawn(move || assert!(head.push(&mut Some(Watched { cell: UnsafeCell::new(7), drops }))))
        };
        head.freeze().for_each(4, |seen| assert_eq!(read(seen), 7));
        writer.join().unwrap();
        let mut seen = Vec::new();
        head.freeze().for_each(4, |value| seen.push(read(value)));
        assert_eq!(seen, [7]);
        drop(head);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_view_shows_whole_what_another_saw() {
    model(|| {
        let drops = std::sync::Arc::new(AtomicUsize::new(0));
        let head = Arc::new(Head::after(View::EMPTY, 4));
        let writer = {
            let (head, drops) = (Arc::clone(&head), drops.clone());
            spawn(move || assert!(head.push(&mut Some(Watched { cell: UnsafeCell::new(7), drops }))))
        };
        let other = {
            let head = Arc::clone(&head);
            spawn(move || drop(head.freeze()))
        };
        head.freeze().for_each(4, |seen| assert_eq!(read(seen), 7));
        writer.join().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn an_older_chunk_shows_whole_values() {
    model(|| {
        let drops = std::sync::Arc::new(AtomicUsize::new(0));
        let head = Arc::new(Head::after(View::EMPTY, 4));
        let writer = {
            let (head, drops) = (Arc::clone(&head), drops.clone());
            spawn(move || assert!(head.push(&mut Some(Watched { cell: UnsafeCell::new(7), drops }))))
        };
        // The writer's chunk is an older one already, and its slot may still be on its way.
        let next = head.successor(4);
        next.freeze().for_each(4, |seen| assert_eq!(read(seen), 7));
        writer.join().unwrap();
        let mut seen = Vec::new();
        next.freeze().for_each(4, |value| seen.push(read(value)));
        assert_eq!(seen, [7]);
    });
}

#[test]
fn every_push_has_a_slot_of_its_own() {
    model(|| {
        let head = Arc::new(Head::after(View::EMPTY, 8));
        let other = {
            let head = Arc::clone(&head);
            spawn(move || assert!(push(&head, 1)))
        };
        assert!(head.push(&mut Some(2)));
        other.join().unwrap();
        let mut values = shown(&head.freeze(), 8);
        values.sort_unstable();
        assert_eq!(values, [1, 2]);
    });
}

#[test]
fn a_view_does_not_change() {
    model(|| {
        let head = Arc::new(Head::after(View::EMPTY, 4));
        for value in 1..SLOTS as u64 {
            assert!(head.push(&mut Some(value)));
        }
        let writer = {
            let head = Arc::clone(&head);
            spawn(move || assert!(head.push(&mut Some(99))))
        };
        // The successor's past reaches back to a chunk whose last slot may still be on its way.
        let next = head.successor(2 * SLOTS);
        let view = next.freeze();
        let before = shown(&view, 2 * SLOTS);
        writer.join().unwrap();
        assert_eq!(shown(&view, 2 * SLOTS), before);
        assert_eq!(shown(&next.freeze(), 2 * SLOTS).last(), Some(&99), "the late one is not lost either");
    });
}

#[test]
fn slots_are_dropped_after_all_reads() {
    model(|| {
        let drops = std::sync::Arc::new(AtomicUsize::new(0));
        let head = Head::after(View::EMPTY, 4);
        assert!(head.push(&mut Some(Watched { cell: UnsafeCell::new(7), drops: drops.clone() })));
        let view = head.freeze();
        let reader = spawn(move || {
            view.for_each(4, |seen| assert_eq!(read(seen), 7));
            drop(view);
        });
        drop(head);
        reader.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn an_older_chunk_goes_after_all_reads() {
    model(|| {
        let drops = std::sync::Arc::new(AtomicUsize::new(0));
        let head = Head::after(View::EMPTY, 4);
        assert!(head.push(&mut Some(Watched { cell: UnsafeCell::new(7), drops: drops.clone() })));
        let next = head.successor(4);
        let reader = spawn(move || {
            next.freeze().for_each(4, |seen| assert_eq!(read(seen), 7));
            drop(next);
        });
        drop(head);
        reader.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn the_past_goes_with_the_last_head() {
    model(|| {
        let drops = std::sync::Arc::new(AtomicUsize::new(0));
        let first = Head::after(View::EMPTY, 4);
        assert!(first.push(&mut Some(Watched { cell: UnsafeCell::new(7), drops: drops.clone() })));
        let head = Head::after(first.freeze(), 4);
        drop(first);
        let other = head.clone();
        let reader = spawn(move || {
            other.freeze().for_each(4, |seen| assert_eq!(read(seen), 7));
            drop(other);
        });
        drop(head);
        reader.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1, "with both heads gone, so is the first chunk");
    });
}

/// Long sequences and real threads, outside the model checker.
#[cfg(not(vidette_loom))]
mod at_length {
    use std::collections::VecDeque;

    use super::*;

    /// A ring as one thread uses it: a head, replaced when full.
    struct Ring {
        head: Head<u64>,
        length: usize,
    }

    impl Ring {
        fn new(length: usize) -> Self {
            Self { head: Head::after(View::EMPTY, length), length }
        }

        fn push(&mut self, value: u64) {
            if !push(&self.head, value) {
                self.head = self.head.successor(self.length);
                assert!(push(&self.head, value));
            }
        }

        fn fork(&self) -> Self {
            Self { head: Head::after(self.head.freeze(), self.length), length: self.length }
        }
    }

    #[test]
    fn it_behaves_like_a_deque_that_forgets_the_oldest() {
        for length in [1, 2, 3, SLOTS, SLOTS + 1, 100, 250] {
            let mut ring = Ring::new(length);
            let mut model = VecDeque::new();
            for value in 0..700 {
                ring.push(value);
                model.push_back(value);
                if model.len() > length {
                    model.pop_front();
                }
                assert_eq!(shown(&ring.head.freeze(), length), model.make_contiguous(), "length {length}");
            }
        }
    }

    #[test]
    fn a_fork_and_its_origin_go_separate_ways() {
        let mut parent = Ring::new(100);
        (0..40).for_each(|value| parent.push(value));
        let mut child = parent.fork();
        parent.push(1_000);
        child.push(2_000);
        let common: Vec<u64> = (0..40).collect();
        assert_eq!(shown(&parent.head.freeze(), 100), [common.clone(), vec![1_000]].concat());
        assert_eq!(shown(&child.head.freeze(), 100), [common, vec![2_000]].concat());
    }

    #[test]
    fn a_long_line_of_forks_shows_all_and_pins_little() {
        let mut ring = Ring::new(100);
        for value in 0..1_000_u64 {
            ring.push(value);
            ring = ring.fork();
            let first = (value + 1).saturating_sub(100);
            assert_eq!(shown(&ring.head.freeze(), 100), (first..=value).collect::<Vec<_>>());
            let pinned = ring.head.before().count();
            let needed = 100_usize.min(value as usize + 1).div_ceil(SLOTS);
            assert!(pinned <= 2 * needed + 2, "{pinned} chunks for what fits {needed}");
        }
    }

    #[test]
    fn a_ring_of_no_length_shows_nothing() {
        let mut ring = Ring::new(0);
        (0..100).for_each(|value| ring.push(value));
        assert!(shown(&ring.head.freeze(), 0).is_empty());
        assert!(ring.head.before().count() <= 1);
    }

    #[test]
    fn many_threads_push_and_nothing_is_lost() {
        let head = std::sync::Arc::new(Head::after(View::EMPTY, SLOTS));
        let accepted = std::sync::Arc::new(AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let (head, accepted) = (head.clone(), accepted.clone());
                scope.spawn(move || {
                    for value in 0..SLOTS as u64 {
                        if push(&head, thread * 1_000 + value) {
                            accepted.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(accepted.load(Ordering::Relaxed), SLOTS);
        let mut values = shown(&head.freeze(), SLOTS);
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), SLOTS);
    }
}
