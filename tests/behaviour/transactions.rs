//! Transactions and spans: recorded, sampled, counted, filled from the scope of the thread that finishes them.

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use vidette::protocol::client_report::{Category, Reason};
use vidette::protocol::{self, Context, Request, SpanId, SpanStatus, TraceContext, Value};
use vidette::wire::EnvelopeItem;
use vidette::{
    Client, ClientOptions, Hub, Scope, Span, Transaction, TransactionContext, TransactionOrSpan, User,
    start_transaction, start_transaction_with_timestamp,
};

use crate::rig::{Gate, PATIENCE, Probe, Rig, assert_settled, client, discarded_of, hub};

/// A rig that samples this share of transactions.
pub(crate) fn rig(rate: f32) -> Rig {
    Rig::with(ClientOptions::new().traces_sample_rate(rate))
}

/// What transactions were captured since the last call.
fn transactions(rig: &Rig) -> Vec<protocol::Transaction<'static>> {
    let items = rig.transport.take_envelopes().into_iter().flat_map(vidette::Envelope::into_items);
    let transactions = items.filter_map(|item| match item {
        EnvelopeItem::Transaction(transaction) => Some(*transaction),
        _ => None,
    });
    transactions.collect()
}

/// The only transaction that was captured.
fn transaction(rig: &Rig) -> protocol::Transaction<'static> {
    let mut all = transactions(rig);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn trace(contexts: &protocol::Map<String, Context>) -> &TraceContext {
    match &contexts["trace"] {
        Context::Trace(trace) => trace,
        other => panic!("{other:?}"),
    }
}

fn context() -> TransactionContext {
    TransactionContext::new("GET /cart", "http.server")
}

#[test]
fn a_transaction_is_sent_with_all_that_was_said_about_it() {
    let options =
        ClientOptions::new().traces_sample_rate(1.0).release("shop@1").environment("test").server_name("host");
    let rig = Rig::with(options);
    let context = context();
    let (trace_id, span_id) = (context.trace_id(), context.span_id());
    let running = rig.hub.start_transaction(context);
    running.set_name("GET /cart/{id}");
    running.set_op("http");
    running.set_origin("auto.http");
    running.set_data("rows", 7.into());
    running.set_extra("extra", true.into());
    running.set_tag("shard", 3);
    running.set_request(Request { method: Some("GET".into()), ..Request::default() });
    running.set_status(SpanStatus::Ok);
    assert_eq!(running.get_status(), Some(SpanStatus::Ok));
    let before = running.get_trace_context();
    running.finish();

    let sent = transaction(&rig);
    assert_eq!(trace(&sent.contexts), &before);
    assert_eq!((before.trace_id, before.span_id, before.parent_span_id), (trace_id, span_id, None));
    assert_eq!((before.op.as_deref(), before.origin.as_deref()), (Some("http"), Some("auto.http")));
    assert_eq!((before.status, &before.data["rows"]), (Some(SpanStatus::Ok), &Value::from(7)));
    assert_eq!(sent.name.as_deref(), Some("GET /cart/{id}"));
    assert_eq!((sent.extra["extra"].clone(), sent.tags["shard"].as_str()), (Value::from(true), "3"));
    assert_eq!(sent.request.and_then(|request| request.method).as_deref(), Some("GET"));
    assert_eq!((sent.release.as_deref(), sent.environment.as_deref()), (Some("shop@1"), Some("test")));
    assert_eq!((sent.server_name.as_deref(), sent.platform.as_ref()), (Some("host"), "native"));
    assert!(sent.sdk.is_some() && sent.timestamp.unwrap() >= sent.start_timestamp);
    assert!(!sent.event_id.is_nil());
}

