//! Sessions on their way: what threads leave, what the sender makes of it.
//!
//! ```text
//!   a request ends ─► table of minutes ─┐
//!      (of a user) ─► bounded queue ────┼─► sender: buckets by minute and user ─► `sessions` items
//!   a run changes ──► bounded queue ────┴─► sender: batches of updates ─────────► `session` items
//! ```
//! The sender is woken when something comes that it does not know of, and sends a minute later; when there is enough for an
//! item; at `flush` and at `close`. In between nobody wakes it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use smallvec::smallvec;

use super::parcel::{Losses, Parcel, Queued};
use super::sender::Sender;
use super::{Client, Core};
use crate::protocol::SessionAggregates;
use crate::protocol::client_report::{Category, ItemLoss, Reason};
use crate::session::{Buckets, Counted, Minutes, Request, Sink, Update, attributes};
use crate::wire::EnvelopeItem;

/// Where threads leave what the sender is to take. Made with a client's first session.
#[derive(Debug)]
pub(crate) struct Lane {
    minutes: Minutes,
    requests: ArrayQueue<Request>,
    updates: ArrayQueue<Box<Update>>,
    /// True from the first thing left here until the sender takes all.
    waiting: AtomicBool,
    /// How long what is left here may wait.
    every: Duration,
}

/// How much the sender takes.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Part {
    All,
    /// What is too much to wait in the lane.
    Pressing,
}

/// What the sender took and did not send yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    updates: VecDeque<Box<Update>>,
    buckets: Buckets,
    /// When all of it is sent, and what is left in the lane too.
    due: Option<Instant>,
}

impl Lane {
    fn new(every: Duration) -> Self {
        Self {
            minutes: Minutes::new(),
            requests: ArrayQueue::new(MOST_WAITING),
            updates: ArrayQueue::new(MOST_WAITING),
            waiting: AtomicBool::new(false),
            every,
        }
    }

    fn is_pressing(&self) -> bool {
        self.updates.len() >= MOST_OF_AN_ITEM || self.requests.len() >= MOST_WAITING / 2
    }

    /// Takes that part of what was left here before.
    ///
    /// If it is all, the flag goes down first. Whoever leaves something puts it up afterwards, so either the flag's exchange
    /// here reads that one's, and what it left is seen; or that one finds the flag down, and wakes the sender again.
    fn take(&self, part: Part, mut request: impl FnMut(Request, u32), update: impl FnMut(Box<Update>)) {
        if part == Part::All {
            // AcqRel: pairs with `notice`.
            self.waiting.swap(false, AcqRel);
            self.minutes.take(|minute, outcome, count| request(Request { minute, did: None, outcome }, count));
        }
        // No more than what is there now, so that a steady stream can't keep the sender here.
        let (mut requests, mut updates) = (self.requests.len(), self.updates.len());
        if part == Part::Pressing {
            requests = if requests < MOST_WAITING / 2 { 0 } else { requests };
            // By the hundred, so that the next hundred is known here too.
            updates -= updates % MOST_OF_AN_ITEM;
        }
        (0..requests).map_while(|_| self.requests.pop()).for_each(|one| request(one, 1));
        (0..updates).map_while(|_| self.updates.pop()).for_each(update);
    }
}

impl Sink for Client {
    fn update(&self, update: Update) {
        if self.core.is_open() {
            self.core.ledger.capture(&sessions(1));
            self.core.leave_update(Box::new(update));
        }
    }

    fn count(&self, request: Request) {
        if self.core.is_open() {
            self.core.ledger.capture(&sessions(1));
            self.core.leave_request(request);
        }
    }

    fn key(&self) -> usize {
        self.core.key()
    }
}

impl Core {
    /// Tells the core of one client from those of others.
    pub(super) fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Leaves an update, which is counted as held, for the sender.
    pub(super) fn leave_update(self: &Arc<Self>, update: Box<Update>) {
        let lane = self.lane();
        match lane.updates.push(update) {
            Ok(()) => self.notice(lane),
            Err(_) => self.discard(&sessions(1), Reason::QueueOverflow),
        }
    }

