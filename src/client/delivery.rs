//! Delivering a parcel: as bytes, to a transport that sends them and says what became of them, or as an envelope.

use std::mem;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::Core;
use super::parcel::{Parcel, Queued};
use super::sender::{Sender, remaining};
use super::sessions::sessions;
use super::tracing::{Agreed, header};
use crate::callback;
use crate::diag;
use crate::matter::Taken;
use crate::protocol::client_report::{Category, ItemLoss, Reason};
use crate::protocol::{ClientReport, DynamicSamplingContext, Event, Level, TraceId, Transaction};
use crate::scope::{Crumbs, Scope};
use crate::session::{self, Update};
use crate::trace::Tree;
use crate::transport::{Delivery, Reply, SendBytes, SendError, Transport};
use crate::wire::headers::HeaderFields;
use crate::wire::write::EnvelopeWriter;
use crate::wire::{Envelope, EnvelopeHeaders, EnvelopeItem};

impl Sender {
    pub(super) fn deliver(&mut self, mut queued: Queued, deadline: Option<Instant>) {
        let now = Instant::now();
        self.part_if_limited(&mut queued, now);
        let Queued { parcel, losses, .. } = queued;
        if losses.first().is_some_and(|first| self.limits.is_limited(first.category, now)) {
            return self.core.discard(&losses, Reason::RatelimitBackoff);
        }
        let transport = Arc::clone(&self.transport);
        match transport.delivery() {
            Delivery::Bytes(bytes) => self.deliver_bytes(bytes, parcel, &losses, deadline),
            _ => {
                let envelope = self.core.envelope_of(parcel);
                self.core.hand_over(transport.as_ref(), envelope, &losses);
            }
        }
    }

    /// Parts an event from its session if only one of them may be sent now.
    fn part_if_limited(&mut self, Queued { parcel, losses, .. }: &mut Queued, now: Instant) {
        if !matches!(parcel, Parcel::Event { session: Some(_), .. }) {
            return;
        }
        let session_limited = self.limits.is_limited(Category::Session, now);
        if session_limited != self.limits.is_limited(Category::Error, now)
            && let Some(update) = parcel.part_from_session(losses)
        {
            if session_limited {
                self.core.discard(&sessions(1), Reason::RatelimitBackoff);
            } else {
                self.sessions.keep(update);
            }
        }
    }

    fn deliver_bytes(
        &mut self,
        transport: &dyn SendBytes,
        parcel: Parcel,
        losses: &[ItemLoss],
        deadline: Option<Instant>,
    ) {
        self.buffer.clear();
        let written = match parcel {
            Parcel::Event { taken: Taken { matter, scope }, filled, agreed, session } => {
                let crumbs = Some(scope.crumbs()).filter(|crumbs| !filled && !crumbs.is_empty());
                let mut event = matter.into_event();
                self.core.fill_but_for_breadcrumbs(&mut event, &scope, filled);
                self.write_event(&mut event, crumbs, &scope, &agreed, session.as_deref())
            }
            Parcel::Transaction { tree, scope } => self.write_transaction(&tree, &scope),
            Parcel::Envelope(envelope) => envelope.append_to(&mut self.buffer),
            Parcel::Item(item) => self.write(|_, writer| writer.item(&item)),
            Parcel::Batch(batch) => self.write(|core, writer| batch.write(core, writer)),
        };
        if let Err(error) = written {
            diag::say(&self.core.options, Level::Error, format_args!("an item does not become JSON: {error}"));
            return self.core.discard(losses, Reason::InternalSdkError);
        }
        match self.send(transport, deadline) {
            Ok(reply) => self.settle(losses, &reply),
            Err(error) => {
                diag::say(&self.core.options, Level::Warning, format_args!("an envelope was not sent: {error}"));
                self.core.discard(losses, Reason::NetworkError);
            }
        }
        self.buffer.shrink_to(KEPT_BUFFER);
    }

    /// Writes an event, with `crumbs` from where they are.
    fn write_event(
        &mut self,
        event: &mut Event<'static>,
        crumbs: Option<&Crumbs>,
        scope: &Scope,
        agreed: &Agreed,
        session: Option<&Update>,
    ) -> Result<(), serde_json::Error> {
        let trace = agreed.header(event, &mut self.undecided);
        let headers = HeaderFields { event_id: Some(event.event_id), trace, ..self.core.header_fields() };
        let mut writer = EnvelopeWriter::new(&mut self.buffer, &headers)?;
        match crumbs {
            Some(crumbs) => {
                let own = mem::take(&mut event.breadcrumbs.values);
                writer.event_with_breadcrumbs(event, &crumbs.before(&own))?;
            }
            None => writer.event(event)?,
        }
        if let Some(update) = session {
            writer.session(&update.to_item(session::attributes(&self.core.options)))?;
        }
        scope.attachments().try_for_each(|attachment| writer.attachment(attachment))
    }

    fn write_transaction(&mut self, tree: &Tree, scope: &Scope) -> Result<(), serde_json::Error> {
        let transaction = self.core.transaction(tree, scope);
        let trace = tree.baggage().and_then(|agreed| header(agreed));
        let headers = HeaderFields { event_id: Some(transaction.event_id), trace, ..self.core.header_fields() };
        EnvelopeWriter::new(&mut self.buffer, &headers)?.transaction_with_spans(&transaction, tree.written_spans())
    }

