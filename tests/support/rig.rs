//! What tests of clients share: a hub with a client, a transport that obeys, a gate, and a watchdog.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::panic::resume_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use vidette::client_report::Recorder;
use vidette::protocol::Event;
use vidette::protocol::client_report::{Category, Reason};
use vidette::transport::{Transport, TransportFactory, TransportOptions};
use vidette::types::IndexedEnum;
use vidette::{Client, ClientOptions, ClientStats, Envelope, Hub, Level};

#[path = "keeper.rs"]
mod keeper;
pub(crate) use self::keeper::Keeper;

/// A hub of its own, with a client that keeps what it captures. Dropping it checks the client's books.
pub(crate) struct Rig {
    pub(crate) hub: Arc<Hub>,
    pub(crate) client: Arc<Client>,
    pub(crate) transport: Arc<Keeper>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(ClientOptions::new())
    }

    /// A rig with these options; DSN and transport are filled in.
    pub(crate) fn with(options: ClientOptions) -> Self {
        let transport = Keeper::new();
        let client = client(options.transport(Arc::clone(&transport)));
        Self { hub: hub(&client), client, transport }
    }

    /// Runs `body` with the rig's hub as the current one.
    pub(crate) fn run<R>(&self, body: impl FnOnce() -> R) -> R {
        Hub::run(Arc::clone(&self.hub), body)
    }

    /// What was captured since the last call.
    pub(crate) fn events(&self) -> Vec<Event<'static>> {
        self.transport.take_events()
    }

    /// An empty event, captured by the rig's hub.
    pub(crate) fn event(&self) -> Event<'static> {
        self.event_of(&self.hub)
    }

    /// An empty event, captured by a hub of the same client.
    pub(crate) fn event_of(&self, hub: &Hub) -> Event<'static> {
        drop(self.events());
        assert!(!hub.capture_event(Event::default()).is_nil());
        let mut events = self.events();
        assert_eq!(events.len(), 1);
        events.remove(0)
    }

    /// The messages of the breadcrumbs that an event has now.
    pub(crate) fn crumbs(&self) -> Vec<String> {
        crumbs(&self.event())
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if !thread::panicking() {
            assert_balanced_when_quiet(&self.client);
        }
    }
}

/// A client for a server that does not exist.
pub(crate) fn client(options: ClientOptions) -> Arc<Client> {
    Arc::new(Client::with_options(options.dsn("https://public@sentry.invalid/1")))
}

/// A hub of its own.
pub(crate) fn hub(client: &Arc<Client>) -> Arc<Hub> {
    Arc::new(Hub::new(Some(Arc::clone(client)), Arc::default()))
}

/// The messages of an event's breadcrumbs.
pub(crate) fn crumbs(event: &Event<'_>) -> Vec<String> {
    event.breadcrumbs.iter().map(|breadcrumb| breadcrumb.message.clone().unwrap_or_default()).collect()
}

/// Captures a message with a hub; true if it was not dropped.
pub(crate) fn capture(hub: &Hub, message: &str) -> bool {
    !hub.capture_message(message, Level::Info).is_nil()
}

/// Each item is accounted for.
pub(crate) fn assert_balanced(stats: &ClientStats) {
    for category in Category::VARIANTS {
        assert!(stats.is_balanced(*category), "{category:?} does not add up:\n{stats}{:?}", stats.discards());
    }
}

/// The same of a client whose sender may be at work: the books are exact when it rests.
pub(crate) fn assert_balanced_when_quiet(client: &Client) {
    let mut stats = client.stats();
    for _ in 0..1_000 {
        if Category::VARIANTS.iter().all(|category| stats.is_balanced(*category)) {
            return;
        }
        thread::sleep(Duration::from_millis(2));
        stats = client.stats();
    }
    assert_balanced(&stats);
}

/// Each item is accounted for, and none is on its way.
pub(crate) fn assert_settled(stats: &ClientStats) {
    assert_balanced(stats);
    for category in Category::VARIANTS {
        assert_eq!(stats.held(*category), 0, "{category:?} is held:\n{stats}");
    }
}

/// How many errors were dropped for a reason.
pub(crate) fn discarded(stats: &ClientStats, reason: Reason) -> u64 {
    discarded_of(stats, Category::Error, reason)
}

/// How much of a category was dropped for a reason.
pub(crate) fn discarded_of(stats: &ClientStats, category: Category, reason: Reason) -> u64 {
    let matching = stats.discards().iter().filter(|loss| loss.category == category && loss.reason == reason);
    matching.map(|loss| loss.quantity).sum()
}

