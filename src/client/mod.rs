//! A client: options, a bounded queue, and one sender.
//!
//! ```text
//!  any thread ── capture ─► pipeline ─► queue ─► sender thread ─► transport
//! ```
//! Callers never wait for the sender, but in `flush` and `close`, and there no longer than they say.

mod batch;
mod check_in;
mod delivery;
mod lane;
mod line;
mod naming;
mod parcel;
mod pipeline;
mod rate_limit;
mod sender;
mod sessions;
mod spare;
mod tracing;
mod writing;

use std::borrow::Cow;
use std::fmt;
use std::panic::RefUnwindSafe;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_queue::SegQueue;
use uuid::Uuid;

use self::lane::Lanes;
use self::line::Ticket;
use self::parcel::{Losses, Parcel, Queued};
use self::sender::{Ask, Request};
use self::sessions::Lane;
use self::spare::Spare;
use crate::callback;
use crate::diag;
use crate::gate::Pass;
use crate::integration::Integration;
use crate::loss::{ClientStats, Ledger, Recorder};
use crate::matter::Taken;
use crate::options::ClientOptions;
use crate::protocol::client_report::{ItemLoss, Reason};
use crate::protocol::{Breadcrumb, ClientSdkInfo, Event, Level};
use crate::scope::Scope;
use crate::sync::inbox::{Inbox, Pushed};
use crate::sync::parker::Parker;
use crate::trace::Origin;
use crate::transport::{Delivery, Transport, TransportOptions};
use crate::types::Dsn;
use crate::wire::Envelope;

/// Takes events on their way to the server.
///
/// A clone has a queue and a sender of its own, and shares the transport and the counts with its original. The transport
/// is shut down by the last of them that closes.
///
/// ```
/// use std::sync::Arc;
/// use vidette::{Client, ClientOptions, Hub};
///
/// let client = Arc::new(Client::with_options(ClientOptions::new()));
/// assert!(!client.is_enabled(), "there is neither a DSN nor a transport");
/// Hub::current().bind_client(Some(client));
/// ```
pub struct Client {
    core: Arc<Core>,
    /// `Some` while the client is open and enabled. Taken by whoever closes it first; off the hot path.
    pass: Mutex<Option<Pass>>,
}

/// What a client shares with its sender thread.
pub(crate) struct Core {
    pub(crate) options: ClientOptions,
    /// Where envelopes say they go, and who sends them: shared with each that is not written at once.
    dsn: Option<Arc<Dsn>>,
    pub(crate) sdk: Arc<ClientSdkInfo>,
    /// The same for what outlives the client.
    named: Cow<'static, ClientSdkInfo>,
    pub(crate) origin: Arc<Origin>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) queue: Inbox<Queued>,
    /// Estimated bytes of what is queued, but for what is small.
    pub(crate) queued_bytes: AtomicUsize,
    /// Bytes up to which a parcel is small: so many that all there is room for make a small part of the budget.
    small: usize,
    /// Sessions that wait for the sender, from the first one on.
    pub(crate) sessions: OnceLock<Box<Lane>>,
    /// What waits to be sent in batches.
    pub(crate) lanes: Lanes,
    pub(crate) requests: SegQueue<Request>,
    pub(crate) parker: Parker,
    /// The client's place at its transport, until the sender gives it back. Locked only to start, clone and close.
    pub(crate) ticket: Mutex<Option<Ticket>>,
    /// Takes items on the thread that captures, if the transport wants them there.
    inline: Option<Arc<dyn Transport>>,
    /// True if an integration or a callback has to see each event on the thread that captures it.
    pub(crate) looks_at_events: bool,
    /// True if one of those looks at an event's breadcrumbs.
    looks_at_breadcrumbs: bool,
    /// What breadcrumbs are built in that somebody looks at.
    spare: Spare,
    /// False from the moment the client closes.
    open: AtomicBool,
    /// The origin of the times that are shared as numbers.
    pub(crate) started: Instant,
    /// True if there are losses that the sender has been told of.
    pub(crate) report_due: AtomicBool,
    /// True once there is no sender and will be none: see [`has_ended`](Self::has_ended).
    pub(crate) ended: AtomicBool,
}

