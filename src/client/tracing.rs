//! Transactions on their way to the sender, and the trace that an envelope belongs to.

use std::borrow::Cow;
use std::sync::Arc;

use uuid::Uuid;

use super::parcel::{Losses, Parcel, Queued};
use super::{Client, Core};
use crate::callback;
use crate::protocol::client_report::{Category, ItemLoss, Reason};
use crate::protocol::{Context, DynamicSamplingContext, Event, Transaction};
use crate::scope::Scope;
use crate::scope::apply::Backdrop;
use crate::trace::{Baggage, Origin, Tree};
use crate::wire::json::{self, Fields};

/// What the trace of an event has agreed on.
#[derive(Debug)]
pub(crate) enum Agreed {
    /// The active span's trace, with what it has agreed on, if anything.
    BySpan(Option<Arc<Baggage>>),
    /// The scope's own trace, about which nothing is decided.
    Undecided,
}

impl Client {
    pub(crate) fn origin(&self) -> &Arc<Origin> {
        &self.core.origin
    }

    /// Takes a finished transaction on its way, with what it takes from a scope.
    pub(crate) fn capture_transaction(&self, tree: Arc<Tree>, scope: Backdrop) {
        let core = &self.core;
        if !core.is_open() || !callback::may_capture() {
            return;
        }
        let surplus = tree.uncollected();
        if surplus > 0 {
            core.count_as_discarded(&[ItemLoss::new(Category::Span, surplus)], Reason::BufferOverflow);
        }
        let losses: Losses = transaction_losses(tree.spans()).into();
        core.ledger.capture(&losses);
        core.enqueue_whole(&mut Some(Queued { parcel: Parcel::Transaction { tree, scope }, losses, weight: 0 }));
    }

    /// Counts a transaction that was not sampled, with so many spans beside itself.
    pub(crate) fn discard_transaction(&self, spans: u64) {
        if self.core.is_open() && callback::may_capture() {
            self.core.count_as_discarded(&transaction_losses(spans), Reason::SampleRate);
        }
    }
}

impl Core {
    /// Counts what never was in the queue.
    fn count_as_discarded(self: &Arc<Self>, losses: &[ItemLoss], reason: Reason) {
        self.ledger.capture_and_discard(losses, reason);
        self.tell_of_losses(losses, reason);
    }

    /// The transaction as it is sent.
    pub(super) fn transaction(&self, tree: &Tree, scope: &Backdrop) -> Transaction<'static> {
        let mut own = tree.to_transaction();
        scope.apply_to(&mut own);
        Transaction {
            release: self.options.release.clone(),
            environment: self.options.environment.clone(),
            server_name: self.options.server_name.clone(),
            sdk: Some(self.named.clone()),
            platform: Cow::Borrowed(PLATFORM),
            spans: tree.to_spans(),
            ..own
        }
    }

    /// Writes the bytes that [`transaction`](Self::transaction) becomes, without making it. `sdk`: our own, as JSON.
    pub(super) fn write_transaction(
        &self,
        event_id: Uuid,
        tree: &Tree,
        scope: &Backdrop,
        sdk: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        let mut lent = tree.lend();
        scope.tags().for_each(|(key, value)| lent.tags.before_that(key, Some(value)));
        lent.tags.settle();
        scope.extras().for_each(|(key, value)| lent.extra.before_that(key, Some(value)));
        lent.extra.settle();
        let options = &self.options;
        let mut own = Fields::open(out);
        own.plain("type", b"transaction");
        own.plain("event_id", event_id.simple().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
        own.text("transaction", lent.name);
        if let Some(release) = &options.release {
            own.text("release", &**release);
        }
        if let Some(environment) = &options.environment {
            own.text("environment", &**environment);
        }
        if let Some(user) = scope.user() {
            own.value("user", user)?;
        }
        if !lent.tags.is_empty() {
            own.value("tags", &lent.tags)?;
        }
        if !lent.extra.is_empty() {
            own.value("extra", &lent.extra)?;
        }
        own.json("sdk", sdk);
        own.plain("platform", PLATFORM.as_bytes());
        tree.write_times_and_spans(&mut own)?;
        let mut contexts = own.object("contexts");
        // The keys come in order; that of the trace is its own.
        let others = || scope.contexts().filter(|(key, _)| *key != TRACE);
        for (key, context) in others().filter(|(key, _)| *key < TRACE) {
            json::append(contexts.entry(key), context)?;
        }
        tree.write_context(&lent, contexts.entry(TRACE))?;
        for (key, context) in others().filter(|(key, _)| *key > TRACE) {
            json::append(contexts.entry(key), context)?;
        }
        contexts.close();
        if let Some(request) = lent.request {
            own.value("request", request)?;
        }
        if let Some(server_name) = &options.server_name {
            own.text("server_name", &**server_name);
        }
        own.close();
        Ok(())
    }
}

