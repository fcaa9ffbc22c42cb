//! Adding breadcrumbs to a hub.

use std::sync::Arc;

use super::bound::Backend;
use super::{Hub, current_has_client, gate, take_part};
use crate::callback;
use crate::clock;
use crate::protocol::{Breadcrumb, Level};
use crate::scope::record::{CallSite, Record, Recorder};
use crate::sync::ring::Full;
use crate::sync::swap::Shared;

/// What can be added as breadcrumbs: one, several, or a closure that makes them when they are wanted.
pub trait IntoBreadcrumbs {
    /// What yields the breadcrumbs.
    type Output: Iterator<Item = Breadcrumb>;

    /// Turns itself into breadcrumbs.
    fn into_breadcrumbs(self) -> Self::Output;
}

impl IntoBreadcrumbs for Breadcrumb {
    type Output = std::iter::Once<Breadcrumb>;

    fn into_breadcrumbs(self) -> Self::Output {
        std::iter::once(self)
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
}

impl Hub {
    /// Adds breadcrumbs to the scope on top. Without an open client nothing happens, and a closure does not run.
    pub fn add_breadcrumb<B: IntoBreadcrumbs>(&self, breadcrumbs: B) {
        let examiner = {
            let top = self.stack.top();
            let Some(client) = top.bound.as_ref().filter(|client| client.is_enabled()) else { return };
            client.examines_breadcrumbs().then(|| client.clone())
        };
        for breadcrumb in breadcrumbs.into_breadcrumbs() {
            match &examiner {
                None => self.push_record(Record::Owned(breadcrumb)),
                Some(client) if callback::may_capture() => {
                    if let Some(breadcrumb) = client.admit_breadcrumb(breadcrumb) {
                        self.push_record(Record::Owned(breadcrumb));
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// Appends a record if that takes nothing but a free slot. Else gives it back.
    #[inline(always)]
    fn push_at_once(&self, record: Record) -> Result<(), Record> {
        let top = self.stack.top();
        if top.bound.as_ref().is_none_or(Backend::examines_breadcrumbs) {
            return Err(record);
        }
        top.trail.push(record).map_err(|Full(record)| record)
    }

    #[cold]
    fn push_at_length(&self, record: Record) {
        if self.bound().as_ref().is_some_and(Backend::examines_breadcrumbs) {
            self.add_breadcrumb(|| record.to_breadcrumb());
        } else {
            self.push_record(record);
        }
    }

    /// Appends to the trail on top. No user code runs here: the record is complete.
    #[inline]
    fn push_record(&self, record: Record) {
        let top = self.stack.top();
        if top.length() == 0 {
            return;
        }
        if let Err(Full(record)) = top.trail.push(record) {
            drop(top);
            self.push_after_renewal(record);
        }
    }

    /// Appends to the trail on top, which is renewed if it is full.
    #[cold]
    fn push_after_renewal(&self, mut record: Record) {
        loop {
            let top = self.stack.top();
            let length = top.length();
            if length == 0 {
                return;
            }
            match top.trail.push(record) {
                Ok(()) => return,
                Err(Full(back)) => record = back,
            }
            // Whoever publishes first makes room for all.
            let published = self.stack.top.publish(&top, Shared::new(top.with_trail(top.trail.next(length))));
            // User closures may hang on a scope: nothing is held when one is dropped.
            drop(top);
            drop(published);
        }
    }
}

/// Runs what a `breadcrumb!` expands to: `write` evaluates its arguments, if a client is bound to the current hub.
#[doc(hidden)]
#[inline]
pub fn record(site: &'static CallSite, level: impl FnOnce() -> Level, write: impl FnOnce(&mut Recorder)) {
    if gate::is_open() && current_has_client() {
        let mut recorder = Recorder::new();
        write(&mut recorder);
        commit(site, level(), &mut recorder);
    }
}

/// Appends what was recorded to the current hub.
#[inline(never)]
fn commit(site: &'static CallSite, level: Level, recorder: &mut Recorder) {
    let time = clock::coarse_micros();
    let mut left = None;
    // The common case borrows the thread's hub; where a layer may be dropped, or a callback run, it is owned.
    let owner = take_part(|hub| match hub.push_at_once(Record::Compact(recorder.finish(site, level, time))) {
        Ok(()) => None,
        Err(record) => {
            left = Some(record);
            Some(Arc::clone(hub))
        }
    });
    if let (Some(Some(hub)), Some(record)) = (owner, left) {
        hub.push_at_length(record);
    }
}