/// Waits until `done` says so, for as long as nobody would wait for it.
pub(crate) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..5_000 {
        if done() {
            return;
        }
        thread::sleep(Duration::from_millis(2));
    }
    panic!("never happened: {what}");
}

/// Runs `body` on a thread of its own and gives its result, or fails after five seconds.
pub(crate) fn watched<R: Send + 'static>(what: &str, body: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, result) = mpsc::channel();
    let worker = thread::Builder::new().name(what.to_owned());
    let worker = worker.spawn(move || done.send(body()).map_err(drop)).unwrap();
    match result.recv_timeout(PATIENCE) {
        Ok(result) => {
            // With what the thread's locals do when they are dropped.
            worker.join().unwrap().unwrap();
            result
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => match worker.join() {
            Err(panic) => resume_unwind(panic),
            Ok(_) => unreachable!("a thread that ended well has sent its result"),
        },
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what} hangs"),
    }
}

/// Where threads stand still until it is opened.
#[derive(Clone)]
pub(crate) struct Gate(Arc<(Mutex<Passage>, Condvar)>);

#[derive(Default)]
struct Passage {
    open: bool,
    arrived: usize,
}

impl Gate {
    pub(crate) fn closed() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn opened() -> Self {
        let gate = Self::closed();
        gate.open();
        gate
    }

    fn lock(&self) -> MutexGuard<'_, Passage> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stands still until the gate is open.
    pub(crate) fn pass(&self) {
        let mut passage = self.lock();
        passage.arrived += 1;
        self.0.1.notify_all();
        drop(self.0.1.wait_timeout_while(passage, 6 * PATIENCE, |passage| !passage.open));
    }

    pub(crate) fn open(&self) {
        self.lock().open = true;
        self.0.1.notify_all();
    }

    /// Waits until somebody stands at the gate, or went through.
    pub(crate) fn wait_for_arrival(&self) {
        let waited = self.0.1.wait_timeout_while(self.lock(), PATIENCE, |passage| passage.arrived == 0);
        assert!(!waited.unwrap_or_else(PoisonError::into_inner).1.timed_out(), "nobody came to the gate");
    }
}

/// Opens a gate when dropped, so that a test that fails does not hang.
pub(crate) struct OpenAtEnd<'a>(pub(crate) &'a Gate);

impl Drop for OpenAtEnd<'_> {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// A transport on the sender thread: it passes a gate, does as told, and keeps what it was given.
pub(crate) struct Probe {
    pub(crate) gate: Gate,
    deed: Deed,
    kept: Mutex<Vec<Envelope>>,
}

/// What a probe does in each of its methods, which it is told.
type Deed = Box<dyn Fn(&'static str) + Send + Sync>;

impl Probe {
    pub(crate) fn new(gate: Gate) -> Arc<Self> {
        Self::doing(gate, |_| ())
    }

    pub(crate) fn doing(gate: Gate, deed: impl Fn(&'static str) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { gate, deed: Box::new(deed), kept: Mutex::default() })
    }

    /// Takes what was sent since the last call.
    pub(crate) fn take(&self) -> Vec<Envelope> {
        std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the messages of the events that were sent since the last call.
    pub(crate) fn messages(&self) -> Vec<String> {
        let envelopes = self.take();
        let events = envelopes.iter().filter_map(Envelope::event);
        events.map(|event| event.message.clone().unwrap_or_default()).collect()
    }
}

impl Transport for Probe {
    fn send_envelope(&self, envelope: Envelope) {
        self.gate.pass();
        (self.deed)("send_envelope");
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(envelope);
    }

    fn flush(&self, _: Duration) -> bool {
        (self.deed)("flush");
        true
    }

    fn shutdown(&self, _: Duration) -> bool {
        (self.deed)("shutdown");
        true
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        (self.deed)("drop");
    }
}

/// A factory that keeps the recorder it was handed.
pub(crate) struct Recording {
    pub(crate) probe: Arc<Probe>,
    pub(crate) recorder: Arc<Mutex<Option<Recorder>>>,
}

impl TransportFactory for Recording {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        *self.recorder.lock().unwrap() = Some(options.client_report_recorder.clone());
        Arc::clone(&self.probe) as Arc<dyn Transport>
    }
}

/// How long something may take that takes no time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