impl Agreed {
    /// What the trace of a scope has agreed on, from now on at the latest.
    pub(super) fn of(scope: &Scope) -> Self {
        match scope.span() {
            Some(span) => Self::BySpan(span.baggage().cloned()),
            None => Self::Undecided,
        }
    }

    /// The context for the headers of the event's envelope. `undecided` is filled in where the trace is the scope's own.
    ///
    /// `None`: nothing is known, or the event says that it belongs to another trace.
    pub(super) fn header<'a>(
        &'a self,
        event: &Event<'_>,
        undecided: &'a mut Arc<DynamicSamplingContext>,
    ) -> Option<&'a DynamicSamplingContext> {
        let Some(Context::Trace(trace)) = event.contexts.get(TRACE) else { return None };
        match self {
            Self::BySpan(agreed) => header(agreed.as_deref()?).filter(|agreed| agreed.trace_id == Some(trace.trace_id)),
            Self::Undecided => {
                // The next event mostly is of the same trace. An envelope may still hold what was said of the last one.
                if undecided.trace_id != Some(trace.trace_id) {
                    Origin::decide_nothing_about(trace.trace_id, Arc::make_mut(undecided));
                }
                undecided.public_key.is_some().then_some(undecided)
            }
        }
    }

    /// The same, to be kept.
    pub(super) fn shared_header(
        &self,
        event: &Event<'_>,
        undecided: &mut Arc<DynamicSamplingContext>,
    ) -> Option<Arc<DynamicSamplingContext>> {
        let header = self.header(event, undecided)?;
        match self {
            Self::BySpan(_) => Some(Arc::new(header.clone())),
            Self::Undecided => Some(Arc::clone(undecided)),
        }
    }
}

/// The context for the headers of an envelope, if it says enough for a server.
pub(super) fn header(agreed: &Baggage) -> Option<&DynamicSamplingContext> {
    Some(agreed.context()).filter(|context| context.public_key.is_some())
}

/// What is lost with a transaction that has so many spans beside itself.
pub(super) fn transaction_losses(spans: u64) -> [ItemLoss; 2] {
    [ItemLoss::new(Category::Transaction, 1), ItemLoss::new(Category::Span, spans.saturating_add(1))]
}

