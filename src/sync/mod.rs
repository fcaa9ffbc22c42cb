//! Lock-free parts; the only home of `unsafe`.
//!
//! Nothing here has heard of Sentry: a shared pointer that is swapped ([`swap`]), a ring of append-only
//! chunks ([`ring`]), a chain that only grows ([`chain`]), a roster of what began and what has ended ([`roster`]), a queue
//! that says when its taker is to be woken ([`inbox`]), spare memory ([`pool`]), bytes in place ([`bytes`]), the end of a vector
//! of them ([`tail`]), a sleeper and its wakers ([`parker`]), counters ([`tally`]), numbers that come once ([`unique`]), the
//! cycle counter ([`cycles`]), and what a value of any type is, if that is plain ([`plain`]). Atomics
//! and cells come from this module, so that the same source runs on the hardware and inside the model checker
//! (`--cfg vidette_loom`).

pub(crate) mod bytes;
pub(crate) mod chain;
pub(crate) mod cycles;
pub(crate) mod inbox;
pub(crate) mod parker;
pub(crate) mod plain;
pub(crate) mod pool;
pub(crate) mod ring;
pub(crate) mod roster;
pub(crate) mod swap;
pub(crate) mod tail;
pub(crate) mod tally;
pub(crate) mod unique;

#[cfg(vidette_loom)]
mod modelled;

#[cfg(vidette_loom)]
pub(crate) use self::modelled::{AtomicU8, AtomicU32, AtomicU64, UnsafeCell};
#[cfg(not(vidette_loom))]
pub(crate) use self::native::{AtomicU8, AtomicU32, AtomicU64, UnsafeCell};

/// Gives up the processor once: what a loop does that found something out of the ordinary.
pub(crate) fn yield_now() {
    #[cfg(vidette_loom)]
    loom::thread::yield_now();
    #[cfg(not(vidette_loom))]
    std::thread::yield_now();
}

/// Sleeps until unparked, or for about `timeout`; may end early.
fn park_timeout(timeout: Option<std::time::Duration>) {
    #[cfg(vidette_loom)]
    {
        // The model knows no time; it looks at each wake-up by itself.
        _ = timeout;
        loom::thread::park();
    }
    #[cfg(not(vidette_loom))]
    match timeout {
        Some(timeout) => std::thread::park_timeout(timeout),
        None => std::thread::park(),
    }
}

#[cfg(vidette_loom)]
use loom::thread::{Thread, current as current_thread};
#[cfg(not(vidette_loom))]
use std::thread::{Thread, current as current_thread};

#[cfg(not(vidette_loom))]
mod native {
    pub(crate) use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

    /// `std`'s cell behind the closure interface of the model checker.
    #[derive(Debug)]
    #[repr(transparent)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        /// Hands out a pointer for reading. Making a reference of it is the caller's claim.
        pub(crate) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
            read(self.0.get())
        }

        /// Hands out a pointer for writing. Making a reference of it is the caller's claim.
        pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
            write(self.0.get())
        }
    }
}

/// Runs `body` in every execution the model checker finds, or many times on real threads.
///
/// So each test of this module's parts is a model and a stress test at once.
#[cfg(all(test, vidette_loom))]
pub(crate) fn model(body: impl Fn() + Send + Sync + 'static) {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    loom::model(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        body();
    });
    let runs = runs.load(Ordering::Relaxed);
    assert!(runs > 1, "vacuous model: one execution explored");
}

/// Runs `body` in every execution the model checker finds, or many times on real threads.
#[cfg(all(test, not(vidette_loom)))]
pub(crate) fn model(body: impl Fn() + Send + Sync + 'static) {
    for _ in 0..2_000 {
        body();
    }
}

#[cfg(all(test, vidette_loom))]
pub(crate) use loom::{sync::Arc, thread::spawn};
#[cfg(all(test, not(vidette_loom)))]
pub(crate) use std::{sync::Arc, thread::spawn};
