//! Sessions: what counts, what is told, when, and how often.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use vidette::protocol::client_report::{Category, Reason};
use vidette::protocol::{
    EnvelopeItem, Event, Exception, Mechanism, SessionAggregateItem, SessionStatus, SessionUpdate, User,
};
use vidette::transport::{Delivery, Reply, SendBytes, SendError, Transport};
use vidette::{ClientOptions, Envelope, Hub, Level, Scope, SessionMode, TransactionContext};

use crate::rig::{
    Gate, Keeper, OpenAtEnd, PATIENCE, Probe, Rig, assert_settled, capture, client, discarded_of, eventually, hub,
    watched,
};

fn options(mode: SessionMode) -> ClientOptions {
    ClientOptions::new().release("app@1").environment("test").session_mode(mode)
}

/// Options for the runs of an application.
fn runs() -> ClientOptions {
    options(SessionMode::Application)
}

/// Options for the requests of a server.
fn requests() -> ClientOptions {
    options(SessionMode::Request)
}

fn error(handled: Option<bool>) -> Event<'static> {
    let mechanism = Mechanism { handled, ..Mechanism::default() };
    let exception = Exception { ty: "E".to_owned(), mechanism: Some(mechanism), ..Exception::default() };
    Event { exception: vec![exception].into(), level: Level::Error, ..Event::default() }
}

fn user(id: &str) -> Option<User> {
    Some(User { id: Some(id.to_owned()), ..User::default() })
}

/// What one envelope holds, in short.
fn items(envelope: &Envelope) -> Vec<String> {
    let describe = |item: &EnvelopeItem| match item {
        EnvelopeItem::Event(_) => "event".to_owned(),
        EnvelopeItem::SessionUpdate(update) => describe(update),
        EnvelopeItem::SessionAggregates(sessions) => {
            assert_eq!(
                (&*sessions.attributes.release, sessions.attributes.environment.as_deref()),
                ("app@1", Some("test"))
            );
            sessions.aggregates.iter().map(bucket).collect::<Vec<_>>().join(" ")
        }
        EnvelopeItem::ClientReport(_) => "report".to_owned(),
        other => panic!("{other:?}"),
    };
    envelope.items().map(describe).collect()
}

/// Such as `init exited 2`: the first update, of a session that ended with two errors.
fn describe(update: &SessionUpdate<'_>) -> String {
    assert_eq!((&*update.attributes.release, update.attributes.environment.as_deref()), ("app@1", Some("test")));
    assert_eq!(update.init, update.sequence == Some(0));
    assert_eq!(update.duration.is_some(), update.status != SessionStatus::Ok);
    let init = if update.init { "init " } else { "" };
    let did = update.distinct_id.as_ref().map(|did| format!("{did}: ")).unwrap_or_default();
    format!("{did}{init}{} {}", update.status, update.errors)
}

/// Such as `me: 1/0/2/0`: exited, errored, crashed, abnormal.
fn bucket(item: &SessionAggregateItem) -> String {
    let seconds = item.started.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(seconds % 60, 0, "minutes are whole");
    let did = item.distinct_id.as_ref().map(|did| format!("{did}: ")).unwrap_or_default();
    format!("{did}{}/{}/{}/{}", item.exited, item.errored, item.crashed, item.abnormal)
}

fn all(envelopes: Vec<Envelope>) -> Vec<Vec<String>> {
    envelopes.iter().map(items).collect()
}

/// What the rig's client sends until it has sent all.
fn flushed(rig: &Rig) -> Vec<Vec<String>> {
    assert!(rig.client.flush(Some(PATIENCE)));
    assert_settled(&rig.client.stats());
    all(rig.transport.take_envelopes())
}

/// A transport that takes bytes, and answers as told; else it accepts.
#[derive(Default)]
struct Wire {
    sent: Mutex<Vec<Vec<u8>>>,
    replies: Mutex<VecDeque<Reply>>,
}

impl Wire {
    fn will_say(&self, status: u16, limits: &str) {
        let mut reply = Reply::from_status(status);
        reply.rate_limits = Some(limits.to_owned());
        self.replies.lock().unwrap().push_back(reply);
    }

    fn take(&self) -> Vec<Vec<String>> {
        let sent = std::mem::take(&mut *self.sent.lock().unwrap());
        sent.iter().map(|bytes| items(&Envelope::from_slice(bytes).unwrap())).collect()
    }
}

impl Transport for Wire {
    fn send_envelope(&self, _: Envelope) {
        panic!("it takes bytes");
    }