#[test]
fn spans_are_sent_in_the_order_in_which_they_finished_and_unfinished_ones_are_not() {
    let rig = rig(1.0);
    let root = rig.hub.start_transaction(context());
    let outer = root.start_child("outer", "first");
    let inner = outer.start_child("inner", "");
    let never = root.start_child("never", "finished");
    inner.set_tag("tag", "x");
    inner.set_status(SpanStatus::Aborted);
    inner.set_data("key", "value".into());
    inner.clone().finish();
    outer.set_name("renamed");
    outer.set_op("other");
    let outer_id = outer.get_span_id();
    outer.finish();
    let root_id = root.get_trace_context().span_id;
    root.finish();
    never.finish();

    let sent = transaction(&rig);
    let shape: Vec<_> = sent
        .spans
        .iter()
        .map(|span| (span.op.as_deref().unwrap(), span.description.as_deref(), span.parent_span_id.unwrap()))
        .collect();
    assert_eq!(shape, [("inner", None, outer_id), ("other", Some("renamed"), root_id)]);
    let inner = &sent.spans[0];
    assert_eq!((inner.tags["tag"].as_str(), inner.status), ("x", Some(SpanStatus::Aborted)));
    assert_eq!(inner.data["key"], "value");
    assert!(sent.spans.iter().all(|span| span.trace_id == trace(&sent.contexts).trace_id && span.timestamp.is_some()));
    assert_eq!(rig.client.stats().captured(Category::Span), 3, "two spans and the transaction's own");
}

#[test]
fn only_the_first_finish_counts_and_nothing_is_noted_after_it() {
    let rig = rig(1.0);
    let root = rig.hub.start_transaction(context());
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    let span = root.start_child("op", "once");
    span.clone().finish_with_timestamp(end);
    span.set_data("late", 1.into());
    span.set_status(SpanStatus::Ok);
    span.finish();
    root.clone().finish_with_timestamp(end);
    root.set_name("late");
    root.clone().finish();
    root.start_child("op", "late").finish();
    root.finish();
    let sent = transaction(&rig);
    assert_eq!((sent.timestamp, sent.spans.len(), sent.name.as_deref()), (Some(end), 1, Some("GET /cart")));
    assert_eq!((sent.spans[0].timestamp, sent.spans[0].data.len(), sent.spans[0].status), (Some(end), 0, None));
}

#[test]
fn times_that_are_given_are_kept() {
    let rig = rig(1.0);
    let start = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500_000_000_250);
    let id = SpanId::from([7; 8]);
    let root = rig.hub.start_transaction_with_timestamp(context(), start);
    let span = root.start_child_with_details("op", "given", id, start + Duration::from_secs(1));
    let either = TransactionOrSpan::from(span);
    let inner = either.start_child_with_details("op", "inner", SpanId::from([8; 8]), start);
    inner.finish_with_timestamp(start);
    either.finish_with_timestamp(start + Duration::from_secs(2));
    TransactionOrSpan::from(root).finish_with_timestamp(start + Duration::from_secs(3));
    let free = rig.run(|| start_transaction_with_timestamp(context(), start));
    free.finish();
    let sent = transactions(&rig);
    assert_eq!((sent[0].start_timestamp, sent[1].start_timestamp), (start, start));
    assert_eq!(sent[0].timestamp, Some(start + Duration::from_secs(3)));
    let [inner, outer] = &sent[0].spans[..] else { panic!("{:?}", sent[0].spans) };
    assert_eq!((inner.parent_span_id, inner.timestamp), (Some(id), Some(start)));
    assert_eq!((outer.span_id, outer.start_timestamp), (id, start + Duration::from_secs(1)));
    assert_eq!(outer.timestamp, Some(start + Duration::from_secs(2)));
}

#[test]
fn the_scope_of_the_finishing_thread_is_added_below_what_the_transaction_says_itself() {
    let rig = rig(1.0);
    let running = rig.hub.start_transaction(context());
    running.set_tag("both", "own");
    let other = Arc::new(Hub::new_from_top(&*rig.hub));
    other.configure_scope(|scope| {
        scope.set_tag("both", "scope");
        scope.set_tag("scope", 1);
        scope.set_extra("extra", 1.into());
        scope.set_user(Some(User { id: Some("7".into()), ..User::default() }));
        scope.set_context("custom", Context::Other([("a".to_owned(), 1.into())].into()));
        scope.set_context("trace", Context::Other([("not".to_owned(), "this".into())].into()));
        // Sees events, not transactions.
        scope.add_event_processor(|_| None);
        scope.set_span(Some(running.clone().into()));
    });
    thread::spawn(move || Hub::run(other, || running.finish())).join().unwrap();
    let sent = transaction(&rig);
    assert_eq!((sent.tags["both"].as_str(), sent.tags["scope"].as_str()), ("own", "1"));
    assert_eq!((sent.user.and_then(|user| user.id).as_deref(), &sent.extra["extra"]), (Some("7"), &Value::from(1)));
    assert!(sent.contexts.contains_key("custom"));
    trace(&sent.contexts);
}

