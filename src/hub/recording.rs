//! Adding breadcrumbs to a hub.

use std::sync::Arc;

use super::Hub;
use super::bound::{Backend, Bound};
use super::current::{current_has_client, take_all};
use super::layer::Layer;
use crate::callback;
use crate::clock;
use crate::gate;
use crate::protocol::{Breadcrumb, Level};
use crate::scope::record::{Addition, CallSite, Packing, Record, Recorder};
use crate::sync::swap::{Borrow, Placed, Shared};

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
            None => self.push_owned(breadcrumb),
            Some(client) if callback::may_capture() => {
                if let Some(breadcrumb) = client.admit_breadcrumb(breadcrumb) {
                    self.push_owned(breadcrumb);
                }
            }
            Some(_) => {}
        });
    }

    fn push_owned(&self, mut breadcrumb: Breadcrumb) {
        match Packing::of(&mut breadcrumb) {
            Some(mut packing) => self.push_record(&mut packing),
            None => self.push_record(&mut Some(Record::Owned(breadcrumb))),
        }
    }

    /// Appends the record if that takes nothing but a free slot, and has `note` know of its turn. `is_admitted`: callbacks have
    /// seen it.
    ///
    /// A layer that comes along was replaced meanwhile: user closures may hang on it, so the caller lets go of what it
    /// holds before it drops that.
    #[inline]
    fn push_at_once(
        &self,
        record: &mut impl Addition,
        is_admitted: bool,
        note: impl FnOnce(u64, &Layer),
    ) -> (Attempt, Option<Shared<Layer>>) {
        let (turn, top) = self.stack.top_in_turn();
        let attempt = match top.bound() {
            Some(client) if is_admitted || !client.examines_breadcrumbs() => {
                if top.push_record(record) {
                    note(turn, &top);
                    Attempt::Pushed
                } else {
                    Attempt::NoRoom
                }
            }
            bound => {
                let client = bound.filter(|client| client.is_enabled()).cloned();
                client.map_or(Attempt::Pushed, Attempt::Examined)
            }
        };
        (attempt, top.end())
    }

    /// Appends to the trail on top. No user code runs here: the record is complete.
    fn push_record(&self, record: &mut impl Addition) {
        while !record.is_gone() {
            let top = self.stack.top();
            if top.push_record(record) || self.make_room(top).is_none() {
                return;
            }
        }
    }

    /// Makes room on top, unless others just did. True: there was some before. `None`: there is to be none.
    fn make_room(&self, top: Borrow<'_, Layer>) -> Option<bool> {
        let (length, goes_on) = (top.length(), top.has_chunk());
        if length == 0 {
            return None;
        }
        // A chunk counts as full in the past of the next one: what it still has room for would be missing from the ring.
        if top.has_room() {
            return Some(goes_on);
        }
        // Whoever is first makes room for all; a layer that is refused has no use any more.
        let renewed = Shared::make(|| top.with_room(length));
        drop(top.replace(Placed::new(renewed)));
        Some(goes_on)
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
        breadcrumbs.hand_over(push_owned);
    }
}

/// The part of an `add_breadcrumb` that is the same for all. The texts of what was packed are freed here, while they are at hand.
#[inline(never)]
fn push_owned(mut breadcrumb: Breadcrumb) {
    match Packing::of(&mut breadcrumb) {
        Some(mut packing) => push_to_current(&mut packing),
        None => push_to_current(&mut Some(Record::Owned(breadcrumb))),
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
    if let Some(mut recorded) = recorder.finish(level, clock::coarse()) {
        push_to_current(&mut recorded);
    } else {
        finish_spilled(recorder);
    }
}

/// The same for what does not fit a slot.
#[cold]
#[inline(never)]
fn finish_spilled(recorder: &mut Recorder) {
    push_to_current(&mut recorder.take_spilled());
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
    // The common case borrows the thread's hub, and nothing is left to be dropped.
    match take_all(|hub, kept| hub.push_at_once(record, false, |turn, top| kept.note(turn, top))) {
        Some((Attempt::Pushed, None)) | None => {}
        Some((attempt, replaced)) => {
            drop(replaced);
            push_at_length(record, attempt);
        }
    }
}

/// Does what a first attempt left to be done: nothing is borrowed here.
#[cold]
#[inline(never)]
fn push_at_length(record: &mut impl Addition, attempt: Attempt) {
    match attempt {
        Attempt::Pushed => {}
        Attempt::NoRoom => append(record, false, false),
        Attempt::Examined(client) if callback::may_capture() => {
            if let Some(breadcrumb) = record.take_breadcrumb()
                && let Some(mut admitted) = client.admit_breadcrumb(breadcrumb)
            {
                match Packing::of(&mut admitted) {
                    Some(mut packing) => append(&mut packing, true, true),
                    None => append(&mut Some(Record::Owned(admitted)), true, true),
                }
            }
        }
        Attempt::Examined(_) => {}
    }
}

/// Appends the record to the current hub, and makes room for it there if that is wanted. `is_admitted`: callbacks have seen it.
fn append(record: &mut impl Addition, is_admitted: bool, mut has_room: bool) {
    let mut goes_on = false;
    while !record.is_gone() {
        if !has_room {
            // Where a layer may be dropped, the hub is owned.
            let Some(hub) = take_all(|hub, _| Arc::clone(hub)) else { return };
            let Some(had_room) = hub.make_room(hub.stack.top()) else { return };
            goes_on = had_room;
        }
        let left = take_all(|hub, kept| {
            hub.push_at_once(record, is_admitted, |turn, top| {
                // What is kept takes what no callback has seen.
                if !is_admitted {
                    kept.note_in(goes_on, turn, top);
                }
            })
        });
        let Some((attempt, replaced)) = left else { return };
        drop(replaced);
        match attempt {
            Attempt::NoRoom => has_room = false,
            // A client that was bound meanwhile may have to examine it after all.
            attempt => return push_at_length(record, attempt),
        }
    }
}

/// What became of a record.
#[derive(Debug)]
enum Attempt {
    /// It is in its place, or there is no client that wants it.
    Pushed,
    /// There must be a new chunk first.
    NoRoom,
    /// A callback has to see it first.
    Examined(Bound),
}