    /// Writes the headers, and what comes after them.
    fn write(
        &mut self,
        items: impl FnOnce(&Core, &mut EnvelopeWriter<'_>) -> Result<(), serde_json::Error>,
    ) -> Result<(), serde_json::Error> {
        let mut writer = EnvelopeWriter::new(&mut self.buffer, &self.core.header_fields())?;
        items(&self.core, &mut writer)
    }

    fn settle(&mut self, losses: &[ItemLoss], reply: &Reply) {
        match reply.status {
            200..=299 => self.core.ledger.deliver(losses),
            // The server counts what it refuses because of a limit.
            429 => self.core.ledger.discard_known(losses, Reason::RatelimitBackoff),
            status => {
                diag::say(&self.core.options, Level::Warning, format_args!("the server refused an envelope: {status}"));
                self.core.discard(losses, Reason::SendError);
            }
        }
    }

    /// Sends what stands in the buffer.
    fn send(&mut self, transport: &dyn SendBytes, deadline: Option<Instant>) -> Result<Reply, SendError> {
        let sent = callback::guarded("transport", || transport.send_bytes(&self.buffer, deadline.map(remaining)));
        let reply = sent.unwrap_or_else(|_| Err(SendError::Other("the transport panicked".into())))?;
        let now = Instant::now();
        self.limits.update(&reply, now);
        for lane in self.core.lanes.all() {
            if let Some(until) = self.limits.limited_until(lane.category(), now) {
                lane.limit(&self.core, until);
            }
        }
        Ok(reply)
    }

    /// Sends what was lost. True: the transport took it.
    pub(super) fn send_report(&mut self, report: &ClientReport, deadline: Option<Instant>) -> bool {
        let transport = Arc::clone(&self.transport);
        match transport.delivery() {
            Delivery::Bytes(bytes) => {
                self.buffer.clear();
                let written = self.write(|_, writer| writer.client_report(report));
                written.is_ok() && self.send(bytes, deadline).is_ok_and(|reply| (200..300).contains(&reply.status))
            }
            _ => {
                let envelope = self.core.around(EnvelopeItem::ClientReport(report.clone()));
                let sent = callback::guarded("transport", || transport.send_envelope(envelope));
                self.core.unless_panicked(sent).is_some()
            }
        }
    }
}

impl Core {
    /// Delivers on the calling thread, to a transport that wants that.
    pub(crate) fn deliver_inline(&self, transport: &Arc<dyn Transport>, parcel: Parcel, losses: &[ItemLoss]) {
        let envelope = self.envelope_of(parcel);
        self.hand_over(transport.as_ref(), envelope, losses);
    }

    fn hand_over(&self, transport: &dyn Transport, envelope: Envelope, losses: &[ItemLoss]) {
        // Counted before, so that a transport that loses it at once moves it from there.
        self.ledger.hand_over(losses);
        let sent = callback::guarded("transport", || transport.send_envelope(envelope));
        if self.unless_panicked(sent).is_none() {
            self.ledger.lose_handed_over(losses.iter().copied(), Reason::InternalSdkError);
        }
    }

    fn envelope_of(&self, parcel: Parcel) -> Envelope {
        match parcel {
            Parcel::Event { taken: Taken { matter, scope }, filled, agreed, session } => {
                let mut event = matter.into_event();
                self.fill_but_for_breadcrumbs(&mut event, &scope, filled);
                if !filled {
                    scope.fill_breadcrumbs(&mut event);
                }
                let mut undecided = self.origin.undecided(TraceId::default());
                let mut envelope = self.envelope(agreed.header(&event, &mut undecided));
                envelope.add_item(*event);
                if let Some(update) = session {
                    envelope.add_item(update.to_item(session::attributes(&self.options)));
                }
                scope.attachments().for_each(|attachment| envelope.add_item(attachment.clone()));
                envelope
            }
            Parcel::Transaction { tree, scope } => {
                let mut envelope = self.envelope(tree.baggage().and_then(|agreed| header(agreed)));
                let spans = tree.to_spans();
                envelope.add_item(Transaction { spans, ..self.transaction(&tree, &scope).into_owned() });
                envelope
            }
            Parcel::Envelope(envelope) => *envelope,
            Parcel::Item(item) => self.around(item),
            Parcel::Batch(batch) => self.around(batch.into_item(self)),
        }
    }

    /// An envelope with nothing in it yet, which belongs to a trace.
    pub(super) fn envelope(&self, trace: Option<&DynamicSamplingContext>) -> Envelope {
        let headers = self.headers();
        Envelope::new().with_headers(match trace {
            Some(trace) => headers.with_trace(trace.clone()),
            None => headers,
        })
    }

    /// Makes an envelope for one item.
    fn around(&self, item: EnvelopeItem) -> Envelope {
        let mut envelope = self.envelope(None);
        envelope.add_item(item);
        envelope
    }

    fn headers(&self) -> EnvelopeHeaders {
        let headers = EnvelopeHeaders::new().with_sdk(self.sdk.clone()).with_sent_at(SystemTime::now());
        match &self.options.dsn {
            Some(dsn) => headers.with_dsn(dsn.clone()),
            None => headers,
        }
    }

    /// Fills what `filled` says was left to be filled, but for the breadcrumbs.
    fn fill_but_for_breadcrumbs(&self, event: &mut Event<'static>, scope: &Scope, filled: bool) {
        if !filled {
            scope.fill_all_but_breadcrumbs(event);
            self.fill_defaults(event);
        }
    }

    /// The headers of every envelope, borrowed.
    fn header_fields(&self) -> HeaderFields<'_> {
        HeaderFields {
            dsn: self.options.dsn.as_ref(),
            sdk: Some(&self.sdk),
            sent_at: Some(SystemTime::now()),
            ..HeaderFields::default()
        }
    }
}

/// What the buffer keeps of an envelope that was larger.
const KEPT_BUFFER: usize = 256 << 10;
