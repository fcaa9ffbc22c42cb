//! Offering an item to a client while a hub is borrowed, when no code of the host may run.

use crate::protocol::client_report::Reason;

/// What is left to be done for an item that was offered while a hub was borrowed, as soon as none is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Left {
    /// It is queued, and the sender is to be told.
    Told,
    /// It has no place, for this reason, and was left where it is.
    Refused(Reason),
    /// A callback has to see it first.
    Examined,
}
