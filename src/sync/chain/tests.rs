//! Models of the chain; stress tests when not under the model checker.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Chain, Link, Refused};
use crate::sync::{Arc, UnsafeCell, model, spawn};

/// A value whose reads the model checker watches.
struct Watched {
    cell: UnsafeCell<u64>,
    drops: std::sync::Arc<AtomicUsize>,
}

impl Watched {
    fn new(value: u64, drops: &std::sync::Arc<AtomicUsize>) -> Self {
        let watched = Self { cell: UnsafeCell::new(0), drops: std::sync::Arc::clone(drops) };
        // SAFETY: not shared yet; a write, so that the model checker sees who is not ordered after it.
        watched.cell.with_mut(|cell| unsafe { *cell = value });
        watched
    }

    fn read(&self) -> u64 {
        // SAFETY: written only before the value is shared: what is tested here.
        self.cell.with(|value| unsafe { *value })
    }
}

// SAFETY: as in `read`; the model checker reports every access that is not ordered.
unsafe impl Sync for Watched {}

impl Drop for Watched {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

fn count() -> std::sync::Arc<AtomicUsize> {
    std::sync::Arc::new(AtomicUsize::new(0))
}

#[test]
fn a_walker_sees_whole_values() {
    model(|| {
        let drops = count();
        let chain = Arc::new(Chain::new());
        let pusher = {
            let (chain, drops) = (Arc::clone(&chain), drops.clone());
            spawn(move || {
                chain.push(Watched::new(1, &drops)).unwrap();
                chain.push(Watched::new(2, &drops)).unwrap();
            })
        };
        let seen: Vec<u64> = chain.iter().map(Watched::read).collect();
        assert!([&[][..], &[1], &[2, 1]].contains(&&seen[..]), "{seen:?}");
        pusher.join().unwrap();
        assert_eq!(chain.iter().map(Watched::read).collect::<Vec<_>>(), [2, 1]);
        drop(chain);
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_push_sees_the_link_it_stands_on() {
    model(|| {
        let chain = Arc::new(Chain::new());
        let other = Arc::clone(&chain);
        let pusher = spawn(move || _ = other.push(1));
        chain.push(2).unwrap();
        assert!((1..=2).contains(&chain.len()));
        pusher.join().unwrap();
        assert_eq!(chain.len(), 2);
        let mut values: Vec<i32> = chain.iter().copied().collect();
        values.sort_unstable();
        assert_eq!(values, [1, 2]);
    });
}

#[test]
fn nothing_comes_after_the_seal_and_one_sealed_it() {
    model(|| {
        let chain = Arc::new(Chain::new());
        let other = Arc::clone(&chain);
        let pusher = spawn(move || (other.push(1).is_ok(), other.seal()));
        let sealed = chain.seal();
        let length = chain.len();
        assert!(chain.is_sealed());
        let (pushed, sealed_there) = pusher.join().unwrap();
        assert!(sealed != sealed_there);
        assert_eq!(chain.len(), length, "the length changed after the seal");
        assert_eq!(length, u32::from(pushed));
        assert_eq!(chain.push(2), Err(Refused::Sealed));
    });
}

#[test]
fn a_full_chain_refuses_all_who_come_at_once() {
    model(|| {
        let chain = Arc::new(Chain::new());
        let other = Arc::clone(&chain);
        let push = |chain: &Chain<u64>| chain.push_up_to(1, 0);
        let pusher = spawn(move || push(&other));
        let here = push(&chain);
        let there = pusher.join().unwrap();
        assert!(matches!((here, there), (Ok(()), Err(Refused::Full)) | (Err(Refused::Full), Ok(()))));
        assert_eq!(chain.len(), 1);
    });
}

#[cfg(not(vidette_loom))]
#[test]
fn a_long_chain_is_dropped_without_deep_calls_and_lent_links_outlive_it() {
    let mut chain = Chain::new();
    let lent = Link::new(0);
    // SAFETY: it is pushed here alone, and outlives what the chain holds.
    unsafe { chain.push_lent(&lent, u32::MAX).unwrap() };
    (1..500_000).for_each(|n| chain.push(n).unwrap());
    assert_eq!((chain.len(), chain.newest(), chain.iter().last()), (500_000, Some(&499_999), Some(&0)));
    chain.clear();
    assert_eq!((*lent.value(), chain.len()), (0, 0));
}
