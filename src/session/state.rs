//! The state of a session in one word: how it stands, its errors, and how often the server was told.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::Outcome;
use crate::protocol::SessionStatus;

/// The word, which any thread may change.
///
/// ```text
///   63 ‥ 32: errors        7 ‥ 4: updates made        2: over        1 ‥ 0: status
/// ```
/// Relaxed throughout: the word publishes nothing but itself.
pub(crate) struct State(AtomicU64);

/// The word as it was at one moment.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Record(u64);

impl State {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Counts an error of a run. `Some`: it was the first.
    pub(crate) fn first_error(&self) -> Option<Record> {
        let before = self.change(|record| record.is_running().then(|| record.with_error().told_if_first()))?;
        (before.errors() == 0).then(|| before.with_error().told_if_first())
    }

    /// Counts an error that ends a run. `Some`: it was running.
    pub(crate) fn crash_and_end(&self) -> Option<Record> {
        let crashed = |record: Record| record.with_error().with(SessionStatus::Crashed).with_bits(OVER).told();
        let before = self.change(|record| record.is_running().then(|| crashed(record)))?;
        Some(crashed(before))
    }

    /// Counts an error, and perhaps a crash, of a request.
    pub(crate) fn mark(&self, crashed: bool) {
        self.change(|record| {
            let marked = record.with_error();
            record.is_running().then(|| if crashed { marked.with(SessionStatus::Crashed) } else { marked })
        });
    }

    /// Ends the session. `Some`: it was not over. A crash stays a crash, and counts as an error.
    pub(crate) fn end(&self, status: SessionStatus) -> Option<Record> {
        let end = |record: Record| {
            let status = match (record.status(), status) {
                (SessionStatus::Ok, SessionStatus::Ok) => SessionStatus::Exited,
                (SessionStatus::Ok, status) => status,
                (before, _) => before,
            };
            let unseen = status == SessionStatus::Crashed && record.errors() == 0;
            let counted = if unseen { record.with_error() } else { record };
            counted.with(status).with_bits(OVER).told()
        };
        let before = self.change(|record| (!record.is_over()).then(|| end(record)))?;
        Some(end(before))
    }

    /// Changes the word, unless `change` says not to, and returns what it was.
    fn change(&self, change: impl Fn(Record) -> Option<Record>) -> Option<Record> {
        let changed = self.0.fetch_update(Relaxed, Relaxed, |word| change(Record(word)).map(|record| record.0));
        changed.ok().map(Record)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Record(self.0.load(Relaxed)).fmt(f)
    }
}

impl Record {
    pub(crate) fn status(self) -> SessionStatus {
        match self.0 & STATUS {
            0 => SessionStatus::Ok,
            1 => SessionStatus::Exited,
            2 => SessionStatus::Crashed,
            _ => SessionStatus::Abnormal,
        }
    }

    pub(crate) fn errors(self) -> u64 {
        self.0 >> ERRORS
    }

    /// The number of this update: 0 for the first.
    pub(crate) fn sequence(self) -> u64 {
        ((self.0 & TOLD) / ONE_TOLD).saturating_sub(1)
    }

    pub(crate) fn is_over(self) -> bool {
        self.0 & OVER != 0
    }

    /// How a request went that ended like this.
    pub(crate) fn outcome(self) -> Outcome {
        match self.status() {
            SessionStatus::Crashed => Outcome::Crashed,
            SessionStatus::Abnormal => Outcome::Abnormal,
            SessionStatus::Ok | SessionStatus::Exited if self.errors() > 0 => Outcome::Errored,
            SessionStatus::Ok | SessionStatus::Exited => Outcome::Exited,
        }
    }

    /// True if nothing final has happened yet.
    fn is_running(self) -> bool {
        self.0 & (STATUS | OVER) == 0
    }

    fn with(self, status: SessionStatus) -> Self {
        let bits = match status {
            SessionStatus::Ok => 0,
            SessionStatus::Exited => 1,
            SessionStatus::Crashed => 2,
            SessionStatus::Abnormal => 3,
        };
        Self(self.0 & !STATUS | bits)
    }

    fn with_bits(self, bits: u64) -> Self {
        Self(self.0 | bits)
    }

    /// One more error, up to four billion.
    fn with_error(self) -> Self {
        Self(self.0.checked_add(ONE_ERROR).unwrap_or(self.0))
    }

    /// One more update. There are two at most: for the first error, and for the end.
    fn told(self) -> Self {
        Self(self.0 + ONE_TOLD)
    }

    /// One more update, if there is one error.
    fn told_if_first(self) -> Self {
        if self.errors() == 1 { self.told() } else { self }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("status", &self.status())
            .field("errors", &self.errors())
            .field("is_over", &self.is_over())
            .field("sequence", &self.sequence())
            .finish()
    }
}

/// How it stands.
const STATUS: u64 = 0b11;
/// Set when it is over: nothing changes any more.
const OVER: u64 = 1 << 2;
/// How many updates were made.
const TOLD: u64 = 0b1111 << 4;
const ONE_TOLD: u64 = 1 << 4;
/// Where the number of errors starts.
const ERRORS: u32 = 32;
const ONE_ERROR: u64 = 1 << ERRORS;
