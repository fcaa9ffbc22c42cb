//! Trees that wait for their next use: one with each thread, and those that the sender is done with.
//!
//! Counting a handle and letting go of it are two read-modify-writes, and a tree of its own is an allocation: together more than
//! half of what a transaction costs that is not recorded. Spans mostly come one after the other on one thread, and so do
//! transactions, so that each can use what the one before leaves. A tree that is sent ends on another thread, which would free
//! there what was allocated here, at several times the price of taking it from a queue again.
//!
//! # Guarantees
//! A thread keeps one tree alive at most, and only a [light](Tree::is_light) one: a few hundred bytes if it is not recorded,
//! some ten thousand if it is. One that is recorded goes with the end of its transaction there. Any other goes, or is used
//! again, with the next span of another one, with the next transaction, or with the thread. What was sent waits empty, with
//! room for sixteen spans: at most 256 of them, of about two kilobytes.

use std::cell::Cell;
use std::sync::Arc;

use super::Tree;
use super::sampling::Fate;
use super::tree::Head;
use crate::sync::pool::{Pool, Share, Spares};

/// A tree that nobody else has a handle to. A look at its count tells; it is taken possession of only where it is used.
static SENT: Pool<Arc<Tree>> = Pool::new(MOST_SENT);

thread_local! {
    static SPARE: Cell<Option<Arc<Tree>>> = const { Cell::new(None) };
    static SHARE: Share<Arc<Tree>, 1> = const { Share::of(&SENT) };
}

/// A tree with the head that `make` makes of what is left of the head before, or of a blank. No user code may run in `make`.
#[inline]
pub(super) fn renewed(fate: Fate, make: impl FnOnce(&mut Head)) -> Arc<Tree> {
    let mut tree = last_used().or_else(|| sent(fate)).unwrap_or_else(|| Arc::new(Tree::new(Head::blank())));
    let own = Arc::get_mut(&mut tree);
    debug_assert!(own.is_some(), "it is nobody else's");
    if let Some(own) = own {
        own.clear();
        make(own.head_mut());
    }
    tree
}

/// The thread's own spare, unless its transaction goes on.
#[inline]
fn last_used() -> Option<Arc<Tree>> {
    let spare = take()?;
    // A look first: taking possession is a read-modify-write.
    if Arc::strong_count(&spare) == 1 {
        return Some(spare);
    }
    give(spare);
    None
}

/// One that was sent, for one that will be.
fn sent(fate: Fate) -> Option<Arc<Tree>> {
    if fate == Fate::Sent { SHARE.take() } else { None }
}

/// Empties a tree that was sent, for its next use, if nobody has a handle to it any more.
pub(crate) fn recycle(mut tree: Arc<Tree>) {
    if let Some(own) = Arc::get_mut(&mut tree) {
        own.clear();
        own.head_mut().clear();
        SHARE.give(tree);
    }
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

/// Trees that were sent and wait for their next use, at most, beside one with each thread.
const MOST_SENT: usize = 256;
