//! Batches: what comes in pieces and leaves in hundreds. Written once, for every kind of telemetry that travels so.
//!
//! ```text
//!  any thread ── push ─► bounded queue ── take, up to 100 ─► sender
//!                 │ the first, and each hundredth: wake
//! ```
//! # Guarantees
//! Pushing allocates nothing but the queue, with the first item; it waits for nobody, and wakes the sender only for the first
//! item and when there are enough for a batch. The order is kept.
//!
//! # Orderings
//! An item is queued, and then counted with an AcqRel addition. The sender takes items, takes them off the count with an
//! AcqRel subtraction, and then looks whether the queue is empty. Of an addition and a subtraction one comes first: either
//! the sender's look sees the item, or the addition starts from what the sender left, and if that was nothing, wakes it.
//! At the end of a client, an AcqRel addition of nothing ([`seal`](Batch::seal)) stands for the subtraction: whoever counts
//! after it sees that the client has ended, and whoever counted before it is seen by the last drain.
//!
//! **Not here**: which kinds there are (`lane`).

use std::fmt;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use smallvec::smallvec;

use super::Core;
use super::parcel::{Parcel, Queued};
use super::sender::Sender;
use crate::diag;
use crate::protocol::Level;
use crate::protocol::client_report::{Category, ItemLoss, Reason};
use crate::wire::EnvelopeItem;
use crate::wire::write::EnvelopeWriter;

/// A kind of telemetry that travels in batches.
pub(crate) trait Batched: fmt::Debug + Send + Sized + 'static {
    /// What it counts as in pieces.
    const PIECES: Category;
    /// What it counts as in bytes.
    const BYTES: Category;

    /// How many bytes it counts for.
    fn bytes(&self, core: &Core) -> u64;

    /// Roughly how many bytes of heap it keeps alive.
    fn weight(&self) -> usize;

    /// Why the server would not take it, if that is known.
    fn defect(&self, core: &Core) -> Option<String> {
        let _ = core;
        None
    }

    /// Makes an item of a batch.
    fn into_item(batch: Vec<Self>, core: &Core) -> EnvelopeItem;

    /// Writes the same item without making it.
    fn write(batch: &[Self], core: &Core, writer: &mut EnvelopeWriter<'_>) -> Result<(), serde_json::Error>;
}

/// The items of one kind that wait for the sender.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    /// Made with the first item.
    queue: OnceLock<ArrayQueue<T>>,
    /// Items pushed less items taken. Below the truth while a push is not counted yet, and so even below zero.
    count: AtomicI64,
    /// Until when the server wants none, in milliseconds since the client's start; zero: it never said.
    limited_until: AtomicU64,
}

/// What the sender does with a kind, whichever it is.
pub(crate) trait Lane {
    /// How many items wait.
    fn len(&self) -> usize;

    /// Takes a batch of what waits, in order. What can't be sent is dropped and counted.
    fn take(&self, core: &Arc<Core>) -> Option<Queued>;

    /// Makes sure that whoever pushes after this sees what was done before.
    fn seal(&self);

    fn category(&self) -> Category;

    /// Lets none in until then.
    fn limit(&self, core: &Core, until: Instant);
}

impl<T> Batch<T> {
    pub(crate) const fn new() -> Self {
        Self { queue: OnceLock::new(), count: AtomicI64::new(0), limited_until: AtomicU64::new(0) }
    }

    /// True if the server wants none now.
    fn is_limited(&self, core: &Core) -> bool {
        // Relaxed: a limit publishes nothing but itself.
        let until = self.limited_until.load(Relaxed);
        until != 0 && millis(core.started.elapsed()) < until
    }

    /// Queues an item. True: the sender is to be woken. A full queue gives it back.
    fn push(&self, item: T) -> Result<bool, T> {
        self.queue().push(item)?;
        // AcqRel: see above.
        let before = self.count.fetch_add(1, AcqRel);
        Ok(before == 0 || before > 0 && (before + 1) % MOST_IN_BATCH as i64 == 0)
    }

    fn queue(&self) -> &ArrayQueue<T> {
        match self.queue.get() {
            Some(queue) => queue,
            // Made outside, so that nobody waits for the allocation.
            None => {
                let fresh = ArrayQueue::new(MOST_QUEUED);
                self.queue.get_or_init(|| fresh)
            }
        }
    }
}

impl<T: Batched> Lane for Batch<T> {
    fn len(&self) -> usize {
        self.queue.get().map_or(0, ArrayQueue::len)
    }

