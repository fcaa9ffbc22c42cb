//! The steps an event passes, in order.
//!
//! 1. scope data, then the scope's event processors, then the integrations
//! 2. `before_send`
//! 3. the session takes note
//! 4. sampling
//! 5. the queue
//!
//! Where no one wants to look at the event, the first step is left to the sender.

use std::borrow::Cow;
use std::sync::Arc;

use uuid::Uuid;

use super::parcel::{Left, Parcel, Queued, event_losses};
use super::sessions::sessions;
use super::tracing::Agreed;
use super::{Core, name_of};
use crate::callback::{self, Panicked};
use crate::diag;
use crate::matter::{Matter, Taken};
use crate::options::{ClientOptions, EventSamplingStrategy};
use crate::protocol::client_report::Reason;
use crate::protocol::ids::random_u64;
use crate::protocol::{ClientSdkInfo, Event, Level};
use crate::scope::Scope;
use crate::session::{Session, Update};

impl Core {
    /// Takes an event through all steps, and out of `taken`. Nil: it was dropped, and counted.
    pub(crate) fn capture(self: &Arc<Self>, taken: &mut Option<Taken>) -> Uuid {
        let Some(Taken { matter, scope }) = taken else { return Uuid::nil() };
        if !self.is_open() || !callback::may_capture() {
            return Uuid::nil();
        }
        let id = matter.identify();
        let mut losses = event_losses(scope);
        self.ledger.capture(&losses);
        // It must not come to the queue: it holds a client.
        let session = scope.take_session();
        let is_seen = self.looks_at_events || scope.has_processors();
        let processed = if is_seen { self.process(taken, session) } else { self.pass(taken, session) };
        let (update, agreed, left) = match processed {
            Ok(noted) => noted,
            Err(reason) => {
                self.discard(&losses, reason);
                return Uuid::nil();
            }
        };
        if update.is_some() {
            losses.extend(sessions(1));
        }
        let Some(taken) = taken.take() else { return Uuid::nil() };
        // A callback may have attached or removed something: what is counted is what came in.
        let parcel = Parcel::Event { taken, left, agreed, session: update };
        if self.enqueue_whole(&mut Some(Queued { parcel, losses, weight: 0 })) { id } else { Uuid::nil() }
    }

    /// The way of an event that nobody wants to look at.
    #[inline]
    fn pass(
        self: &Arc<Self>,
        taken: &mut Option<Taken>,
        session: Option<Arc<Session>>,
    ) -> Result<(Option<Box<Update>>, Agreed, Left), Reason> {
        let Some(Taken { matter, scope }) = taken else { return Ok((None, Agreed::Undecided, Left::Everything)) };
        let update = self.note(session, matter, scope.level().unwrap_or(matter.level()));
        let update = self.sample(update)?;
        let agreed = Agreed::of(scope);
        if scope.span().is_some()
            && let Some(Taken { matter, scope }) = taken.take()
        {
            // What the span says is said now: it goes on, and must not leave this thread.
            let mut event = matter.into_event();
            scope.fill_trace(&mut event);
            *taken = Some(Taken { matter: Matter::Whole(event), scope: scope.without_span() });
        }
        Ok((update, agreed, Left::Everything))
    }

    /// The way of an event that integrations, processors or callbacks look at.
    fn process(
        self: &Arc<Self>,
        taken: &mut Option<Taken>,
        session: Option<Arc<Session>>,
    ) -> Result<(Option<Box<Update>>, Agreed, Left), Reason> {
        let Some(Taken { matter, scope }) = taken.take() else {
            return Ok((None, Agreed::Undecided, Left::Everything));
        };
        let shows_breadcrumbs = self.looks_at_breadcrumbs || scope.has_processors();
        let mut event = self.prepare(matter.into_event(), &scope, shows_breadcrumbs)?;
        if let Some(before_send) = &self.options.before_send {
            self.fill_defaults(&mut event);
            let whole = *event;
            let seen = callback::guarded("before_send", || before_send(whole));
            *event = self.unless_panicked(seen).flatten().ok_or(Reason::BeforeSend)?;
        }
        let mut matter = Matter::Whole(event);
        let update = self.note(session, &matter, matter.level());
        let update = self.sample(update)?;
        let agreed = Agreed::of(&scope);
        // What is delivered here and now needs them all the same.
        let mut part = || self.inline.is_none() && matter.event().is_some_and(|event| self.spare.part(event, &scope));
        let are_left = !shows_breadcrumbs || part();
        *taken = Some(Taken { matter, scope: scope.without_processors().without_span() });
        Ok((update, agreed, if are_left { Left::Breadcrumbs } else { Left::Nothing }))
    }

