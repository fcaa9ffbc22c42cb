//! What became of everything that was captured, counted exactly.
//!
//! ```text
//!   captured = delivered + handed over + discarded + held
//! ```
//! holds for each category at every quiet moment.

use std::fmt;
use std::sync::Arc;

use crate::protocol::ClientReport;
use crate::protocol::client_report::{Category, Item, ItemLoss, LossSource, Reason};
use crate::sync::tally::Tally;
use crate::types::IndexedEnum;

/// The counts of one client.
#[derive(Debug)]
pub(crate) struct Ledger {
    captured: Tally<CATEGORIES>,
    /// What is held no longer. A count of its own beside where things went, so that the books can be checked; and a count of
    /// what left, not of what is held, so that whoever captures writes one number only, and the sender another.
    left: Tally<CATEGORIES>,
    delivered: Tally<CATEGORIES>,
    handed_over: Tally<CATEGORIES>,
    discarded: Tally<CELLS>,
    /// The part of `discarded` that the server has not been told yet.
    unreported: Tally<CELLS>,
    /// What was dropped as it came in, beside all of the above: one number to write instead of four.
    turned_away: Tally<CELLS>,
    /// The part of that which the server has been told of.
    told: Tally<CELLS>,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            captured: Tally::new(),
            left: Tally::new(),
            delivered: Tally::new(),
            handed_over: Tally::new(),
            discarded: Tally::new(),
            unreported: Tally::new(),
            turned_away: Tally::new(),
            told: Tally::new(),
        }
    }

    /// Counts what comes in, as held.
    #[inline]
    pub(crate) fn capture(&self, losses: &[ItemLoss]) {
        for loss in losses {
            self.captured.add(loss.category.as_index(), loss.quantity);
        }
    }

    /// Counts what the server took.
    pub(crate) fn deliver(&self, losses: &[ItemLoss]) {
        self.settle(losses, &self.delivered);
    }

    /// Counts what a transport took that does not say what becomes of it.
    pub(crate) fn hand_over(&self, losses: &[ItemLoss]) {
        self.settle(losses, &self.handed_over);
    }

    /// Counts what was dropped, to be reported to the server.
    pub(crate) fn discard(&self, losses: &[ItemLoss], reason: Reason) {
        self.discard_known(losses, reason);
        for loss in losses {
            self.unreported.add(cell(loss.category, loss.reason.unwrap_or(reason)), loss.quantity);
        }
    }

    /// Counts what came in and was dropped at once, to be reported to the server.
    pub(crate) fn capture_and_discard(&self, losses: &[ItemLoss], reason: Reason) {
        for loss in losses {
            self.turned_away.add(cell(loss.category, reason), loss.quantity);
        }
    }

    /// Counts what was dropped and what the server knows of: it refused it because of a limit.
    pub(crate) fn discard_known(&self, losses: &[ItemLoss], reason: Reason) {
        for loss in losses {
            self.left.add(loss.category.as_index(), loss.quantity);
            self.discarded.add(cell(loss.category, reason), loss.quantity);
        }
    }

    fn settle(&self, losses: &[ItemLoss], as_what: &Tally<CATEGORIES>) {
        for loss in losses {
            self.left.add(loss.category.as_index(), loss.quantity);
            as_what.add(loss.category.as_index(), loss.quantity);
        }
    }

    /// Moves what a transport lost after it was handed over. A transport can't lose more than it was handed.
    pub(crate) fn lose_handed_over(&self, losses: impl Iterator<Item = ItemLoss>, reason: Reason) {
        for loss in losses {
            // Entries of a lost client report carry their own reason, and were never handed over as such.
            if let Some(reported) = loss.reason {
                self.unreported.add(cell(loss.category, reported), loss.quantity);
                continue;
            }
            let quantity = self.handed_over.take_up_to(loss.category.as_index(), loss.quantity);
            self.discarded.add(cell(loss.category, reason), quantity);
            self.unreported.add(cell(loss.category, reason), quantity);
        }
    }

    pub(crate) fn has_unreported(&self) -> bool {
        (0..CELLS).any(|cell| self.unreported.get(cell) != 0 || self.told.get(cell) < self.turned_away.get(cell))
    }

    /// Takes what the server has not been told yet. Each loss is in one report only.
    pub(crate) fn take_report(&self) -> Option<ClientReport> {
        let items: Vec<Item> = cells()
            .filter_map(|(category, reason)| {
                let cell = cell(category, reason);
                let quantity = self.unreported.take(cell) + self.told.raise(cell, self.turned_away.get(cell));
                (quantity != 0).then(|| Item::new(category, reason, quantity))
            })
            .collect();
        (!items.is_empty()).then(|| ClientReport::new(items))
    }

    /// Puts back a report that did not arrive.
    pub(crate) fn restore_report(&self, report: &ClientReport) {
        for loss in report.losses() {
            if let Some(reason) = loss.reason {
                self.unreported.add(cell(loss.category, reason), loss.quantity);
            }
        }
    }

    pub(crate) fn stats(&self, queued: usize) -> ClientStats {
        let read = |tally: &Tally<CATEGORIES>| std::array::from_fn(|index| tally.get(index));
        // In this order, what leaves meanwhile still counts as held, and nothing is held less than not at all.
        let left = read(&self.left);
        let mut captured = read(&self.captured);
        let mut held = captured;
        held.iter_mut().zip(left).for_each(|(held, left)| *held = held.saturating_sub(left));
        let turned_away: [u64; CELLS] = std::array::from_fn(|cell| self.turned_away.get(cell));
        for (category, reason) in cells() {
            if let (Some(captured), Some(turned_away)) =
                (captured.get_mut(category.as_index()), turned_away.get(cell(category, reason)))
            {
                *captured += turned_away;
            }
        }
        ClientStats {
            captured,
            delivered: read(&self.delivered),
            handed_over: read(&self.handed_over),
            held,
            discarded: cells()
                .map(|(category, reason)| Discarded {
                    category,
                    reason,
                    quantity: self.discarded.get(cell(category, reason))
                        + turned_away.get(cell(category, reason)).copied().unwrap_or(0),
                })
                .filter(|discarded| discarded.quantity != 0)
                .collect(),
            queued,
        }
    }
}

