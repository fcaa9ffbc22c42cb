//! Adding breadcrumbs to a hub.

use std::sync::Arc;

use super::Hub;
use super::bound::Backend;
use super::current::{current_has_client, take_all};
use super::kept::Kept;
use super::layer::Layer;
use crate::callback;
use crate::clock;
use crate::gate;
use crate::protocol::{Breadcrumb, Level};
use crate::scope::record::{Addition, CallSite, Finished, Record, Recorder};
use crate::sync::swap::Shared;

/// What can be added as breadcrumbs: one, several, or a closure that makes them when they are wanted.
pub trait IntoBreadcrumbs {
    /// What yields the breadcrumbs.
    type Output: Iterator<Item = Breadcrumb>;

    /// Turns itself into breadcrumbs.
    fn into_breadcrumbs(self) -> Self::Output;

    /// Hands each over. What is one breadcrumb does so without an iterator, through which it would be copied twice more.
    #[doc(hidden)]
    #[inline]
    fn hand_over(self, take: impl FnMut(Breadcrumb))
    where
        Self: Sized,
    {
        self.into_breadcrumbs().for_each(take);
    }
}

impl IntoBreadcrumbs for Breadcrumb {
    type Output = std::iter::Once<Breadcrumb>;

    fn into_breadcrumbs(self) -> Self::Output {
        std::iter::once(self)
    }

    #[inline]
    fn hand_over(self, mut take: impl FnMut(Breadcrumb)) {
        take(self);
    }
}

impl IntoBreadcrumbs for Vec<Breadcrumb> {
    type Output = std::vec::IntoIter<Breadcrumb>;

    fn into_breadcrumbs(self) -> Self::Output {
        self.into_iter()
    }
}

impl IntoBreadcrumbs for Option<Breadcrumb> {
    type Output = std::option::IntoIter<Breadcrumb>;

    fn into_breadcrumbs(self) -> Self::Output {
        self.into_iter()
    }
}

impl<F: FnOnce() -> I, I: IntoBreadcrumbs> IntoBreadcrumbs for F {
    type Output = I::Output;

    fn into_breadcrumbs(self) -> Self::Output {
        self().into_breadcrumbs()
    }

    #[inline]
    fn hand_over(self, take: impl FnMut(Breadcrumb)) {
        self().hand_over(take);
    }
}

impl Hub {
    /// Adds breadcrumbs to the scope on top. Without an open client nothing happens, and a closure does not run.
    pub fn add_breadcrumb<B: IntoBreadcrumbs>(&self, breadcrumbs: B) {
        let examiner = {
            let top = self.stack.top();
            let Some(client) = top.bound().filter(|client| client.is_enabled()) else { return };
            client.examines_breadcrumbs().then(|| client.clone())
        };
        breadcrumbs.hand_over(|breadcrumb| match &examiner {
            None => self.push_record(&mut Some(Record::Owned(breadcrumb))),
            Some(client) if callback::may_capture() => {
                self.push_record(&mut client.admit_breadcrumb(breadcrumb).map(Record::Owned));
            }
            Some(_) => {}
        });
    }

    /// Appends the record if that takes nothing but a free slot.
    ///
    /// A layer that comes along was replaced meanwhile: user closures may hang on it, so the caller lets go of what it
    /// holds before it drops that.
    #[inline]
    fn push_at_once(&self, record: &mut impl Addition, kept: &mut Kept) -> (Attempt, Option<Shared<Layer>>) {
        let (turn, top) = self.stack.top_in_turn();
        let attempt = match top.bound() {
            Some(client) if !client.examines_breadcrumbs() => {
                if top.push_record(record) {
                    kept.note(turn, &top);
                    Attempt::Pushed
                } else {
                    Attempt::NoRoom
                }
            }
            _ => Attempt::Examined,
        };
        (attempt, top.end())
    }

    #[cold]
    fn push_at_length(&self, record: &mut impl Addition, attempt: &Attempt) {
        match attempt {
            Attempt::Examined => self.add_breadcrumb(record.take_breadcrumb()),
            _ => self.push_record(record),
        }
    }

    /// Appends to the trail on top. No user code runs here: the record is complete.
    fn push_record(&self, record: &mut impl Addition) {
        while !record.is_gone() {
            let top = self.stack.top();
            let length = top.length();
            if length == 0 || top.push_record(record) {
                return;
            }
            // Whoever is first makes room for all; a layer that is refused has no use any more.
            let renewed = Shared::make(|| top.with_room(length));
            drop(self.stack.replace(top, renewed));
        }
    }
}

/// Adds breadcrumbs to the current hub, if a client is bound to it.
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn add_to_current<B: IntoBreadcrumbs>(breadcrumbs: B) {
    if gate::is_open() {
        add_if_bound(breadcrumbs);
    }
}

/// The rest of [`add_to_current`], apart so that its first question is asked in line.
#[inline(never)]
fn add_if_bound<B: IntoBreadcrumbs>(breadcrumbs: B) {
    if current_has_client() {
        breadcrumbs.hand_over(|breadcrumb| push_to_current(&mut Some(Record::Owned(breadcrumb))));
    }
}

/// Runs what a `breadcrumb!` expands to: `write` evaluates its arguments, if a client is bound to the current hub.
#[doc(hidden)]
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn record(site: &'static CallSite, level: impl FnOnce() -> Level, write: impl FnOnce(&mut Recorder)) {
    if gate::is_open() {
        record_if_bound(site, level, write);
    }
}

/// The rest of [`record`], apart so that its first question is asked in line.
#[inline(never)]
fn record_if_bound(site: &'static CallSite, level: impl FnOnce() -> Level, write: impl FnOnce(&mut Recorder)) {
    if current_has_client() {
        let mut recorder = Recorder::new(site);
        write(&mut recorder);
        finish(level(), &mut recorder);
    }
}

/// The part of a `breadcrumb!` that is the same for all.
#[inline(never)]
fn finish(level: Level, recorder: &mut Recorder) {
    match recorder.finish(level, clock::coarse_micros()) {
        Finished::Brief(brief) => push_to_current(brief),
        Finished::Spilled(record) => push_to_current(&mut Some(record)),
    }
}

/// Appends the record to the current hub.
#[inline]
fn push_to_current(record: &mut impl Addition) {
    if take_all(|hub, kept| kept.push(hub, record)) != Some(true) {
        push_by_the_top(record);
    }
}

/// Appends the record to the current hub, for which nothing is kept.
#[inline(never)]
fn push_by_the_top(record: &mut impl Addition) {
    // The common case borrows the thread's hub; where a layer may be dropped, or a callback run, it is owned.
    let left = take_all(|hub, kept| {
        let (attempt, replaced) = hub.push_at_once(record, kept);
        let owner = if let Attempt::Pushed = attempt { None } else { Some(Arc::clone(hub)) };
        (attempt, owner, replaced)
    });
    let Some((attempt, owner, replaced)) = left else { return };
    drop(replaced);
    if let Some(hub) = owner {
        hub.push_at_length(record, &attempt);
    }
}

/// What became of a record.
#[derive(Debug)]
enum Attempt {
    Pushed,
    /// There must be a new chunk first.
    NoRoom,
    /// A callback has to see it first, or there is no client.
    Examined,
}
