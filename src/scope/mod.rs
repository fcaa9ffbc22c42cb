//! A scope: an immutable snapshot, edited on a private copy, published whole.
//!
//! A hub's layers hold snapshots. [`Hub::configure_scope`](crate::Hub::configure_scope) hands its closure a draft: a copy
//! that shares all groups with its snapshot and copies a group when it is first touched. The draft records what it
//! touched, so that when another thread (or a nested call) published meanwhile, the touched parts are replayed onto the
//! newer snapshot and no change is lost.

mod active;
pub(crate) mod apply;
mod draft;
mod keyed;
mod merge;
pub(crate) mod record;
mod trail;

use std::borrow::Cow;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use serde_json::Value;
use smol_str::SmolStr;

use self::draft::{Draft, Group, Token};
use self::keyed::Keyed;
pub(crate) use self::trail::{Crumbs, Trail};
use crate::protocol::{Attachment, Context, Event, Level, SpanId, TraceId, User};
use crate::session::Session;
use crate::sync::swap::Shared;
use crate::trace::TransactionOrSpan;

/// A function that may change an event or, with `None`, drop it.
pub(crate) type EventProcessor = Arc<dyn Fn(Event<'static>) -> Option<Event<'static>> + Send + Sync>;

/// Data that is added to every event captured under it: tags, user, contexts, breadcrumbs and more.
///
/// Cloning costs a few reference counts, whatever the scope holds.
///
/// ```
/// use vidette::{Hub, Level};
///
/// vidette::configure_scope(|scope| {
///     scope.set_tag("shard", 7);
///     scope.set_level(Some(Level::Warning));
/// });
/// ```
pub struct Scope {
    tags: Option<Shared<Keyed<SmolStr>>>,
    data: Option<Arc<Data>>,
    attachments: Option<Arc<Vec<Stamped<Attachment>>>>,
    processors: Option<Arc<Vec<Stamped<EventProcessor>>>>,
    /// The active span. It may hold a client, so it never leaves the capturing thread.
    span: Option<Shared<TransactionOrSpan>>,
    trace: TraceIds,
    /// Written by hubs alone, never by a draft.
    session: Option<Arc<Session>>,
    crumbs: Crumbs,
    draft: Draft,
}

/// What few scopes set, and fewer change often.
#[derive(Clone, Debug, Default)]
struct Data {
    level: Option<Level>,
    user: Option<Arc<User>>,
    transaction: Option<SmolStr>,
    fingerprint: Option<Arc<[Cow<'static, str>]>>,
    extras: Keyed<Arc<Value>>,
    contexts: Keyed<Arc<Context>>,
}

/// An appended entry and the draft that appended it.
#[derive(Clone)]
struct Stamped<T> {
    value: T,
    by: Token,
}

/// The trace that events belong to when no span is active.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TraceIds {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
}

/// Each change is made of whole steps, and event processors that panic are caught.
impl RefUnwindSafe for Scope {}
impl UnwindSafe for Scope {}

impl Scope {
    /// Sets a level that overrides that of each event.
    pub fn set_level(&mut self, level: Option<Level>) {
        self.draft.touch(Group::Level);
        self.data_mut().level = level;
    }

    /// Sets or removes who is affected.
    pub fn set_user(&mut self, user: Option<User>) {
        self.draft.touch(Group::User);
        self.data_mut().user = user.map(Arc::new);
    }

    /// Who is affected, if set.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        self.data.as_ref()?.user.as_deref()
    }

    /// Sets or removes the name of what is going on, such as a route. It becomes the name of the active transaction, too.
    pub fn set_transaction(&mut self, transaction: Option<&str>) {
        self.draft.touch(Group::Transaction);
        self.data_mut().transaction = transaction.map(SmolStr::new);
        if let (Some(name), Some(span)) = (transaction, self.span()) {
            span.name_transaction(name);
        }
    }

    /// Sets or removes what events are grouped by.
    pub fn set_fingerprint(&mut self, fingerprint: Option<&[&str]>) {
        self.draft.touch(Group::Fingerprint);
        let fingerprint = fingerprint.map(|parts| parts.iter().map(|part| Cow::Owned((*part).to_owned())).collect());
        self.data_mut().fingerprint = fingerprint;
    }

    /// Sets a tag: a short value that the server indexes.
    pub fn set_tag<V: ToString>(&mut self, key: &str, value: V) {
        let value = SmolStr::from(value.to_string());
        let by = self.draft.token;
        Keyed::set_shared(&mut self.tags, key, value, by);
    }

    /// Removes a tag, if it is there.
    pub fn remove_tag(&mut self, key: &str) {
        self.draft.remove(Group::Tags, key);
        if let Some(tags) = &mut self.tags {
            tags.make_mut().remove(key);
        }
    }

    /// Sets a value that is shown, but not indexed.
    pub fn set_extra(&mut self, key: &str, value: Value) {
        let by = self.draft.token;
        self.data_mut().extras.set(key, Arc::new(value), by);
    }

    /// Removes an extra, if it is there.
    pub fn remove_extra(&mut self, key: &str) {
        self.draft.remove(Group::Extras, key);
        if let Some(data) = &mut self.data {
            Arc::make_mut(data).extras.remove(key);
        }
    }

    /// Sets a context.
    pub fn set_context<C: Into<Context>>(&mut self, key: &str, value: C) {
        let value = Arc::new(value.into());
        let by = self.draft.token;
        self.data_mut().contexts.set(key, value, by);
    }

    /// Removes a context, if it is there.
    pub fn remove_context(&mut self, key: &str) {
        self.draft.remove(Group::Contexts, key);
        if let Some(data) = &mut self.data {
            Arc::make_mut(data).contexts.remove(key);
        }
    }

    /// Adds a function that may change or drop each event, after those that are there.
    ///
    /// It runs on the thread that captures, while nothing of the SDK is held. If it panics, the event is dropped and
    /// counted.
    pub fn add_event_processor<F>(&mut self, processor: F)
    where
        F: Fn(Event<'static>) -> Option<Event<'static>> + Send + Sync + std::panic::RefUnwindSafe + 'static,
    {
        let by = self.draft.token;
        owned(&mut self.processors).push(Stamped { value: Arc::new(processor), by });
    }

    /// Adds a file that is sent along with each event. Its bytes are shared, not copied.
    pub fn add_attachment(&mut self, attachment: Attachment) {
        let by = self.draft.token;
        owned(&mut self.attachments).push(Stamped { value: attachment, by });
    }

    /// Removes all attachments.
    pub fn clear_attachments(&mut self) {
        self.draft.touch(Group::Attachments);
        self.attachments = None;
    }

    /// Removes all breadcrumbs.
    pub fn clear_breadcrumbs(&mut self) {
        self.draft.touch(Group::Breadcrumbs);
        self.crumbs.clear();
    }

    /// Removes everything but the event processors, which the specification keeps, and the session, which goes on.
    pub fn clear(&mut self) {
        for group in [
            Group::Level,
            Group::User,
            Group::Transaction,
            Group::Fingerprint,
            Group::Tags,
            Group::Extras,
            Group::Contexts,
            Group::Attachments,
            Group::Breadcrumbs,
            Group::Span,
        ] {
            self.draft.touch(group);
        }
        self.tags = None;
        self.data = None;
        self.attachments = None;
        self.span = None;
        self.crumbs.clear();
    }

    /// The same with these breadcrumbs.
    pub(crate) fn with_crumbs(mut self, crumbs: Crumbs) -> Self {
        self.crumbs = crumbs;
        self
    }

    pub(crate) fn crumbs(&self) -> &Crumbs {
        &self.crumbs
    }

    /// Takes the breadcrumbs out.
    pub(crate) fn take_crumbs(&mut self) -> Crumbs {
        std::mem::take(&mut self.crumbs)
    }

    /// The same with this session.
    pub(crate) fn with_session(mut self, session: Option<Arc<Session>>) -> Self {
        self.session = session;
        self
    }

    pub(crate) fn session(&self) -> Option<&Arc<Session>> {
        self.session.as_ref()
    }

    /// Takes the session out.
    pub(crate) fn take_session(&mut self) -> Option<Arc<Session>> {
        self.session.take()
    }

    /// The level that overrides that of each event.
    pub(crate) fn level(&self) -> Option<Level> {
        self.data.as_ref()?.level
    }

    /// The user, to be shared.
    pub(crate) fn shared_user(&self) -> Option<Arc<User>> {
        self.data.as_ref()?.user.clone()
    }

    /// True if event processors have to see each event.
    pub(crate) fn has_processors(&self) -> bool {
        self.processors.is_some()
    }

    pub(crate) fn has_attachments(&self) -> bool {
        self.attachments.is_some()
    }

    /// The files to send along with an event.
    pub(crate) fn attachments(&self) -> impl Iterator<Item = &Attachment> {
        self.attachments.as_deref().map_or(&[][..], Vec::as_slice).iter().map(|attachment| &attachment.value)
    }

    /// Lets go of what must not leave the capturing thread: user closures.
    pub(crate) fn without_processors(mut self) -> Self {
        self.processors = None;
        self
    }

    fn data_mut(&mut self) -> &mut Data {
        owned(&mut self.data)
    }
}

impl Scope {
    /// A copy with these breadcrumbs.
    #[inline]
    pub(crate) fn copied_with(&self, crumbs: Crumbs) -> Self {
        self.copied_as(Draft::SNAPSHOT, crumbs, self.session.clone())
    }

    /// A copy with another session, or none.
    // Inlined, as below.
    #[inline(always)]
    pub(crate) fn copied_with_session(&self, session: Option<Arc<Session>>) -> Self {
        self.copied_as(Draft::SNAPSHOT, self.crumbs.clone(), session)
    }

    /// A copy that is a draft or a snapshot, with these breadcrumbs, and this session.
    // Inlined, so that it is made where it is to be.
    #[inline(always)]
    fn copied_as(&self, draft: Draft, crumbs: Crumbs, session: Option<Arc<Session>>) -> Self {
        Self {
            tags: self.tags.clone(),
            data: self.data.clone(),
            attachments: self.attachments.clone(),
            processors: self.processors.clone(),
            span: self.span.clone(),
            trace: self.trace,
            session,
            crumbs,
            draft,
        }
    }
}

impl Clone for Scope {
    fn clone(&self) -> Self {
        self.copied_with(self.crumbs.clone())
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            tags: None,
            data: None,
            attachments: None,
            processors: None,
            span: None,
            trace: TraceIds { trace_id: TraceId::default(), span_id: SpanId::default() },
            session: None,
            crumbs: Crumbs::default(),
            draft: Draft::SNAPSHOT,
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("tags", &self.tags)
            .field("data", &self.data)
            .field("attachments", &self.attachments().count())
            .field("event_processors", &self.processors.as_ref().map_or(0, |list| list.len()))
            .field("span", &self.span)
            .field("trace", &self.trace)
            .field("session", &self.session)
            .field("breadcrumbs", &self.crumbs)
            .finish()
    }
}

/// The group's own copy, made when it is shared.
fn owned<T: Clone + Default>(group: &mut Option<Arc<T>>) -> &mut T {
    Arc::make_mut(group.get_or_insert_default())
}
