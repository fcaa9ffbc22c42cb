//! Models of the swap; stress tests when not under the model checker.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Content, Placed, Shared, Stacked, Swap, TAGS};
use crate::sync::{Arc, UnsafeCell, model, spawn};

/// A value whose reads and whose end the model checker watches.
struct Watched {
    cell: UnsafeCell<u64>,
    drops: std::sync::Arc<AtomicUsize>,
}

impl Watched {
    fn new(value: u64, drops: &std::sync::Arc<AtomicUsize>) -> Shared<Self> {
        Shared::new(Self { cell: UnsafeCell::new(value), drops: std::sync::Arc::clone(drops) })
    }

    fn read(&self) -> u64 {
        // SAFETY: written only before the value is shared and in `drop`, after all readers left: what is tested here.
        self.cell.with(|value| unsafe { *value })
    }
}

// SAFETY: as in `read`; the model checker reports every access that is not ordered.
unsafe impl Sync for Watched {}

impl Drop for Watched {
    fn drop(&mut self) {
        // SAFETY: `&mut self`; the model checker reports a reader that is not ordered before this.
        self.cell.with_mut(|value| unsafe { *value = u64::MAX });
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

impl Content for Watched {}

impl Content for String {}

impl Content for u64 {
    fn tag(&self) -> u64 {
        *self
    }
}

fn count() -> std::sync::Arc<AtomicUsize> {
    std::sync::Arc::new(AtomicUsize::new(0))
}

#[test]
fn a_reader_sees_a_whole_value() {
    model(|| {
        let drops = count();
        let swap = Arc::new(Swap::new(None));
        let writer = {
            let (swap, drops) = (Arc::clone(&swap), drops.clone());
            spawn(move || drop(swap.swap(Some(Watched::new(7, &drops)))))
        };
        if let Some(value) = swap.borrow() {
            assert_eq!(value.read(), 7);
        }
        writer.join().unwrap();
        assert_eq!(swap.load().unwrap().read(), 7);
        drop(swap);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_turn_has_passed_when_its_value_has() {
    model(|| {
        let drops = count();
        let swap = Arc::new(Swap::new(Some(Watched::new(1, &drops))));
        let writers = [2, 3].map(|value| {
            let (swap, drops) = (Arc::clone(&swap), drops.clone());
            let write = move || {
                let current = swap.borrow().unwrap();
                current.replace(Placed::new(Watched::new(value, &drops))).is_ok()
            };
            spawn(write)
        });
        let (turn, seen) = {
            let (turn, guest) = swap.borrow_in_turn().unwrap();
            (turn, guest.read())
        };
        writers.into_iter().for_each(|writer| assert!(writer.join().is_ok()));
        let last = swap.borrow().unwrap().read();
        assert!(last != 1, "one of them replaced the first value");
        assert!(swap.turn() != turn || seen == last, "still in the turn of {seen}, but there is {last}");
    });
}

#[test]
fn the_last_to_leave_frees_after_all_reads() {
    model(|| {
        let drops = count();
        let swap = Arc::new(Swap::new(Some(Watched::new(1, &drops))));
        let reader = {
            let swap = Arc::clone(&swap);
            spawn(move || {
                let seen = swap.borrow().unwrap().read();
                assert!(seen == 1 || seen == 2);
            })
        };
        drop(swap.swap(Some(Watched::new(2, &drops))));
        reader.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1, "the replaced value is freed exactly once");
        drop(swap);
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn what_is_published_over_is_freed_after_all_reads() {
    model(|| {
        let drops = count();
        let swap = Arc::new(Swap::new(Some(Watched::new(1, &drops))));
        let reader = {
            let swap = Arc::clone(&swap);
            spawn(move || {
                let seen = swap.borrow().unwrap().read();
                assert!(seen == 1 || seen == 2);
            })
        };
        let current = swap.borrow().unwrap();
        assert!(current.replace(Placed::new(Watched::new(2, &drops))).is_ok(), "nobody else writes");
        reader.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        drop(swap);
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_handle_outlives_the_place_it_was_loaded_from() {
    model(|| {
        let drops = count();
        let swap = Arc::new(Swap::new(Some(Watched::new(1, &drops))));
        let reader = {
            let swap = Arc::clone(&swap);
            spawn(move || swap.load())
        };
        drop(swap.swap(None));
        if let Some(handle) = reader.join().unwrap() {
            assert_eq!(handle.read(), 1);
        }
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn no_update_is_lost() {
    fn add(swap: &Swap<u64>, n: u64) {
        loop {
            let current = swap.borrow().unwrap();
            let sum = Shared::new(*current + n);
            if current.replace(Placed::new(sum)).is_ok() {
                return;
            }
        }
    }
    /// The same, by a handle.
    fn add_at_length(swap: &Swap<u64>, n: u64) {
        loop {
            let current = swap.load().unwrap();
            let sum = Shared::new(*current + n);
            if swap.replace(current, Placed::new(sum)).is_ok() {
                return;
            }
        }
    }
    model(|| {
        let swap = Arc::new(Swap::new(Some(Shared::new(0))));
        let other = {
            let swap = Arc::clone(&swap);
            spawn(move || add_at_length(&swap, 10))
        };
        add(&swap, 1);
        other.join().unwrap();
        assert_eq!(*swap.load().unwrap(), 11);
    });
}

#[test]
fn a_lone_handle_frees_after_all_reads() {
    model(|| {
        let drops = count();
        let handle = Watched::new(1, &drops);
        let other = handle.clone();
        let reader = spawn(move || assert_eq!(other.read(), 1));
        drop(handle);
        reader.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_lone_handle_may_change_its_value() {
    model(|| {
        let drops = count();
        let mut handle = Watched::new(1, &drops);
        let other = handle.clone();
        let reader = spawn(move || assert_eq!(other.read(), 1));
        if let Some(value) = handle.get_mut() {
            // SAFETY: `&mut`; the model checker reports a reader that is not ordered before this.
            value.cell.with_mut(|value| unsafe { *value = 2 });
        }
        reader.join().unwrap();
        assert!(handle.get_mut().is_some(), "the other is gone");
    });
}

#[test]
fn a_handle_that_was_shared_may_enter_a_word() {
    model(|| {
        let drops = count();
        let handle = Watched::new(1, &drops);
        let other = handle.clone();
        let reader = spawn(move || assert_eq!(other.read(), 1));
        drop(Swap::new(Some(handle)));
        reader.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    });
}

/// A watched value that can lie on another.
struct Lying {
    value: Watched,
    below: Option<Placed<Self>>,
}

impl Content for Lying {
    fn tag(&self) -> u64 {
        u64::from(self.below.is_some())
    }
}

impl Stacked for Lying {
    fn below(&self) -> Option<&Placed<Self>> {
        self.below.as_ref()
    }

    fn below_mut(&mut self) -> &mut Option<Placed<Self>> {
        &mut self.below
    }
}

/// Puts a value on top, on whatever lies there.
fn stack(swap: &Swap<Lying>, value: Watched) {
    assert!(swap.stack(|| Lying { value, below: None }, |_| Some(1)));
}

/// Takes the value on top away.
fn unstack(swap: &Swap<Lying>) {
    while !swap.borrow().unwrap().unstack() {}
}

fn watched(value: u64, drops: &std::sync::Arc<AtomicUsize>) -> Watched {
    Watched { cell: UnsafeCell::new(value), drops: std::sync::Arc::clone(drops) }
}

fn stack_of_one(drops: &std::sync::Arc<AtomicUsize>) -> Arc<Swap<Lying>> {
    Arc::new(Swap::new(Some(Shared::new(Lying { value: watched(1, drops), below: None }))))
}

#[test]
fn what_is_stacked_upon_is_freed_after_all_reads() {
    model(|| {
        let drops = count();
        let swap = stack_of_one(&drops);
        let reader = {
            let swap = Arc::clone(&swap);
            spawn(move || {
                let top = swap.borrow().unwrap();
                let below = top.below.as_ref().map(|below| below.value.read());
                assert!(matches!((top.value.read(), below), (1, None) | (2, Some(1)) | (3, None)));
            })
        };
        stack(&swap, watched(2, &drops));
        drop(swap.swap(Some(Shared::new(Lying { value: watched(3, &drops), below: None }))));
        reader.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 2);
        drop(swap);
        assert_eq!(drops.load(Ordering::Relaxed), 3);
    });
}

#[test]
fn what_is_taken_away_is_freed_after_all_reads() {
    model(|| {
        let drops = count();
        let swap = stack_of_one(&drops);
        stack(&swap, watched(2, &drops));
        let reader = {
            let swap = Arc::clone(&swap);
            spawn(move || {
                let top = swap.borrow().unwrap();
                let below = top.below.as_ref().map(|below| below.value.read());
                assert!(matches!((top.value.read(), below), (1, None) | (2, Some(1))));
            })
        };
        unstack(&swap);
        assert_eq!(swap.tag(), 0);
        reader.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        drop(swap);
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn whoever_has_what_was_taken_away_has_what_it_lay_on() {
    model(|| {
        let drops = count();
        let swap = stack_of_one(&drops);
        stack(&swap, watched(2, &drops));
        let reader = {
            let swap = Arc::clone(&swap);
            spawn(move || {
                let Some(top) = swap.load() else { return };
                let below = top.below.as_ref().map(|below| below.value.read());
                assert!(matches!((top.value.read(), below), (1, None) | (2, Some(1))));
            })
        };
        let other = {
            let swap = Arc::clone(&swap);
            spawn(move || drop(swap.swap(None)))
        };
        // The other may have been faster.
        if let Some(top) = swap.borrow() {
            _ = top.unstack();
        }
        other.join().unwrap();
        reader.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn two_may_stack_and_unstack_at_once() {
    model(|| {
        let drops = count();
        let swap = stack_of_one(&drops);
        let other = {
            let (swap, drops) = (Arc::clone(&swap), drops.clone());
            spawn(move || {
                stack(&swap, watched(2, &drops));
                unstack(&swap);
            })
        };
        stack(&swap, watched(3, &drops));
        unstack(&swap);
        other.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 2);
        assert_eq!(swap.borrow().unwrap().value.read(), 1);
        drop(swap);
        assert_eq!(drops.load(Ordering::Relaxed), 3);
    });
}

#[test]
fn a_value_may_come_back_while_it_is_borrowed() {
    model(|| {
        let drops = count();
        let first = Watched::new(1, &drops);
        let swap = Arc::new(Swap::new(Some(first.clone())));
        let reader = {
            let swap = Arc::clone(&swap);
            spawn(move || {
                let seen = swap.borrow().unwrap().read();
                assert!(seen == 1 || seen == 2);
            })
        };
        drop(swap.swap(Some(Watched::new(2, &drops))));
        drop(swap.swap(Some(first)));
        assert_eq!(swap.borrow().unwrap().read(), 1);
        reader.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1, "the second value, and only it, is gone");
        drop(swap);
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn an_empty_place_forgets_its_guests() {
    model(|| {
        let swap = Arc::new(Swap::<u64>::new(None));
        let reader = {
            let swap = Arc::clone(&swap);
            spawn(move || drop(swap.borrow()))
        };
        drop(swap.swap(Some(Shared::new(5))));
        drop(swap.swap(None));
        reader.join().unwrap();
        assert!(swap.borrow().is_none());
        assert!(swap.swap(Some(Shared::new(6))).is_none());
        assert_eq!(swap.swap(None).unwrap().into_inner(), Some(6));
    });
}

/// What one thread does, outside the model checker.
#[cfg(not(vidette_loom))]
mod alone {
    use super::*;

    #[test]
    fn into_inner_gives_the_value_to_the_last_handle_only() {
        let first = Shared::new(String::from("value"));
        let second = first.clone();
        assert_eq!(first.into_inner(), None);
        assert_eq!(second.into_inner().as_deref(), Some("value"));
    }

    #[test]
    fn a_value_that_others_have_is_copied_before_it_is_changed() {
        let mut first = Shared::new(String::from("value"));
        first.make_mut().push('s');
        let second = first.clone();
        first.make_mut().push('!');
        assert_eq!((first.as_str(), second.as_str()), ("values!", "values"));
    }

    #[test]
    fn what_makes_no_tag_is_not_stacked() {
        let drops = count();
        let swap = stack_of_one(&drops);
        let value = |value| Lying { value: watched(value, &drops), below: None };
        assert!(!swap.stack(|| value(2), |_| None));
        assert!(!swap.borrow().unwrap().unstack(), "there is nothing below");
        assert_eq!(swap.borrow().unwrap().value.read(), 1);
        drop(swap.swap(None));
        assert!(!swap.stack(|| value(3), Some));
        assert_eq!(drops.load(Ordering::Relaxed), 1, "none was made in vain");
    }

    #[test]
    fn the_tag_is_that_of_the_value_in_place() {
        let swap = Swap::<u64>::new(None);
        assert_eq!(swap.tag(), 0);
        swap.swap(Some(Shared::new(1)));
        let guest = swap.borrow().unwrap();
        assert_eq!(swap.tag(), 1, "guests do not change the tag");
        assert!(swap.borrow().unwrap().replace(Placed::new(Shared::new(TAGS + 3))).is_ok());
        assert_eq!(swap.tag(), 2, "as much of it as there is room for");
        assert_eq!(*guest, 1);
    }

    #[test]
    fn what_lies_below_comes_back_with_the_marks_it_had() {
        let drops = count();
        let swap = stack_of_one(&drops);
        for round in 0..3 * super::super::MOST_MARKS {
            // Each handle leaves a mark.
            let handle = swap.load().unwrap();
            stack(&swap, watched(2, &drops));
            let above = (round % 2 == 0).then(|| swap.load().unwrap());
            unstack(&swap);
            assert_eq!((handle.value.read(), swap.borrow().unwrap().value.read()), (1, 1));
            if let Some(above) = above {
                assert_eq!(above.below.as_ref().unwrap().value.read(), 1);
            }
            assert_eq!(drops.load(Ordering::Relaxed) as u64, round + 1);
        }
        drop(swap);
        assert_eq!(drops.load(Ordering::Relaxed) as u64, 3 * super::super::MOST_MARKS + 1);
    }

    #[test]
    fn handles_without_number_leave_no_more_marks_than_a_word_has_room_for() {
        let swap = Swap::new(Some(Shared::new(7_u64)));
        let handles: Vec<_> = (0..5_000).map(|_| swap.load().unwrap()).collect();
        assert!(handles.iter().all(|handle| **handle == 7));
        drop(handles);
        assert!(swap.borrow().is_some_and(|guest| *guest == 7));
        assert_eq!(swap.swap(None).unwrap().into_inner(), Some(7));
    }

    #[test]
    fn a_refused_value_comes_back_whole() {
        let swap = Swap::new(Some(Shared::new(1_u64)));
        let (stale, writer) = (swap.borrow().unwrap(), swap.borrow().unwrap());
        drop(swap.swap(Some(Shared::new(2))));
        let refused = writer.replace(Placed::new(Shared::new(3))).unwrap_err();
        assert_eq!(refused.into_inner(), Some(3));
        assert_eq!(*stale, 1, "a guest keeps what it borrowed");
        drop(stale);
        assert_eq!(*swap.borrow().unwrap(), 2);
    }
}
