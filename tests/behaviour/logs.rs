//! Logs: what they say, when they leave, and what becomes of each.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use vidette::protocol::client_report::{Category, Reason};
use vidette::protocol::{Log, LogAttribute, LogLevel, Map, SpanId, TraceId, User};
use vidette::wire::{EnvelopeItem, ItemContainer};
use vidette::{
    Client, ClientOptions, Envelope, Hub, Scope, logger_debug, logger_error, logger_fatal, logger_info, logger_trace,
    logger_warn,
};

use crate::rig::{
    Gate, OpenAtEnd, PATIENCE, Probe, Rig, assert_balanced, assert_settled, client, discarded_of, eventually, hub,
};

/// The logs in an envelope.
fn logs_in(envelope: &Envelope) -> Vec<Log> {
    let items = envelope.items().filter_map(|item| match item {
        EnvelopeItem::ItemContainer(ItemContainer::Logs(logs)) => Some(logs.clone()),
        _ => None,
    });
    items.flatten().collect()
}

/// What a probe was sent, each batch as its messages.
fn batches(envelopes: &[Envelope]) -> Vec<Vec<String>> {
    let batches = envelopes.iter().map(|envelope| logs_in(envelope).into_iter().map(|log| log.body).collect());
    batches.filter(|batch: &Vec<String>| !batch.is_empty()).collect()
}

impl Rig {
    /// The logs that `body` captures.
    fn logs(&self, body: impl FnOnce()) -> Vec<Log> {
        self.run(body);
        assert!(self.client.flush(Some(PATIENCE)));
        self.transport.take_envelopes().iter().flat_map(logs_in).collect()
    }

    /// The one log that `body` captures.
    fn log(&self, body: impl FnOnce()) -> Log {
        let mut logs = self.logs(body);
        assert_eq!(logs.len(), 1);
        logs.remove(0)
    }
}

fn log(body: &str) -> Log {
    Log {
        level: LogLevel::Info,
        body: body.to_owned(),
        trace_id: None,
        timestamp: SystemTime::now(),
        severity_number: None,
        attributes: Map::new(),
    }
}

/// The attributes that the test itself is about: not those that every log has.
fn own(log: &Log) -> Map<String, LogAttribute> {
    let own = log.attributes.clone().into_iter();
    own.filter(|(name, _)| !name.starts_with("sentry.sdk.")).collect()
}

fn attributes<const N: usize>(pairs: [(&str, LogAttribute); N]) -> Map<String, LogAttribute> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[test]
fn each_macro_has_a_level_of_its_own_and_its_severity() {
    let logs = Rig::new().logs(|| {
        logger_trace!("t");
        logger_debug!("d");
        logger_info!("i");
        logger_warn!("w");
        logger_error!("e");
        logger_fatal!("f");
    });
    use LogLevel::{Debug, Error, Fatal, Info, Trace, Warn};
    assert!(logs.iter().map(|log| log.level).eq([Trace, Debug, Info, Warn, Error, Fatal]));
    let severities = logs.iter().map(|log| log.severity_number.unwrap());
    assert!(severities.eq([1, 5, 9, 13, 17, 21].map(|number| number.try_into().unwrap())));
}

#[test]
fn a_message_without_arguments_is_taken_as_it_is() {
    let log = Rig::new().log(|| logger_info!("100 % {of} it {"));
    assert_eq!(log.body, "100 % {of} it {");
    assert_eq!(own(&log), Map::new(), "it is no template");
}

#[test]
fn the_arguments_of_a_message_are_attributes_too() {
    let width = 4;
    let log = Rig::new().log(|| logger_info!("{} of {:>width$} in {ms:.1} ms", "one", 2_u64, ms = 1.25,));
    assert_eq!(log.body, "one of    2 in 1.2 ms");
    let expected = [
        ("sentry.message.template", "{} of {:>width$} in {ms:.1} ms".into()),
        ("sentry.message.parameter.0", "one".into()),
        ("sentry.message.parameter.1", 2_u64.into()),
        ("sentry.message.parameter.ms", 1.25.into()),
    ];
    assert_eq!(own(&log), attributes(expected));
}