#[test]
fn no_callback_sees_a_transaction() {
    let options = ClientOptions::new().traces_sample_rate(1.0).before_send(|_| None).sample_rate(0.0);
    let rig = Rig::with(options);
    rig.hub.start_transaction(context()).finish();
    transaction(&rig);
}

#[test]
fn what_is_not_sampled_is_counted_with_its_spans() {
    let rig = rig(0.0);
    let root = rig.hub.start_transaction(context());
    let span = root.start_child("op", "one");
    span.start_child("op", "two").finish();
    span.set_data("key", 1.into());
    span.set_status(SpanStatus::Ok);
    span.finish();
    _ = root.start_child("op", "unfinished");
    root.set_status(SpanStatus::NotFound);
    assert_eq!(root.get_status(), Some(SpanStatus::NotFound));
    root.finish();
    assert!(rig.transport.take_envelopes().is_empty());
    let stats = rig.client.stats();
    let of = |category| (stats.captured(category), discarded_of(&stats, category, Reason::SampleRate));
    assert_eq!((of(Category::Transaction), of(Category::Span)), ((1, 1), (3, 3)));
}

#[test]
fn data_of_a_span_that_is_not_sampled_can_be_read_back_by_all_its_handles() {
    for rate in [0.0, 1.0] {
        let rig = rig(rate);
        let span = rig.hub.start_transaction(context()).start_child("op", "one");
        span.set_data("first", 1.into());
        let handle = span.clone();
        handle.set_data("second", 2.into());
        span.data().insert("third".to_owned(), 3.into());
        handle.data().remove("first");
        let expected = [("second".to_owned(), 2.into()), ("third".to_owned(), 3.into())];
        assert_eq!(*span.data(), expected.clone().into(), "rate {rate}");
        rig.hub.configure_scope(|scope| scope.set_span(Some(handle.into())));
        let event = rig.event();
        let Some(Context::Trace(trace)) = event.contexts.get("trace") else { panic!("no trace: {event:?}") };
        assert_eq!(trace.data, expected.into(), "rate {rate}");
    }
}

#[test]
fn data_of_a_transaction_that_is_not_sampled_can_be_read_back_and_is_on_its_events() {
    for rate in [0.0, 1.0] {
        let rig = rig(rate);
        let root = rig.hub.start_transaction(context());
        let handle = root.clone();
        root.set_data("first", 1.into());
        let mut data = root.data();
        data.set_data("second".into(), 2.into());
        assert_eq!(data.iter().count(), 2, "rate {rate}");
        let expected = [("first".to_owned(), 1.into()), ("second".to_owned(), 2.into())];
        let read: Vec<_> = handle.data().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        assert_eq!(read, expected, "rate {rate}");
        rig.hub.configure_scope(|scope| scope.set_span(Some(handle.into())));
        let event = rig.event();
        let Some(Context::Trace(trace)) = event.contexts.get("trace") else { panic!("no trace: {event:?}") };
        assert_eq!(trace.data, expected.into(), "rate {rate}");
    }
}

#[test]
fn where_tracing_is_off_nothing_is_recorded_or_counted() {
    let rig = Rig::new();
    let mut context = context();
    context.set_sampled(true);
    let root = rig.hub.start_transaction(context);
    root.start_child("op", "span").finish();
    root.finish();
    assert!(rig.transport.take_envelopes().is_empty());
    assert_eq!(rig.client.stats().captured(Category::Transaction), 0);
}

