//! What a transaction and its spans share: ids, the decision, the transaction's own record, and the spans that finished.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::SystemTime;

use super::baggage::{Baggage, Origin};
use super::context::{Ancestry, TransactionContext};
use super::record::{Facts, Note, Record};
use super::sampling::{Decision, Fate, sample_rand, sample_rand_of};
use super::spare;
use super::written::{Shown, Unsaid, Words};
use super::{TraceHeaders, Tracer};
use crate::clock;
use crate::protocol::{Span, SpanId, TraceContext, TraceId, Transaction};
use crate::sync::chain::Chain;
use crate::sync::roster::{Roster, Subject};
use crate::sync::tally::Favoured;

/// A transaction with its spans. It knows no client, so that it may wait in a queue.
pub(crate) type Tree = Roster<Head, Facts, Note>;

/// What a transaction and its spans share, beside the spans themselves.
#[derive(Debug)]
pub(crate) struct Head {
    trace_id: TraceId,
    pub(super) root: Record,
    decision: Decision,
    origin: Option<Arc<Origin>>,
    agreement: Agreement,
    /// How many spans finished that are not in the roster's chain.
    uncollected: Favoured,
    /// Roughly how many bytes were noted.
    noted: AtomicU32,
    /// True once there was a second handle to the transaction.
    is_shared: AtomicBool,
}

/// What the services in the trace agree on.
#[derive(Debug)]
enum Agreement {
    /// It came along with the trace; nothing is an agreement too.
    Inherited(Option<Arc<Baggage>>),
    /// It is for us to say, once: the first one stays.
    Own(Chain<Arc<Baggage>>),
}

impl Tree {
    #[inline]
    pub(super) fn start(
        context: &mut TransactionContext,
        tracer: Option<&Arc<dyn Tracer>>,
        start: Option<SystemTime>,
    ) -> Arc<Self> {
        if let Some(tracer) = tracer {
            context.break_with_strangers(tracer.origin().org_id, tracer.options().strict_trace_continuation);
        }
        let decision = match tracer {
            Some(tracer) => Decision::make(tracer.options(), context),
            None => Decision::pass_on(context.sampled),
        };
        let agreement = match &context.ancestry {
            Ancestry::New => Agreement::Own(Chain::new()),
            Ancestry::Local(agreed) | Ancestry::Remote { agreed, .. } => {
                Agreement::Inherited(agreed.as_ref().map(|agreed| with_decision(agreed, &decision, context)))
            }
        };
        // Only what is sent needs a time.
        let start = match (start, decision.fate) {
            (Some(start), _) => clock::nanos_of(start),
            (None, Fate::Sent) => clock::now(),
            (None, Fate::Counted | Fate::Ignored) => 0,
        };
        let origin = tracer.map(|tracer| tracer.origin());
        spare::renewed(decision.fate, |head| {
            head.trace_id = context.trace_id;
            let (name, op) = (mem::take(&mut context.name), mem::take(&mut context.op));
            head.root.renew().tell_anew(context.span_id, context.parent_span_id, name, op, start);
            head.decision = decision;
            // Mostly it is that of the transaction before: then it needs not be counted.
            if !same(head.origin.as_ref(), origin) {
                head.origin = origin.cloned();
            }
            head.agreement = agreement;
            head.uncollected = Favoured::new();
            *head.noted.get_mut() = 0;
            *head.is_shared.get_mut() = false;
        })
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// What other services are told about sampling.
    pub(super) fn sampled(&self) -> Option<bool> {
        self.decision.sampled
    }

    pub(super) fn fate(&self) -> Fate {
        self.decision.fate
    }

    pub(super) fn is_recorded(&self) -> bool {
        self.decision.fate == Fate::Sent
    }

    /// True if it holds little memory, and is not on its way to the sender.
    #[inline]
    pub(super) fn is_light(&self) -> bool {
        // Relaxed, here and below: an estimate.
        self.noted.load(Relaxed) <= MOST_NOTED && self.kept() <= MOST_KEPT && !self.ended().is_sealed()
    }

    /// Notes something about the transaction, or about a span in it, unless that has ended.
    pub(super) fn note(&self, record: &Record, note: Note) {
        // Of threads that do so at once one may count for both. A read-modify-write would be too much for an estimate.
        self.noted.store(self.noted.load(Relaxed).saturating_add(note.weight()), Relaxed);
        record.note(note);
    }

    /// Says that there is a second handle to the transaction.
    pub(super) fn share(&self) {
        // Relaxed: a clone was made by borrowing a handle, so whoever has one of them comes after it.
        self.is_shared.store(true, Relaxed);
    }

    /// What the services in the trace agree on, from now on at the latest.
    pub(crate) fn baggage(&self) -> Option<&Arc<Baggage>> {
        let own = match &self.agreement {
            Agreement::Inherited(agreed) => return agreed.as_ref(),
            Agreement::Own(own) => own,
        };
        if let Some(agreed) = own.newest() {
            return Some(agreed);
        }
        let context = self.origin.as_ref()?.undecided(self.trace_id);
        let context = match (self.decision.rate, self.decision.sampled) {
            // The transaction's name speaks for the trace only where transactions are recorded.
            (Some(rate), Some(sampled)) => {
                context.with_sample_rate(rate).with_sampled(sampled).with_transaction(self.root.name().to_owned())
            }
            _ => context,
        };
        // Refused: another thread was faster, and what it said stays.
        _ = own.push_up_to(1, Arc::new(Baggage::of(context)));
        own.newest()
    }

    /// What the services in the trace agree on, for the server. For a transaction that has ended: nothing changes it any more.
    pub(crate) fn words(&self) -> Option<Words<'_>> {
        let own = match &self.agreement {
            Agreement::Inherited(agreed) => return agreed.as_ref().map(|agreed| Words::Said(agreed.context())),
            Agreement::Own(own) => own,
        };
        if let Some(agreed) = own.newest() {
            return Some(Words::Said(agreed.context()));
        }
        let origin = self.origin.as_ref()?;
        // As in `baggage`.
        let decided = self.decision.rate.zip(self.decision.sampled);
        Some(Words::Unsaid(Unsaid {
            trace_id: self.trace_id,
            public_key: origin.public_key.as_deref(),
            sample_rate: decided.map(|(rate, _)| Shown(rate)),
            sample_rand: Shown(sample_rand_of(self.trace_id)),
            sampled: decided.map(|(_, sampled)| Shown(sampled)),
            release: origin.release.as_deref(),
            environment: origin.environment.as_deref(),
            transaction: decided.map(|_| self.root.name()),
            org_id: origin.org_id.map(Shown),
        }))
    }