#[test]
fn a_message_with_arguments_is_what_format_makes_of_it() {
    macro_rules! assert_alike {
        ($(($($message:tt)+))+) => {{
            let expected = [$(format!($($message)+)),+];
            let logs = Rig::new().logs(|| {
                $(logger_info!($($message)+);)+
            });
            assert_eq!(logs.iter().map(|log| &*log.body).collect::<Vec<_>>(), expected);
        }};
    }
    let (n, text, width) = (7, "text", 4);
    assert_alike! {
        ("{} of {}", 3, "many")
        ("{n} {text} {{{}}} {x}{x}", -1, x = text)
        ("{} {} {} {} {}", i64::MIN, u64::MAX, true, 123_456_789, 0)
        ("{} {:?} {n:>width$}", "a", "b")
        ("{} {:?} {n}", 1.5, Some(n).is_some())
        ("{1} {0} {0:>5}", 1, 'c'.to_string())
        ("long: {} {}", "ä".repeat(300), "x".repeat(99))
        (r#""{}""#, 1 + 2 * 3)
    }
}

#[test]
fn attributes_come_first_under_names_of_any_form() {
    let (owned, list) = (String::from("owned"), vec![1, 2]);
    let log = Rig::new().log(|| {
        logger_warn!(
            plain = 1,
            user.id = owned,
            a.b.c.d.e.f.g.h.i.type = true,
            "quoted key" = 1.5_f32,
            list = list,
            nothing = None::<i32>,
            plain = "again",
            "text {}",
            7
        )
    });
    let expected = [
        ("plain", "again".into()),
        ("user.id", "owned".into()),
        ("a.b.c.d.e.f.g.h.i.type", true.into()),
        ("quoted key", 1.5.into()),
        ("list", vec![1, 2].into()),
        ("nothing", ().into()),
        ("sentry.message.template", "text {}".into()),
        ("sentry.message.parameter.0", 7.into()),
    ];
    assert_eq!((log.body.as_str(), own(&log)), ("text 7", attributes(expected)));
}

#[test]
fn arguments_are_evaluated_once_and_only_for_a_client() {
    let ran = AtomicUsize::new(0);
    let run = || ran.fetch_add(1, Ordering::Relaxed);
    let write = || logger_info!(a = run(), "{} {n}", run(), n = run());
    Hub::run(Arc::new(Hub::new(None, Arc::default())), write);
    assert_eq!(ran.load(Ordering::Relaxed), 0);
    let log = Rig::new().log(write);
    assert_eq!((log.body.as_str(), ran.load(Ordering::Relaxed)), ("1 2", 3));
}

#[test]
fn arguments_may_leave_the_function_that_logs() {
    fn fallible(text: &str) -> Result<(), std::num::ParseIntError> {
        logger_info!(n = text.parse::<i32>()?, "n is {}", text.parse::<i32>()?);
        Ok(())
    }
    let rig = Rig::new();
    assert_eq!(rig.log(|| fallible("7").unwrap()).body, "n is 7");
    assert!(rig.logs(|| assert!(fallible("seven").is_err())).is_empty());
}

#[test]
fn what_the_client_and_the_scope_know_is_added() {
    let options = ClientOptions::new().release("r@1").environment("test").server_name("box").send_default_pii(true);
    let rig = Rig::with(options);
    let user = User { id: Some("7".into()), email: Some("e@x.invalid".into()), ..User::default() };
    rig.hub.configure_scope(|scope| scope.set_user(Some(user)));
    let log = rig.log(|| logger_info!(user.email = "own", "sentry.release" = "own", "m"));
    let version = env!("CARGO_PKG_VERSION");
    let expected = [
        ("sentry.environment", "test".into()),
        ("sentry.release", "own".into()),
        ("sentry.sdk.name", "sentry.rust.vidette".into()),
        ("sentry.sdk.version", version.into()),
        ("server.address", "box".into()),
        ("user.email", "own".into()),
        ("user.id", "7".into()),
    ];
    assert_eq!(log.attributes, attributes(expected));
}

#[test]
fn the_user_stays_out_without_consent() {
    let rig = Rig::new();
    rig.hub.configure_scope(|scope| scope.set_user(Some(User { id: Some("7".into()), ..User::default() })));
    assert_eq!(own(&rig.log(|| logger_info!("m"))), Map::new());
}

#[test]
fn logs_and_events_of_one_hub_share_a_trace_and_a_log_may_name_another() {
    let rig = Rig::new();
    let event = rig.event();
    let Some(vidette::protocol::Context::Trace(trace)) = event.contexts.get("trace") else { panic!("no trace") };
    assert_eq!(rig.log(|| logger_info!("m")).trace_id, Some(trace.trace_id));
    let other = TraceId::default();
    let named = Log { trace_id: Some(other), ..log("named") };
    assert_eq!(rig.log(|| Hub::current().capture_log(named)).trace_id, Some(other));
}

#[test]
fn the_operating_system_is_told_if_an_integration_knows_it() {
    struct Knowing;
    impl vidette::Integration for Knowing {
        fn name(&self) -> &'static str {
            "contexts"
        }

        fn process_event(
            &self,
            mut event: vidette::protocol::Event<'static>,
            _: &ClientOptions,
        ) -> Option<vidette::protocol::Event<'static>> {
            logger_info!("from the integration");
            let os = vidette::protocol::OsContext { name: Some("Multics".into()), ..Default::default() };
            event.contexts.insert("os".into(), os.into());
            Some(event)
        }
    }
    let rig = Rig::with(ClientOptions::new().add_integration(Knowing));
    let log = rig.logs(|| logger_info!("m")).remove(0);
    assert_eq!(own(&log), attributes([("os.name", "Multics".into())]));
}

