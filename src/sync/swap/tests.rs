//! Models of the swap; stress tests when not under the model checker.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Content, Shared, Swap, TAGS};
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
                current.replace(Watched::new(value, &drops)).is_ok()
            };
            spawn(write)
        });
        let (turn, seen) = {
            let (turn, guest) = swap.borrow_in_turn().unwrap();
            (turn, guest.read())
        };
        writers.map(|writer| writer.join().unwrap());
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
        assert!(current.replace(Watched::new(2, &drops)).is_ok(), "nobody else writes");
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
            if current.replace(sum).is_ok() {
                return;
            }
        }
    }
    model(|| {
        let swap = Arc::new(Swap::new(Some(Shared::new(0))));
        let other = {
            let swap = Arc::clone(&swap);
            spawn(move || add(&swap, 10))
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
struct Stacked {
    value: Watched,
    below: Option<Shared<Self>>,
}

impl Content for Stacked {
    fn tag(&self) -> u64 {
        u64::from(self.below.is_some())
    }
}

/// Puts a value on top, on whatever lies there.
fn stack(swap: &Swap<Stacked>, value: Watched) {
    assert!(swap.stack(|| Stacked { value, below: None }, |value| &mut value.below, |_| Some(1)));
}

/// Takes the value on top away.
fn unstack(swap: &Swap<Stacked>) {
    while !swap.borrow().unwrap().unstack(|top| top.below.as_ref()) {}
}

fn watched(value: u64, drops: &std::sync::Arc<AtomicUsize>) -> Watched {
    Watched { cell: UnsafeCell::new(value), drops: std::sync::Arc::clone(drops) }
}

fn stack_of_one(drops: &std::sync::Arc<AtomicUsize>) -> Arc<Swap<Stacked>> {
    Arc::new(Swap::new(Some(Shared::new(Stacked { value: watched(1, drops), below: None }))))
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
        drop(swap.swap(Some(Shared::new(Stacked { value: watched(3, &drops), below: None }))));
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
        let value = |value| Stacked { value: watched(value, &drops), below: None };
        assert!(!swap.stack(|| value(2), |value| &mut value.below, |_| None));
        assert!(!swap.borrow().unwrap().unstack(|top| top.below.as_ref()), "there is nothing below");
        assert_eq!(swap.borrow().unwrap().value.read(), 1);
        drop(swap.swap(None));
        assert!(!swap.stack(|| value(3), |value| &mut value.below, Some));
        assert_eq!(drops.load(Ordering::Relaxed), 1, "none was made in vain");
    }

    #[test]
    fn the_tag_is_that_of_the_value_in_place() {
        let swap = Swap::<u64>::new(None);
        assert_eq!(swap.tag(), 0);
        swap.swap(Some(Shared::new(1)));
        let guest = swap.borrow().unwrap();
        assert_eq!(swap.tag(), 1, "guests do not change the tag");
        assert!(swap.borrow().unwrap().replace(Shared::new(TAGS + 3)).is_ok());
        assert_eq!(swap.tag(), 2, "as much of it as there is room for");
        assert_eq!(*guest, 1);
    }

    #[test]
    fn a_refused_value_comes_back_whole() {
        let swap = Swap::new(Some(Shared::new(1_u64)));
        let (stale, writer) = (swap.borrow().unwrap(), swap.borrow().unwrap());
        drop(swap.swap(Some(Shared::new(2))));
        let refused = writer.replace(Shared::new(3)).unwrap_err();
        assert_eq!(refused.into_inner(), Some(3));
        assert_eq!(*stale, 1, "a guest keeps what it borrowed");
        drop(stale);
        assert_eq!(*swap.borrow().unwrap(), 2);
    }
}
