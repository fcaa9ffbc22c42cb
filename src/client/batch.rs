//! Batches: what comes in pieces and leaves in hundreds. Written once, for every kind of telemetry that travels so.
//!
//! ```text
//!  any thread ── push ─► inbox ── take, up to 100 ─► sender
//!                 │ the first, and the hundredth: wake
//! ```
//! # Guarantees
//! Pushing allocates nothing but the queue, with the first item; it waits for nobody, and wakes the sender only for the first
//! item and when there are enough for a batch. A sender that was just at work with a lane looks again by itself, and is woken
//! by a quarter of the queue, or after a moment by a batch: waking a thread costs more than all the rest of a push. The order
//! is kept.
//!
//! **Not here**: which kinds there are (`lane`).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use smallvec::smallvec;

use super::Core;
use super::parcel::{Parcel, Queued};
use super::sender::Sender;
use crate::diag;
use crate::offer::Left;
use crate::protocol::Level;
use crate::protocol::client_report::{Category, ItemLoss, LossSource, Reason};
use crate::sync::inbox::{Inbox, Pushed};
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
    inbox: Inbox<T>,
    /// Until when the server wants none, in milliseconds since the client's start; zero: it never said.
    limited_until: AtomicU64,
}

/// What the sender does with a kind, whichever it is.
pub(crate) trait Lane {
    /// How many items wait.
    fn len(&self) -> usize;

    /// Takes a batch of what waits, in order, and says how many that were. What can't be sent is dropped and counted.
    fn take(&self, core: &Arc<Core>) -> (usize, Option<Queued>);

    /// Asks for the sender to be woken by the first item, or if some wait, by the one that makes a batch. Returns how many do.
    fn arm(&self) -> usize;

    /// Asks for the sender to be woken by the item that makes `wanted`. Returns how many wait.
    fn arm_at(&self, wanted: usize) -> usize;

    /// Makes sure that whoever pushes after this sees what was done before.
    fn seal(&self);

    /// Drops and counts what waits, at the end of the client.
    fn discard(&self, core: &Arc<Core>, reason: Reason);

    fn category(&self) -> Category;

    /// Lets none in until then.
    fn limit(&self, core: &Core, until: Instant);
}

impl<T> Batch<T> {
    pub(crate) fn new() -> Self {
        Self { inbox: Inbox::new(MOST_QUEUED), limited_until: AtomicU64::new(0) }
    }

    /// True if the server wants none now.
    fn is_limited(&self, core: &Core) -> bool {
        // Relaxed: a limit publishes nothing but itself.
        let until = self.limited_until.load(Relaxed);
        until != 0 && millis(core.started.elapsed()) < until
    }
}

impl<T: Batched> Lane for Batch<T> {
    fn len(&self) -> usize {
        self.inbox.len()
    }

    fn take(&self, core: &Arc<Core>) -> (usize, Option<Queued>) {
        let (mut items, mut bytes, mut taken) = (Vec::new(), 0, 0);
        while items.len() < MOST_IN_BATCH {
            let Some(item) = self.inbox.take() else { break };
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
        if items.is_empty() {
            return (taken, None);
        }
        let losses = smallvec![ItemLoss::new(T::PIECES, items.len() as u64), ItemLoss::new(T::BYTES, bytes)];
        // Bytes are counted here, all at once: what counts on the way in is the item.
        core.ledger.capture(&losses[1..]);
        (taken, Some(Queued { parcel: Parcel::Batch(Box::new(items)), losses, weight: 0 }))
    }

    fn arm(&self) -> usize {
        self.inbox.arm(MOST_IN_BATCH)
    }

    fn arm_at(&self, wanted: usize) -> usize {
        self.inbox.arm_at(wanted)
    }

    fn seal(&self) {
        self.inbox.seal();
    }

    fn discard(&self, core: &Arc<Core>, reason: Reason) {
        while let Some(item) = self.inbox.take() {
            core.unburden(weight(&item));
            core.lose(item, reason);
        }
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
    /// Takes an item on its way that is counted as captured. Runs no code of the host.
    #[inline]
    pub(crate) fn offer<T: Batched>(&self, lane: &Batch<T>, item: &mut Option<T>) -> Option<Left> {
        if lane.is_limited(self) {
            return Some(Left::Refused(Reason::RatelimitBackoff));
        }
        let weight = item.as_ref().map_or(0, weight);
        if !self.burden(weight) {
            return Some(Left::Refused(Reason::QueueOverflow));
        }
        match lane.inbox.push(item) {
            // Asked after the push, which orders it: see `Inbox::seal`.
            Pushed::Queued if !self.has_ended() => None,
            Pushed::Queued | Pushed::Wake => Some(Left::Told),
            Pushed::Full => {
                self.unburden(weight);
                Some(Left::Refused(Reason::QueueOverflow))
            }
        }
    }

    /// Does what [`offer`](Self::offer) left, but for a callback.
    pub(crate) fn finish<T: Batched>(self: &Arc<Self>, left: Left, item: Option<T>) {
        if let (Left::Refused(reason), Some(item)) = (left, item) {
            return self.lose(item, reason);
        }
        self.wake_sender();
        if self.has_ended() {
            self.discard_late();
        }
    }

    /// Takes an item on its way that everybody has seen.
    pub(crate) fn ship<T: Batched>(self: &Arc<Self>, lane: &Batch<T>, item: T) {
        let mut item = Some(item);
        if let Some(left) = self.offer(lane, &mut item) {
            self.finish(left, item);
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
            let (mut is_stuck, mut is_busy) = (false, false);
            // No more than what is there now, as in `drain`.
            let mut left = lane.len();
            while left > 0 {
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
                let (taken, batch) = lane.take(&core);
                left = left.saturating_sub(taken);
                is_busy |= taken > 0;
                if let Some(batch) = batch {
                    self.deliver(batch, deadline);
                }
                if taken == 0 {
                    // Whoever pushes the next one has not written it yet. A request may wait for that, within its time.
                    if deadline.is_none() {
                        is_stuck = true;
                        break;
                    }
                    std::thread::yield_now();
                }
            }
            self.has_batched |= is_busy;
            if let Some(slot) = self.batches_due.get_mut(at) {
                // Where one batch came, others follow, and the sender looks again by itself: see `idle_time`.
                let wanted = if is_busy { ENOUGH } else { MOST_IN_BATCH };
                let looks_again = is_busy || due.is_some_and(|due| Instant::now() < due);
                *slot = match if looks_again { lane.arm_at(wanted) } else { lane.arm() } {
                    0 if !looks_again => None,
                    _ if is_stuck => Some(Instant::now() + A_MOMENT),
                    waiting if waiting >= wanted => Some(Instant::now()),
                    _ => Some(due.unwrap_or_else(|| Instant::now() + BATCH_AGE)),
                };
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

/// What the books call an item's bytes.
pub(super) fn bytes_of(item: &impl LossSource, category: Category) -> u64 {
    item.losses().filter(|loss| loss.category == category).map(|loss| loss.quantity).sum()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// How many items go in one envelope: the server takes no more.
const MOST_IN_BATCH: usize = 100;
/// How many items are worth waking the sender for that was just at work with their lane.
const ENOUGH: usize = MOST_QUEUED / 4;
/// How long what waits for a full batch may wait.
const BATCH_AGE: Duration = Duration::from_secs(5);
/// How long the sender waits for an item that is being written.
const A_MOMENT: Duration = Duration::from_millis(1);
/// How many items of one kind may wait; the specification allows no more.
const MOST_QUEUED: usize = 1_000;
/// Bytes up to which an item is small.
const SMALL: usize = 4 << 10;