#[test]
fn a_rate_samples_about_that_share_of_transactions_and_the_sampler_is_asked_once_for_each() {
    let rig = rig(0.25);
    (0..4_000).for_each(|_| rig.hub.start_transaction(context()).finish());
    let sent = transactions(&rig).len();
    // Ten standard deviations wide.
    assert!((700..1_300).contains(&sent), "{sent}");
    assert_eq!(discarded_of(&rig.client.stats(), Category::Transaction, Reason::SampleRate), 4_000 - sent as u64);

    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let rig = Rig::with(ClientOptions::new().traces_sampler(move |context| {
        log.lock().unwrap().push(context.name().to_owned());
        f32::from(context.custom().is_some_and(|custom| custom.contains_key("keep")))
    }));
    let keep = TransactionContext::builder("keep", "op").with_custom("keep".to_owned(), 1.into()).finish();
    rig.hub.start_transaction(keep).finish();
    rig.hub.start_transaction(TransactionContext::new("drop", "op")).finish();
    assert_eq!(transaction(&rig).name.as_deref(), Some("keep"));
    assert_eq!(*asked.lock().unwrap(), ["keep", "drop"]);
}

#[test]
fn a_sampler_may_panic_and_start_transactions() {
    let rig = Rig::with(ClientOptions::new().traces_sampler(|context| {
        assert_ne!(context.name(), "panics", "on purpose");
        // Asks the sampler again, which is where it ends.
        start_transaction(TransactionContext::new("nested", "op")).finish();
        1.0
    }));
    rig.run(|| {
        start_transaction(TransactionContext::new("outer", "op")).finish();
        start_transaction(TransactionContext::new("panics", "op")).finish();
    });
    let names: Vec<_> = transactions(&rig).into_iter().filter_map(|transaction| transaction.name).collect();
    assert_eq!(names, ["nested", "outer"]);
}

#[test]
fn a_thousand_spans_are_sent_and_more_are_counted() {
    let rig = rig(1.0);
    let root = rig.hub.start_transaction(context());
    (0..1_003).for_each(|_| root.start_child("op", "one of many").finish());
    root.finish();
    assert_eq!(transaction(&rig).spans.len(), 1_000);
    let stats = rig.client.stats();
    assert_eq!(discarded_of(&stats, Category::Span, Reason::BufferOverflow), 3);
    assert_eq!((stats.captured(Category::Span), stats.handed_over(Category::Span)), (1_004, 1_001));
}

#[test]
fn many_threads_finish_spans_of_one_transaction_and_none_is_lost() {
    const THREADS: usize = 8;
    for spans in [100, 150] {
        let rig = rig(1.0);
        let root = rig.hub.start_transaction(context());
        let parent = root.start_child("op", "parent");
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (root, parent) = (root.clone(), parent.clone());
                scope.spawn(move || {
                    for n in 0..spans {
                        let span = if n % 2 == 0 { root.start_child("op", "") } else { parent.start_child("op", "") };
                        span.set_name(&format!("{thread}-{n}"));
                        parent.set_data(&format!("{thread}-{n}"), n.into());
                        span.finish();
                    }
                });
            }
        });
        assert_eq!(parent.data().len(), THREADS * spans, "a note was lost");
        root.finish();
        let sent = transaction(&rig);
        let mut names: Vec<_> = sent.spans.iter().map(|span| span.description.clone().unwrap()).collect();
        names.sort_unstable();
        names.dedup();
        let finished = THREADS * spans;
        assert_eq!((sent.spans.len(), names.len()), (finished.min(1_000), finished.min(1_000)));
        let surplus = finished.saturating_sub(1_000) as u64;
        assert_eq!(discarded_of(&rig.client.stats(), Category::Span, Reason::BufferOverflow), surplus);
    }
}