    fn delivery(&self) -> Delivery<'_> {
        Delivery::Bytes(self)
    }
}

impl SendBytes for Wire {
    fn send_bytes(&self, envelope: &[u8], _: Option<Duration>) -> Result<Reply, SendError> {
        self.sent.lock().unwrap().push(envelope.to_vec());
        Ok(self.replies.lock().unwrap().pop_front().unwrap_or(Reply::from_status(200)))
    }
}

#[test]
fn a_run_is_told_once_it_ends_and_flush_brings_it() {
    let rig = Rig::with(runs());
    rig.hub.start_session();
    assert!(flushed(&rig).is_empty(), "nothing has happened yet");
    rig.hub.end_session();
    assert_eq!(rig.client.stats().held(Category::Session), 1);
    assert_eq!(flushed(&rig), [["init exited 0"]]);
    rig.hub.end_session();
    assert!(flushed(&rig).is_empty(), "it is over");
    rig.hub.start_session();
    rig.hub.end_session_with_status(SessionStatus::Abnormal);
    assert_eq!(flushed(&rig), [["init abnormal 0"]]);
}

#[test]
fn the_first_error_takes_the_session_along_and_later_ones_are_counted() {
    let rig = Rig::with(runs());
    rig.hub.configure_scope(|scope| scope.set_user(user("me")));
    rig.hub.start_session();
    rig.hub.configure_scope(|scope| scope.set_user(user("somebody else")));
    (0..3).for_each(|_| _ = rig.hub.capture_event(error(Some(true))));
    rig.hub.capture_error(&"x".parse::<i32>().unwrap_err());
    rig.hub.end_session();
    rig.hub.capture_event(error(None));
    let expected: [&[&str]; 6] =
        [&["event", "me: init ok 1"], &["event"], &["event"], &["event"], &["event"], &["me: exited 4"]];
    assert_eq!(flushed(&rig), expected);
}

#[test]
fn a_crash_takes_the_session_along_and_ends_it() {
    let rig = Rig::with(runs());
    rig.hub.start_session();
    rig.hub.capture_event(error(None));
    rig.hub.capture_event(error(Some(false)));
    rig.hub.capture_event(error(Some(false)));
    rig.hub.end_session();
    let expected: [&[&str]; 3] = [&["event", "init ok 1"], &["event", "crashed 2"], &["event"]];
    assert_eq!(flushed(&rig), expected);
}

#[test]
fn bytes_carry_the_same_as_envelopes() {
    let wire = Arc::new(Wire::default());
    let client = client(runs().transport(Arc::new(Arc::clone(&wire))));
    let hub = hub(&client);
    hub.start_session();
    hub.capture_event(error(Some(false)));
    hub.start_session();
    hub.end_session();
    assert!(client.flush(Some(PATIENCE)));
    assert_eq!(wire.take(), [vec!["event", "init crashed 1"], vec!["init exited 0"]]);
    let stats = client.stats();
    assert_settled(&stats);
    assert_eq!(stats.delivered(Category::Session), 2);
}

#[test]
fn only_errors_of_level_error_count_and_messages_never_do() {
    let rig = Rig::with(runs());
    rig.hub.start_session();
    for level in [Level::Warning, Level::Error, Level::Fatal] {
        rig.hub.capture_message("message", level);
    }
    rig.hub.capture_event(Event { level: Level::Warning, ..error(Some(false)) });
    rig.hub.configure_scope(|scope| scope.set_level(Some(Level::Info)));
    rig.hub.capture_event(error(Some(false)));
    assert_eq!(flushed(&rig), vec![["event"]; 5]);
    rig.hub.configure_scope(|scope| scope.set_level(Some(Level::Fatal)));
    rig.hub.capture_event(Event { level: Level::Info, ..Event::default() });
    assert_eq!(flushed(&rig), [["event", "init ok 1"]], "the scope's level is the event's");
    rig.hub.end_session();
    assert_eq!(flushed(&rig), [["exited 1"]]);
}

#[test]
fn what_processors_and_before_send_drop_does_not_count_and_what_they_make_of_it_does() {
    let rig = Rig::with(runs().before_send(|mut event| {
        event.level = if event.logger.is_some() { Level::Error } else { Level::Info };
        (event.logger.as_deref() != Some("drop")).then_some(event)
    }));
    rig.hub.start_session();
    let logged = |logger: &str| Event { logger: Some(logger.to_owned()), ..error(None) };
    rig.hub.with_scope(
        |scope| scope.add_event_processor(|_| None),
        || assert!(rig.hub.capture_event(logged("keep")).is_nil()),
    );
    assert!(rig.hub.capture_event(logged("drop")).is_nil());
    rig.hub.capture_event(error(None));
    assert_eq!(flushed(&rig), [["event"]], "an error no more");
    rig.hub.capture_event(Event { level: Level::Debug, ..logged("keep") });
    assert_eq!(flushed(&rig), [["event", "init ok 1"]]);
}

