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

    /// Appends a record if that takes nothing but a free slot; `make` runs only then.
    ///
    /// A layer that comes along was replaced meanwhile: user closures may hang on it, so the caller lets go of what it
    /// holds before it drops that.
    #[inline(always)]
    fn push_at_once(&self, make: impl FnOnce() -> Record) -> (bool, Option<Shared<Layer>>) {
        let top = self.stack.top();
        let is_examined = top.bound.as_ref().is_none_or(Backend::examines_breadcrumbs);
        let pushed = !is_examined && top.trail.push_with(make).is_ok();
        (pushed, top.end())
    }

    #[cold]
    fn push_at_length(&self, record: Record) {
        if self.bound().as_ref().is_some_and(Backend::examines_breadcrumbs) {
            self.add_breadcrumb(record.into_breadcrumb());
        } else {
            self.push_record(record);
        }
    }

    /// Appends to the trail on top. No user code runs here: the record is complete.
    fn push_record(&self, record: Record) {
        let mut make = move || record;
        loop {
            let top = self.stack.top();
            let length = top.length();
            if length == 0 {
                return;
            }
            match top.trail.push_with(make) {
                Ok(()) => return,
                Err(back) => make = back,
            }
            // Whoever is first makes room for all; a layer that is refused has no use any more.
            let renewed = Shared::new(top.with_trail(top.trail.next(length)));
            drop(self.stack.replace(top, renewed));
        }
    }
}

/// Adds breadcrumbs to the current hub, if a client is bound to it.
#[inline]
pub(crate) fn add_to_current<B: IntoBreadcrumbs>(breadcrumbs: B) {
    if gate::is_open() && current_has_client() {
        for breadcrumb in breadcrumbs.into_breadcrumbs() {
            let mut breadcrumb = Some(breadcrumb);
            // Asked for once.
            commit(|| Record::Owned(breadcrumb.take().unwrap_or_default()));
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
        finish(site, level(), &mut recorder);
    }
}

/// The part of a `breadcrumb!` that is the same for all.
#[inline(never)]
fn finish(site: &'static CallSite, level: Level, recorder: &mut Recorder) {
    let time = clock::coarse_micros();
    commit(|| Record::Compact(recorder.finish(site, level, time)));
}

/// Appends what `make` makes to the current hub. It is called once, and is not code of the user.
#[inline]
fn commit(mut make: impl FnMut() -> Record) {
    // The common case borrows the thread's hub; where a layer may be dropped, or a callback run, it is owned.
    let left = take_part(|hub| {
        let (pushed, replaced) = hub.push_at_once(&mut make);
        ((!pushed).then(|| Arc::clone(hub)), replaced)
    });
    let Some((owner, replaced)) = left else { return };
    drop(replaced);
    if let Some(hub) = owner {
        hub.push_at_length(make());
    }
}
