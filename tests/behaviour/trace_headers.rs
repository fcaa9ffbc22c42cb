//! The headers that pass traces on, incoming and outgoing, and the trace in the headers of envelopes.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use vidette::protocol::{Context, Event, Request, SpanId, SpanStatus, TraceId};
use vidette::transport::{Delivery, Reply, SendBytes, SendError, Transport};
use vidette::{
    ClientOptions, Envelope, HeaderParseError, Hub, TraceHeader, TracePropagationContext, Transaction,
    TransactionContext, TransactionOrSpan, start_transaction,
};

use crate::rig::{PATIENCE, Rig, client, hub};

const TRACE: &str = "09e04486820349518ac7b5d2adbf6ba5";
const SPAN: &str = "9cf635fa5b870b3a";

fn options() -> ClientOptions {
    ClientOptions::new().release("shop@1.0").environment("test").traces_sample_rate(1.0)
}

fn incoming(flag: &str, baggage: &str) -> TransactionContext {
    let trace = format!("{TRACE}-{SPAN}{flag}");
    TransactionContext::continue_from_headers("GET /", "http.server", [("Sentry-Trace", &*trace), ("BAGGAGE", baggage)])
}

/// The members of the `baggage` header, sorted.
fn members(headers: impl IntoIterator<Item = TraceHeader>) -> Vec<String> {
    let baggage = headers.into_iter().find(|(name, _)| *name == "baggage");
    let mut members: Vec<String> = baggage.iter().flat_map(|(_, value)| value.split(',')).map(str::to_owned).collect();
    members.sort_unstable();
    members
}

fn sentry_trace(headers: impl IntoIterator<Item = TraceHeader>) -> String {
    let (name, value) = headers.into_iter().next().unwrap();
    assert_eq!(name, "sentry-trace");
    value
}

/// The `trace` in the headers of an envelope, as its bytes have it.
fn trace_of(envelope: &Envelope) -> Value {
    let mut bytes = Vec::new();
    envelope.to_writer(&mut bytes).unwrap();
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap();
    serde_json::from_slice::<Value>(line).unwrap()["trace"].clone()
}

fn only_trace(rig: &Rig) -> Value {
    let envelopes = rig.transport.take_envelopes();
    assert_eq!(envelopes.len(), 1);
    trace_of(&envelopes[0])
}

#[test]
fn a_trace_that_starts_here_says_all_that_is_decided() {
    let rig = Rig::with(options());
    let context = TransactionContext::new("GET /men\u{fc}", "http.server");
    let (trace_id, span_id) = (context.trace_id(), context.span_id());
    let root = rig.hub.start_transaction(context);
    let span = root.start_child("http.client", "");
    let inside = span.get_span_id();
    assert_eq!(sentry_trace(root.iter_headers()), format!("{trace_id}-{span_id}-1"));
    assert_eq!(sentry_trace(span.iter_headers()), format!("{trace_id}-{inside}-1"));
    let members = members(span.iter_headers());
    let rand = members.iter().find_map(|member| member.strip_prefix("sentry-sample_rand=")).unwrap().to_owned();
    assert_eq!(rand.len(), "0.123456".len());
    assert_eq!(
        members,
        [
            "sentry-environment=test",
            "sentry-public_key=public",
            "sentry-release=shop%401.0",
            &format!("sentry-sample_rand={rand}"),
            "sentry-sample_rate=1",
            "sentry-sampled=true",
            &format!("sentry-trace_id={trace_id}"),
            "sentry-transaction=GET%20%2Fmen%C3%BC",
        ]
    );
    // The envelope says the same.
    root.finish();
    let trace = only_trace(&rig);
    assert_eq!(
        trace,
        serde_json::json!({
            "trace_id": trace_id, "public_key": "public", "sample_rate": "1", "sample_rand": rand, "sampled": "true",
            "release": "shop@1.0", "environment": "test", "transaction": "GET /men\u{fc}",
        })
    );
}