#[test]
fn a_transaction_in_the_place_of_one_that_was_sent_has_its_own_spans_only() {
    const EACH: usize = 500;
    let probe = Probe::new(Gate::opened());
    let options = ClientOptions::new().traces_sample_rate(1.0).transport_channel_capacity(4 * EACH);
    let client = client(options.transport(Arc::clone(&probe)));
    let (pass_on, passed_on) = std::sync::mpsc::sync_channel::<(Span, usize)>(16);
    thread::scope(|scope| {
        // Finishes some spans on another thread, in time or too late, and keeps handles for a while.
        scope.spawn(move || {
            let mut kept = std::collections::VecDeque::new();
            for (span, number) in passed_on {
                kept.push_back(span.clone());
                span.set_tag("passed", number);
                span.finish();
                if kept.len() > 8 {
                    kept.pop_front();
                }
            }
        });
        for thread in 0..3 {
            let (hub, pass_on) = (hub(&client), pass_on.clone());
            scope.spawn(move || {
                for number in 0..EACH {
                    let name = format!("{thread}-{number}");
                    let root = hub.start_transaction(TransactionContext::new(&name, "op"));
                    for n in 0..number % 40 {
                        let span = root.start_child(&name, &format!("{name}-{n}"));
                        span.set_data("of", name.as_str().into());
                        match n % 8 {
                            6 => pass_on.send((span, n)).unwrap(),
                            7 => drop(span),
                            _ => span.finish(),
                        }
                    }
                    root.set_data("of", name.as_str().into());
                    root.finish();
                }
            });
        }
        drop(pass_on);
    });
    assert!(client.flush(Some(PATIENCE)));
    let items = probe.take().into_iter().flat_map(vidette::Envelope::into_items);
    let mut sent = 0;
    for item in items {
        let EnvelopeItem::Transaction(transaction) = item else { continue };
        sent += 1;
        let name = transaction.name.clone().unwrap();
        assert_eq!(trace(&transaction.contexts).data["of"], name.as_str());
        let number: usize = name.split_once('-').unwrap().1.parse().unwrap();
        let finished_here = (0..number % 40).filter(|n| n % 8 < 6);
        assert!(transaction.spans.len() >= finished_here.clone().count(), "{name}");
        let mut here = Vec::new();
        for span in &transaction.spans {
            assert_eq!(span.op.as_deref(), Some(name.as_str()));
            assert_eq!(span.data["of"], name.as_str());
            let n: usize = span.description.as_deref().unwrap().rsplit_once('-').unwrap().1.parse().unwrap();
            match n % 8 {
                6 => assert_eq!(span.tags["passed"], n.to_string()),
                7 => panic!("{name}-{n} never finished"),
                _ => here.push(n),
            }
        }
        assert_eq!(here, finished_here.collect::<Vec<_>>(), "{name}");
    }
    assert_eq!(sent, 3 * EACH);
    assert_settled(&client.stats());
}

#[test]
fn of_threads_that_finish_one_transaction_and_its_spans_at_once_one_wins_and_the_books_balance() {
    for _ in 0..200 {
        let rig = rig(1.0);
        let root = rig.hub.start_transaction(context());
        thread::scope(|scope| {
            for _ in 0..3 {
                let root = root.clone();
                scope.spawn(move || {
                    let span = root.start_child("op", "span");
                    let twin = span.clone();
                    span.finish();
                    twin.finish();
                    root.finish();
                });
            }
        });
        let sent = transaction(&rig);
        let stats = rig.client.stats();
        assert_eq!(stats.handed_over(Category::Span), sent.spans.len() as u64 + 1);
        assert_settled(&stats);
    }
}

#[test]
fn events_belong_to_the_active_span_as_it_was() {
    let rig = rig(1.0);
    let root = rig.hub.start_transaction(context());
    let span = root.start_child("db", "SELECT");
    rig.hub.configure_scope(|scope| scope.set_span(Some(span.clone().into())));
    let event = rig.event();
    let context = trace(&event.contexts);
    assert_eq!((context.span_id, context.op.as_deref()), (span.get_span_id(), Some("db")));
    assert_eq!((context.description.as_deref(), context.status), (Some("SELECT"), None));
    assert_eq!(context.trace_id, root.get_trace_context().trace_id);
    rig.hub.configure_scope(|scope| scope.set_span(None));
    assert_ne!(trace(&rig.event().contexts).trace_id, context.trace_id);
}

