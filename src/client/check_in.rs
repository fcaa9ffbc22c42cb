//! Check-ins on their way to the queue.

use std::sync::Arc;

use smallvec::smallvec;
use uuid::Uuid;

use super::parcel::{Parcel, Queued};
use super::{Client, Core};
use crate::callback;
use crate::protocol::MonitorCheckIn;
use crate::protocol::client_report::{Category, ItemLoss};
use crate::wire::EnvelopeItem;

impl Client {
    /// Captures what a scheduled job says, in an envelope of its own, and returns the id of the run; nil if it was dropped.
    ///
    /// An environment that is missing is filled in from the options.
    #[inline]
    pub fn capture_check_in(&self, check_in: MonitorCheckIn) -> Uuid {
        self.core().capture_check_in(check_in)
    }
}

impl Core {
    /// Takes a check-in on its way, put together where it goes to the queue from: it is copied there, and nowhere else.
    fn capture_check_in(self: &Arc<Self>, mut check_in: MonitorCheckIn) -> Uuid {
        if !self.is_open() || !callback::may_capture() {
            return Uuid::nil();
        }
        if check_in.environment.is_none() {
            check_in.environment = self.options.environment.as_deref().map(str::to_owned);
        }
        let id = check_in.check_in_id;
        let losses = smallvec![ItemLoss::new(Category::Monitor, 1)];
        self.ledger.capture(&losses);
        let parcel = Parcel::Item(EnvelopeItem::MonitorCheckIn(check_in));
        if self.enqueue_whole(&mut Some(Queued { parcel, losses, weight: 0 })) { id } else { Uuid::nil() }
    }
}
