//! A place at a transport: a client and its clones share one, and the last of them shuts it down.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::transport::Transport;

/// One client's place at a transport.
pub(crate) struct Ticket {
    transport: Arc<dyn Transport>,
    /// How many tickets are out. Nobody comes back after it was zero.
    holders: Arc<AtomicUsize>,
}

impl Ticket {
    /// The first ticket for a transport.
    pub(crate) fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, holders: Arc::new(AtomicUsize::new(1)) }
    }

    /// A ticket for one more client.
    pub(crate) fn another(&self) -> Self {
        // Relaxed: only the count counts. It is not zero, as this one is out.
        self.holders.fetch_add(1, Relaxed);
        Self { transport: Arc::clone(&self.transport), holders: Arc::clone(&self.holders) }
    }

    pub(crate) fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// Gives the ticket back. True: it was the last one, and the transport is to be shut down.
    pub(crate) fn give_back(self) -> bool {
        // Relaxed: as in `another`; what the others sent, the transport keeps in order itself.
        self.holders.fetch_sub(1, Relaxed) == 1
    }
}