    fn take(&self, core: &Arc<Core>) -> Option<Queued> {
        let queue = self.queue.get()?;
        let (mut items, mut bytes, mut taken) = (Vec::new(), 0, 0);
        while items.len() < MOST_IN_BATCH {
            let Some(item) = queue.pop() else { break };
            taken += 1;
            core.unburden(weight(&item));
            match item.defect(core) {
                Some(defect) => {
                    diag::say(&core.options, Level::Warning, format_args!("not sent: {defect}"));
                    core.lose(item, Reason::Invalid);
                }
                None => {
                    bytes += item.bytes(core);
                    items.push(item);
                }
            }
        }
        // AcqRel: see above.
        self.count.fetch_sub(taken, AcqRel);
        if items.is_empty() {
            return None;
        }
        let losses = smallvec![ItemLoss::new(T::PIECES, items.len() as u64), ItemLoss::new(T::BYTES, bytes)];
        // Bytes are counted here, all at once: what counts on the way in is the item.
        core.ledger.capture(&losses[1..]);
        Some(Queued { parcel: Parcel::Batch(Box::new(items)), losses, weight: 0 })
    }

    fn seal(&self) {
        // AcqRel: see above.
        self.count.fetch_add(0, AcqRel);
    }

    fn category(&self) -> Category {
        T::PIECES
    }

    fn limit(&self, core: &Core, until: Instant) {
        // Relaxed: as in `is_limited`. Only the sender writes.
        self.limited_until.store(millis(until.saturating_duration_since(core.started)).max(1), Relaxed);
    }
}

/// A batch that was taken, whatever it holds.
pub(crate) trait Load: fmt::Debug + Send {
    fn into_item(self: Box<Self>, core: &Core) -> EnvelopeItem;
    fn write(&self, core: &Core, writer: &mut EnvelopeWriter<'_>) -> Result<(), serde_json::Error>;
}

impl<T: Batched> Load for Vec<T> {
    fn into_item(self: Box<Self>, core: &Core) -> EnvelopeItem {
        T::into_item(*self, core)
    }

    fn write(&self, core: &Core, writer: &mut EnvelopeWriter<'_>) -> Result<(), serde_json::Error> {
        T::write(self, core, writer)
    }
}

impl Core {
    /// Takes an item on its way that is counted as captured.
    pub(crate) fn ship<T: Batched>(self: &Arc<Self>, lane: &Batch<T>, item: T) {
        if lane.is_limited(self) {
            return self.lose(item, Reason::RatelimitBackoff);
        }
        let weight = weight(&item);
        if !self.burden(weight) {
            return self.lose(item, Reason::QueueOverflow);
        }
        match lane.push(item) {
            Ok(true) => self.wake_sender(),
            Ok(false) => {}
            Err(refused) => {
                self.unburden(weight);
                return self.lose(refused, Reason::QueueOverflow);
            }
        }
        if self.has_ended() {
            self.discard_queue(Reason::NetworkError);
        }
    }

    /// Drops and counts an item whose bytes were not counted yet.
    pub(crate) fn lose<T: Batched>(self: &Arc<Self>, item: T, reason: Reason) {
        self.lose_bytes(T::PIECES, T::BYTES, item.bytes(self), reason);
    }

    /// Drops and counts an item of so many bytes.
    pub(crate) fn lose_bytes(self: &Arc<Self>, pieces: Category, bytes: Category, quantity: u64, reason: Reason) {
        let losses = [ItemLoss::new(pieces, 1), ItemLoss::new(bytes, quantity)];
        self.ledger.capture(&losses[1..]);
        self.discard(&losses, reason);
    }
}

impl Sender {
    /// Sends the batches that are full or old enough; with a deadline all there is, until then. True: all of these.
    pub(super) fn drain_lanes(&mut self, deadline: Option<Instant>) -> bool {
        let core = Arc::clone(&self.core);
        let mut complete = true;
        for (lane, at) in core.lanes.all().into_iter().zip(0..) {
            let mut due = self.batches_due.get(at).copied().flatten();
            // No more than what is there now, as in `drain`.
            for _ in 0..lane.len().div_ceil(MOST_IN_BATCH) {
                let is_full = lane.len() >= MOST_IN_BATCH;
                if deadline.is_none() && !is_full && due.is_none_or(|due| Instant::now() < due) {
                    break;
                }
                if self.is_late(deadline) {
                    complete = false;
                    due = Some(Instant::now());
                    break;
                }
                due = None;
                if let Some(queued) = lane.take(&core) {
                    self.deliver(queued, deadline);
                }
            }
            if let Some(slot) = self.batches_due.get_mut(at) {
                *slot = (lane.len() > 0).then(|| due.unwrap_or_else(|| Instant::now() + BATCH_AGE));
            }
        }
        complete
    }
}

/// What an item counts for in the budget of bytes: nothing if it is small, since there are only so many of these.
fn weight<T: Batched>(item: &T) -> usize {
    let weight = item.weight();
    if weight > SMALL { weight } else { 0 }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// How many items go in one envelope: the server takes no more.
const MOST_IN_BATCH: usize = 100;
/// How long what waits for a full batch may wait.
const BATCH_AGE: Duration = Duration::from_secs(5);
/// How many items of one kind may wait; the specification allows no more.
const MOST_QUEUED: usize = 1_000;
/// Bytes up to which an item is small.
const SMALL: usize = 4 << 10;