#[test]
fn a_scope_fills_a_log_that_is_not_captured() {
    let mut scope = Scope::default();
    scope.set_user(Some(User { username: Some("u".into()), ..User::default() }));
    let mut own = log("m");
    scope.apply_to_log(&mut own);
    assert!(own.trace_id.is_some());
    assert_eq!(own.attributes, attributes([("user.name", "u".into())]));
}

#[test]
fn a_callback_sees_all_of_a_log_and_what_it_leaves_is_what_is_sent() {
    let options = ClientOptions::new().release("r@1").before_send_log(|mut log| {
        log.body.push('!');
        log.attributes.remove("sentry.release").map(|_| log)
    });
    let rig = Rig::with(options);
    let log = rig.log(|| logger_info!(n = 1, "seen"));
    assert_eq!((log.body.as_str(), own(&log)), ("seen!", attributes([("n", 1.into())])));
}

#[test]
fn a_callback_may_drop_a_log_or_panic() {
    let options = ClientOptions::new().before_send_log(|log| match &*log.body {
        "drop" => None,
        "panic" => panic!("on purpose"),
        _ => Some(log),
    });
    let rig = Rig::with(options);
    let logs = rig.logs(|| ["drop", "panic", "keep"].iter().for_each(|body| Hub::current().capture_log(log(body))));
    assert_eq!(logs.len(), 1);
    let stats = rig.client.stats();
    assert_settled(&stats);
    assert_eq!(discarded_of(&stats, Category::LogItem, Reason::BeforeSend), 2);
    assert!(discarded_of(&stats, Category::LogByte, Reason::BeforeSend) >= 9);
}

#[test]
fn logs_leave_in_hundreds_and_in_order() {
    let probe = Probe::new(Gate::opened());
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
    Hub::run(hub(&client), || (0..250).for_each(|n| logger_info!("{}", n)));
    eventually("two hundred are sent unasked", || client.stats().handed_over(Category::LogItem) == 200);
    assert_eq!((client.stats().held(Category::LogItem), client.stats().queued()), (50, 50));
    assert!(client.flush(Some(PATIENCE)));
    let sent = batches(&probe.take());
    assert!(sent.iter().map(Vec::len).eq([100, 100, 50]));
    assert!(sent.concat().into_iter().eq((0..250).map(|n| n.to_string())));
    assert_settled(&client.stats());
}

