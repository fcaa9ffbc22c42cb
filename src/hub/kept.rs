//! What a thread keeps of its current hub: the place of its next breadcrumb, and those that made room for it.

use super::Hub;
use super::layer::Layer;
use crate::scope::record::Record;
use crate::sync::ring::{Cargo, Writer};

/// A writer to the chunk on top of the thread's current hub, for the turn in which that is the top.
///
/// So a thread that adds several breadcrumbs borrows the top for the first two alone. What is kept is memory, one chunk, and let
/// go when the thread switches hubs: no client and no closure lives longer for it.
#[derive(Debug)]
pub(super) struct Kept {
    /// In which turn the last breadcrumb was added; zero: none was.
    turn: u64,
    writer: Option<Writer<Record>>,
}

impl Kept {
    pub(super) const NOTHING: Self = Self { turn: 0, writer: None };

    /// Moves the record to the kept chunk, if it is still the hub's. False: the record stays.
    #[inline]
    pub(super) fn push(&mut self, hub: &Hub, record: &mut impl Cargo<Record>) -> bool {
        match &self.writer {
            Some(writer) => self.turn == hub.stack.top.turn() && writer.push(record),
            None => false,
        }
    }

    /// True if a breadcrumb was added since the thread came to its hub.
    #[inline]
    pub(super) fn is_something(&self) -> bool {
        self.turn != 0
    }

    /// Keeps nothing any more. What was kept is the caller's to drop, when nothing is borrowed.
    pub(super) fn let_go(&mut self) -> Self {
        std::mem::replace(self, Self::NOTHING)
    }

    /// Notes that a breadcrumb found its place in `top` in that turn. The second one in a turn has the writer kept: it pays from the
    /// third on.
    #[inline]
    pub(super) fn note(&mut self, turn: u64, top: &Layer) {
        self.writer = if self.turn == turn { top.writer() } else { None };
        self.turn = turn;
    }

    /// The same, in room that was made for it. `goes_on`: there was some before, which is full, and whoever filled it goes on, so that
    /// the first has the writer kept.
    pub(super) fn note_in(&mut self, goes_on: bool, turn: u64, top: &Layer) {
        if goes_on {
            self.turn = turn;
        }
        self.note(turn, top);
    }
}