    fn leave_request(self: &Arc<Self>, request: Request) {
        let lane = self.lane();
        let counted = match request.did {
            None => lane.minutes.count(request.minute, request.outcome).ok(),
            Some(_) => None,
        };
        match counted {
            // The first of its cell tells the sender, for all that are counted there until it takes them.
            Some(Counted::Another) => {}
            Some(Counted::First) => self.notice(lane),
            None => match lane.requests.push(request) {
                Ok(()) => self.notice(lane),
                Err(_) => self.discard(&sessions(1), Reason::QueueOverflow),
            },
        }
    }

    /// Sees to it that the sender knows of what was left in the lane.
    fn notice(self: &Arc<Self>, lane: &Lane) {
        // AcqRel: pairs with `take`, and says why an exchange, not a load, comes first.
        if !lane.waiting.swap(true, AcqRel) || lane.is_pressing() {
            self.wake_sender();
            if self.has_ended() {
                self.discard_sessions(Reason::NetworkError);
            }
        }
    }

    /// Drops and counts what is left in the lane.
    pub(super) fn discard_sessions(self: &Arc<Self>, reason: Reason) {
        let Some(lane) = self.sessions.get() else { return };
        let (mut requests, mut updates) = (0, 0);
        lane.take(Part::All, |_, count| requests += u64::from(count), |_| updates += 1);
        if requests + updates != 0 {
            self.discard(&sessions(requests + updates), reason);
        }
    }

    fn lane(&self) -> &Lane {
        self.sessions.get_or_init(|| Box::new(Lane::new(SEND_EVERY)))
    }
}

impl Pending {
    /// Keeps an update until the next batch is sent.
    pub(super) fn keep(&mut self, update: Box<Update>) {
        self.updates.push_back(update);
    }

    /// How long the sender may sleep.
    pub(super) fn sleep(&self) -> Option<Duration> {
        self.due.map(|due| due.saturating_duration_since(Instant::now()))
    }

    fn is_empty(&self) -> bool {
        self.updates.is_empty() && self.buckets.len() == 0
    }

    /// True if there is enough for an envelope, and more than should wait.
    fn is_full(&self) -> bool {
        self.updates.len() >= MOST_OF_AN_ITEM || self.buckets.len() >= MOST_BUCKETS
    }

    fn collect(&mut self, part: Part, lane: &Lane) {
        let Self { updates, buckets, .. } = self;
        lane.take(
            part,
            |Request { minute, did, outcome }, count| buckets.add(minute, did, outcome, count),
            |update| updates.push_back(update),
        );
    }

    /// The items of the next envelope, and how many sessions they stand for.
    fn next_items(&mut self, core: &Core) -> Option<(Vec<EnvelopeItem>, u64)> {
        let attributes = attributes(&core.options);
        if !self.updates.is_empty() {
            let count = self.updates.len().min(MOST_OF_AN_ITEM);
            let updates = self.updates.drain(..count);
            return Some((updates.map(|update| update.to_item(attributes.clone()).into()).collect(), count as u64));
        }
        let part = self.buckets.take(MOST_OF_AN_ITEM)?;
        Some((vec![SessionAggregates { aggregates: part.items, attributes }.into()], part.sessions))
    }
}

impl Sender {
    /// Sends what is due or full, and sees when the rest is due.
    pub(super) fn send_due_sessions(&mut self) {
        let core = Arc::clone(&self.core);
        let lane = core.sessions.get();
        if self.sessions.due.is_some_and(|due| Instant::now() >= due) {
            if self.send_sessions(None) {
                self.sessions.due = None;
            }
        } else if let Some(lane) = lane
            && lane.is_pressing()
        {
            // A sender that has enough already leaves it there, where room is bounded.
            if !self.sessions.is_full() {
                self.sessions.collect(Part::Pressing, lane);
            }
            while self.sessions.is_full() && self.send_next_sessions(None) {}
        }
        // Relaxed: what was left before the sender was woken is visible; what comes later wakes it again.
        let waiting = lane.is_some_and(|lane| lane.waiting.load(Relaxed));
        if self.sessions.due.is_none() && (waiting || !self.sessions.is_empty()) {
            self.sessions.due = Some(Instant::now() + lane.map_or(SEND_EVERY, |lane| lane.every));
        }
    }