#[test]
fn a_queued_event_says_what_the_span_said_and_keeps_no_client() {
    let gate = Gate::closed();
    let probe = Probe::new(gate.clone());
    let client = client(ClientOptions::new().traces_sample_rate(1.0).transport(Arc::clone(&probe)));
    let hub = hub(&client);
    let root = hub.start_transaction(context());
    let span = root.start_child("op", "as it was");
    hub.configure_scope(|scope| scope.set_span(Some(span.clone().into())));
    (0..2).for_each(|_| _ = hub.capture_event(protocol::Event::default()));
    gate.wait_for_arrival();
    span.set_name("renamed");
    span.set_status(SpanStatus::Ok);
    hub.configure_scope(Scope::clear);
    let weak = Arc::downgrade(&client);
    gate.open();
    drop((root, span, client));
    drop(hub);
    assert!(weak.upgrade().is_none(), "only hubs and transactions hold a client");
    let events: Vec<_> = probe.take().iter().filter_map(|envelope| envelope.event().cloned()).collect();
    assert_eq!(events.len(), 2);
    for event in events {
        assert_eq!(trace(&event.contexts).description.as_deref(), Some("as it was"));
        assert_eq!(trace(&event.contexts).status, None);
    }
}

#[test]
fn a_name_for_the_scope_names_the_active_transaction() {
    let rig = rig(1.0);
    let root = rig.hub.start_transaction(context());
    let span = root.start_child("op", "span");
    rig.hub.configure_scope(|scope| {
        scope.set_span(Some(span.into()));
        scope.set_transaction(Some("by the scope"));
        assert!(matches!(scope.get_span(), Some(TransactionOrSpan::Span(_))));
        scope.set_transaction(None);
    });
    root.finish();
    assert_eq!(transaction(&rig).name.as_deref(), Some("by the scope"));
}

#[test]
fn of_two_changes_at_once_the_untouched_span_is_not_written() {
    let rig = rig(1.0);
    let root = rig.hub.start_transaction(context());
    rig.hub.configure_scope(|outer| {
        outer.set_tag("outer", 1);
        rig.hub.configure_scope(|inner| inner.set_span(Some(root.clone().into())));
    });
    rig.hub.configure_scope(|scope| assert_eq!(scope.get_span(), Some(root.clone().into())));
    rig.hub.configure_scope(|outer| {
        outer.set_span(None);
        rig.hub.configure_scope(|inner| inner.set_tag("inner", 1));
    });
    rig.hub.configure_scope(|scope| assert_eq!(scope.get_span(), None));
    rig.hub.configure_scope(|scope| scope.set_span(Some(root.clone().into())));
    let pushed = rig.hub.push_scope();
    rig.hub.configure_scope(Scope::clear);
    rig.hub.configure_scope(|scope| assert_eq!(scope.get_span(), None));
    drop(pushed);
    rig.hub.configure_scope(|scope| assert!(scope.get_span().is_some()));
}

#[test]
fn data_is_a_copy_whose_changes_come_back() {
    let rig = rig(1.0);
    let root = rig.hub.start_transaction(context());
    let span = root.start_child("op", "span");
    for key in ["removed", "changed", "kept", "overtaken"] {
        span.set_data(key, 1.into());
    }
    let mut data = span.data();
    data.remove("removed");
    data.insert("changed".to_owned(), 2.into());
    data.insert("added".to_owned(), 2.into());
    data.set_data("set".to_owned(), 2.into());
    data.set_tag("tag".to_owned(), "x".to_owned());
    // Nothing is held, so that others go on, and what is not touched here keeps what they say.
    span.set_data("overtaken", 3.into());
    span.set_data("meanwhile", 3.into());
    assert_eq!((data.len(), data.get("set")), (5, Some(&2.into())));
    drop(data);
    assert_eq!(
        serde_json::to_string(&*span.data()).unwrap(),
        r#"{"added":2,"changed":2,"kept":1,"meanwhile":3,"overtaken":3,"set":2}"#
    );
    span.finish();

    let mut data = root.data();
    data.set_data("key".into(), 1.into());
    data.set_tag("tag".into(), "x".to_owned());
    assert_eq!(data.iter().collect::<Vec<_>>(), [(&"key".to_owned(), &Value::from(1))]);
    drop(data);
    root.finish();
    let sent = transaction(&rig);
    assert_eq!((sent.tags["tag"].as_str(), sent.spans[0].tags["tag"].as_str()), ("x", "x"));
    assert_eq!(trace(&sent.contexts).data["key"], 1);

    for (hub, kept) in [(Rig::new().hub.clone(), 1), (Arc::new(Hub::new(None, Arc::default())), 0)] {
        let unrecorded = hub.start_transaction(context());
        unrecorded.data().set_data("key".into(), 1.into());
        unrecorded.start_child("op", "span").data().insert("key".to_owned(), 1.into());
        assert_eq!(unrecorded.data().iter().count(), kept);
    }
}

