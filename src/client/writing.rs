//! What the sender writes envelopes with: a buffer, and what is the same in all of them.

use std::mem;
use std::sync::Arc;

use super::Core;
use super::tracing::Agreed;
use crate::diag;
use crate::protocol::ids::random_uuid;
use crate::protocol::{DynamicSamplingContext, Event, Level, TraceId};
use crate::scope::apply::Backdrop;
use crate::scope::{Crumbs, Scope};
use crate::session::{self, Update};
use crate::trace::Tree;
use crate::trace::written::Words;
use crate::wire::headers::{FixedHeaders, OwnHeaders};
use crate::wire::json;
use crate::wire::write::EnvelopeWriter;

/// The bytes of one envelope, and what the next begins with.
pub(super) struct Writing {
    pub(super) buffer: Vec<u8>,
    fixed: FixedHeaders,
    /// The same, with what is said of the last trace about which nothing was decided: the next event mostly is of that one.
    traced: Traced,
    /// What all transactions say of the SDK, as JSON.
    sdk: Vec<u8>,
    /// What is said of traces about which nothing is decided; the trace is filled in, each time.
    pub(super) undecided: Arc<DynamicSamplingContext>,
}

/// The headers of a client and of one trace.
#[derive(Default)]
struct Traced {
    trace_id: Option<TraceId>,
    headers: FixedHeaders,
}

impl Writing {
    pub(super) fn new(core: &Core) -> Self {
        let fixed = FixedHeaders::new(core.dsn.as_deref(), &core.sdk).unwrap_or_else(|error| {
            diag::say(&core.options, Level::Error, format_args!("headers do not become JSON: {error}"));
            FixedHeaders::default()
        });
        let mut sdk = Vec::new();
        if let Err(error) = json::append(&mut sdk, &*core.sdk) {
            diag::say(&core.options, Level::Error, format_args!("the SDK does not become JSON: {error}"));
            sdk = b"null".to_vec();
        }
        Self {
            buffer: Vec::new(),
            fixed,
            traced: Traced::default(),
            sdk,
            undecided: Arc::new(core.origin.undecided(TraceId::default())),
        }
    }

    /// Writes an event, with `crumbs` from where they are.
    pub(super) fn event(
        &mut self,
        core: &Core,
        event: &mut Event<'_>,
        crumbs: Option<&Crumbs>,
        scope: &Scope,
        agreed: &Agreed,
        session: Option<&Update>,
    ) -> Result<(), serde_json::Error> {
        let trace = agreed.header(event, &mut self.undecided);
        let (fixed, trace) = match (agreed, trace) {
            (Agreed::Undecided, Some(trace)) => (self.traced.headers(&self.fixed, trace)?, None),
            (_, trace) => (&self.fixed, trace),
        };
        let own = OwnHeaders::of(event.event_id, trace);
        let mut writer = EnvelopeWriter::of_client(&mut self.buffer, fixed, &own)?;
        match crumbs {
            Some(crumbs) => {
                let own = mem::take(&mut event.breadcrumbs.values);
                writer.event_with_breadcrumbs(event, &crumbs.before(&own))?;
            }
            None => writer.event(event)?,
        }
        if let Some(update) = session {
            writer.session(&update.to_item(session::attributes(&core.options)))?;
        }
        scope.attachments().try_for_each(|attachment| writer.attachment(attachment))
    }

    /// Writes a transaction from where its parts are.
    pub(super) fn transaction(&mut self, core: &Core, tree: &Tree, scope: &Backdrop) -> Result<(), serde_json::Error> {
        let Self { buffer, fixed, sdk, .. } = self;
        let event_id = random_uuid();
        let trace = tree.words().filter(Words::has_key);
        EnvelopeWriter::of_client(buffer, fixed, &OwnHeaders::of(event_id, trace.as_ref()))?
            .transaction_by(|out| core.write_transaction(event_id, tree, scope, sdk, out))
    }

    /// Writes the headers, and what comes after them.
    pub(super) fn items(
        &mut self,
        items: impl FnOnce(&mut EnvelopeWriter<'_>) -> Result<(), serde_json::Error>,
    ) -> Result<(), serde_json::Error> {
        items(&mut EnvelopeWriter::of_client(&mut self.buffer, &self.fixed, &OwnHeaders::now())?)
    }
}

impl Traced {
    /// Those of this trace, about which the client says nothing but what it says of all.
    fn headers(
        &mut self,
        fixed: &FixedHeaders,
        trace: &DynamicSamplingContext,
    ) -> Result<&FixedHeaders, serde_json::Error> {
        if self.trace_id.is_none() || self.trace_id != trace.trace_id {
            self.trace_id = None;
            self.headers.continue_with(fixed, trace)?;
            self.trace_id = trace.trace_id;
        }
        Ok(&self.headers)
    }
}
