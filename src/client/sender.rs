//! The crate's one thread: drain, limit, send, report, flush, stop.
//!
//! It starts with the first item, owns the client's core and its transport, and runs under an empty hub. It never waits
//! for anyone but the transport.

use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::{Arc, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::Core;
use super::lane::LANES;
use super::line::Ticket;
use super::rate_limit::RateLimits;
use super::sessions::Pending;
use super::writing::Writing;
use crate::callback;
use crate::diag;
use crate::hub::{Hub, HubSwitchGuard};
use crate::protocol::Level;
use crate::protocol::client_report::Reason;
use crate::scope::Scope;
use crate::sync::parker::{Start, Woken};
use crate::transport::{Delivery, Transport};

/// What a caller asks of the sender, and where it waits for the answer.
#[derive(Debug)]
pub(crate) struct Request {
    ask: Ask,
    deadline: Instant,
    done: mpsc::SyncSender<bool>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ask {
    Flush,
    Close,
}

impl Core {
    /// Asks the sender and waits for its answer, for `timeout` or else the option's shutdown timeout. False: time ran out.
    pub(crate) fn ask(self: &Arc<Self>, ask: Ask, timeout: Option<Duration>) -> bool {
        let deadline = Instant::now() + timeout.unwrap_or(self.options.shutdown_timeout).min(LONGEST_WAIT);
        if ask == Ask::Flush {
            if callback::is_inside() {
                return false;
            }
            if self.parker.is_unused() && self.lanes.len() == 0 && !self.has_unreported() {
                return true;
            }
        }
        let (done, answer) = mpsc::sync_channel(1);
        self.requests.push(Request { ask, deadline, done });
        self.wake_sender();
        if self.has_ended() {
            self.answer_all();
        }
        // A sender that ended without an answer had nothing left to do.
        !callback::is_inside() && answer.recv_timeout(remaining(deadline)).unwrap_or(false)
    }

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
        self.seal();
        self.discard_queue(reason);
        // What is being written was begun before the seal, and is there in an instant. A thread that stands still for longer
        // finds the flag when it goes on, and drops what it has queued by itself.
        let patience = Instant::now() + PATIENCE;
        while self.waiting() > 0 && Instant::now() < patience {
            std::thread::yield_now();
            self.discard_queue(reason);
        }
        self.discard_sessions(reason);
        self.spare.clear();
        self.answer_all();
    }

    /// Answers what was asked of a sender that is no more.
    pub(crate) fn answer_all(&self) {
        while let Some(Request { done, .. }) = self.requests.pop() {
            _ = done.send(self.waiting() == 0);
        }
    }
}

/// The state of the sender thread.
pub(super) struct Sender {
    pub(super) core: Arc<Core>,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) limits: RateLimits,
    pub(super) sessions: Pending,
    pub(super) writing: Writing,
    /// When the next report of losses may ride on an event.
    next_report: Instant,
    /// When the sender looks at each lane again, and sends what waits there; `None` while nothing does, nor did lately.
    pub(super) batches_due: [Option<Instant>; LANES],
    /// Something was taken from a lane since the sender last slept.
    pub(super) has_batched: bool,
    /// Something was taken from the queue since the sender last slept.
    is_busy: bool,
    /// A time without items has begun, at whose end spare memory is freed.
    is_quiet: bool,
}

impl Sender {
    fn new(core: Arc<Core>, transport: Arc<dyn Transport>) -> Self {
        Self {
            writing: Writing::new(&core),
            core,
            transport,
            limits: RateLimits::new(),
            sessions: Pending::default(),
            next_report: Instant::now() + REPORT_EVERY,
            batches_due: [None; LANES],
            has_batched: false,
            is_busy: false,
            is_quiet: false,
        }
    }

    fn run(mut self, start: Start) {
        // What the transport logs or breaks must not come back to us as breadcrumbs and events.
        let _hub = HubSwitchGuard::new(Arc::new(Hub::with_root(None, Scope::default())));
        callback::mute_this_thread();
        self.core.parker.attend(start);
        loop {
            self.core.parker.look();
            self.drain(None);
            self.drain_lanes(None);
            while let Some(Request { ask, deadline, done }) = self.core.requests.pop() {
                if ask == Ask::Close {
                    let complete = self.close(deadline);
                    _ = done.send(complete);
                    return;
                }
                _ = done.send(self.flush(deadline));
            }
            self.report_if_due();
            self.send_due_sessions();
            if let Some(timeout) = self.idle_time() {
                self.core.parker.park(timeout);
            }
        }
    }

    /// How long to sleep, unless woken; forever, if that is all the same. `None`: there is something to do.
    ///
    /// What a request without much time left behind wakes nobody again, and must not be slept over.
    ///
    /// Where one item came, others follow: they wait a moment, so that not each of them costs a wake-up, which is more than
    /// it takes to send it.
    fn idle_time(&mut self) -> Option<Option<Duration>> {
        let (is_busy, has_batched) = (std::mem::take(&mut self.is_busy), std::mem::take(&mut self.has_batched));
        let nap = (is_busy || has_batched).then_some(NAP);
        let wanted = if is_busy { self.core.enough() } else { 1 };
        if self.core.queue.arm_at(wanted) >= wanted {
            // It may be that the thread that brings it has to run first.
            std::thread::yield_now();
            return None;
        }
        let spare = self.spare_time(nap.is_some());
        let batch = self.batches_due.iter().flatten().min().map(|due| remaining(*due));
        let report = self.core.has_unreported().then_some(REPORT_EVERY);
        let timeout = batch.into_iter().chain(nap).chain(report).chain(spare).chain(self.sessions.sleep()).min();
        (timeout != Some(Duration::ZERO)).then_some(timeout)
    }