/// Lets a transport say that it lost something it had taken.
///
/// One made by default belongs to no client: what it records is counted nowhere.
#[derive(Clone, Debug)]
pub struct Recorder {
    ledger: Arc<Ledger>,
}

impl Recorder {
    pub(crate) fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger }
    }

    /// A recorder of no client: what it records is counted nowhere.
    pub(crate) fn detached() -> Self {
        Self::new(Arc::new(Ledger::new()))
    }

    /// Counts `source`, which the transport was handed, as lost. It is reported to the server.
    pub fn record_lost_data<L: LossSource>(&self, source: &L, reason: LossReason) {
        self.ledger.lose_handed_over(source.losses(), reason.into());
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::detached()
    }
}

/// Why a transport lost something.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum LossReason {
    /// The transport failed by its own fault.
    InternalError,
    /// The server could not be reached.
    NetworkError,
    /// The transport's queue was full.
    QueueOverflow,
    /// The server had asked for a pause.
    RatelimitBackoff,
    /// The server refused it.
    SendError,
}

impl From<LossReason> for Reason {
    fn from(reason: LossReason) -> Self {
        match reason {
            LossReason::InternalError => Self::InternalSdkError,
            LossReason::NetworkError => Self::NetworkError,
            LossReason::QueueOverflow => Self::QueueOverflow,
            LossReason::RatelimitBackoff => Self::RatelimitBackoff,
            LossReason::SendError => Self::SendError,
        }
    }
}

/// What became of everything a client captured. Attachments and the like count in bytes, the rest in pieces.
///
/// Logs and metrics count in both: in pieces when they are captured, in bytes when they leave or are dropped.
///
/// At a quiet moment, `captured = delivered + handed_over + discarded + held` for each category.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientStats {
    captured: [u64; CATEGORIES],
    delivered: [u64; CATEGORIES],
    handed_over: [u64; CATEGORIES],
    held: [u64; CATEGORIES],
    discarded: Vec<Discarded>,
    queued: usize,
}

/// How much of a category was dropped for a reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Discarded {
    /// What was dropped.
    pub category: Category,
    /// Why it was dropped.
    pub reason: Reason,
    /// How much of it.
    pub quantity: u64,
}

