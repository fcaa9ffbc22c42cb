//! Transactions of a hub, and the trace of its scope.

use std::sync::Arc;
use std::time::SystemTime;

use super::Hub;
use super::bound::Backend;
use crate::gate;
use crate::scope::Scope;
use crate::trace::{Baggage, TraceHeader, TraceHeaders, Transaction, TransactionContext};

impl Hub {
    /// Starts a transaction, which this hub's client samples, and takes when it is finished.
    ///
    /// Without an open client nothing is recorded, but the trace is passed on.
    pub fn start_transaction(&self, mut context: TransactionContext) -> Transaction {
        self.start(&mut context, None)
    }

    /// Starts a transaction as [`start_transaction`](Self::start_transaction) does, at the given time.
    pub fn start_transaction_with_timestamp(
        &self,
        mut context: TransactionContext,
        timestamp: SystemTime,
    ) -> Transaction {
        self.start(&mut context, Some(timestamp))
    }

    fn start(&self, context: &mut TransactionContext, timestamp: Option<SystemTime>) -> Transaction {
        let tracer = self.bound().filter(Backend::is_enabled).map(Backend::into_tracer);
        Transaction::start(context, tracer, timestamp)
    }

    /// The scope on top, as of now.
    pub(crate) fn scope(&self) -> Scope {
        self.stack.top().snapshot()
    }
}

impl Scope {
    /// The headers that pass the trace on: those of the active span, or else those of the scope's own trace, about which
    /// nothing is decided yet.
    pub fn iter_trace_propagation_headers(&self) -> impl Iterator<Item = TraceHeader> + use<> {
        self.trace_headers().into_iter()
    }

    /// The headers that pass the trace on. With an active span this does not allocate.
    ///
    /// The scope's own trace speaks for the client of the current hub.
    #[must_use]
    pub fn trace_headers(&self) -> TraceHeaders {
        if let Some(span) = self.span() {
            return span.trace_headers();
        }
        let (trace_id, span_id) = self.ids();
        let client = Hub::with_active(|hub| hub.bound());
        let baggage = client.map(|client| Arc::new(Baggage::of(client.into_tracer().origin().undecided(trace_id))));
        TraceHeaders::new(trace_id, span_id, None, baggage)
    }
}

/// Starts a transaction with the current hub; `None`: now.
pub(crate) fn start_with_current(mut context: TransactionContext, timestamp: Option<SystemTime>) -> Transaction {
    if gate::is_open() {
        Hub::current().start(&mut context, timestamp)
    } else {
        Transaction::start(&mut context, None, timestamp)
    }
}
