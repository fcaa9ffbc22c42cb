//! Whether any client is open: the first question of every free recording function, and with no client the last.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// How many clients of the process are open and enabled.
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// True if some client is open. One relaxed load.
///
/// It is always inlined, with those that ask it first of all, but for debug builds: what something is inlined into may lose its
/// module in their stack traces.
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn is_open() -> bool {
    // Relaxed: a thread that learns of a client in another way, by being handed a hub, sees the count that came before.
    OPEN.load(Relaxed) != 0
}

/// Counts an open client until dropped.
#[derive(Debug)]
pub(crate) struct Pass(());

impl Pass {
    pub(crate) fn new() -> Self {
        // Relaxed: as in `is_open`.
        OPEN.fetch_add(1, Relaxed);
        Self(())
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        // Relaxed: as in `is_open`.
        OPEN.fetch_sub(1, Relaxed);
    }
}
