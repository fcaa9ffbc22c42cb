//! Transactions and spans: what took how long, and as part of what.

mod context;

pub use self::context::{CustomTransactionContext, TracesSampler, TransactionContext};
