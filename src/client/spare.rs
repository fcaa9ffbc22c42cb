//! Breadcrumbs that were built for those who look at events, and wait to be overwritten by the next event's.
//!
//! Whoever captures takes a list, and leaves it here when integrations and callbacks have seen it and left it as it was:
//! the sender then writes the breadcrumbs from where they stand in the scope, so none of this memory changes threads.
//!
//! # Guarantees
//! Bounded: four lists of 256 KiB. The sender frees them when nothing was captured for a second, at `flush` and at its end.

use crossbeam_queue::ArrayQueue;

use crate::protocol::{Breadcrumb, Event};
use crate::scope::Scope;

/// Lists of breadcrumbs for their next use.
#[derive(Debug)]
pub(crate) struct Spare(ArrayQueue<Vec<Breadcrumb>>);

impl Spare {
    pub(crate) fn new() -> Self {
        Self(ArrayQueue::new(MOST_LISTS))
    }

    /// Puts the scope's breadcrumbs before those the event brought along, in memory from here if there is some.
    pub(crate) fn fill(&self, event: &mut Event<'static>, scope: &Scope) {
        if scope.crumbs().is_empty() {
            return;
        }
        let own = std::mem::take(&mut event.breadcrumbs.values);
        let spent = self.0.pop().unwrap_or_default();
        event.breadcrumbs.values = scope.crumbs().build_over(spent);
        event.breadcrumbs.values.extend(own);
    }

    /// Takes the scope's breadcrumbs out of an event in which they stand unchanged, so that they can be written from the
    /// scope. False: they stay, as somebody changed them, or they are too large to be kept.
    pub(crate) fn part(&self, event: &mut Event<'static>, scope: &Scope) -> bool {
        let values = &mut event.breadcrumbs.values;
        let Some(built) = scope.crumbs().are_built_in(values).filter(|built| built.bytes <= MOST_BYTES) else {
            return false;
        };
        if built.count != 0 {
            let own = values.split_off(built.count);
            let spent = std::mem::replace(values, own);
            drop(self.0.push(spent));
        }
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Frees what is there.
    pub(crate) fn clear(&self) {
        while self.0.pop().is_some() {}
    }
}

/// So many captures at once find memory here.
const MOST_LISTS: usize = 4;
/// Bytes of a list that is worth keeping: two thousand breadcrumbs of a line and no data, or some hundreds with data.
const MOST_BYTES: usize = 256 << 10;