    /// Sends all that was left so far, until the deadline or else until a request comes. True: all of it.
    pub(super) fn send_sessions(&mut self, deadline: Option<Instant>) -> bool {
        while self.sessions.is_full() && self.send_next_sessions(deadline) {}
        self.collect_sessions();
        while self.send_next_sessions(deadline) {}
        self.sessions.is_empty()
    }

    /// Takes over what was left in the lane. A sender that has enough already leaves it there, where room is bounded.
    fn collect_sessions(&mut self) {
        if !self.sessions.is_full()
            && let Some(lane) = self.core.sessions.get()
        {
            self.sessions.collect(Part::All, lane);
        }
    }

    /// Drops and counts what is pending.
    pub(super) fn discard_pending_sessions(&mut self, reason: Reason) {
        while let Some((_, count)) = self.sessions.next_items(&self.core) {
            self.core.discard(&sessions(count), reason);
        }
    }

    /// Sends one envelope. False: there is none, or no time for it.
    fn send_next_sessions(&mut self, deadline: Option<Instant>) -> bool {
        if self.is_late(deadline) {
            return false;
        }
        let Some((items, count)) = self.sessions.next_items(&self.core) else { return false };
        let mut envelope = self.core.envelope(None);
        items.into_iter().for_each(|item| envelope.add_item(item));
        self.deliver(
            Queued { parcel: Parcel::Envelope(Box::new(envelope)), losses: sessions(count), weight: 0 },
            deadline,
        );
        true
    }
}

/// How the counts call so many sessions.
pub(super) fn sessions(count: u64) -> Losses {
    smallvec![ItemLoss::new(Category::Session, count)]
}