#[test]
fn what_sampling_drops_counts_and_the_session_goes_alone() {
    for looked_at in [false, true] {
        let mut options = runs().sample_rate(0.0);
        if looked_at {
            options = options.before_send(Some);
        }
        let rig = Rig::with(options);
        rig.hub.start_session();
        (0..5).for_each(|_| assert!(rig.hub.capture_event(error(None)).is_nil()));
        assert_eq!(flushed(&rig), [["init ok 1"]]);
        assert!(rig.hub.capture_event(error(Some(false))).is_nil());
        rig.hub.end_session();
        assert_eq!(flushed(&rig), [["crashed 6"]]);
        assert_eq!(discarded_of(&rig.client.stats(), Category::Error, Reason::SampleRate), 6);
    }
}

#[test]
fn an_event_that_finds_no_room_leaves_its_session_behind() {
    let gate = Gate::closed();
    let probe = Probe::new(gate.clone());
    let client = client(runs().transport(Arc::clone(&probe)).transport_channel_capacity(1));
    let hub = hub(&client);
    let _open = OpenAtEnd(&gate);
    assert!(capture(&hub, "sending"));
    gate.wait_for_arrival();
    assert!(capture(&hub, "waiting"));
    hub.start_session();
    assert!(hub.capture_event(error(Some(false))).is_nil());
    let stats = client.stats();
    assert_eq!(discarded_of(&stats, Category::Error, Reason::QueueOverflow), 1);
    assert_eq!((stats.held(Category::Session), stats.discarded(Category::Session)), (1, 0));
    gate.open();
    assert!(client.flush(Some(PATIENCE)));
    assert_eq!(all(probe.take()), [["event"], ["event"], ["init crashed 1"], ["report"]]);
    assert_settled(&client.stats());
}

#[test]
fn a_limit_on_errors_lets_sessions_pass_and_the_other_way_round() {
    for (limited, sent) in [("error", "init ok 1"), ("session", "event")] {
        let wire = Arc::new(Wire::default());
        let client = client(runs().transport(Arc::new(Arc::clone(&wire))));
        let hub = hub(&client);
        wire.will_say(200, &format!("60:{limited}:organization"));
        capture(&hub, "the server answers with a limit");
        assert!(client.flush(Some(PATIENCE)));
        wire.take();
        hub.start_session();
        hub.capture_event(error(None));
        assert!(client.flush(Some(PATIENCE)));
        assert_eq!(wire.take()[0], [sent], "{limited} limited");
        let stats = client.stats();
        assert_settled(&stats);
        let dropped = |category| discarded_of(&stats, category, Reason::RatelimitBackoff);
        let expected = if limited == "error" { (1, 0) } else { (0, 1) };
        assert_eq!((dropped(Category::Error), dropped(Category::Session)), expected);
    }
}

#[test]
fn pushed_scopes_and_forked_hubs_share_the_session() {
    let rig = Rig::with(runs());
    rig.hub.start_session();
    let fork = Arc::new(Hub::new_from_top(&rig.hub));
    rig.hub.with_scope(|_| (), || _ = rig.hub.capture_event(error(None)));
    fork.capture_event(error(None));
    drop(Hub::new_from_top(&fork));
    assert_eq!(flushed(&rig), [vec!["event", "init ok 1"], vec!["event"]], "it goes on");
    fork.end_session();
    assert_eq!(flushed(&rig), [["exited 2"]], "ended for all");
    rig.hub.capture_event(error(None));
    rig.hub.end_session();
    assert_eq!(flushed(&rig), [["event"]]);
}

#[test]
fn a_session_ends_with_the_scope_that_held_it_alone() {
    let rig = Rig::with(runs());
    rig.hub.start_session();
    let guard = rig.hub.push_scope();
    rig.hub.start_session();
    rig.hub.capture_event(error(None));
    drop(guard);
    assert_eq!(flushed(&rig), [vec!["event", "init ok 1"], vec!["exited 1"]]);
    rig.hub.end_session();
    assert_eq!(flushed(&rig), [["init exited 0"]], "the one below went on");
}

