//! Adding breadcrumbs to a hub.

use std::sync::Arc;

use super::bound::Backend;
use super::layer::Layer;
use super::{Hub, current_has_client, take_part};
use crate::callback;
use crate::clock;
use crate::gate;
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
        let Some(client) = self.bound().filter(Backend::is_enabled) else { return };
        for breadcrumb in breadcrumbs.into_breadcrumbs() {
            if !client.examines_breadcrumbs() {
                self.push_record(Record::Owned(breadcrumb));
            } else if callback::may_capture()
                && let Some(breadcrumb) = client.admit_breadcrumb(breadcrumb)
            {
                self.push_record(Record::Owned(breadcrumb));
            }
        }
    }

    /// Appends a record if that takes nothing but a free slot. Else gives it back.
    ///
    /// A layer that comes along was replaced meanwhile: user closures may hang on it, so the caller lets go of what it
    /// holds before it drops that.
    #[inline]
    fn push_at_once(&self, record: Record) -> (Result<(), Record>, Option<Shared<Layer>>) {
        let top = self.stack.top();
        if top.bound.as_ref().is_none_or(Backend::examines_breadcrumbs) {
            return (Err(record), top.end());
        }
        let pushed = top.trail.push(record).map_err(|Full(record)| record);
        (pushed, top.end())
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
    fn push_record(&self, mut record: Record) {
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
        let record = Record::Compact(recorder.finish(site, level(), clock::coarse()));
        // The common case borrows the thread's hub; where a layer may be dropped, or a callback run, it is owned.
        let left = take_part(|hub| {
            let (pushed, replaced) = hub.push_at_once(record);
            (pushed.map_err(|record| (Arc::clone(hub), record)), replaced)
        });
        let Some((pushed, replaced)) = left else { return };
        drop(replaced);
        if let Err((hub, record)) = pushed {
            hub.push_at_length(record);
        }
    }
}
