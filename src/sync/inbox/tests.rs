//! Models of the inbox, and without the model checker stress tests of it.

use std::sync::atomic::Ordering::Relaxed;

use super::{Inbox, Pushed};
use crate::sync::{Arc, AtomicU32, model, spawn, yield_now};

/// An inbox whose slots are there: that `OnceLock` publishes them is not what is modelled.
fn inbox<T>(capacity: usize) -> Inbox<T> {
    let inbox = Inbox::new(capacity);
    inbox.slots();
    inbox
}

/// True if it had room.
fn push<T>(inbox: &Inbox<T>, value: T) -> bool {
    inbox.push(&mut Some(value)) != Pushed::Full
}

/// Takes until there are `count`, of which each comes when it is written.
fn take(inbox: &Inbox<Box<u32>>, count: usize) -> Vec<u32> {
    let mut taken = Vec::new();
    while taken.len() < count {
        match inbox.take() {
            Some(value) => taken.push(*value),
            None => yield_now(),
        }
    }
    taken
}

#[test]
fn values_arrive_whole_and_once() {
    model(|| {
        let inbox = Arc::new(inbox(2));
        let pushers = [1, 2].map(|value| {
            let inbox = Arc::clone(&inbox);
            spawn(move || assert!(push(&inbox, Box::new(value))))
        });
        let mut taken = take(&inbox, 2);
        taken.sort_unstable();
        assert_eq!(taken, [1, 2]);
        pushers.into_iter().for_each(|pusher| pusher.join().unwrap());
        assert!(inbox.take().is_none());
        assert_eq!(inbox.len(), 0);
    });
}

#[test]
fn a_slot_is_used_again_after_it_was_read() {
    model(|| {
        let inbox = Arc::new(inbox(1));
        assert!(push(&inbox, Box::new(1)));
        let pusher = {
            let inbox = Arc::clone(&inbox);
            spawn(move || {
                let mut value = Some(Box::new(2));
                while inbox.push(&mut value) == Pushed::Full {
                    yield_now();
                }
                assert!(value.is_none());
            })
        };
        assert_eq!(take(&inbox, 2), [1, 2]);
        pusher.join().unwrap();
    });
}

#[test]
fn two_takers_share_what_is_there() {
    model(|| {
        let inbox = Arc::new(inbox(2));
        assert!(push(&inbox, Box::new(1)) && push(&inbox, Box::new(2)));
        let other = {
            let inbox = Arc::clone(&inbox);
            spawn(move || inbox.take())
        };
        let mut taken: Vec<_> =
            [inbox.take(), other.join().unwrap()].into_iter().flatten().map(|value| *value).collect();
        taken.sort_unstable();
        assert_eq!(taken, [1, 2]);
    });
}

#[test]
fn whoever_fills_an_empty_inbox_is_told() {
    model(|| {
        let inbox = Arc::new(inbox(3));
        assert_eq!(inbox.push(&mut Some(Box::new(0))), Pushed::Wake, "nobody has looked yet");
        assert!(inbox.take().is_some());
        let pushers = [1, 2].map(|value| {
            let inbox = Arc::clone(&inbox);
            spawn(move || inbox.push(&mut Some(Box::new(value))) == Pushed::Wake)
        });
        let waiting = inbox.arm(2);
        let told = pushers.map(|pusher| pusher.join().unwrap()).into_iter().filter(|told| *told).count();
        // Either the taker knows of a value, and will come by itself, or somebody was told to wake it.
        assert!(waiting > 0 || told > 0, "{waiting} waiting, {told} told");
        // One is there and was seen: the second makes two.
        assert!(waiting != 1 || told > 0, "nobody was told of the second");
    });
}

