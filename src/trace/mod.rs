//! Transactions and spans: what took how long, and as part of what.
//!
//! ```text
//!  Transaction ──► Tree ◄── Span ──► Record           Tree: ids, decision, root record, records of spans
//!       └► Tracer (a client)                          Record: what one span is and what was noted about it
//! ```
//! A span that is sampled is one record, in a place that the tree gives it when it starts. What is noted about it goes to a
//! chain on the record, and is put together once, on the thread that sends. A span that is not sampled is a few ids in its
//! handle.
//!
//! # Guarantees
//! Nothing here takes a lock or waits for another thread. A finished span is there in full or not at all; the transaction
//! takes those that finished before it did. A record does not know its tree, so dropping handles in any order frees all.
//! However many spans a transaction starts, it keeps no more than about a thousand of them.

mod baggage;
mod bare;
mod context;
mod either;
mod headers;
mod latest;
mod outgoing;
mod record;
mod sampling;
mod span;
pub(crate) mod spare;
mod text;
mod transaction;
mod tree;
pub(crate) mod written;

use std::panic::RefUnwindSafe;
use std::sync::Arc;

pub(crate) use self::baggage::{Baggage, Origin};
pub use self::context::{CustomTransactionContext, TracesSampler, TransactionContext, TransactionContextBuilder};
pub use self::either::TransactionOrSpan;
#[expect(deprecated, reason = "what is deprecated is there all the same")]
pub use self::headers::{HeaderParseError, SentryTrace, TracePropagationContext, parse_headers};
pub use self::outgoing::{TraceHeader, TraceHeaders, TraceHeadersIter};
pub use self::span::{Data, Span};
pub use self::transaction::{Transaction, TransactionData};
pub(crate) use self::tree::Tree;
use crate::options::ClientOptions;

/// What a transaction asks of the client that it was started with.
pub(crate) trait Tracer: Send + Sync + RefUnwindSafe {
    fn options(&self) -> &ClientOptions;

    /// What the client says about itself to all services in a trace.
    fn origin(&self) -> &Arc<Origin>;

    /// Takes a sampled transaction that has ended.
    fn finish(&self, tree: Arc<Tree>);

    /// Counts a transaction that was not sampled, with so many spans beside itself.
    fn discard(&self, spans: u64);
}

/// How many spans a transaction takes.
const MOST_SPANS: u32 = 1_000;