impl Client {
    /// Makes a client. Without a DSN or a transport it is disabled: it captures nothing, and starts nothing.
    #[must_use]
    pub fn with_options(mut options: ClientOptions) -> Self {
        for integration in options.integrations.clone() {
            if let Err(panicked) = callback::guarded(name_of(&*integration), || integration.setup(&mut options)) {
                diag::say(&options, Level::Error, format_args!("setup of {} panicked", panicked.0));
            }
        }
        // Integrations that never heard of this crate would take its frames for the application's.
        if !options.in_app_exclude.contains(&OWN_FRAMES) {
            options.in_app_exclude.push(OWN_FRAMES);
        }
        let ledger = Arc::new(Ledger::new());
        let ticket = create_transport(&options, &ledger).map(Ticket::new);
        Self::with_ticket(ticket, options, ledger)
    }

    fn with_ticket(ticket: Option<Ticket>, options: ClientOptions, ledger: Arc<Ledger>) -> Self {
        let is_enabled = ticket.is_some();
        let transport = ticket.as_ref().map(Ticket::transport);
        let inline = transport.filter(|transport| matches!(transport.delivery(), Delivery::Inline)).cloned();
        let capacity = options.transport_channel_capacity.map_or(QUEUE_CAPACITY, usize::from);
        let sdk = naming::sdk(&options);
        let core = Core {
            dsn: options.dsn.clone().map(Arc::new),
            named: naming::lasting(&sdk),
            sdk: Arc::new(sdk),
            origin: Arc::new(Origin::of(&options)),
            queue: Inbox::new(capacity),
            queued_bytes: AtomicUsize::new(0),
            small: (MOST_QUEUED_BYTES / 8 / capacity).min(MOST_OF_SMALL),
            sessions: OnceLock::new(),
            lanes: Lanes::new(),
            requests: SegQueue::new(),
            parker: Parker::new(),
            ticket: Mutex::new(ticket),
            inline,
            looks_at_events: !options.integrations.is_empty() || options.before_send.is_some(),
            looks_at_breadcrumbs: options.before_send.is_some()
                || options.integrations.iter().any(|integration| looks_at_breadcrumbs(&**integration)),
            spare: Spare::new(),
            open: AtomicBool::new(is_enabled),
            started: Instant::now(),
            report_due: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            ledger,
            options,
        };
        Self { core: Arc::new(core), pass: Mutex::new(is_enabled.then(Pass::new)) }
    }

    /// Makes a client of anything that becomes options, such as a DSN.
    #[must_use]
    pub fn from_config<O: Into<ClientOptions>>(options: O) -> Self {
        Self::with_options(options.into())
    }

    /// The options, as the integrations left them.
    #[must_use]
    pub fn options(&self) -> &ClientOptions {
        &self.core.options
    }

    /// Where events go.
    #[must_use]
    pub fn dsn(&self) -> Option<&Dsn> {
        self.core.options.dsn.as_ref()
    }