    /// True if there was an open client when the transaction started.
    pub(super) fn has_client(&self) -> bool {
        self.origin.is_some()
    }

    pub(super) fn headers(&self, span_id: SpanId) -> TraceHeaders {
        TraceHeaders::new(self.trace_id, span_id, self.decision.sampled, self.baggage().cloned())
    }

    pub(super) fn trace_context(&self) -> TraceContext {
        self.root.trace_context(self.trace_id, &mut self.root.put_together(false))
    }

    /// Counts a span that finished and is not recorded.
    #[inline]
    pub(super) fn count(&self) {
        self.uncollected.add_one();
    }

    /// Ends the transaction; spans that finish later are not part of it. `None`: now. False: it had ended before.
    pub(super) fn finish(&self, end: Option<SystemTime>) -> bool {
        // Nobody else can end one that was never shared, and what is noted about one that is not recorded is not sent.
        let may_be_skipped = !self.is_recorded() && !self.is_shared.load(Relaxed);
        let is_first = may_be_skipped || self.root.notes().seal();
        if self.is_recorded() {
            if is_first {
                self.root.value().set_end(end);
            }
            self.ended().seal();
        }
        is_first
    }

    /// How many spans finished with the transaction.
    pub(crate) fn spans(&self) -> u64 {
        u64::from(self.ended().len())
    }

    /// How many spans it keeps in memory, at least; those that never finished are among them.
    pub(crate) fn kept_spans(&self) -> u64 {
        u64::from(self.kept()).max(self.spans())
    }

    /// How many finished and are not among them: too many, or not recorded.
    pub(crate) fn uncollected(&self) -> u64 {
        self.uncollected.get()
    }

    /// The spans as they finished.
    pub(crate) fn to_spans(&self) -> Vec<Span> {
        let mut spans: Vec<_> = self.ended().iter().map(|span| span.to_span(self.trace_id)).collect();
        spans.reverse();
        spans
    }

    /// The finished transaction, but for its spans.
    pub(crate) fn to_transaction(&self) -> Transaction<'static> {
        let mut notes = self.root.put_together(false);
        let context = self.root.trace_context(self.trace_id, &mut notes);
        Transaction {
            name: Some(self.root.name().to_owned()),
            tags: notes.tags,
            extra: notes.extra,
            timestamp: Some(self.root.end()),
            start_timestamp: self.root.start(),
            contexts: [("trace".to_owned(), context.into())].into(),
            request: notes.request,
            ..Transaction::default()
        }
    }
}

impl Head {
    /// That of no transaction yet.
    pub(super) fn blank() -> Self {
        Self {
            trace_id: TraceId::from([0; 16]),
            root: Record::new(Facts::blank()),
            decision: Decision::pass_on(None),
            origin: None,
            agreement: Agreement::Inherited(None),
            uncollected: Favoured::new(),
            noted: AtomicU32::new(0),
            is_shared: AtomicBool::new(false),
        }
    }

    /// Lets go of what was noted and agreed on.
    pub(super) fn clear(&mut self) {
        *self.root.renew() = Facts::blank();
        self.agreement = Agreement::Inherited(None);
    }
}

fn same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

/// What the trace has agreed on, with the odds that were decided on here, if they were.
fn with_decision(agreed: &Arc<Baggage>, decision: &Decision, context: &TransactionContext) -> Arc<Baggage> {
    let (Some(rate), Some(sampled)) = (decision.rate, decision.sampled) else { return Arc::clone(agreed) };
    let rand = sample_rand(context);
    let context = agreed.context().clone().with_sample_rate(rate).with_sampled(sampled).with_sample_rand(rand);
    Arc::new(Baggage::of(context))
}

/// Roughly how many bytes may be noted about spans of a tree of which a thread keeps a handle, and how many may have begun.
const MOST_NOTED: u32 = 4 << 10;
const MOST_KEPT: u32 = 64;
