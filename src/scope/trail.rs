//! The breadcrumbs of one layer, over [`sync::ring`](crate::sync::ring).

use std::fmt;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::record::{Crumb, Record};
use crate::protocol::Breadcrumb;
use crate::sync::ring::{Cargo, Head, View, Writer};

/// Where a layer's next breadcrumb goes.
#[derive(Clone, Debug)]
pub(crate) enum Trail {
    /// To this layer's own chunk.
    Live(Head<Record>),
    /// To a chunk yet to be made, which continues what was inherited.
    Inherited(Crumbs),
}

/// Breadcrumbs as they were at one moment.
#[derive(Clone)]
pub(crate) struct Crumbs {
    view: View<Record>,
    /// How many of them count, from the newest.
    length: usize,
}

impl Trail {
    /// Moves the record here. False: there must be a [`next`](Self::next) trail first, and the record stays.
    #[inline]
    pub(crate) fn push(&self, record: &mut impl Cargo<Record>) -> bool {
        match self {
            Self::Live(head) => head.push(record),
            Self::Inherited(_) => false,
        }
    }

    /// True if there is a chunk with a free slot.
    pub(crate) fn has_room(&self) -> bool {
        match self {
            Self::Live(head) => head.has_room(),
            Self::Inherited(_) => false,
        }
    }

    /// A writer to this layer's own chunk.
    pub(crate) fn writer(&self) -> Option<Writer<Record>> {
        match self {
            Self::Live(head) => Some(head.writer()),
            Self::Inherited(_) => None,
        }
    }

    /// The trail that continues this one with room for more, and remembers at least the newest `length`.
    pub(crate) fn next(&self, length: usize) -> Self {
        match self {
            Self::Live(head) => Self::Live(head.successor(length)),
            Self::Inherited(crumbs) => crumbs.clone().next(length),
        }
    }

    /// The newest `length` of what is there now.
    pub(crate) fn freeze(&self, length: usize) -> Crumbs {
        let view = match self {
            Self::Live(head) => head.freeze(),
            Self::Inherited(crumbs) => crumbs.view.clone(),
        };
        Crumbs { view, length }
    }
}

impl Crumbs {
    /// The trail that continues these, and remembers at least the newest `length`.
    pub(crate) fn next(self, length: usize) -> Trail {
        Trail::Live(Head::after(self.view, length))
    }

    pub(crate) fn clear(&mut self) {
        self.view = View::EMPTY;
    }

    pub(crate) fn is_empty(&self) -> bool {
        let mut is_empty = true;
        self.view.for_each(self.length.min(1), |_| is_empty = false);
        is_empty
    }

    /// Builds them, oldest first.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(Breadcrumb)) {
        self.view.for_each(self.length, |seen| visit(Crumb::from(seen).to_breadcrumb()));
    }

    /// Builds them, oldest first, in the memory of others that were built before.
    pub(crate) fn build_over(&self, mut spent: Vec<Breadcrumb>) -> Vec<Breadcrumb> {
        let mut built = 0;
        self.view.for_each(self.length, |seen| {
            let crumb = Crumb::from(seen);
            match spent.get_mut(built) {
                Some(old) => crumb.overwrite(old),
                None => spent.push(crumb.to_breadcrumb()),
            }
            built += 1;
        });
        spent.truncate(built);
        spent
    }

    /// How many of the first that are `built` are what these were built as, if all of these are there.
    pub(crate) fn are_built_in(&self, built: &[Breadcrumb]) -> Option<Built> {
        let mut rest = built.iter();
        let mut bytes = size_of_val(built);
        let mut are_same = true;
        self.view.for_each(self.length, |seen| {
            are_same = are_same && rest.next().is_some_and(|built| Crumb::from(seen).is_built_as(built, &mut bytes));
        });
        are_same.then(|| Built { count: built.len() - rest.len(), bytes })
    }
}

/// Breadcrumbs that are as they were built.
pub(crate) struct Built {
    pub(crate) count: usize,
    /// Roughly how much memory they take.
    pub(crate) bytes: usize,
}

/// A layer's breadcrumbs, and those that an event brought along: as they are written.
pub(crate) struct Joined<'a> {
    crumbs: &'a Crumbs,
    own: &'a [Breadcrumb],
}

impl Crumbs {
    /// Puts these before others.
    pub(crate) fn before<'a>(&'a self, own: &'a [Breadcrumb]) -> Joined<'a> {
        Joined { crumbs: self, own }
    }
}

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let mut written = Ok(());
        self.crumbs.view.for_each(self.crumbs.length, |seen| {
            if written.is_ok() {
                written = list.serialize_element(&Crumb::from(seen));
            }
        });
        written?;
        self.own.iter().try_for_each(|breadcrumb| list.serialize_element(breadcrumb))?;
        list.end()
    }
}

impl Default for Crumbs {
    fn default() -> Self {
        Self { view: View::EMPTY, length: 0 }
    }
}

impl fmt::Debug for Crumbs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view.fmt(f)
    }
}