#[test]
fn a_session_that_is_started_ends_the_one_before_unless_others_hold_it() {
    let rig = Rig::with(runs());
    rig.hub.start_session();
    rig.hub.start_session();
    assert_eq!(flushed(&rig), [["init exited 0"]]);
    let fork = Hub::new_from_top(&rig.hub);
    rig.hub.start_session();
    assert!(flushed(&rig).is_empty());
    drop(fork);
    assert_eq!(flushed(&rig), [["init exited 0"]]);
    rig.hub.end_session();
    assert_eq!(flushed(&rig), [["init exited 0"]]);
}

#[test]
fn a_change_of_the_scope_neither_brings_back_nor_loses_a_session() {
    let rig = Rig::with(runs());
    let (hub, saved) = (&rig.hub, Mutex::new(Scope::default()));
    // Started by somebody else while a closure has its draft.
    hub.configure_scope(|scope| {
        hub.start_session();
        scope.set_tag("draft", 1);
    });
    hub.configure_scope(|scope| *saved.lock().unwrap() = scope.clone());
    hub.configure_scope(Scope::clear);
    hub.configure_scope(|scope| *scope = Scope::default());
    drop(saved.lock().unwrap().clone());
    assert!(flushed(&rig).is_empty(), "it goes on");
    hub.capture_event(error(None));
    assert_eq!(flushed(&rig), [["event", "init ok 1"]]);
    // Ended by somebody else.
    hub.configure_scope(|scope| {
        hub.end_session();
        scope.set_tag("draft", 2);
    });
    hub.configure_scope(|scope| *scope = std::mem::take(&mut *saved.lock().unwrap()));
    hub.capture_event(error(None));
    assert_eq!(flushed(&rig), [["event"], ["exited 1"]]);
}

#[test]
fn without_a_release_or_an_open_client_there_is_no_session() {
    let rig = Rig::with(ClientOptions::new());
    rig.hub.start_session();
    rig.hub.capture_event(error(None));
    rig.hub.end_session();
    assert_eq!(flushed(&rig), [["event"]]);

    let rig = Rig::with(runs());
    rig.hub.start_session();
    rig.client.close(None);
    rig.hub.end_session();
    rig.hub.start_session();
    assert_eq!(rig.client.stats().captured(Category::Session), 0);

    let unbound = Hub::new(None, Arc::default());
    unbound.start_session();
    unbound.end_session_with_status(SessionStatus::Crashed);
}

#[test]
fn free_functions_work_on_the_current_hub() {
    let rig = Rig::with(runs());
    rig.run(|| {
        vidette::start_session();
        vidette::capture_error(&std::fmt::Error);
        vidette::end_session();
        vidette::start_session();
        vidette::end_session_with_status(SessionStatus::Crashed);
    });
    assert_eq!(flushed(&rig), [vec!["event", "init ok 1"], vec!["exited 1", "init crashed 1"]]);
}

#[test]
fn a_session_outlives_all_other_handles_of_its_client_and_arrives() {
    for mode in [SessionMode::Application, SessionMode::Request] {
        let probe = Probe::new(Gate::opened());
        let client = client(options(mode).transport(Arc::clone(&probe)));
        let hub = hub(&client);
        hub.start_session();
        drop(client);
        drop(hub);
        let expected = if mode == SessionMode::Request { "1/0/0/0" } else { "init exited 0" };
        assert_eq!(all(probe.take()), [[expected]]);
    }
}

#[test]
fn nothing_that_waits_for_the_sender_holds_a_session() {
    let gate = Gate::closed();
    let client = client(requests().transport(Probe::new(gate.clone())).traces_sample_rate(1.0));
    let hub = hub(&client);
    let _open = OpenAtEnd(&gate);
    assert!(capture(&hub, "sending"));
    gate.wait_for_arrival();
    Hub::run(hub, || {
        vidette::start_session();
        vidette::capture_message("waiting", Level::Info);
        vidette::capture_event(error(None));
        vidette::start_transaction(TransactionContext::new("waiting", "test")).finish();
    });
    let stats = client.stats();
    assert_eq!((stats.queued(), stats.held(Category::Transaction)), (3, 1));
    assert_eq!(stats.held(Category::Session), 1, "it ended with its hub");
}

#[test]
fn an_envelope_holds_a_hundred_updates_at_most() {
    let rig = Rig::with(runs());
    (0..250).for_each(|_| rig.hub.start_session());
    rig.hub.end_session();
    let counts: Vec<usize> = flushed(&rig).iter().map(Vec::len).collect();
    assert_eq!(counts, [100, 100, 50]);
}

