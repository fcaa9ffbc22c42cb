//! The active span of a scope, and the trace that is captured in.

use super::Scope;
use super::draft::Group;
use crate::protocol::{SpanId, TraceId};
use crate::sync::swap::Shared;
use crate::trace::TransactionOrSpan;

impl Scope {
    /// Sets or removes the active span, to whose trace events belong.
    pub fn set_span(&mut self, span: Option<TransactionOrSpan>) {
        self.draft.touch(Group::Span);
        self.span = span.map(Shared::new);
    }

    /// The active span, if there is one.
    #[must_use]
    pub fn get_span(&self) -> Option<TransactionOrSpan> {
        self.span().cloned()
    }

    pub(crate) fn span(&self) -> Option<&TransactionOrSpan> {
        self.span.as_deref()
    }

    /// The ids of the trace and of the span that is captured in: the active one, or that of the scope itself.
    pub(crate) fn ids(&self) -> (TraceId, SpanId) {
        self.span().map_or((self.trace.trace_id, self.trace.span_id), TransactionOrSpan::ids)
    }

    /// Lets go of the active span, which must not leave the capturing thread.
    pub(crate) fn without_span(self) -> Self {
        Self { span: None, ..self }
    }
}
