//! The crate's one thread: drain, limit, send, report, flush, stop.
//!
//! It starts with the first item, owns the client's core and its transport, and runs under an empty hub. It never waits
//! for anyone but the transport.

use std::mem;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::{Arc, PoisonError, mpsc};
use std::time::{Duration, Instant, SystemTime};

use super::Core;
use super::line::Ticket;
use super::parcel::{Parcel, Queued};
use super::rate_limit::RateLimits;
use super::sessions::{Pending, sessions};
use super::tracing::{Agreed, header};
use crate::callback;
use crate::diag;
use crate::hub::{Hub, HubSwitchGuard};
use crate::protocol::client_report::{Category, ItemLoss, Reason};
use crate::protocol::{ClientReport, DynamicSamplingContext, Event, Level, TraceId};
use crate::scope::{Crumbs, Scope};
use crate::session::{self, Update};
use crate::sync::parker::{Start, Woken};
use crate::trace::Tree;
use crate::transport::{Delivery, Reply, SendBytes, SendError, Transport};
use crate::wire::headers::HeaderFields;
use crate::wire::write::EnvelopeWriter;
use crate::wire::{Envelope, EnvelopeHeaders, EnvelopeItem};

/// What a caller asks of the sender.
#[derive(Debug)]
pub(crate) enum Request {
    Flush { deadline: Instant, done: mpsc::SyncSender<bool> },
    Close { deadline: Instant, done: mpsc::SyncSender<bool> },
}

/// Where the caller waits for what it asked.
pub(crate) struct Answer(mpsc::Receiver<bool>);

impl Request {
    pub(crate) fn flush(deadline: Instant) -> (Self, Answer) {
        let (done, answer) = mpsc::sync_channel(1);
        (Self::Flush { deadline, done }, Answer(answer))
    }

    pub(crate) fn close(deadline: Instant) -> (Self, Answer) {
        let (done, answer) = mpsc::sync_channel(1);
        (Self::Close { deadline, done }, Answer(answer))
    }
}

impl Answer {
    /// Waits until the deadline. A sender that ended without an answer had nothing left to do.
    pub(crate) fn wait(&self, deadline: Instant) -> bool {
        self.0.recv_timeout(deadline.saturating_duration_since(Instant::now())).unwrap_or(false)
    }
}

impl Core {
    /// Makes sure the sender looks at the queue after this, and starts it if it never ran.
    pub(crate) fn wake_sender(self: &Arc<Self>) {
        if let Woken::Nobody(start) = self.parker.wake() {
            self.start_sender(start);
        }
    }

    #[cold]
    fn start_sender(self: &Arc<Self>, start: Start) {
        let ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        let transport = ticket.as_ref().map(Ticket::transport).cloned();
        drop(ticket);
        let Some(transport) = transport else { return self.end(Reason::InternalSdkError) };
        let core = Arc::clone(self);
        let started = std::thread::Builder::new()
            .name("vidette-sender".to_owned())
            .spawn(move || Sender::new(core, transport).run(start));
        if let Err(error) = started {
            diag::say(&self.options, Level::Error, format_args!("no sender thread: {error}; nothing will be sent"));
            self.end(Reason::InternalSdkError);
        }
    }

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
            Parcel::Event { event, scope, filled, agreed, session } => {
                let event = self.filled(event, &scope, filled);
                let mut undecided = self.origin.undecided(TraceId::default());
                let mut envelope = self.envelope(agreed.header(&event, &mut undecided));
                envelope.add_item(event);
                if let Some(update) = session {
                    envelope.add_item(update.to_item(session::attributes(&self.options)));
                }
                scope.attachments().for_each(|attachment| envelope.add_item(attachment.clone()));
                envelope
            }
            Parcel::Transaction { tree, scope } => {
                let mut envelope = self.envelope(tree.baggage().and_then(|agreed| header(agreed)));
                envelope.add_item(self.transaction(&tree, &scope));
                envelope
            }
            Parcel::Envelope(envelope) => envelope,
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

    fn headers(&self) -> EnvelopeHeaders {
        let headers = EnvelopeHeaders::new().with_sdk(self.sdk.clone()).with_sent_at(SystemTime::now());
        match &self.options.dsn {
            Some(dsn) => headers.with_dsn(dsn.clone()),
            None => headers,
        }
    }

