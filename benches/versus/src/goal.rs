//! What is wanted of an operation, and whether it holds.

use crate::contention::Outcome;
use crate::measure::Compared;

/// Bounds; infinite or zero where there is none.
#[derive(Clone, Copy)]
pub struct Goal {
    /// How often ours fits into the peer's time, at least.
    pub times: f64,
    /// At most, for a call.
    pub nanos: f64,
    /// At most, for a call, on the calling thread.
    pub allocations: f64,
}

/// Less than that is a loss; what lies between is the machine's.
const EVEN: f64 = 0.95;

/// Where nobody listens.
pub const FREE: Goal = Goal::times(20.0).nanos(1.0).allocs(0.0);

impl Compared {
    pub fn is_lost(&self) -> bool {
        self.ratio.is_some_and(|ratio| ratio < EVEN)
    }
}

impl Outcome {
    /// Round by round, and on the whole: the time of several threads is also that of others on the machine.
    pub fn is_lost(&self) -> bool {
        self.ratio < EVEN && self.ours.calls < EVEN * self.peer.calls
    }
}

impl Goal {
    pub const NONE: Self = Self { times: 0.0, nanos: f64::INFINITY, allocations: f64::INFINITY };

    pub const fn times(times: f64) -> Self {
        Self { times, ..Self::NONE }
    }

    pub const fn allocs_only(allocations: f64) -> Self {
        Self::NONE.allocs(allocations)
    }

    pub const fn nanos(self, nanos: f64) -> Self {
        Self { nanos, ..self }
    }

    pub const fn allocs(self, allocations: f64) -> Self {
        Self { allocations, ..self }
    }

    /// Whether it holds; nothing to say where there is no goal.
    pub fn verdict(&self, row: &Compared) -> Option<bool> {
        let met = row.ratio.is_none_or(|ratio| ratio >= self.times)
            && row.ours.nanos.median <= self.nanos
            && row.ours.allocations.round() <= self.allocations;
        (!self.text().is_empty()).then_some(met)
    }

    pub fn text(&self) -> String {
        let mut parts = Vec::new();
        if self.times > 0.0 {
            parts.push(format!("{}x", self.times));
        }
        if self.nanos.is_finite() {
            parts.push(format!("≤ {} ns", self.nanos));
        }
        if self.allocations.is_finite() {
            parts.push(format!("≤ {} allocs", self.allocations));
        }
        parts.join(", ")
    }
}
