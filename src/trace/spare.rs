//! One handle to a tree, kept by the thread: the next span there starts with it, or the next transaction uses it again.
//!
//! Counting a handle and letting go of it are two read-modify-writes, and a tree of its own is an allocation: together more than
//! half of what a transaction costs that is not recorded. Spans mostly come one after the other on one thread, and so do
//! transactions, so that each can use what the one before leaves.
//!
//! # Guarantees
//! A thread keeps one tree alive at most, and only a [light](Tree::is_light) one: a few hundred bytes if it is not recorded,
//! some ten thousand if it is. One that is recorded goes with the end of its transaction there. Any other goes, or is used
//! again, with the next span of another one, with the next transaction, or with the thread.

use std::cell::Cell;
use std::sync::Arc;

use super::Tree;
use super::tree::Head;

thread_local! {
    static SPARE: Cell<Option<Arc<Tree>>> = const { Cell::new(None) };
}

/// A tree with the head that `make` makes, of what is left of the head before if the tree was in use already. No user code may
/// run in `make`.
#[inline]
pub(super) fn renewed(make: impl FnOnce(Option<&mut Head>) -> Head) -> Arc<Tree> {
    if let Some(mut spare) = take() {
        // A look first: taking possession is a read-modify-write.
        let is_last = Arc::strong_count(&spare) == 1;
        match Some(&mut spare).filter(|_| is_last).and_then(Arc::get_mut) {
            Some(tree) => {
                let head = make(Some(tree.head_mut()));
                tree.renew(head);
                return spare;
            }
            // Its transaction goes on.
            None => give(spare),
        }
    }
    Arc::new(Tree::new(make(None)))
}

/// Another handle to the tree.
#[inline]
pub(super) fn share(tree: &Arc<Tree>) -> Arc<Tree> {
    take().filter(|spare| Arc::ptr_eq(spare, tree)).unwrap_or_else(|| Arc::clone(tree))
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
    if let Some(spare) = take()
        && !Arc::ptr_eq(&spare, tree)
    {
        give(spare);
    }
}

#[inline]
fn take() -> Option<Arc<Tree>> {
    SPARE.try_with(Cell::take).ok().flatten()
}
