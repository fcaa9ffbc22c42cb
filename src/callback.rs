//! Running the host's code so that its panic stays inside, and its calls back into us stay bounded.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// How many of our callbacks run on this thread, one inside the other.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// A callback of this name panicked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panicked(pub(crate) &'static str);

/// Runs a callback of the host. Its panic becomes an error.
pub(crate) fn guarded<R>(name: &'static str, callback: impl FnOnce() -> R) -> Result<R, Panicked> {
    let _depth = Depth::enter(1);
    catch_unwind(AssertUnwindSafe(callback)).map_err(|payload| {
        dispose(payload);
        Panicked(name)
    })
}

/// Runs a callback of the host under which nothing is captured.
pub(crate) fn muted(callback: impl FnOnce()) {
    let _depth = Depth::enter(NESTED_CAPTURES);
    if let Err(payload) = catch_unwind(AssertUnwindSafe(callback)) {
        dispose(payload);
    }
}

/// Runs code of ours under which nothing is captured, such as a sender thread.
pub(crate) fn mute_this_thread() {
    std::mem::forget(Depth::enter(NESTED_CAPTURES));
}

/// True while one of our callbacks runs on this thread.
pub(crate) fn is_inside() -> bool {
    depth() > 0
}

/// Whether something captured now is looked at.
///
/// Not when a callback of ours is panicking: a panic hook that captures would run callbacks again, and a second panic
/// aborts the process. Not either in a callback of a capture in a callback: that way lies endless recursion.
pub(crate) fn may_capture() -> bool {
    match depth() {
        0 => true,
        depth => depth < NESTED_CAPTURES && !std::thread::panicking(),
    }
}

fn depth() -> u32 {
    // While the thread's locals are torn down, no callback of ours runs on it that could be asked about.
    DEPTH.try_with(Cell::get).unwrap_or(0)
}

/// Drops what a panic carried. If that panics in turn, drops what that carried, and so on; what never ends is forgotten.
fn dispose(mut payload: Box<dyn Any + Send>) {
    for _ in 0..DROPS_OF_PAYLOADS {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(worse) => payload = worse,
        }
    }
    std::mem::forget(payload);
}

struct Depth(u32);

impl Depth {
    fn enter(by: u32) -> Self {
        Self(DEPTH.try_with(|depth| depth.set(depth.get() + by)).map_or(0, |()| by))
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        // Without the thread's locals there is nothing to restore.
        _ = DEPTH.try_with(|depth| depth.set(depth.get().saturating_sub(self.0)));
    }
}

/// From this depth on, captures are ignored.
const NESTED_CAPTURES: u32 = 2;
/// How often a payload may panic when it is dropped.
const DROPS_OF_PAYLOADS: u32 = 8;