    fn filled(&self, mut event: Event<'static>, scope: &Scope, filled: bool) -> Event<'static> {
        if !filled {
            scope.fill(&mut event);
            self.fill_defaults(&mut event);
        }
        event
    }

    fn filled_but_for_breadcrumbs(&self, mut event: Event<'static>, scope: &Scope) -> Event<'static> {
        scope.fill_all_but_breadcrumbs(&mut event);
        self.fill_defaults(&mut event);
        event
    }

    /// True if this was the last client of its transport.
    fn give_ticket_back(&self) -> bool {
        let ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner).take();
        ticket.is_some_and(Ticket::give_back)
    }

    /// Ends the client: nothing is sent any more, and what comes late is dropped by whoever brings it.
    fn end(self: &Arc<Self>, reason: Reason) {
        // Release: pairs with the Acquire in `has_ended`, which says why the look comes between.
        self.ended.store(true, Release);
        self.give_ticket_back();
        self.parker.look();
        self.discard_queue(reason);
        self.discard_sessions(reason);
        self.answer_all();
    }

    /// Answers what was asked of a sender that is no more.
    pub(crate) fn answer_all(&self) {
        while let Some(Request::Flush { done, .. } | Request::Close { done, .. }) = self.requests.pop() {
            _ = done.send(self.queue.is_empty());
        }
    }
}

/// The state of the sender thread.
pub(super) struct Sender {
    pub(super) core: Arc<Core>,
    transport: Arc<dyn Transport>,
    limits: RateLimits,
    pub(super) sessions: Pending,
    /// The bytes of one envelope, reused.
    buffer: Vec<u8>,
    /// What is said of traces about which nothing is decided; the trace is filled in, each time.
    undecided: DynamicSamplingContext,
    /// When the next report of losses may ride on an event.
    next_report: Instant,
}

impl Sender {
    fn new(core: Arc<Core>, transport: Arc<dyn Transport>) -> Self {
        let next_report = Instant::now() + REPORT_EVERY;
        let undecided = core.origin.undecided(TraceId::default());
        let (limits, sessions) = (RateLimits::new(), Pending::default());
        Self { core, transport, limits, sessions, buffer: Vec::new(), undecided, next_report }
    }

    fn run(mut self, start: Start) {
        // What the transport logs or breaks must not come back to us as breadcrumbs and events.
        let _hub = HubSwitchGuard::new(Arc::new(Hub::with_root(None, Scope::default())));
        callback::mute_this_thread();
        self.core.parker.attend(start);
        loop {
            self.core.parker.look();
            self.drain(None);
            while let Some(request) = self.core.requests.pop() {
                match request {
                    Request::Flush { deadline, done } => _ = done.send(self.flush(deadline)),
                    Request::Close { deadline, done } => {
                        let complete = self.close(deadline);
                        _ = done.send(complete);
                        return;
                    }
                }
            }
            self.report_if_due();
            self.send_due_sessions();
            self.core.parker.park(self.sleep());
        }
    }

    /// How long there is nothing to do. `None`: until woken.
    fn sleep(&self) -> Option<Duration> {
        let report = self.core.has_unreported().then_some(REPORT_EVERY);
        report.into_iter().chain(self.sessions.sleep()).min()
    }

    /// True if the deadline has passed; without one, if somebody wants something.
    pub(super) fn is_late(&self, deadline: Option<Instant>) -> bool {
        match deadline {
            Some(deadline) => Instant::now() >= deadline,
            None => !self.core.requests.is_empty(),
        }
    }

    /// Sends what is queued, until the deadline or else until a request comes. True: all of it.
    fn drain(&mut self, deadline: Option<Instant>) -> bool {
        // No more than what is there now, so that a steady stream can't keep a request waiting.
        for _ in 0..self.core.queue.len() {
            if self.is_late(deadline) {
                return false;
            }
            let Some(queued) = self.core.take_parcel() else { return true };
            self.deliver(*queued, deadline);
        }
        true
    }

