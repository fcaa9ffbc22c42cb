//! A span that is not recorded: its ids, and the data that was set on it, for those who read it back.
//!
//! Few ask for its id: it is made up when somebody does.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::record::{Note, Notes};
use super::text::Text;
use crate::protocol::{SpanId, TraceContext, TraceId};
use crate::sync::chain::Chain;

/// A span of a transaction that is not recorded. Allocates nothing before data is set.
#[derive(Debug)]
pub(super) struct Bare {
    /// Zero while there is none.
    span_id: AtomicU64,
    parent_span_id: SpanId,
    op: Text,
    /// Empty, or the one chain of notes that this handle shares with those that are cloned from it.
    notes: Chain<Arc<Chain<Note>>>,
}

impl Bare {
    #[inline]
    pub(super) fn new(span_id: Option<SpanId>, parent_span_id: SpanId, op: Text) -> Self {
        let span_id = AtomicU64::new(span_id.map_or(0, SpanId::to_bits));
        Self { span_id, parent_span_id, op, notes: Chain::new() }
    }

    /// The span's id, the same for all who ask.
    pub(super) fn span_id(&self) -> SpanId {
        // Relaxed, here and below: an id tells of itself alone.
        let known = self.span_id.load(Relaxed);
        if known != 0 {
            return SpanId::from_bits(known);
        }
        let made = SpanId::default();
        let first = self.span_id.compare_exchange(0, made.to_bits(), Relaxed, Relaxed);
        first.map_or_else(SpanId::from_bits, |_| made)
    }

    /// Notes a piece of data. Anything else would be sent with the span, which is not sent.
    pub(super) fn note(&self, note: Note) {
        if self.notes.newest().is_none() {
            // Refused: another thread was first, and all use its chain.
            _ = self.notes.push_up_to(1, Arc::new(Chain::new()));
        }
        if let Some(notes) = self.notes.newest() {
            // Never refused: nobody seals it.
            _ = notes.push(note);
        }
    }

    pub(super) fn notes(&self) -> Notes {
        self.notes.newest().map(|notes| Notes::of(notes, true)).unwrap_or_default()
    }

    pub(super) fn trace_context(&self, trace_id: TraceId) -> TraceContext {
        TraceContext {
            span_id: self.span_id(),
            trace_id,
            parent_span_id: Some(self.parent_span_id),
            op: Some(self.op.as_str().to_owned()),
            data: self.notes().data,
            ..TraceContext::default()
        }
    }
}

impl Clone for Bare {
    fn clone(&self) -> Self {
        let clone = Self::new(Some(self.span_id()), self.parent_span_id, self.op.clone());
        if let Some(notes) = self.notes.newest() {
            // Never refused: nobody else has the clone.
            _ = clone.notes.push(Arc::clone(notes));
        }
        clone
    }
}
