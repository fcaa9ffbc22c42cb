//! How a snapshot fills an event or a transaction.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;

use serde_json::Value;
use smol_str::SmolStr;

use super::keyed::Keyed;
use super::{Data, Scope};
use crate::callback::{self, Panicked};
use crate::protocol::{Context, Event, SpanId, TraceContext, TraceId, Transaction, User};
use crate::sync::swap::Shared;

/// What a transaction takes from a scope, as of its end.
#[derive(Debug)]
pub(crate) struct Backdrop {
    tags: Option<Shared<Keyed<SmolStr>>>,
    data: Option<Arc<Data>>,
}

impl Scope {
    /// Fills an event with what this scope holds, and lets the event processors see it.
    ///
    /// What the event has itself wins over the scope, but for the level, which the scope overrides. `None`: a processor
    /// dropped the event, or panicked.
    #[must_use]
    pub fn apply_to_event(&self, mut event: Event<'static>) -> Option<Event<'static>> {
        self.fill(&mut event);
        self.process(event).ok().flatten()
    }

    /// Fills an event, without the event processors.
    pub(crate) fn fill(&self, event: &mut Event<'static>) {
        self.fill_all_but_breadcrumbs(event);
        self.fill_breadcrumbs(event);
    }

    /// Puts the scope's breadcrumbs before those the event brought along.
    pub(crate) fn fill_breadcrumbs(&self, event: &mut Event<'static>) {
        let own = mem::take(&mut event.breadcrumbs.values);
        self.crumbs.for_each(|breadcrumb| event.breadcrumbs.values.push(breadcrumb));
        event.breadcrumbs.values.extend(own);
    }

    /// The same, but leaves the breadcrumbs to whoever can write them from where they are.
    pub(crate) fn fill_all_but_breadcrumbs(&self, event: &mut Event<'_>) {
        for (key, value) in self.tags.iter().flat_map(|tags| tags.iter()) {
            event.tags.entry(key.to_string()).or_insert_with(|| value.to_string());
        }
        if let Some(data) = &self.data {
            if let Some(level) = data.level {
                event.level = level;
            }
            if event.user.is_none() {
                event.user = data.user.as_deref().cloned();
            }
            if event.transaction.is_none() {
                event.transaction = data.transaction.as_ref().map(ToString::to_string);
            }
            if let Some(fingerprint) = &data.fingerprint
                && is_default_fingerprint(&event.fingerprint)
            {
                event.fingerprint = Cow::Owned(fingerprint.to_vec());
            }
            for (key, value) in data.extras.iter() {
                event.extra.entry(key.to_string()).or_insert_with(|| (**value).clone());
            }
            for (key, value) in data.contexts.iter() {
                event.contexts.entry(key.to_string()).or_insert_with(|| (**value).clone());
            }
        }
        self.fill_trace(event);
    }

    /// The trace that logs and metrics belong to, and the span that is active, if one is.
    pub(crate) fn active_trace(&self) -> (TraceId, Option<SpanId>) {
        let (trace_id, span_id) = self.ids();
        (trace_id, self.span().map(|_| span_id))
    }

    /// Says to which trace an event belongs.
    pub(crate) fn fill_trace(&self, event: &mut Event<'_>) {
        event.contexts.entry("trace".to_owned()).or_insert_with(|| match self.span() {
            Some(span) => span.get_trace_context().into(),
            None => {
                let (trace_id, span_id) = self.ids();
                TraceContext { trace_id, span_id, ..TraceContext::default() }.into()
            }
        });
    }

    /// Fills a transaction with what this scope holds: tags, extras, contexts and the user. What it has itself wins.
    pub fn apply_to_transaction(&self, transaction: &mut Transaction<'static>) {
        self.backdrop().apply_to(transaction);
    }

    /// What a transaction takes from this scope. Costs two reference counts.
    pub(crate) fn backdrop(&self) -> Backdrop {
        Backdrop { tags: self.tags.clone(), data: self.data.clone() }
    }

    /// Lets the event processors see an event, in the order in which they were added. `None`: one dropped it.
    pub(crate) fn process(&self, mut event: Event<'static>) -> Result<Option<Event<'static>>, Panicked> {
        for processor in self.processors.iter().flat_map(|list| list.iter()) {
            match callback::guarded("event processor", || (processor.value)(event))? {
                Some(processed) => event = processed,
                None => return Ok(None),
            }
        }
        Ok(Some(event))
    }
}

impl Backdrop {
    pub(crate) fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags.iter().flat_map(|tags| tags.iter()).map(|(key, value)| (key.as_str(), value.as_str()))
    }

    pub(crate) fn extras(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.data.iter().flat_map(|data| data.extras.iter()).map(|(key, value)| (key.as_str(), &**value))
    }

    pub(crate) fn contexts(&self) -> impl Iterator<Item = (&str, &Context)> {
        self.data.iter().flat_map(|data| data.contexts.iter()).map(|(key, value)| (key.as_str(), &**value))
    }

    pub(crate) fn user(&self) -> Option<&User> {
        self.data.as_ref()?.user.as_deref()
    }

    /// Fills a transaction. What it has itself wins.
    pub(crate) fn apply_to(&self, transaction: &mut Transaction<'_>) {
        for (key, value) in self.tags() {
            transaction.tags.entry(key.to_owned()).or_insert_with(|| value.to_owned());
        }
        if transaction.user.is_none() {
            transaction.user = self.user().cloned();
        }
        for (key, value) in self.extras() {
            transaction.extra.entry(key.to_owned()).or_insert_with(|| value.clone());
        }
        for (key, value) in self.contexts() {
            transaction.contexts.entry(key.to_owned()).or_insert_with(|| value.clone());
        }
    }
}

fn is_default_fingerprint(fingerprint: &[Cow<'_, str>]) -> bool {
    matches!(fingerprint, [] | [Cow::Borrowed("{{ default }}" | "{{default}}")]) || fingerprint == ["{{ default }}"]
}
