//! One handle to a tree that is not recorded, kept by the thread: the next span there starts with it.
//!
//! Counting a handle and letting go of it are two read-modify-writes, half of what such a span costs. Spans mostly come one
//! after the other on one thread, so that each can use the handle of the one before.
//!
//! # Guarantees
//! A thread keeps one tree alive at most, of a few hundred bytes: none that is recorded, and none to which data was noted.
//! It goes with the end of its transaction there, with the next span of another one, or with the thread.

use std::cell::Cell;
use std::sync::Arc;

use super::Tree;

thread_local! {
    static SPARE: Cell<Option<Arc<Tree>>> = const { Cell::new(None) };
}

/// Another handle to the tree.
#[inline]
pub(super) fn share(tree: &Arc<Tree>) -> Arc<Tree> {
    let spare = SPARE.try_with(Cell::take).ok().flatten();
    spare.filter(|spare| Arc::ptr_eq(spare, tree)).unwrap_or_else(|| Arc::clone(tree))
}

/// Keeps a handle, or lets go of it.
#[inline]
pub(super) fn give(tree: Arc<Tree>) {
    if tree.is_light() {
        let mut tree = Some(tree);
        // A thread without locals: what is left is let go of here.
        _ = SPARE.try_with(|spare| spare.replace(tree.take()));
    }
}

/// Keeps no handle to this tree any longer.
pub(super) fn forget(tree: &Arc<Tree>) {
    if let Ok(Some(spare)) = SPARE.try_with(Cell::take)
        && !Arc::ptr_eq(&spare, tree)
    {
        give(spare);
    }
}
