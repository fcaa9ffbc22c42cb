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
//! PK1 ⇄ PS1 the work made before waking · PS1 ⇄ PK1 the handle.

use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::time::Duration;

use super::{AtomicU32, Thread, UnsafeCell, current_thread, park_timeout};

#[derive(Debug)]
pub(crate) struct Parker {
    state: AtomicU32,
    /// The sleeper; written before the first PARKED, and only read after that (I1).
    handle: UnsafeCell<Option<Thread>>,
}

/// What a waker found.
#[derive(Debug)]
pub(crate) enum Woken {
    /// The sleeper will look.
    Somebody,
    /// There is no sleeper yet: the one caller who hears this must start it.
    Nobody(Start),
}

/// The right to become the sleeper. Each parker gives out one.
#[derive(Debug)]
pub(crate) struct Start {
    parker: usize,
}

impl Parker {
    pub(crate) fn new() -> Self {
        Self { state: AtomicU32::new(NOBODY), handle: UnsafeCell::new(None) }
    }

    /// Makes sure the sleeper looks for work after this.
    pub(crate) fn wake(&self) -> Woken {
        // PK1, AcqRel: Release pairs with PS1 and hands over the work; Acquire pairs with PS1, for the handle. Model:
        // `work_made_before_waking_is_found`.
        match self.state.swap(PERMIT, AcqRel) {
            NOBODY => Woken::Nobody(Start { parker: self.address() }),
            PARKED => {
                self.handle.with(|handle| {
                    // SAFETY: PARKED was read with Acquire after PS2, so the handle is written and stays as it is (I1).
                    if let Some(handle) = unsafe { &*handle } {
                        handle.unpark();
                    }
                });
                Woken::Somebody
            }
            _ => Woken::Somebody,
        }
    }

    /// True if nobody was ever woken.
    pub(crate) fn is_unused(&self) -> bool {
        // PU1, Relaxed: whoever knows of a waker, in whichever way, sees that the state has changed.
        self.state.load(Relaxed) == NOBODY
    }

    /// True if the sleeper sleeps, and nobody woke it since.
    #[cfg(test)]
    pub(crate) fn is_parked(&self) -> bool {
        self.state.load(Relaxed) == PARKED
    }

    /// Makes the calling thread the sleeper.
    pub(crate) fn attend(&self, start: Start) {
        if start.parker != self.address() {
            debug_assert!(false, "the right to sleep somewhere else");
            return;
        }
        // SAFETY: the state left NOBODY once, so this right is the only one, and it is used up here: nobody else writes.
        // Nobody reads either, as the state has not been PARKED yet (I1).
        self.handle.with_mut(|handle| unsafe { *handle = Some(current_thread()) });
    }

    /// Takes the permit: work made before it was left is visible now.
    pub(crate) fn look(&self) {
        // PS1, AcqRel: Acquire pairs with PK1, for the work; Release hands the handle to PK1. Model:
        // `work_made_before_waking_is_found`.
        self.state.swap(AWAKE, AcqRel);
    }

    /// Sleeps until woken or for about `timeout`, unless a permit came since [`look`](Self::look).
    pub(crate) fn park(&self, timeout: Option<Duration>) {
        // PS2, Relaxed: continues the release sequence that PS1 began, so that PK1 gets the handle from there. On failure a
        // permit is there, and `look` takes it.
        if self.state.compare_exchange(AWAKE, PARKED, Relaxed, Relaxed).is_ok() {
            park_timeout(timeout);
        }
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

// SAFETY: the handle is written by one thread before the others may read it (I1).
unsafe impl Sync for Parker {}

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
            let Woken::Nobody(start) = shared.0.wake() else { panic!("somebody else is there") };
            let sleeper = {
                let shared = Arc::clone(&shared);
                spawn(move || {
                    let (parker, work) = &*shared;
                    parker.attend(start);
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
            assert!(matches!(shared.0.wake(), Woken::Somebody));
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
                spawn(move || matches!(parker.wake(), Woken::Nobody(_)))
            };
            let first = matches!(parker.wake(), Woken::Nobody(_));
            assert!(first ^ other.join().unwrap());
        });
    }
}
