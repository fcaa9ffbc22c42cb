//! What a thread keeps of its current hub: the place of its next breadcrumb, and those that made room for it.

use super::Hub;
use super::layer::Layer;
use crate::scope::record::Record;
use crate::sync::ring::{Cargo, Expired, Writer};

/// A writer to the chunk on top of the thread's current hub, for the turn in which that is the top; and the chunk in whose
/// place that one came.
///
/// So a thread that adds several breadcrumbs borrows the top for the first two alone, and drops one for each that it adds. What
/// is kept is memory, at most two chunks, and let go when the thread switches hubs: no client and no closure lives longer for it.
#[derive(Debug)]
pub(super) struct Kept {
    /// In which turn the last breadcrumb was added; zero: none was.
    turn: u64,
    writer: Option<Writer<Record>>,
    expired: Option<Expired<Record>>,
}

/// Room that was made for breadcrumbs.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// There was some before, which is full: whoever filled it goes on.
    pub(super) goes_on: bool,
    /// What nobody remembers any more.
    pub(super) expired: Option<Expired<Record>>,
}

impl Kept {
    pub(super) const NOTHING: Self = Self { turn: 0, writer: None, expired: None };

    /// Moves the record to the kept chunk, if it is still the hub's. False: the record stays.
    #[inline]
    pub(super) fn push(&mut self, hub: &Hub, record: &mut impl Cargo<Record>) -> bool {
        match &self.writer {
            Some(writer) if self.turn == hub.stack.top.turn() && writer.push(record) => {
                if self.expired.is_some() {
                    self.drop_expired();
                }
                true
            }
            _ => false,
        }
    }

    /// Drops one of those that expired. No code of the host runs: a breadcrumb is text and numbers.
    #[inline(never)]
    fn drop_expired(&mut self) {
        if let Some(expired) = &mut self.expired
            && !expired.drop_next()
        {
            self.expired = None;
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

    /// Lets go of what expired, so that its memory can be had for what comes now.
    pub(super) fn make_room(&mut self) -> Option<Expired<Record>> {
        self.expired.take()
    }

    /// Notes that a breadcrumb found its place in `top` in that turn. The second one in a turn has the writer kept: it pays from the
    /// third on.
    #[inline]
    pub(super) fn note(&mut self, turn: u64, top: &Layer) {
        self.writer = if self.turn == turn { top.writer() } else { None };
        self.turn = turn;
    }

    /// The same, in room that was made for it: the first of those that go on has the writer kept.
    pub(super) fn note_in(&mut self, room: &mut Room, turn: u64, top: &Layer) {
        if room.goes_on {
            self.turn = turn;
        }
        self.note(turn, top);
        if room.expired.is_some() {
            self.expired = room.expired.take();
        }
    }
}