#[test]
fn a_few_logs_leave_after_five_seconds() {
    let probe = Probe::new(Gate::opened());
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
    let start = Instant::now();
    Hub::run(hub(&client), || (0..3).for_each(|n| logger_info!("{}", n)));
    while client.stats().held(Category::LogItem) > 0 {
        assert!(start.elapsed() < Duration::from_secs(30), "they never leave");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(start.elapsed() > Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(batches(&probe.take()), [["0", "1", "2"]]);
}

#[test]
fn flush_close_and_drop_send_what_came_before() {
    let flush = |client: Arc<Client>| assert!(client.flush(Some(PATIENCE)));
    let close = |client: Arc<Client>| assert!(client.close(None));
    for end in [flush, close, drop] {
        let probe = Probe::new(Gate::opened());
        let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
        Hub::new(Some(Arc::clone(&client)), Arc::default()).capture_log(log("before"));
        let seen = Arc::clone(&client);
        end(client);
        // Only for `drop` is this the last handle.
        drop(seen);
        assert_eq!(batches(&probe.take()), [["before"]]);
    }
}

/// A client whose sender stands still with an event.
fn standing_still() -> (Gate, Arc<Client>, Arc<Hub>) {
    let gate = Gate::closed();
    let client = client(ClientOptions::new().transport(Probe::new(gate.clone())));
    let hub = hub(&client);
    assert!(crate::rig::capture(&hub, "the sender stands still"));
    gate.wait_for_arrival();
    (gate, client, hub)
}

#[test]
fn no_more_than_a_thousand_logs_wait_and_the_rest_is_counted() {
    let (gate, client, hub) = standing_still();
    let _open = OpenAtEnd(&gate);
    let bodies = 1_500;
    (0..bodies).for_each(|_| hub.capture_log(log("12345")));
    let stats = client.stats();
    assert_balanced(&stats);
    assert_eq!(stats.captured(Category::LogItem), bodies);
    assert_eq!(discarded_of(&stats, Category::LogItem, Reason::QueueOverflow), 500);
    assert!(discarded_of(&stats, Category::LogByte, Reason::QueueOverflow) >= 2_500);
    gate.open();
    assert!(client.flush(Some(PATIENCE)));
    assert_settled(&client.stats());
    assert_eq!(client.stats().handed_over(Category::LogItem), 1_000);
}

#[test]
fn large_logs_share_the_budget_of_what_waits() {
    let (gate, client, hub) = standing_still();
    let _open = OpenAtEnd(&gate);
    (0..10).for_each(|_| hub.capture_log(log(&"x".repeat(10 << 20))));
    let refused = discarded_of(&client.stats(), Category::LogItem, Reason::QueueOverflow);
    assert!((4..=7).contains(&refused), "{refused} of 10 MiB each");
    gate.open();
    assert!(client.flush(Some(PATIENCE)));
    hub.capture_log(log(&"x".repeat(50 << 20)));
    assert!(client.flush(Some(PATIENCE)));
    assert_eq!(discarded_of(&client.stats(), Category::LogItem, Reason::QueueOverflow), refused, "there is room again");
    assert_settled(&client.stats());
}

#[test]
fn what_close_leaves_behind_is_counted() {
    let (gate, client, hub) = standing_still();
    let _open = OpenAtEnd(&gate);
    (0..7).for_each(|_| hub.capture_log(log("late")));
    assert!(!client.close(Some(Duration::from_millis(20))));
    hub.capture_log(log("too late"));
    gate.open();
    eventually("all is settled", || client.stats().held(Category::LogItem) == 0);
    let stats = client.stats();
    assert_settled(&stats);
    assert_eq!(stats.captured(Category::LogItem), 7);
    assert_eq!(discarded_of(&stats, Category::LogItem, Reason::NetworkError), 7);
}

#[test]
fn a_flush_without_much_time_does_not_make_the_rest_wait() {
    let gate = Gate::closed();
    let probe = Probe::new(gate.clone());
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
    let hub = hub(&client);
    let _open = OpenAtEnd(&gate);
    assert!(crate::rig::capture(&hub, "0"));
    gate.wait_for_arrival();
    assert!(crate::rig::capture(&hub, "1"));
    hub.capture_log(log("2"));
    assert!(!client.flush(Some(Duration::from_millis(1))));
    gate.open();
    let start = Instant::now();
    let held = || client.stats().held(Category::LogItem) + client.stats().held(Category::Error);
    eventually("all is sent", || held() == 0);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn logs_that_are_captured_while_another_thread_closes_are_sent_or_counted() {
    for _ in 0..100 {
        let probe = Probe::new(Gate::opened());
        let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
        let start = std::sync::Barrier::new(3);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let hub = Hub::new(Some(Arc::clone(&client)), Arc::default());
                    start.wait();
                    (0..130).for_each(|n| hub.capture_log(log(&n.to_string())));
                });
            }
            start.wait();
            client.close(Some(PATIENCE));
        });
        eventually("all is settled", || client.stats().held(Category::LogItem) == 0);
        let stats = client.stats();
        assert_settled(&stats);
        assert_eq!(batches(&probe.take()).concat().len() as u64, stats.handed_over(Category::LogItem));
        assert_eq!(stats.queued(), 0);
    }
}

#[test]
fn a_log_in_a_callback_of_a_log_is_captured_and_one_in_that_is_not() {
    let bodies: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&bodies);
    let options = ClientOptions::new().before_send_log(move |log| {
        seen.lock().unwrap().push(log.body.clone());
        logger_info!("deeper");
        Some(log)
    });
    let rig = Rig::with(options);
    assert_eq!(rig.logs(|| logger_info!("outer")).len(), 2);
    assert_eq!(*bodies.lock().unwrap(), ["outer", "deeper"]);
}

#[test]
fn the_span_of_a_log_is_sent_beside_its_attributes() {
    let id = SpanId::default();
    let mut own = log("m");
    own.attributes.insert("parent_span_id".into(), id.to_string().into());
    let mut bytes = Vec::new();
    Envelope::from(vec![own.clone()]).to_writer(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains(&format!(r#""span_id":"{id}""#)) && !text.contains("parent_span_id"), "{text}");
    let read = Envelope::from_slice(text.as_bytes()).unwrap();
    assert_eq!(logs_in(&read)[0].attributes, own.attributes);
}
