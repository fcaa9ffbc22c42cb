//! Requests by minute and user, merged by the sender.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use super::{DistinctId, Outcome};
use crate::protocol::SessionAggregateItem;

/// Counts of requests, one bucket for each minute and user.
#[derive(Debug, Default)]
pub(crate) struct Buckets(HashMap<(u32, Option<DistinctId>), Counts>);

type Counts = [u32; Outcome::ALL.len()];

/// Buckets that go into one item, and how many sessions they stand for.
pub(crate) struct Part {
    pub(crate) items: Vec<SessionAggregateItem>,
    pub(crate) sessions: u64,
}

impl Buckets {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn add(&mut self, minute: u32, did: Option<DistinctId>, outcome: Outcome, count: u32) {
        let counts = self.0.entry((minute, did)).or_default();
        if let Some(sum) = counts.get_mut(outcome as usize) {
            *sum = sum.saturating_add(count);
        }
    }

    /// Takes up to `most` buckets.
    pub(crate) fn take(&mut self, most: usize) -> Option<Part> {
        let mut left = most;
        let taken = self.0.extract_if(|_, _| {
            let take = left > 0;
            left = left.saturating_sub(1);
            take
        });
        let mut part = Part { items: Vec::new(), sessions: 0 };
        for ((minute, did), counts) in taken {
            part.sessions += counts.iter().map(|count| u64::from(*count)).sum::<u64>();
            part.items.push(item(minute, did.as_ref(), counts));
        }
        // Not in the order of a hash.
        part.items.sort_by(|a, b| (a.started, &a.distinct_id).cmp(&(b.started, &b.distinct_id)));
        (!part.items.is_empty()).then_some(part)
    }
}

fn item(minute: u32, did: Option<&DistinctId>, [exited, errored, crashed, abnormal]: Counts) -> SessionAggregateItem {
    SessionAggregateItem {
        started: SystemTime::UNIX_EPOCH + Duration::from_secs(60 * u64::from(minute)),
        distinct_id: did.map(|did| did.as_str().to_owned()),
        exited,
        errored,
        abnormal,
        crashed,
    }
}
