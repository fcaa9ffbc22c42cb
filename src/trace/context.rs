//! What is known about a transaction before it starts.

use serde_json::Value;

use crate::protocol::{SpanId, TraceId};

/// Says with which probability a transaction is sampled, from `0.0` to `1.0`.
pub type TracesSampler = dyn Fn(&TransactionContext) -> f32 + Send + Sync;

/// Data for a [sampler](TracesSampler), by name.
pub type CustomTransactionContext = serde_json::Map<String, Value>;

/// What is known about a transaction before it starts.
#[derive(Clone, Debug)]
pub struct TransactionContext {
    name: String,
    op: String,
    trace_id: TraceId,
    parent_span_id: Option<SpanId>,
    span_id: SpanId,
    sampled: Option<bool>,
    custom: Option<CustomTransactionContext>,
}

impl TransactionContext {
    /// A transaction that starts a new trace.
    #[must_use]
    pub fn new(name: &str, op: &str) -> Self {
        Self {
            name: name.to_owned(),
            op: op.to_owned(),
            trace_id: TraceId::default(),
            parent_span_id: None,
            span_id: SpanId::default(),
            sampled: None,
            custom: None,
        }
    }
}