    /// Lets the session of the capture take note of an event. `Some`: how it stands now, to be sent along.
    fn note(&self, session: Option<Arc<Session>>, matter: &Matter, level: Level) -> Option<Box<Update>> {
        let session = session?;
        let update = session.note(level, || matter.is_crash())?;
        if session.sink().key() != self.key() {
            // Started under another client, whose release it measures.
            session.sink().update(update);
            return None;
        }
        self.ledger.capture(&sessions(1));
        Some(Box::new(update))
    }

    /// Fills an event, but for the options' defaults, and lets processors and integrations see it.
    pub(crate) fn prepare(
        &self,
        mut event: Box<Event<'static>>,
        scope: &Scope,
        shows_breadcrumbs: bool,
    ) -> Result<Box<Event<'static>>, Reason> {
        scope.fill_all_but_breadcrumbs(&mut event);
        if shows_breadcrumbs {
            self.spare.fill(&mut event, scope);
        }
        if scope.has_processors() {
            let processed = scope.process(*event);
            *event = self.unless_panicked(processed).flatten().ok_or(Reason::EventProcessor)?;
        }
        for integration in &self.options.integrations {
            let whole = *event;
            let seen = callback::guarded("integration", || integration.process_event(whole, &self.options));
            let seen = seen.map_err(|_| Panicked(name_of(&**integration)));
            *event = self.unless_panicked(seen).flatten().ok_or(Reason::EventProcessor)?;
        }
        Ok(event)
    }

    /// Fills in what the options say, where the event says nothing.
    pub(crate) fn fill_defaults(&self, event: &mut Event<'static>) {
        fill_defaults(event, &self.options, Cow::clone, || self.named.clone());
    }

    /// The same, by reference, for an event that is written at once.
    pub(crate) fn lend_defaults<'a>(&'a self, event: &mut Event<'a>) {
        fill_defaults(event, &self.options, |text| Cow::Borrowed(&**text), || Cow::Borrowed(&*self.sdk));
    }

    /// Decides whether an event is sent. If not, how its session stands is told without it.
    fn sample(self: &Arc<Self>, session: Option<Box<Update>>) -> Result<Option<Box<Update>>, Reason> {
        let EventSamplingStrategy::FixedRate(rate) = self.options.event_sampling_strategy;
        if chance(rate) {
            return Ok(session);
        }
        if let Some(update) = session {
            self.leave_update(update);
        }
        Err(Reason::SampleRate)
    }

    /// Says that a callback panicked, if it did.
    pub(crate) fn unless_panicked<T>(&self, result: Result<T, Panicked>) -> Option<T> {
        result
            .map_err(|Panicked(name)| {
                diag::say(&self.options, Level::Error, format_args!("{name} panicked; the item is dropped"));
            })
            .ok()
    }
}

fn fill_defaults<'a, 'e>(
    event: &mut Event<'e>,
    options: &'a ClientOptions,
    text: fn(&'a Cow<'static, str>) -> Cow<'e, str>,
    sdk: impl FnOnce() -> Cow<'e, ClientSdkInfo>,
) {
    for (own, default) in [
        (&mut event.release, &options.release),
        (&mut event.environment, &options.environment),
        (&mut event.server_name, &options.server_name),
    ] {
        if own.is_none() {
            *own = default.as_ref().map(text);
        }
    }
    if event.sdk.is_none() {
        event.sdk = Some(sdk());
    }
    if event.platform == "other" {
        event.platform = Cow::Borrowed("native");
    }
}

/// True with the given probability. Anything that is no number keeps all.
pub(crate) fn chance(rate: f32) -> bool {
    if rate >= 1.0 || rate.is_nan() {
        return true;
    }
    // 24 random bits are as many as an f32 holds.
    let drawn = (random_u64() >> 40) as f32 / (1_u32 << 24) as f32;
    drawn < rate
}

#[cfg(test)]
mod tests {
    use super::chance;

    #[test]
    fn a_rate_is_the_share_that_is_kept() {
        assert!((0..1_000).all(|_| chance(1.0) && chance(f32::NAN) && chance(7.0)));
        assert!((0..1_000).all(|_| !chance(0.0) && !chance(-1.0)));
        let kept = (0..100_000).filter(|_| chance(0.25)).count();
        assert!((24_000..26_000).contains(&kept), "{kept}");
    }
}
