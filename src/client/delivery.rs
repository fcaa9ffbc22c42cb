//! Delivering a parcel: as bytes, to a transport that sends them and says what became of them, or as an envelope.

use std::sync::Arc;
use std::time::Instant;

use super::Core;
use super::parcel::{Left, Parcel, Queued};
use super::rate_limit::RateLimits;
use super::sender::{Sender, remaining};
use super::sessions::sessions;
use super::tracing::header;
use crate::callback;
use crate::clock;
use crate::diag;
use crate::matter::{Matter, Taken};
use crate::protocol::client_report::{Category, ItemLoss, Reason};
use crate::protocol::{ClientReport, DynamicSamplingContext, Event, Level, TraceId};
use crate::scope::Scope;
use crate::session;
use crate::trace::spare;
use crate::transport::{Delivery, Reply, SendBytes, SendError, Transport};
use crate::wire::{Envelope, EnvelopeHeaders, EnvelopeItem};

impl Sender {
    pub(super) fn deliver(&mut self, mut queued: Queued, deadline: Option<Instant>) {
        if self.limits.are_known() {
            let now = Instant::now();
            self.part_if_limited(&mut queued, now);
            if queued.losses.first().is_some_and(|first| self.limits.is_limited(first.category, now)) {
                return self.core.discard(&queued.losses, Reason::RatelimitBackoff);
            }
        }
        let Queued { parcel, losses, .. } = queued;
        let transport = Arc::clone(&self.transport);
        match transport.delivery() {
            Delivery::Bytes(bytes) => self.deliver_bytes(bytes, parcel, &losses, deadline),
            _ => {
                let envelope = self.core.envelope_of(parcel, &mut self.writing.undecided);
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
        let Self { core, writing, .. } = self;
        writing.buffer.clear();
        let written = match parcel {
            Parcel::Event { taken: Taken { matter, scope }, left, agreed, session } => {
                let mut write = |event: &mut Event<'_>| {
                    let crumbs = Some(scope.crumbs()).filter(|crumbs| left != Left::Nothing && !crumbs.is_empty());
                    writing.event(core, event, crumbs, &scope, &agreed, session.as_deref())
                };
                match matter {
                    Matter::Whole(mut event) => {
                        core.fill_but_for_breadcrumbs(&mut event, &scope, left);
                        write(&mut event)
                    }
                    // It is written at once, so it never leaves the stack, and is lent what does not change.
                    Matter::Seed(seed) => {
                        let mut event = seed.into_event();
                        scope.fill_all_but_breadcrumbs(&mut event);
                        core.lend_defaults(&mut event);
                        write(&mut event)
                    }
                }
            }
            Parcel::Transaction { tree, scope } => {
                let written = writing.transaction(core, &tree, &scope);
                spare::recycle(tree);
                written
            }
            Parcel::Envelope(envelope) => envelope.append_to(&mut writing.buffer),
            Parcel::Item(item) => writing.items(|writer| writer.item(&item)),
            Parcel::Batch(batch) => writing.items(|writer| batch.write(core, writer)),
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
        self.writing.buffer.shrink_to(KEPT_BUFFER);
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
        let sent =
            callback::guarded("transport", || transport.send_bytes(&self.writing.buffer, deadline.map(remaining)));
        let reply = sent.unwrap_or_else(|_| Err(SendError::Other("the transport panicked".into())))?;
        if RateLimits::are_in(&reply) {
            let now = Instant::now();
            self.limits.update(&reply, now);
            for lane in self.core.lanes.all() {
                if let Some(until) = self.limits.limited_until(lane.category(), now) {
                    lane.limit(&self.core, until);
                }
            }
        }
        Ok(reply)
    }

    /// Sends what was lost. True: the transport took it.
    pub(super) fn send_report(&mut self, report: &ClientReport, deadline: Option<Instant>) -> bool {
        let transport = Arc::clone(&self.transport);
        match transport.delivery() {
            Delivery::Bytes(bytes) => {
                self.writing.buffer.clear();
                let written = self.writing.items(|writer| writer.client_report(report));
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
        let envelope = self.envelope_of(parcel, &mut Arc::new(self.origin.undecided(TraceId::default())));
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

    /// Makes the envelope of a parcel. `undecided` is one of this client, whatever its trace.
    fn envelope_of(&self, parcel: Parcel, undecided: &mut Arc<DynamicSamplingContext>) -> Envelope {
        match parcel {
            Parcel::Event { taken: Taken { matter, scope }, left, agreed, session } => {
                let mut event = matter.into_event();
                self.fill_but_for_breadcrumbs(&mut event, &scope, left);
                if left != Left::Nothing {
                    scope.fill_breadcrumbs(&mut event);
                }
                let mut envelope = self.envelope(agreed.shared_header(&event, undecided));
                envelope.add_item(EnvelopeItem::Event(event));
                if let Some(update) = session {
                    envelope.add_item(update.to_item(session::attributes(&self.options)));
                }
                scope.attachments().for_each(|attachment| envelope.add_item(attachment.clone()));
                envelope
            }
            Parcel::Transaction { tree, scope } => {
                let trace = tree.baggage().and_then(|agreed| header(agreed));
                let mut envelope = self.envelope(trace.cloned().map(Arc::new));
                envelope.add_item(self.transaction(&tree, &scope));
                spare::recycle(tree);
                envelope
            }
            Parcel::Envelope(envelope) => *envelope,
            Parcel::Item(item) => self.around(item),
            Parcel::Batch(batch) => self.around(batch.into_item(self)),
        }
    }

    /// An envelope with nothing in it yet, which belongs to a trace.
    pub(super) fn envelope(&self, trace: Option<Arc<DynamicSamplingContext>>) -> Envelope {
        Envelope::begun(EnvelopeHeaders {
            dsn: self.dsn.clone(),
            sdk: Some(Arc::clone(&self.sdk)),
            sent_at: Some(clock::time_of(clock::now())),
            trace,
            ..EnvelopeHeaders::default()
        })
    }

    /// Makes an envelope for one item.
    fn around(&self, item: EnvelopeItem) -> Envelope {
        let mut envelope = self.envelope(None);
        envelope.add_item(item);
        envelope
    }

    /// Fills what was left to be filled, but for the breadcrumbs.
    fn fill_but_for_breadcrumbs(&self, event: &mut Event<'static>, scope: &Scope, left: Left) {
        if left == Left::Everything {
            scope.fill_all_but_breadcrumbs(event);
        }
        // It has seen them, and what it took out stays out.
        if self.options.before_send.is_none() {
            self.fill_defaults(event);
        }
    }
}

/// What the buffer keeps of an envelope that was larger.
const KEPT_BUFFER: usize = 256 << 10;