impl ClientStats {
    /// What came in.
    #[must_use]
    pub fn captured(&self, category: Category) -> u64 {
        at(&self.captured, category)
    }

    /// What the server took.
    #[must_use]
    pub fn delivered(&self, category: Category) -> u64 {
        at(&self.delivered, category)
    }

    /// What a transport took that does not say what becomes of it.
    #[must_use]
    pub fn handed_over(&self, category: Category) -> u64 {
        at(&self.handed_over, category)
    }

    /// What is still on its way: queued, or being sent.
    #[must_use]
    pub fn held(&self, category: Category) -> u64 {
        at(&self.held, category)
    }

    /// What was dropped, for whatever reason.
    #[must_use]
    pub fn discarded(&self, category: Category) -> u64 {
        self.discarded
            .iter()
            .filter(|discarded| discarded.category == category)
            .map(|discarded| discarded.quantity)
            .sum()
    }

    /// What was dropped, by category and reason.
    #[must_use]
    pub fn discards(&self) -> &[Discarded] {
        &self.discarded
    }

    /// How many items wait for the sender.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// True if each captured item of the category is accounted for.
    #[must_use]
    pub fn is_balanced(&self, category: Category) -> bool {
        let settled = self.delivered(category) + self.handed_over(category) + self.discarded(category);
        self.captured(category) == settled + self.held(category)
    }
}

impl fmt::Display for ClientStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for category in Category::VARIANTS.iter().filter(|category| self.captured(**category) != 0) {
            writeln!(
                f,
                "{category:?}: {} captured = {} delivered + {} handed over + {} discarded + {} held",
                self.captured(*category),
                self.delivered(*category),
                self.handed_over(*category),
                self.discarded(*category),
                self.held(*category),
            )?;
        }
        Ok(())
    }
}

fn at(counts: &[u64; CATEGORIES], category: Category) -> u64 {
    counts.get(category.as_index()).copied().unwrap_or_default()
}

fn cell(category: Category, reason: Reason) -> usize {
    category.as_index() * Reason::VARIANTS.len() + reason.as_index()
}

fn cells() -> impl Iterator<Item = (Category, Reason)> {
    Category::VARIANTS.iter().flat_map(|category| Reason::VARIANTS.iter().map(|reason| (*category, *reason)))
}

const CATEGORIES: usize = Category::VARIANTS.len();
const CELLS: usize = CATEGORIES * Reason::VARIANTS.len();

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Ledger, LossReason, Recorder};
    use crate::protocol::Event;
    use crate::protocol::client_report::{Category, LossSource, Reason};

    #[test]
    fn a_loss_after_the_hand_over_moves_from_there_to_the_discarded() {
        let ledger = Arc::new(Ledger::new());
        let event = Event::default();
        let losses: Vec<_> = event.losses().collect();
        ledger.capture(&losses);
        ledger.hand_over(&losses);
        assert_eq!(ledger.stats(0).handed_over(Category::Error), 1);
        Recorder::new(Arc::clone(&ledger)).record_lost_data(&event, LossReason::NetworkError);
        let stats = ledger.stats(0);
        assert_eq!((stats.handed_over(Category::Error), stats.discarded(Category::Error)), (0, 1));
        assert!(stats.is_balanced(Category::Error));
        assert!(ledger.has_unreported());
    }

    #[test]
    fn a_loss_is_in_one_report_only_and_comes_back_with_a_report_that_was_lost() {
        let ledger = Ledger::new();
        let losses: Vec<_> = Event::default().losses().collect();
        ledger.capture(&losses);
        ledger.discard(&losses, Reason::QueueOverflow);
        let report = ledger.take_report().unwrap();
        assert!(ledger.take_report().is_none());
        ledger.restore_report(&report);
        assert_eq!(ledger.take_report().map(|again| again.losses().count()), Some(1));
    }

    #[test]
    fn what_the_server_refused_because_of_a_limit_is_not_reported_back_to_it() {
        let ledger = Ledger::new();
        let losses: Vec<_> = Event::default().losses().collect();
        ledger.capture(&losses);
        ledger.discard_known(&losses, Reason::RatelimitBackoff);
        assert!(!ledger.has_unreported());
        assert!(ledger.stats(0).is_balanced(Category::Error));
    }
}