    /// True until the client is closed, if it has a DSN and a transport.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.core.is_open()
    }

    /// What became of everything captured so far.
    #[must_use]
    pub fn stats(&self) -> ClientStats {
        self.core.ledger.stats(self.core.waiting())
    }

    /// Captures an event, filled from `scope` if there is one. Nil: it was dropped, and counted.
    pub fn capture_event(&self, event: Event<'static>, scope: Option<&Scope>) -> Uuid {
        self.core.capture(&mut Some(Taken { matter: event.into(), scope: scope.cloned().unwrap_or_default() }))
    }

    /// Fills an event from a scope and lets processors and integrations see it, without sending it.
    #[must_use]
    pub fn prepare_event(&self, event: Event<'static>, scope: Option<&Scope>) -> Option<Event<'static>> {
        let default = Scope::default();
        let mut event = self.core.prepare(Box::new(event), scope.unwrap_or(&default), true).ok()?;
        self.core.fill_defaults(&mut event);
        Some(*event)
    }

    /// True with the given probability.
    #[must_use]
    pub fn sample_should_send(&self, rate: f32) -> bool {
        pipeline::chance(rate)
    }

    /// Sends an envelope as it is.
    pub fn send_envelope(&self, envelope: Envelope) {
        self.core.send(Parcel::Envelope(Box::new(envelope)));
    }

    /// Waits until everything captured before is sent, for `timeout` or else the option's shutdown timeout.
    ///
    /// False: time ran out. What is left is in [`stats`](Self::stats), and goes on being sent. Returns false at once where
    /// waiting would never end or make matters worse: on the sender's own thread and inside callbacks of this crate.
    pub fn flush(&self, timeout: Option<Duration>) -> bool {
        self.core.ask(Ask::Flush, timeout)
    }

    /// Sends what was captured and ends the client, within `timeout` or else the option's shutdown timeout.
    ///
    /// False: time ran out, and what was left was discarded and counted.
    pub fn close(&self, timeout: Option<Duration>) -> bool {
        // AcqRel: pairs with `is_open`; only one closes.
        let was_open = self.core.open.swap(false, AcqRel);
        // Nobody panics while holding it, and it holds no user code.
        let pass = self.pass.lock().map_or_else(|poisoned| poisoned.into_inner().take(), |mut pass| pass.take());
        drop(pass);
        !was_open || self.core.ask(Ask::Close, timeout)
    }

    /// Lets the host's callback see a breadcrumb.
    pub(crate) fn admit_breadcrumb(&self, breadcrumb: Breadcrumb) -> Option<Breadcrumb> {
        match &self.core.options.before_breadcrumb {
            Some(callback) => {
                let seen = callback::guarded("before_breadcrumb", || callback(breadcrumb));
                self.core.unless_panicked(seen).flatten()
            }
            None => Some(breadcrumb),
        }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Finds an integration by its type.
    pub(crate) fn integration<I: Integration>(&self) -> Option<&I> {
        self.core.options.integrations.iter().find_map(|integration| (**integration).as_any().downcast_ref())
    }
}

impl Core {
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        // Acquire: pairs with the swap in `close`.
        self.open.load(Acquire)
    }

    /// Sends something that nobody has to look at. False: it was dropped, and counted if the client is open.
    fn send(self: &Arc<Self>, parcel: Parcel) -> bool {
        if !self.is_open() || !callback::may_capture() {
            return false;
        }
        let losses = parcel.losses();
        self.ledger.capture(&losses);
        self.enqueue(parcel, losses)
    }

    /// Queues a parcel whose losses are counted as held. False: there was no room, and it was discarded.
    pub(crate) fn enqueue(self: &Arc<Self>, parcel: Parcel, losses: Losses) -> bool {
        self.enqueue_whole(&mut Some(Queued { parcel, losses, weight: 0 }))
    }

    /// The same for what needs not be copied any more, but to the queue. Weighs it.
    pub(crate) fn enqueue_whole(self: &Arc<Self>, queued: &mut Option<Queued>) -> bool {
        let Some(whole) = queued else { return false };
        if let Some(transport) = &self.inline {
            if let Some(Queued { parcel, losses, .. }) = queued.take() {
                self.deliver_inline(transport, parcel, &losses);
            }
            return true;
        }
        let weight = whole.parcel.weight();
        whole.weight = if weight > self.small { weight } else { 0 };
        let weight = whole.weight;
        if self.burden(weight) {
            match self.queue.push(queued) {
                // Relaxed: as in `burden`. Much that is large must not wait for more.
                Pushed::Queued if weight == 0 || self.queued_bytes.load(Relaxed) < MOST_QUEUED_BYTES / 4 => {}
                Pushed::Queued | Pushed::Wake => self.wake_sender(),
                Pushed::Full => self.unburden(weight),
            }
        }
        if let Some(Queued { parcel, losses, .. }) = queued.take() {
            self.refuse(parcel, losses);
            return false;
        }
        if self.has_ended() {
            self.discard_late();
        }
        true
    }

    /// Drops and counts a parcel for which there was no room. How the session stands is told all the same.
    fn refuse(self: &Arc<Self>, mut parcel: Parcel, mut losses: Losses) {
        if let Some(update) = parcel.part_from_session(&mut losses) {
            self.leave_update(update);
        }
        self.discard(&losses, Reason::QueueOverflow);
    }

    /// How many items are worth waking the sender for that has just been at work.
    pub(crate) fn enough(&self) -> usize {
        (self.queue.capacity() / 4).clamp(1, MOST_UNTOLD)
    }

    /// Takes so many bytes from the budget of what waits. False: they are not there.
    pub(crate) fn burden(&self, weight: usize) -> bool {
        // Relaxed: the budget counts nothing but itself.
        let fits = weight == 0 || self.queued_bytes.fetch_add(weight, Relaxed) + weight <= MOST_QUEUED_BYTES;
        if !fits {
            self.unburden(weight);
        }
        fits
    }

    /// Gives back what [`burden`](Self::burden) took.
    pub(crate) fn unburden(&self, weight: usize) {
        if weight != 0 {
            // Relaxed: as in `burden`.
            self.queued_bytes.fetch_sub(weight, Relaxed);
        }
    }

    /// Counts a loss, and sees to it that it is reported.
    pub(crate) fn discard(self: &Arc<Self>, losses: &[ItemLoss], reason: Reason) {
        self.ledger.discard(losses, reason);
        self.tell_of_losses(losses, reason);
    }

    /// Sees to it that a loss that was counted is reported.
    fn tell_of_losses(self: &Arc<Self>, losses: &[ItemLoss], reason: Reason) {
        diag::say(&self.options, Level::Debug, format_args!("discarded {} item(s): {reason:?}", losses.len()));
        // Relaxed: who sets the flag wakes the sender, which takes in all that was counted before.
        if self.reports_losses() && !self.report_due.load(Relaxed) && !self.report_due.swap(true, Relaxed) {
            self.wake_sender();
        }
    }

    /// True if there are losses that the server is to hear of.
    pub(crate) fn has_unreported(&self) -> bool {
        self.reports_losses() && self.ledger.has_unreported()
    }

    /// A transport that only stores has no server behind it.
    pub(crate) fn reports_losses(&self) -> bool {
        self.inline.is_none()
    }

    /// True if the sender has ended, or never will start. What is queued after that is dropped by whoever queued it.
    ///
    /// Asked after a push to an inbox, which the [`seal`](Inbox::seal) at the end orders, or after
    /// [`wake_sender`](Self::wake_sender), whose swap of the parker's state does it for what stands elsewhere: either what
    /// was queued came before, and the last drain sees it; or this sees that the sender has ended.
    pub(crate) fn has_ended(&self) -> bool {
        // Acquire: pairs with the Release in `end`.
        self.ended.load(Acquire)
    }

    /// Drops and counts what is queued.
    pub(crate) fn discard_queue(self: &Arc<Self>, reason: Reason) {
        while let Some(dropped) = self.take_parcel() {
            self.discard(&dropped.losses, reason);
        }
        for lane in self.lanes.all() {
            lane.discard(self, reason);
        }
    }

    /// Drops and counts what came to the queue after the sender has ended. Of two who come here after they queued something
    /// one sees both.
    fn discard_late(self: &Arc<Self>) {
        self.seal();
        self.spare.clear();
        self.discard_queue(Reason::NetworkError);
    }

    /// Makes sure that whoever queues after this sees what was stored before.
    pub(crate) fn seal(&self) {
        self.queue.seal();
        self.lanes.all().iter().for_each(|lane| lane.seal());
    }

    /// How many items wait for the sender, but for sessions.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len() + self.lanes.len()
    }

    pub(crate) fn take_parcel(&self) -> Option<Queued> {
        let queued = self.queue.take()?;
        self.unburden(queued.weight);
        Some(queued)
    }
}

