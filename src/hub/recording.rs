//! Adding breadcrumbs to a hub.

use std::cell::Cell;
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
            None => self.push_record(|| Record::Owned(breadcrumb)),
            Some(client) if callback::may_capture() => {
                if let Some(breadcrumb) = client.admit_breadcrumb(breadcrumb) {
                    self.push_record(|| Record::Owned(breadcrumb));
                }
            }
            Some(_) => {}
        });
    }

    /// Appends a record if that takes nothing but a free slot, or gives `make` back.
    ///
    /// A layer that comes along was replaced meanwhile: user closures may hang on it, so the caller lets go of what it
    /// holds before it drops that.
    #[inline(always)]
    fn push_at_once<F: FnOnce() -> Record>(&self, make: F) -> (Result<(), (F, Refused)>, Option<Shared<Layer>>) {
        let top = self.stack.top();
        let pushed = match top.bound() {
            Some(client) if !client.examines_breadcrumbs() => {
                top.push_record(make).map_err(|make| (make, Refused::Full))
            }
            _ => Err((make, Refused::Examined)),
        };
        (pushed, top.end())
    }

    #[cold]
    fn push_at_length(&self, record: Record, refused: Refused) {
        match refused {
            Refused::Full => self.push_record(|| record),
            Refused::Examined => self.add_breadcrumb(record.into_breadcrumb()),
        }
    }

    /// Appends to the trail on top. `make` is not code of the user.
    fn push_record(&self, mut make: impl FnOnce() -> Record) {
        loop {
            let top = self.stack.top();
            let length = top.length();
            if length == 0 {
                return;
            }
            match top.push_record(make) {
                Ok(()) => return,
                Err(back) => make = back,
            }
            // Whoever is first makes room for all; a layer that is refused has no use any more.
            let renewed = Shared::make(|| top.with_room(length));
            drop(self.stack.replace(top, renewed));
        }
    }
}

/// Adds breadcrumbs to the current hub, if a client is bound to it.
#[inline]
pub(crate) fn add_to_current<B: IntoBreadcrumbs>(breadcrumbs: B) {
    if gate::is_open() && current_has_client() {
        breadcrumbs.hand_over(|breadcrumb| {
            if let Err((make, hub, refused)) = push_to_current(move || Record::Owned(breadcrumb)) {
                hub.push_at_length(make(), refused);
            }
        });
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
    let entry = Entry { spilled: Cell::new(recorder.take_spilled()), recorder, site, level, time };
    if let Err((make, hub, refused)) = push_to_current(|| entry.record()) {
        hub.push_at_length(make(), refused);
    }
}

/// What a record is made of: in one place, since a closure that captures much is copied more than once.
struct Entry<'a> {
    recorder: &'a Recorder,
    site: &'static CallSite,
    level: Level,
    time: u64,
    spilled: Cell<Option<Arc<[u8]>>>,
}

impl Entry<'_> {
    #[inline(always)]
    fn record(&self) -> Record {
        Record::Compact(self.recorder.finish(self.site, self.level, self.time, self.spilled.take()))
    }
}

/// Appends what `make` makes to the current hub, or gives it back with the hub. It is not code of the user.
#[inline]
fn push_to_current<F: FnOnce() -> Record>(make: F) -> Result<(), (F, Arc<Hub>, Refused)> {
    // The common case borrows the thread's hub; where a layer may be dropped, or a callback run, it is owned.
    let left = take_part(|hub| {
        let (pushed, replaced) = hub.push_at_once(make);
        (pushed.map_err(|(make, refused)| (make, Arc::clone(hub), refused)), replaced)
    });
    let Some((pushed, replaced)) = left else { return Ok(()) };
    drop(replaced);
    pushed
}

/// Why a record was not appended at once.
#[derive(Debug)]
enum Refused {
    /// There must be a new chunk first.
    Full,
    /// A callback has to see it first, or there is no client.
    Examined,
}