    fn flush(&mut self, deadline: Instant) -> bool {
        let complete = self.drain(Some(deadline)) & self.send_sessions(Some(deadline));
        self.report(Some(deadline));
        let flushed = callback::guarded("transport", || self.transport.flush(remaining(deadline)));
        self.core.unless_panicked(flushed).unwrap_or(false) && complete
    }

    fn close(mut self, deadline: Instant) -> bool {
        let complete = self.drain(Some(deadline)) & self.send_sessions(Some(deadline));
        self.core.discard_queue(Reason::NetworkError);
        self.discard_pending_sessions(Reason::NetworkError);
        self.report(Some(deadline));
        let is_last = self.core.give_ticket_back();
        let stopped = callback::guarded("transport", || match is_last {
            true => self.transport.shutdown(remaining(deadline)),
            false => self.transport.flush(remaining(deadline)),
        });
        let stopped = self.core.unless_panicked(stopped).unwrap_or(false);
        self.core.end(Reason::NetworkError);
        complete && stopped
    }

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
            Parcel::Event { event, scope, filled, agreed, session } => {
                let crumbs = Some(scope.crumbs()).filter(|crumbs| !filled && !crumbs.is_empty());
                let event = match crumbs {
                    Some(_) => self.core.filled_but_for_breadcrumbs(event, &scope),
                    None => self.core.filled(event, &scope, filled),
                };
                self.write_event(event, crumbs, &scope, &agreed, session.as_deref())
            }
            Parcel::Transaction { tree, scope } => self.write_transaction(&tree, &scope),
            Parcel::Envelope(envelope) => envelope.append_to(&mut self.buffer),
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
        mut event: Event<'static>,
        crumbs: Option<&Crumbs>,
        scope: &Scope,
        agreed: &Agreed,
        session: Option<&Update>,
    ) -> Result<(), serde_json::Error> {
        let trace = agreed.header(&event, &mut self.undecided);
        let headers = HeaderFields { event_id: Some(event.event_id), trace, ..self.core.header_fields() };
        let mut writer = EnvelopeWriter::new(&mut self.buffer, &headers)?;
        match crumbs {
            Some(crumbs) => {
                let own = mem::take(&mut event.breadcrumbs.values);
                writer.event_with_breadcrumbs(&event, &crumbs.before(&own))?;
            }
            None => writer.event(&event)?,
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
        EnvelopeWriter::new(&mut self.buffer, &headers)?.transaction(&transaction)
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
        self.limits.update(&reply, Instant::now());
        Ok(reply)
    }

    fn report_if_due(&mut self) {
        if Instant::now() >= self.next_report {
            self.report(None);
        }
    }

    /// Tells the server what was lost.
    fn report(&mut self, deadline: Option<Instant>) {
        let now = Instant::now();
        self.next_report = now + REPORT_EVERY;
        if !self.core.reports_losses() || self.limits.all_limited(now) {
            return;
        }
        // Relaxed: whoever loses something from here on sets it again.
        self.core.report_due.store(false, Relaxed);
        let Some(report) = self.core.ledger.take_report() else { return };
        if !self.send_report(&report, deadline) {
            self.core.ledger.restore_report(&report);
        }
    }

    fn send_report(&mut self, report: &ClientReport, deadline: Option<Instant>) -> bool {
        let transport = Arc::clone(&self.transport);
        match transport.delivery() {
            Delivery::Bytes(bytes) => {
                self.buffer.clear();
                let headers = self.core.header_fields();
                let written =
                    EnvelopeWriter::new(&mut self.buffer, &headers).and_then(|mut writer| writer.client_report(report));
                written.is_ok() && self.send(bytes, deadline).is_ok_and(|reply| (200..300).contains(&reply.status))
            }
            _ => {
                let mut envelope = Envelope::new().with_headers(self.core.headers());
                envelope.add_item(EnvelopeItem::ClientReport(report.clone()));
                let sent = callback::guarded("transport", || transport.send_envelope(envelope));
                self.core.unless_panicked(sent).is_some()
            }
        }
    }
}

impl Core {
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

fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// How long losses wait for a report, so that there is not one for each.
const REPORT_EVERY: Duration = Duration::from_secs(30);
/// What the buffer keeps of an envelope that was larger.
const KEPT_BUFFER: usize = 256 << 10;