#[test]
fn a_session_is_told_to_the_client_it_was_started_under() {
    let (rig, other) = (Rig::with(runs()), Rig::new());
    rig.hub.start_session();
    rig.hub.bind_client(Some(Arc::clone(&other.client)));
    rig.hub.capture_event(error(Some(false)));
    assert_eq!(all(other.transport.take_envelopes()), [["event"]]);
    assert_eq!(flushed(&rig), [["init crashed 1"]]);
}

#[test]
fn requests_are_counted_by_user_and_by_how_they_went() {
    let rig = Rig::with(requests());
    let request = |id: &str, events: &[Event<'static>], status| {
        let hub = Hub::new_from_top(&rig.hub);
        hub.configure_scope(|scope| scope.set_user(user(id)));
        hub.start_session();
        events.iter().for_each(|event| _ = hub.capture_event(event.clone()));
        hub.end_session_with_status(status);
    };
    for _ in 0..3 {
        request("", &[], SessionStatus::Exited);
    }
    request("", &[error(None), error(None)], SessionStatus::Exited);
    request("", &[error(Some(false)), error(None)], SessionStatus::Exited);
    request("a", &[], SessionStatus::Abnormal);
    request("a", &[], SessionStatus::Crashed);
    request("b", &[], SessionStatus::Ok);
    assert_eq!(all(rig.transport.take_envelopes()), vec![["event"]; 4], "events carry no session");
    assert_eq!(rig.client.stats().held(Category::Session), 8);
    let sent = flushed(&rig);
    if sent != [["3/1/1/0 a: 0/0/1/1 b: 1/0/0/0"]] {
        // The minute changed meanwhile.
        assert!(sent[0][0].split(' ').count() > 5, "{sent:?}");
    }
    assert!(flushed(&rig).is_empty());
    assert_eq!(rig.client.stats().handed_over(Category::Session), 8);
}

#[test]
fn an_item_holds_a_hundred_buckets_at_most() {
    let wire = Arc::new(Wire::default());
    let client = client(requests().transport(Arc::new(Arc::clone(&wire))));
    let hub = hub(&client);
    for n in 0..250 {
        hub.configure_scope(|scope| scope.set_user(user(&n.to_string())));
        hub.start_session();
        hub.end_session();
    }
    assert!(client.flush(Some(PATIENCE)));
    let sent = wire.take();
    assert!(sent.iter().all(|envelope| envelope.len() == 1));
    let counts: Vec<usize> = sent.iter().map(|envelope| envelope[0].split("/0/0/0").count() - 1).collect();
    assert_eq!(counts, [100, 100, 50]);
    let stats = client.stats();
    assert_settled(&stats);
    assert_eq!(stats.delivered(Category::Session), 250);
}