#[test]
fn a_push_after_the_seal_sees_what_was_stored_before() {
    model(|| {
        let shared = Arc::new((inbox(2), AtomicU32::new(0), AtomicU32::new(0)));
        let pusher = {
            let shared = Arc::clone(&shared);
            spawn(move || {
                let (inbox, ended, dropped) = &*shared;
                assert!(push(inbox, Box::new(1)));
                // Relaxed: only the inbox orders this.
                if ended.load(Relaxed) != 0 && inbox.take().is_some() {
                    dropped.fetch_add(1, Relaxed);
                }
            })
        };
        let (inbox, ended, dropped) = &*shared;
        ended.store(1, Relaxed);
        inbox.seal();
        // What came before the seal is waited for.
        while inbox.len() > 0 {
            match inbox.take() {
                Some(_) => _ = dropped.fetch_add(1, Relaxed),
                None => yield_now(),
            }
        }
        pusher.join().unwrap();
        assert_eq!((dropped.load(Relaxed), inbox.len()), (1, 0));
    });
}

#[test]
fn of_two_who_push_and_take_one_sees_both() {
    model(|| {
        let inbox = Arc::new(inbox(2));
        let push_and_take = |inbox: &Inbox<Box<u32>>, value| {
            assert!(push(inbox, Box::new(value)));
            inbox.seal();
            std::iter::from_fn(|| inbox.take()).count()
        };
        let other = {
            let inbox = Arc::clone(&inbox);
            spawn(move || push_and_take(&inbox, 1))
        };
        let taken = push_and_take(&inbox, 2);
        assert_eq!((taken + other.join().unwrap(), inbox.len()), (2, 0), "nothing stays behind");
    });
}

#[cfg(not(vidette_loom))]
#[test]
fn what_is_left_is_dropped_with_the_inbox() {
    let counted = std::sync::Arc::new(());
    let inbox = Inbox::new(3);
    for _ in 0..2 {
        (0..3).for_each(|_| assert!(push(&inbox, std::sync::Arc::clone(&counted))));
        assert!(!push(&inbox, std::sync::Arc::clone(&counted)), "it is full");
        assert_eq!((inbox.len(), std::sync::Arc::strong_count(&counted)), (3, 4));
        assert!(inbox.take().is_some() && inbox.take().is_some() && inbox.take().is_some());
    }
    assert!(push(&inbox, std::sync::Arc::clone(&counted)));
    drop(inbox);
    assert_eq!(std::sync::Arc::strong_count(&counted), 1);
}

#[cfg(not(vidette_loom))]
#[test]
fn the_taker_is_woken_by_the_first_and_by_the_one_that_makes_a_batch() {
    let inbox = Inbox::new(7);
    for _ in 0..5 {
        assert_eq!(inbox.arm(3), 0);
        let told: Vec<_> = (0..5).map(|value| inbox.push(&mut Some(value)) == Pushed::Wake).collect();
        assert_eq!(told, [true, false, false, false, false], "it was woken, and has not looked");
        assert_eq!((inbox.take(), inbox.take(), inbox.take()), (Some(0), Some(1), Some(2)));
        assert_eq!(inbox.arm(3), 2);
        assert_eq!(inbox.push(&mut Some(5)), Pushed::Wake, "there are three");
        assert_eq!(inbox.push(&mut Some(6)), Pushed::Queued);
        assert_eq!(inbox.arm(3), 4, "there are enough");
        assert_eq!(std::iter::from_fn(|| inbox.take()).collect::<Vec<_>>(), [3, 4, 5, 6]);
    }
}

#[cfg(not(vidette_loom))]
#[test]
fn what_many_threads_push_is_taken_once_and_in_each_ones_order() {
    const EACH: u64 = 50_000;
    let inbox = Inbox::<(u64, u64)>::new(64);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let inbox = &inbox;
            scope.spawn(move || {
                for number in 0..EACH {
                    let mut pair = Some((thread, number));
                    while inbox.push(&mut pair) == Pushed::Full {
                        std::thread::yield_now();
                    }
                }
            });
        }
        let mut next = [0; 3];
        while next != [EACH; 3] {
            match inbox.take() {
                Some((thread, number)) => {
                    assert_eq!(number, next[thread as usize], "of thread {thread}");
                    next[thread as usize] += 1;
                }
                None => std::thread::yield_now(),
            }
        }
    });
    assert_eq!(inbox.len(), 0);
}