    /// Frees spare memory that nobody used since the sender last asked. `Some`: it will do so then.
    fn spare_time(&mut self, is_busy: bool) -> Option<Duration> {
        if is_busy || self.core.spare.is_empty() {
            self.is_quiet = false;
        } else if std::mem::replace(&mut self.is_quiet, true) {
            self.core.spare.clear();
        } else {
            return Some(QUIET);
        }
        None
    }

    /// True if the deadline has passed, or without one, if a request came.
    pub(super) fn is_late(&self, deadline: Option<Instant>) -> bool {
        match deadline {
            Some(deadline) => Instant::now() >= deadline,
            None => !self.core.requests.is_empty(),
        }
    }

    /// Sends what is queued, until the deadline or else until a request comes. True: all of it.
    fn drain(&mut self, deadline: Option<Instant>) -> bool {
        // No more than what is there now, so that a steady stream can't keep a request waiting.
        let mut left = self.core.queue.len();
        while left > 0 {
            if self.is_late(deadline) {
                return false;
            }
            match self.core.take_parcel() {
                Some(queued) => {
                    left -= 1;
                    self.is_busy = true;
                    self.deliver(queued, deadline);
                }
                // It is being written. A request may wait for that, within its time.
                None if deadline.is_some() => std::thread::yield_now(),
                None => return false,
            }
        }
        true
    }

    /// Sends all there is, until the deadline. True: all of it.
    fn drain_all(&mut self, deadline: Instant) -> bool {
        let deadline = Some(deadline);
        self.drain(deadline) & self.send_sessions(deadline) & self.drain_lanes(deadline)
    }

    fn flush(&mut self, deadline: Instant) -> bool {
        let complete = self.drain_all(deadline);
        self.core.spare.clear();
        self.report(Some(deadline));
        let flushed = callback::guarded("transport", || self.transport.flush(remaining(deadline)));
        self.core.unless_panicked(flushed).unwrap_or(false) && complete
    }

    fn close(mut self, deadline: Instant) -> bool {
        let complete = self.drain_all(deadline);
        self.core.discard_queue(Reason::NetworkError);
        self.discard_pending_sessions(Reason::NetworkError);
        // A transport with a thread of its own knows only then what it lost, and this is the last report.
        if !matches!(self.transport.delivery(), Delivery::Bytes(_)) {
            let flushed = callback::guarded("transport", || self.transport.flush(remaining(deadline)));
            self.core.unless_panicked(flushed);
        }
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
}

pub(super) fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Longer waits end here, so that adding them to an instant can't overflow.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How long the end waits for what is being written.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long the sender lets items gather after it was at work: nobody notices, and a busy service is spared most wake-ups.
const NAP: Duration = Duration::from_millis(10);
/// How long spare memory waits for its next use.
const QUIET: Duration = Duration::from_secs(1);
/// How long losses wait for a report, so that there is not one for each.
const REPORT_EVERY: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;
    use std::sync::atomic::Ordering::Relaxed;
    use std::thread;
    use std::time::{Duration, Instant};

    use crate::client::Client;
    use crate::hub::Hub;
    use crate::options::ClientOptions;
    use crate::protocol::Level;
    use crate::transport::Transport;
    use crate::wire::Envelope;

    #[derive(Default)]
    struct Counter(AtomicU64);

    impl Transport for Counter {
        fn send_envelope(&self, _: Envelope) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn a_sender_that_was_just_at_work_is_not_woken_for_each_item_and_sends_all_soon() {
        let counter = Arc::new(Counter::default());
        let options = ClientOptions::new().dsn("https://public@sentry.invalid/1");
        let client = Arc::new(Client::with_options(options.transport(Arc::new(Arc::clone(&counter)))));
        let hub = Hub::new(Some(Arc::clone(&client)), Arc::default());
        let mut sent = 0;
        let mut capture = || {
            hub.capture_message("one of many", Level::Info);
            sent += 1;
            sent
        };
        let arrived = |sent| {
            let patience = Instant::now() + Duration::from_secs(10);
            while counter.0.load(Relaxed) < sent && Instant::now() < patience {
                thread::sleep(Duration::from_millis(1));
            }
            counter.0.load(Relaxed) == sent
        };
        assert!(arrived(capture()), "the first is sent at once");
        // Each round begins in a nap or, if this thread was held up, at its end.
        let mut slept_on = 0;
        for _ in 0..20 {
            let last = capture();
            slept_on += u32::from(client.core.parker.is_parked());
            assert!(arrived(last), "nothing wakes the sender but the end of its nap");
        }
        assert!(slept_on >= 10, "{slept_on}");
        // So many that they are worth a wake-up.
        let last = (0..client.core.enough()).map(|_| capture()).max().unwrap_or_default();
        assert!(arrived(last));
    }
}