#[test]
fn what_was_said_once_stays() {
    let rig = Rig::with(options());
    let root = rig.hub.start_transaction(TransactionContext::new("early", "op"));
    root.set_name("before");
    let first = members(root.iter_headers());
    assert!(first.contains(&"sentry-transaction=before".to_owned()));
    root.set_name("after");
    assert_eq!(members(root.start_child("op", "").iter_headers()), first);
    root.finish();
    assert_eq!(only_trace(&rig)["transaction"], "before");
}

#[test]
fn threads_that_say_it_first_at_once_agree() {
    for _ in 0..100 {
        let rig = Rig::with(options());
        let root = rig.hub.start_transaction(TransactionContext::new("start", "op"));
        let said: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..3)
                .map(|thread| {
                    let root = root.clone();
                    scope.spawn(move || {
                        root.set_name(&format!("by{thread}"));
                        members(root.iter_headers())
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(said.iter().all(|members| *members == said[0]), "{said:?}");
    }
}

#[test]
fn what_came_along_is_passed_on_as_it_came() {
    let baggage = "other=1,sentry-trace_id=09e04486820349518ac7b5d2adbf6ba5,sentry-public_key=theirs,\
                   sentry-sample_rate=0.3333333333333333,sentry-sampled=true,sentry-replay_id=r%20r";
    let rig = Rig::with(options());
    let root = rig.hub.start_transaction(incoming("-1", baggage));
    let expected = [
        "sentry-public_key=theirs",
        "sentry-replay_id=r%20r",
        "sentry-sample_rate=0.3333333333333333",
        "sentry-sampled=true",
        &format!("sentry-trace_id={TRACE}"),
    ];
    assert_eq!(members(root.iter_headers()), expected);
    let context = root.get_trace_context();
    assert_eq!((context.trace_id.to_string(), context.parent_span_id), (TRACE.to_owned(), SPAN.parse().ok()));

    // Through a span of this process, too.
    let continued = TransactionContext::continue_from_span("job", "op", Some(root.start_child("op", "").into()));
    assert_eq!(continued.sampled(), Some(true));
    let job = rig.hub.start_transaction(continued);
    assert_eq!(members(job.iter_headers()), expected);
    root.finish();
    assert_eq!(only_trace(&rig)["replay_id"], "r r");
}

#[test]
fn a_caller_that_says_nothing_has_agreed_on_nothing() {
    let rig = Rig::with(options());
    let root = rig.hub.start_transaction(incoming("-1", "other=1"));
    assert_eq!(root.iter_headers().count(), 1);
    root.finish();
    assert_eq!(only_trace(&rig), Value::Null);
}

#[test]
fn what_is_decided_here_is_said_of_a_trace_that_left_it_open() {
    let baggage = format!("sentry-trace_id={TRACE},sentry-public_key=theirs,sentry-sample_rand=0.400000");
    for (rate, sampled) in [(0.4, "false"), (0.5, "true")] {
        let rig = Rig::with(options().traces_sample_rate(rate));
        let root = rig.hub.start_transaction(incoming("", &baggage));
        let flag = if sampled == "true" { "1" } else { "0" };
        assert!(sentry_trace(root.iter_headers()).ends_with(&format!("-{flag}")));
        assert_eq!(
            members(root.iter_headers()),
            [
                "sentry-public_key=theirs",
                "sentry-sample_rand=0.400000",
                &format!("sentry-sample_rate={rate}"),
                &format!("sentry-sampled={sampled}"),
                &format!("sentry-trace_id={TRACE}"),
            ]
        );
    }
}

#[test]
fn traces_of_strangers_are_not_continued() {
    let baggage = "sentry-org_id=7,sentry-public_key=theirs";
    for (org_id, is_strict, baggage, continues) in
        [(7, true, baggage, true), (8, false, baggage, false), (8, false, "", true), (8, true, "", false)]
    {
        let rig = Rig::with(options().org_id(org_id.into()).strict_trace_continuation(is_strict));
        let root = rig.hub.start_transaction(incoming("-0", baggage));
        let context = root.get_trace_context();
        assert_eq!(context.trace_id.to_string() == TRACE, continues);
        assert_eq!(context.parent_span_id.is_some(), continues);
        // The caller's decision goes with its trace.
        root.finish();
        assert_eq!(rig.transport.take_envelopes().len(), usize::from(!continues));
    }
}

#[test]
fn without_a_client_a_trace_is_passed_on_as_it_came() {
    let hub = Arc::new(Hub::new(None, Arc::default()));
    let baggage = "sentry-release=theirs";
    for (flag, sampled) in [("-1", Some(true)), ("-0", Some(false)), ("", None)] {
        let root = Hub::run(Arc::clone(&hub), || start_transaction(incoming(flag, baggage)));
        let header = sentry_trace(root.start_child("op", "").iter_headers());
        let parsed = TracePropagationContext::try_from_headers([("sentry-trace", header.as_str())]).unwrap();
        let plain = TracePropagationContext::new(parsed_ids(&header).0, parsed_ids(&header).1);
        assert_eq!(parsed, sampled.map_or(plain.clone(), |sampled| plain.with_sampled(sampled)));
        assert!(header.starts_with(TRACE));
        assert_eq!(members(root.iter_headers()), ["sentry-release=theirs"]);
        root.finish();
    }
}

fn parsed_ids(header: &str) -> (TraceId, SpanId) {
    (header[..32].parse().unwrap(), header[33..49].parse().unwrap())
}

#[test]
fn without_tracing_the_trace_is_passed_on_undecided() {
    let rig = Rig::with(options());
    rig.hub.configure_scope(|scope| {
        // The current hub's client speaks for the scope.
        let (header, members) =
            rig.run(|| (sentry_trace(scope.iter_trace_propagation_headers()), members(scope.trace_headers())));
        let (trace_id, _) = parsed_ids(&header);
        assert_eq!(header.len(), 49, "it says nothing about sampling");
        assert!(members[3].starts_with("sentry-sample_rand=0."));
        assert_eq!(
            [&members[..3], &members[4..]].concat(),
            [
                "sentry-environment=test",
                "sentry-public_key=public",
                "sentry-release=shop%401.0",
                &format!("sentry-trace_id={trace_id}")
            ]
        );
        // Of which the envelopes of its events tell, too.
        rig.hub.capture_event(Event::default());
        let trace = only_trace(&rig);
        assert_eq!(trace["trace_id"], trace_id.to_string());
        assert_eq!(
            serde_json::to_string(trace.as_object().unwrap().keys().collect::<Vec<_>>().as_slice()).unwrap(),
            r#"["environment","public_key","release","sample_rand","trace_id"]"#
        );
        let root = rig.hub.start_transaction(incoming("-1", ""));
        scope.set_span(Some(root.clone().into()));
        assert_eq!(sentry_trace(scope.iter_trace_propagation_headers()), sentry_trace(root.iter_headers()));
    });

    // Where tracing is off, a transaction says as much.
    let rig = Rig::with(ClientOptions::new());
    let root = rig.hub.start_transaction(TransactionContext::new("name", "op"));
    assert_eq!(sentry_trace(root.iter_headers()).len(), 49);
    let members = members(root.iter_headers());
    assert_eq!(members.len(), 3, "{members:?}");
}

#[test]
fn the_organization_is_said_if_it_is_known() {
    let rig = Rig::with(options().org_id(7.into()));
    let root = rig.hub.start_transaction(TransactionContext::new("name", "op"));
    assert!(members(root.iter_headers()).contains(&"sentry-org_id=7".to_owned()));
}

#[test]
fn an_event_in_a_span_travels_with_the_trace_of_the_span() {
    for looks in [false, true] {
        let options = if looks { options().before_send(Some) } else { options() };
        let rig = Rig::with(options);
        let root = rig.hub.start_transaction(TransactionContext::new("name", "op"));
        rig.hub.configure_scope(|scope| scope.set_span(Some(root.start_child("op", "").into())));
        rig.hub.capture_event(Event::default());
        let trace = only_trace(&rig);
        assert_eq!((&trace["sampled"], &trace["transaction"]), (&"true".into(), &"name".into()));
        assert_eq!(trace["trace_id"], root.get_trace_context().trace_id.to_string());
        // One that says it belongs elsewhere does not.
        let elsewhere = Context::Trace(Box::default());
        let event = Event { contexts: [("trace".to_owned(), elsewhere)].into(), ..Event::default() };
        rig.hub.capture_event(event);
        assert_eq!(only_trace(&rig), Value::Null);
    }
}

/// Takes bytes.
#[derive(Default)]
struct Bytes(Mutex<Vec<Vec<u8>>>);

impl SendBytes for Bytes {
    fn send_bytes(&self, bytes: &[u8], _: Option<Duration>) -> Result<Reply, SendError> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(Reply::from_status(200))
    }
}

impl Transport for Bytes {
    fn send_envelope(&self, _: Envelope) {
        panic!("bytes are asked for");
    }

    fn delivery(&self) -> Delivery<'_> {
        Delivery::Bytes(self)
    }
}

#[test]
fn the_trace_arrives_in_bytes() {
    let bytes = Arc::new(Bytes::default());
    let client = client(options().transport(Arc::clone(&bytes)));
    let hub = hub(&client);
    let root = hub.start_transaction(TransactionContext::new("name", "op"));
    let trace_id = root.get_trace_context().trace_id.to_string();
    hub.capture_event(Event::default());
    hub.configure_scope(|scope| scope.set_span(Some(root.clone().into())));
    hub.capture_event(Event::default());
    root.finish();
    assert!(client.flush(Some(PATIENCE)));
    let sent = bytes.0.lock().unwrap();
    let traces: Vec<Value> = sent
        .iter()
        .map(|bytes| Envelope::from_slice(bytes).unwrap())
        .map(|envelope| {
            assert!(envelope.uuid().is_some());
            trace_of(&envelope)
        })
        .collect();
    assert_eq!(traces.len(), 3);
    assert_eq!((&traces[0]["sampled"], &traces[0]["public_key"]), (&Value::Null, &"public".into()));
    assert!(traces[0]["sample_rand"] != Value::Null && traces[0]["trace_id"] != *trace_id);
    assert_eq!((&traces[1], &traces[1]["trace_id"]), (&traces[2], &trace_id.into()));
    assert_eq!(traces[1]["sampled"], "true");
}

#[test]
fn the_bytes_of_a_transaction() {
    let bytes = Arc::new(Bytes::default());
    let client = client(options().org_id(7.into()).transport(Arc::clone(&bytes)));
    let hub = hub(&client);
    let start = SystemTime::UNIX_EPOCH + Duration::from_millis(1_595_256_674_250);
    let after = |millis| start + Duration::from_millis(millis);
    let context = TransactionContext::new_with_details(
        "GET /cart",
        "http.server",
        TRACE.parse().unwrap(),
        SPAN.parse().ok(),
        Some(SpanId::from([1; 8])),
    );
    let root = hub.start_transaction_with_timestamp(context, start);
    root.set_tag("shard", 7);
    root.set_data("http.response.status_code", 200.into());
    root.set_origin("auto.http");
    root.set_request(Request { method: Some("GET".into()), ..Request::default() });
    root.set_status(SpanStatus::Ok);
    let span = root.start_child_with_details("db", "SELECT 1", SpanId::from([2; 8]), after(250));
    span.set_data("rows", 1.into());
    span.finish_with_timestamp(after(500));
    Hub::run(Arc::clone(&hub), || root.finish_with_timestamp(after(750)));
    assert!(client.flush(Some(PATIENCE)));

    let sent = bytes.0.lock().unwrap();
    let text = String::from_utf8(sent[0].clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let mut headers: Value = serde_json::from_str(lines[0]).unwrap();
    let mut item: Value = serde_json::from_str(lines[2]).unwrap();
    assert_eq!(headers["event_id"], item["event_id"]);
    // What differs from run to run, or from release to release.
    for object in [&mut headers, &mut item] {
        let object = object.as_object_mut().unwrap();
        ["event_id", "sent_at", "sdk"].into_iter().for_each(|name| _ = object.remove(name));
    }
    assert!(lines[1].starts_with(r#"{"type":"transaction","length":"#), "{}", lines[1]);
    insta::assert_snapshot!(format!("{headers:#}\n{item:#}"), @r#"
    {
      "dsn": "https://public@sentry.invalid/1",
      "trace": {
        "environment": "test",
        "org_id": "7",
        "public_key": "public",
        "release": "shop@1.0",
        "sample_rand": "0.840505",
        "sample_rate": "1",
        "sampled": "true",
        "trace_id": "09e04486820349518ac7b5d2adbf6ba5",
        "transaction": "GET /cart"
      }
    }
    {
      "contexts": {
        "trace": {
          "data": {
            "http.response.status_code": 200
          },
          "op": "http.server",
          "origin": "auto.http",
          "parent_span_id": "0101010101010101",
          "span_id": "9cf635fa5b870b3a",
          "status": "ok",
          "trace_id": "09e04486820349518ac7b5d2adbf6ba5",
          "type": "trace"
        }
      },
      "environment": "test",
      "platform": "native",
      "release": "shop@1.0",
      "request": {
        "method": "GET"
      },
      "spans": [
        {
          "data": {
            "rows": 1
          },
          "description": "SELECT 1",
          "op": "db",
          "parent_span_id": "9cf635fa5b870b3a",
          "span_id": "0202020202020202",
          "start_timestamp": 1595256674.5,
          "timestamp": 1595256674.75,
          "trace_id": "09e04486820349518ac7b5d2adbf6ba5"
        }
      ],
      "start_timestamp": 1595256674.25,
      "tags": {
        "shard": "7"
      },
      "timestamp": 1595256675,
      "transaction": "GET /cart",
      "type": "transaction"
    }
    "#);
}

#[test]
fn headers_are_read_without_allocating_them() {
    let rig = Rig::with(options());
    let root = rig.hub.start_transaction(TransactionContext::new("name", "op"));
    let headers = TransactionOrSpan::from(root.clone()).trace_headers();
    let owned: Vec<_> = root.iter_headers().collect();
    let lent: Vec<_> = headers.iter().map(|(name, value)| (name, value.to_owned())).collect();
    assert_eq!(lent, owned);
    assert_eq!((headers.sentry_trace(), headers.baggage()), (owned[0].1.as_str(), Some(owned[1].1.as_str())));
}

#[test]
fn headers_that_say_nothing_start_a_new_trace() {
    let fresh: fn(&[(&'static str, &'static str)]) -> Transaction =
        |headers| start_transaction(TransactionContext::continue_from_headers("n", "op", headers.iter().copied()));
    assert!(fresh(&[("baggage", "sentry-org_id=7")]).get_trace_context().parent_span_id.is_none());
    assert!(matches!(TracePropagationContext::try_from_headers([]), Err(HeaderParseError::Missing)));
    let invalid = TracePropagationContext::try_from_headers([("sentry-trace", "x")]);
    assert!(matches!(invalid, Err(HeaderParseError::Invalid)));
    assert!(TransactionContext::continue_from_span("n", "op", None).sampled().is_none());
}

#[test]
fn any_headers_are_read_and_what_is_passed_on_is_stable() {
    let ids = format!("{TRACE}-{SPAN}");
    let pieces = [
        "sentry-trace:",
        "baggage:",
        &ids,
        "-1",
        "-0",
        "-",
        "\n",
        ",",
        ";",
        "=",
        " ",
        "sentry-",
        "release",
        "sampled",
        "sample_rate",
        "sample_rand",
        "org_id",
        "trace_id",
        TRACE,
        "true",
        "0.25",
        "1",
        "%41",
        "%",
        "%ff",
        "\u{e9}",
        "x",
    ];
    // Numbers that need not be good.
    let mut state = 1_u64;
    let mut roll = |sides: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % sides
    };
    for _ in 0..20_000 {
        let length = roll(40);
        let mut text = if roll(2) == 0 { String::new() } else { format!("sentry-trace:{ids}-1\nbaggage:") };
        text.extend((0..length).map(|_| pieces[roll(pieces.len())]));
        vidette::fuzzing::headers(text.as_bytes());
    }
}