impl Clone for Client {
    /// Makes a client that is closed on its own; of a closed one, a closed one.
    fn clone(&self) -> Self {
        let ticket = self.core.ticket.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Ticket::another);
        Self::with_ticket(ticket, self.core.options.clone(), Arc::clone(&self.core.ledger))
    }
}

impl<O: Into<ClientOptions>> From<O> for Client {
    fn from(options: O) -> Self {
        Self::with_options(options.into())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close(None);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("is_enabled", &self.is_enabled()).field("options", self.options()).finish()
    }
}

// What the callbacks do when they panic is their affair; our own state is consistent at every step.
impl RefUnwindSafe for Client {}

fn create_transport(options: &ClientOptions, ledger: &Arc<Ledger>) -> Option<Arc<dyn Transport>> {
    let factory = options.transport.as_ref()?;
    let transport_options = TransportOptions::for_client(options, Recorder::new(Arc::clone(ledger)))?;
    match callback::guarded("transport factory", || factory.create_transport_with_options(transport_options)) {
        Ok(transport) => Some(transport),
        Err(panicked) => {
            diag::say(options, Level::Error, format_args!("{} panicked; the client is disabled", panicked.0));
            None
        }
    }
}

/// What an integration calls itself; even that is code of the host.
fn name_of(integration: &dyn Integration) -> &'static str {
    callback::guarded("integration name", || integration.name()).unwrap_or("integration")
}

/// True if an integration wants to see breadcrumbs. Its answer is code of the host, too.
fn looks_at_breadcrumbs(integration: &dyn Integration) -> bool {
    callback::guarded("integration", || integration.looks_at_breadcrumbs()).unwrap_or(true)
}

/// What the paths of this crate's functions start with.
const OWN_FRAMES: &str = concat!(env!("CARGO_PKG_NAME"), "::");
/// Items that may wait for the sender, unless the options say otherwise.
const QUEUE_CAPACITY: usize = 1_000;
/// Items that may come while the sender naps before it is woken.
const MOST_UNTOLD: usize = 64;
/// Estimated bytes that may wait for the sender.
const MOST_QUEUED_BYTES: usize = 64 << 20;
/// A parcel of more bytes counts in the budget, however few there is room for.
const MOST_OF_SMALL: usize = 4 << 10;