#[test]
fn many_users_are_sent_before_they_are_too_many() {
    let probe = Probe::new(Gate::opened());
    let client = client(requests().transport(Arc::clone(&probe)));
    let hub = hub(&client);
    for n in 0..3_000 {
        hub.configure_scope(|scope| scope.set_user(user(&n.to_string())));
        hub.start_session();
        hub.end_session();
        if n % 100 == 0 {
            // Lets the sender keep up.
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    eventually("some are sent", || !probe.take().is_empty());
    assert!(client.flush(Some(PATIENCE)));
    let stats = client.stats();
    assert_settled(&stats);
    assert_eq!(stats.captured(Category::Session), 3_000);
}

#[test]
fn requests_of_users_that_find_no_room_are_counted_and_reported_and_those_of_nobody_have_room() {
    let gate = Gate::closed();
    let probe = Probe::new(gate.clone());
    let client = client(requests().transport(Arc::clone(&probe)));
    let hub = hub(&client);
    let _open = OpenAtEnd(&gate);
    assert!(capture(&hub, "sending"));
    gate.wait_for_arrival();
    let requests = |count| {
        for _ in 0..count {
            hub.start_session();
            hub.end_session();
        }
    };
    requests(5_000);
    assert_eq!(client.stats().discarded(Category::Session), 0);
    hub.configure_scope(|scope| scope.set_user(user("me")));
    requests(1_005);
    assert_eq!(discarded_of(&client.stats(), Category::Session, Reason::QueueOverflow), 5);
    gate.open();
    assert!(client.flush(Some(PATIENCE)));
    let stats = client.stats();
    assert_settled(&stats);
    assert_eq!(stats.handed_over(Category::Session), 6_000);
    assert!(all(probe.take()).iter().flatten().any(|item| item == "report"));
}

#[test]
fn sessions_that_a_closed_client_could_not_send_are_counted() {
    for mode in [SessionMode::Application, SessionMode::Request] {
        let gate = Gate::closed();
        let client = client(options(mode).transport(Probe::new(gate.clone())));
        let hub = hub(&client);
        let _open = OpenAtEnd(&gate);
        assert!(capture(&hub, "sending"));
        gate.wait_for_arrival();
        for id in ["", "me"] {
            hub.configure_scope(|scope| scope.set_user(user(id)));
            (0..10).for_each(|_| hub.start_session());
            hub.end_session();
        }
        assert!(!client.close(Some(Duration::from_millis(20))));
        gate.open();
        eventually("all is settled", || client.stats().held(Category::Session) == 0);
        let stats = client.stats();
        assert_settled(&stats);
        assert_eq!(discarded_of(&stats, Category::Session, Reason::NetworkError), 20, "{mode:?}");
    }
}

#[test]
fn sessions_that_end_while_another_thread_closes_are_sent_or_counted() {
    for round in 0..100 {
        let mode = if round % 2 == 0 { SessionMode::Application } else { SessionMode::Request };
        let client = client(options(mode).transport(Probe::new(Gate::opened())));
        let start = std::sync::Barrier::new(3);
        std::thread::scope(|scope| {
            for thread in 0..2 {
                let (client, start) = (&client, &start);
                scope.spawn(move || {
                    let hub = hub(client);
                    let id = if thread == 0 { "" } else { "me" };
                    hub.configure_scope(|scope| scope.set_user(user(id)));
                    start.wait();
                    for _ in 0..50 {
                        hub.start_session();
                        hub.capture_event(error(Some(round % 3 == 0)));
                    }
                });
            }
            start.wait();
            client.close(Some(PATIENCE));
        });
        eventually("all is settled", || client.stats().held(Category::Session) == 0);
        assert_settled(&client.stats());
    }
}

#[test]
fn callbacks_may_start_and_end_sessions() {
    for mode in [SessionMode::Application, SessionMode::Request] {
        watched("sessions in callbacks", move || {
            let act = || {
                vidette::end_session();
                vidette::start_session();
                vidette::end_session_with_status(SessionStatus::Crashed);
                vidette::start_session();
            };
            let options = options(mode)
                .before_send(move |event| {
                    act();
                    Some(event)
                })
                .before_breadcrumb(move |breadcrumb| {
                    act();
                    Some(breadcrumb)
                });
            let rig = Rig::with(options);
            rig.run(|| {
                vidette::start_session();
                vidette::configure_scope(move |scope| {
                    act();
                    scope.add_event_processor(move |event| {
                        act();
                        Some(event)
                    });
                });
                vidette::add_breadcrumb(vidette::Breadcrumb::default());
                assert!(!vidette::capture_event(error(Some(false))).is_nil());
                vidette::end_session();
            });
            assert!(rig.client.flush(Some(PATIENCE)));
            let stats = rig.client.stats();
            assert_settled(&stats);
            // The one before, and two by each of the four callbacks.
            assert_eq!(stats.handed_over(Category::Session), 9);
        });
    }
}

#[test]
fn a_session_that_its_own_before_send_ends_is_not_marked_by_the_event() {
    let rig = Rig::with(runs().before_send(|event| {
        vidette::end_session();
        Some(event)
    }));
    rig.run(|| {
        vidette::start_session();
        vidette::capture_event(error(Some(false)));
    });
    assert_eq!(flushed(&rig), [["event"], ["init exited 0"]]);
}

#[test]
fn a_transport_that_only_stores_gets_sessions_at_flush() {
    let keeper = Keeper::new();
    let client = client(requests().transport(Arc::clone(&keeper)));
    let hub = hub(&client);
    hub.start_session();
    hub.end_session();
    assert!(keeper.take_envelopes().is_empty());
    assert!(client.flush(Some(PATIENCE)));
    assert_eq!(all(keeper.take_envelopes()), [["1/0/0/0"]]);
}

#[cfg(feature = "test")]
#[test]
fn captured_envelopes_hold_the_sessions() {
    let envelopes = vidette::test::with_captured_envelopes_options(
        || {
            vidette::start_session();
            vidette::capture_event(error(None));
        },
        runs(),
    );
    assert_eq!(all(envelopes), [vec!["event", "init ok 1"], vec!["exited 1"]]);
}
