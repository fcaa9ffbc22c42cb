//! One sleeper, many wakers, no lost wake-up.
//!
//! Wakers leave a permit after they have made work; the sleeper takes the permit before it looks for work, and sleeps only
//! if no permit came since. A waker touches the sleeping thread only if it really sleeps.
//!
//! ```text
//!              start                 park                      (any waker)
//!   NOBODY ─► PERMIT ─► … ─► AWAKE ───────► PARKED      any state ──wake──► PERMIT
//! ```
//! # Guarantees
//! Waking is wait-free; exactly one waker is told that nobody is there to be woken.
//!
//! # Invariants
//! - **I1** The handle is set before the state first leaves PERMIT for AWAKE, so whoever finds PARKED finds the handle.
//!
//! # Orderings
//! K1 ⇄ S1, S2 the work made before waking · S2 ⇄ K1 the handle.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::AcqRel;
use std::time::Duration;

use super::{AtomicU32, Thread, current_thread, park_timeout};

#[derive(Debug)]
pub(crate) struct Parker {
    state: AtomicU32,
    handle: OnceLock<Thread>,
}

/// What a waker found.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Woken {
    /// The sleeper will look.
    Somebody,
    /// There is no sleeper yet: the one caller who hears this must start it.
    Nobody,
}

impl Parker {
    pub(crate) fn new() -> Self {
        Self { state: AtomicU32::new(NOBODY), handle: OnceLock::new() }
    }

    /// Makes sure the sleeper looks for work after this.
    pub(crate) fn wake(&self) -> Woken {
        // K1, AcqRel: Release pairs with S1 and S2 and hands over the work; Acquire pairs with S2, for the handle. Model:
        // `work_made_before_waking_is_found`.
        match self.state.swap(PERMIT, AcqRel) {
            NOBODY => Woken::Nobody,
            PARKED => {
                // I1: there is one.
                if let Some(handle) = self.handle.get() {
                    handle.unpark();
                }
                Woken::Somebody
            }
            _ => Woken::Somebody,
        }
    }

    /// True if nobody was ever woken.
    pub(crate) fn is_unused(&self) -> bool {
        // U1, Acquire: pairs with K1.
        self.state.load(std::sync::atomic::Ordering::Acquire) == NOBODY
    }

    /// Introduces the calling thread as the sleeper.
    pub(crate) fn attend(&self) {
        // Only the thread that was started for it calls this, once.
        _ = self.handle.set(current_thread());
    }

    /// Takes the permit: work made before it was left is visible now.
    pub(crate) fn look(&self) {
        // S1, AcqRel: Acquire pairs with K1. Release keeps the handle before any PARKED.
        self.state.swap(AWAKE, AcqRel);
    }

    /// Sleeps until woken or for about `timeout`, unless a permit came since [`look`](Self::look).
    pub(crate) fn park(&self, timeout: Option<Duration>) {
        // S2, AcqRel: Release hands the handle to K1; on failure a permit is there, and `look` takes it. Model:
        // `work_made_before_waking_is_found`.
        if self.state.compare_exchange(AWAKE, PARKED, AcqRel, std::sync::atomic::Ordering::Relaxed).is_ok() {
            park_timeout(timeout);
        }
    }
}

/// No thread was started.
const NOBODY: u32 = 0;
/// There may be work.
const PERMIT: u32 = 1;
/// The sleeper looks for work.
const AWAKE: u32 = 2;
/// The sleeper sleeps.
const PARKED: u32 = 3;

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::{Parker, Woken};
    use crate::sync::{Arc, AtomicU32, model, spawn};

    #[test]
    fn work_made_before_waking_is_found() {
        model(|| {
            let shared = Arc::new((Parker::new(), AtomicU32::new(0)));
            assert_eq!(shared.0.wake(), Woken::Nobody);
            let sleeper = {
                let shared = Arc::clone(&shared);
                spawn(move || {
                    let (parker, work) = &*shared;
                    parker.attend();
                    loop {
                        parker.look();
                        // Relaxed: only the parker orders this.
                        if work.load(Relaxed) != 0 {
                            return;
                        }
                        parker.park(None);
                    }
                })
            };
            shared.1.store(1, Relaxed);
            assert_eq!(shared.0.wake(), Woken::Somebody);
            // A lost wake-up would leave the sleeper asleep: the model reports a deadlock.
            sleeper.join().unwrap();
        });
    }

    #[test]
    fn one_of_many_is_told_that_nobody_is_there() {
        model(|| {
            let parker = Arc::new(Parker::new());
            let other = {
                let parker = Arc::clone(&parker);
                spawn(move || parker.wake() == Woken::Nobody)
            };
            let first = parker.wake() == Woken::Nobody;
            assert!(first ^ other.join().unwrap());
        });
    }
}