const PLATFORM: &str = "native";
/// The key of the context that says to which trace something belongs.
const TRACE: &str = "trace";

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use uuid::Uuid;

    use crate::client::Client;
    use crate::options::ClientOptions;
    use crate::protocol::{Context, Request, SpanStatus, TraceContext, User, Value};
    use crate::scope::Scope;
    use crate::trace::{Tracer, Transaction, TransactionContext, Tree};
    use crate::wire::json;

    /// A client that keeps the trees of transactions.
    struct Keeper {
        client: Client,
        trees: Mutex<Vec<Arc<Tree>>>,
    }

    impl std::panic::RefUnwindSafe for Keeper {}

    impl Tracer for Keeper {
        fn options(&self) -> &ClientOptions {
            self.client.options()
        }

        fn origin(&self) -> &Arc<crate::trace::Origin> {
            self.client.origin()
        }

        fn finish(&self, tree: Arc<Tree>) {
            self.trees.lock().unwrap().push(tree);
        }

        fn discard(&self, _: u64) {}
    }

    fn keeper(options: ClientOptions) -> Arc<Keeper> {
        let options = options.dsn("https://public@o7.sentry.invalid/1").traces_sample_rate(0.25);
        Arc::new(Keeper { client: Client::with_options(options), trees: Mutex::default() })
    }

    fn start(keeper: &Arc<Keeper>, name: &str) -> Transaction {
        let mut context = TransactionContext::new(name, "http.server");
        context.set_sampled(true);
        Transaction::start(&mut context, Some(Arc::clone(keeper) as Arc<dyn Tracer>), None)
    }

    fn compare(keeper: &Keeper, scope: &Scope) {
        let core = keeper.client.core();
        let tree = keeper.trees.lock().unwrap().pop().unwrap();
        let typed =
            crate::protocol::Transaction { event_id: Uuid::from_u128(7), ..core.transaction(&tree, &scope.backdrop()) };
        let (mut sdk, mut written) = (Vec::new(), Vec::new());
        json::append(&mut sdk, &*core.sdk).unwrap();
        core.write_transaction(typed.event_id, &tree, &scope.backdrop(), &sdk, &mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(&typed).unwrap());
        let words = serde_json::to_string(&tree.words()).unwrap();
        assert_eq!(words, serde_json::to_string(&tree.baggage().map(|agreed| agreed.context())).unwrap());
        assert_eq!(words, serde_json::to_string(&tree.words()).unwrap());
    }

    #[test]
    fn a_transaction_is_written_as_the_type_that_stands_for_it() {
        let bare = keeper(ClientOptions::new());
        start(&bare, "").finish();
        compare(&bare, &Scope::default());

        let keeper = keeper(ClientOptions::new().release("shop@1").environment("a \"b\"").server_name("one"));
        let mut scope = Scope::default();
        for (key, value) in [("route", "/cart"), ("tier", "of the scope"), ("a\tb", "")] {
            scope.set_tag(key, value);
            scope.set_extra(key, vec![Value::from(value)].into());
        }
        scope.set_user(Some(User { id: Some("7".to_owned()), ..User::default() }));
        for key in ["shop", "trace", "tracing", "zoo"] {
            scope.set_context(key, Context::Other([("cart".to_owned(), 7.into())].into_iter().collect()));
            let transaction = start(&keeper, "GET /cart");
            transaction.set_tag("tier", "its own");
            transaction.set_extra("tier", 1.into());
            transaction.set_data("rows", 1.into());
            transaction.set_data("rows", 2.into());
            transaction.set_origin("auto");
            transaction.set_name("renamed");
            transaction.set_op("op");
            transaction.set_status(SpanStatus::Aborted);
            transaction.set_request(Request { method: Some("GET".to_owned()), ..Request::default() });
            for n in 0..20 {
                let span = transaction.start_child("db.query", "SELECT 1");
                span.set_data("rows", n.into());
                span.start_child("of a span", "").finish();
                span.finish();
            }
            transaction.finish();
            compare(&keeper, &scope);
        }

        scope.set_context("trace", TraceContext::default());
        let headers = [
            ("sentry-trace", "09e04486820349518ac7b5d2adbf6ba5-9cf635fa5b870b3a-1"),
            ("baggage", "sentry-release=theirs,sentry-replay_id=1"),
        ];
        let mut context = TransactionContext::continue_from_headers("GET /cart", "http.server", headers);
        let transaction = Transaction::start(&mut context, Some(Arc::clone(&keeper) as Arc<dyn Tracer>), None);
        let unfinished = transaction.start_child("op", "never ends");
        transaction.finish();
        unfinished.finish();
        compare(&keeper, &scope);
    }
}