#[test]
fn handles_are_equal_if_they_are_of_the_same() {
    for rate in [0.0, 1.0] {
        let rig = rig(rate);
        let (one, two) = (rig.hub.start_transaction(context()), rig.hub.start_transaction(context()));
        assert!(one == one.clone() && one != two);
        let (span, other) = (one.start_child("op", ""), one.start_child("op", ""));
        assert!(span == span.clone() && span != other);
        assert_ne!(TransactionOrSpan::from(one), TransactionOrSpan::from(span));
    }
}

#[test]
fn a_hub_starts_transactions_with_its_own_client() {
    let (one, two) = (rig(1.0), rig(1.0));
    one.run(|| {
        two.hub.start_transaction(context()).finish();
        two.hub.start_transaction_with_timestamp(context(), SystemTime::now()).finish();
        start_transaction(context()).finish();
    });
    assert_eq!((transactions(&one).len(), transactions(&two).len()), (1, 2));
}

#[test]
fn a_transaction_outlives_its_client_and_is_dropped_with_it() {
    let rig = rig(1.0);
    let running = rig.hub.start_transaction(context());
    rig.client.close(None);
    running.start_child("op", "span").finish();
    running.finish();
    rig.hub.start_transaction(context()).finish();
    assert_eq!(rig.client.stats().captured(Category::Transaction), 0);

    // The last handle to the client: it is flushed when it goes.
    let probe = Probe::new(Gate::opened());
    let last: Arc<Client> = client(ClientOptions::new().traces_sample_rate(1.0).transport(Arc::clone(&probe)));
    let running = hub(&last).start_transaction(context());
    drop(last);
    running.finish();
    assert_eq!(probe.take().len(), 1);
}

#[test]
fn a_queue_that_is_full_drops_transactions_with_their_spans() {
    let gate = Gate::closed();
    let options = ClientOptions::new().traces_sample_rate(1.0).transport_channel_capacity(1);
    let client = client(options.transport(Probe::new(gate.clone())));
    let hub = hub(&client);
    for _ in 0..3 {
        let root = hub.start_transaction(context());
        root.start_child("op", "span").finish();
        root.finish();
        gate.wait_for_arrival();
    }
    gate.open();
    assert!(client.flush(Some(PATIENCE)));
    let stats = client.stats();
    assert_eq!(discarded_of(&stats, Category::Transaction, Reason::QueueOverflow), 1);
    assert_eq!(discarded_of(&stats, Category::Span, Reason::QueueOverflow), 2);
    assert_settled(&stats);
}

#[test]
fn a_tag_is_made_text_while_nothing_is_held() {
    struct Nosy<'a>(&'a Span, &'a AtomicUsize);
    impl std::fmt::Display for Nosy<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.set_tag("nested", 1);
            f.write_str("outer")
        }
    }
    let rig = rig(1.0);
    let root = rig.hub.start_transaction(context());
    let (span, runs) = (root.start_child("op", ""), AtomicUsize::new(0));
    span.set_tag("outer", Nosy(&span, &runs));
    span.finish();
    root.finish();
    assert_eq!((transaction(&rig).spans[0].tags.len(), runs.load(Ordering::Relaxed)), (2, 1));
}

#[test]
fn handles_go_wherever_those_of_the_mirrored_api_go() {
    fn check<T: Clone + std::fmt::Debug + RefUnwindSafe + Send + Sync + UnwindSafe + 'static>() {}
    check::<Transaction>();
    check::<Span>();
    check::<TransactionOrSpan>();
    check::<TransactionContext>();
}