/// How long sessions wait, at most.
const SEND_EVERY: Duration = Duration::from_secs(60);
/// Updates in one envelope, and buckets in one item: what the protocol allows.
const MOST_OF_AN_ITEM: usize = 100;
/// Buckets that the sender keeps before it sends what it has.
const MOST_BUCKETS: usize = 1_000;
/// Updates, and as many requests of users, that may wait for the sender.
const MOST_WAITING: usize = 1_000;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use crossbeam_queue::SegQueue;

    use super::{Lane, sessions};
    use crate::client::Client;
    use crate::hub::Hub;
    use crate::options::{ClientOptions, SessionMode};
    use crate::protocol::client_report::Category;
    use crate::protocol::{SessionStatus, User};
    use crate::session::{DistinctId, Outcome, Request};
    use crate::transport::Transport;
    use crate::wire::{Envelope, EnvelopeItem};

    /// Keeps envelopes, with the time of their coming.
    #[derive(Default)]
    struct Collector(SegQueue<(Instant, Envelope)>);

    impl Transport for Collector {
        fn send_envelope(&self, envelope: Envelope) {
            self.0.push((Instant::now(), envelope));
        }
    }

    fn client(mode: SessionMode, every: Duration) -> (Arc<Collector>, Arc<Client>, Hub) {
        let collector = Arc::new(Collector::default());
        let options = ClientOptions::new().dsn("https://public@sentry.invalid/1").release("app@1").session_mode(mode);
        let client = Arc::new(Client::with_options(options.transport(Arc::new(Arc::clone(&collector)))));
        client.core.sessions.set(Box::new(Lane::new(every))).unwrap();
        let hub = Hub::new(Some(Arc::clone(&client)), Arc::default());
        (collector, client, hub)
    }

    fn wait_for(collector: &Collector, envelopes: usize) -> Vec<(Instant, Envelope)> {
        let patience = Instant::now() + Duration::from_secs(10);
        while collector.0.len() < envelopes && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::iter::from_fn(|| collector.0.pop()).collect()
    }

    fn one_session(hub: &Hub) {
        hub.begin_session();
        hub.finish_session(SessionStatus::Exited);
    }

    #[test]
    fn sessions_are_sent_when_they_are_due_without_being_asked_for() {
        for mode in [SessionMode::Application, SessionMode::Request] {
            let every = Duration::from_millis(100);
            let (collector, client, hub) = client(mode, every);
            for round in 0..2 {
                let start = Instant::now();
                (0..5).for_each(|_| one_session(&hub));
                let sent = wait_for(&collector, 1);
                assert_eq!(sent.len(), 1, "{mode:?}, round {round}");
                assert!(sent[0].0 - start >= every, "{mode:?}: too early");
                let sessions: u64 = sent[0].1.items().map(counted).sum();
                assert_eq!(sessions, 5, "{mode:?}, round {round}");
            }
            assert_eq!(client.stats().held(Category::Session), 0);
        }
    }

    fn counted(item: &EnvelopeItem) -> u64 {
        match item {
            EnvelopeItem::SessionUpdate(_) => 1,
            EnvelopeItem::SessionAggregates(sessions) => {
                sessions.aggregates.iter().map(|bucket| u64::from(bucket.exited)).sum()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_batch_that_is_full_is_sent_at_once_and_the_rest_waits() {
        let (collector, client, hub) = client(SessionMode::Application, Duration::from_secs(3_600));
        (0..250).for_each(|_| one_session(&hub));
        let sent = wait_for(&collector, 2);
        assert_eq!(sent.iter().map(|(_, envelope)| envelope.items().count()).collect::<Vec<_>>(), [100, 100]);
        std::thread::sleep(Duration::from_millis(20));
        assert!(collector.0.is_empty());
        assert!(client.flush(None));
        assert_eq!(wait_for(&collector, 1)[0].1.items().count(), 50);
    }

    #[test]
    fn what_is_left_after_the_sender_has_ended_is_counted() {
        for (mode, id) in [(SessionMode::Application, ""), (SessionMode::Request, ""), (SessionMode::Request, "me")] {
            let (_, client, hub) = client(mode, Duration::from_secs(3_600));
            let user = User { id: Some(id.to_owned()), ..User::default() };
            hub.configure_scope(|scope| scope.set_user(Some(user)));
            (0..2).for_each(|_| one_session(&hub));
            assert!(client.close(None));
            // As by threads that saw the client open.
            for _ in 0..2 {
                client.core.ledger.capture(&sessions(1));
                let did = DistinctId::of(Arc::new(User { id: Some(id.to_owned()), ..User::default() }));
                client.core.leave_request(Request { minute: 1, did, outcome: Outcome::Exited });
            }
            let stats = client.stats();
            assert_eq!((stats.handed_over(Category::Session), stats.held(Category::Session)), (2, 0), "{mode:?}");
            assert_eq!(stats.discarded(Category::Session), 2);
        }
    }

    #[test]
    fn the_sender_is_woken_by_the_first_of_many_requests() {
        let (_, client, hub) = client(SessionMode::Request, Duration::from_secs(3_600));
        let is_asleep = || client.core.parker.is_parked();
        one_session(&hub);
        (0..10_000).take_while(|_| !is_asleep()).for_each(|_| std::thread::sleep(Duration::from_millis(1)));
        let asleep = (0..1_000).filter(|_| {
            one_session(&hub);
            is_asleep()
        });
        // Systems wake threads for no reason now and then, and a minute may end.
        assert!(asleep.count() > 990);
        assert!(client.flush(None));
        assert_eq!(client.stats().handed_over(Category::Session), 1_001);
    }
}
