//! What a session makes of what happens to it.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use super::{Buckets, DistinctId, Outcome, Request, Session, Sink, Update, attributes};
use crate::options::{ClientOptions, SessionMode};
use crate::protocol::{Level, SessionStatus, SessionUpdate, User};

/// Keeps what it hears.
#[derive(Default)]
struct Listener {
    updates: Mutex<Vec<Update>>,
    requests: Mutex<Vec<Request>>,
}

impl Sink for Listener {
    fn update(&self, update: Update) {
        self.updates.lock().unwrap().push(update);
    }

    fn count(&self, request: Request) {
        self.requests.lock().unwrap().push(request);
    }

    fn key(&self) -> usize {
        0
    }
}

fn start(mode: SessionMode, user: Option<User>) -> (Arc<Listener>, Arc<Session>) {
    let listener = Arc::new(Listener::default());
    let options = ClientOptions::new().release("app@1").session_mode(mode);
    let session = Session::start(Arc::<Listener>::clone(&listener), &options, user.map(Arc::new));
    (listener, session.unwrap())
}

fn sent(update: &Update) -> SessionUpdate<'static> {
    update.to_item(attributes(&ClientOptions::new().release("app@1")))
}

/// The updates that the listener heard.
fn heard(listener: &Listener) -> Vec<SessionUpdate<'static>> {
    listener.updates.lock().unwrap().iter().map(sent).collect()
}

#[test]
fn without_a_release_there_is_no_session() {
    assert!(Session::start(Arc::<Listener>::default(), &ClientOptions::new(), None).is_none());
}

#[test]
fn a_run_that_went_well_is_told_once_when_it_ends() {
    let (listener, session) = start(SessionMode::Application, None);
    assert!(session.note(Level::Warning, || false).is_none());
    session.end(SessionStatus::Ok);
    session.end(SessionStatus::Crashed);
    drop(session);
    let [update] = &heard(&listener)[..] else { panic!("told more than once") };
    assert_eq!((update.status, update.errors), (SessionStatus::Exited, 0));
    assert_eq!((update.init, update.sequence), (true, Some(0)));
    assert!(update.duration.is_some_and(|seconds| (0.0..5.0).contains(&seconds)));
    assert!(update.timestamp.unwrap() >= update.started);
}

#[test]
fn the_first_error_of_a_run_is_told_and_the_others_are_counted() {
    let (listener, session) = start(SessionMode::Application, None);
    let first = sent(&session.note(Level::Error, || false).unwrap());
    assert_eq!((first.status, first.errors, first.duration), (SessionStatus::Ok, 1, None));
    assert_eq!((first.init, first.sequence), (true, Some(0)));
    assert!(session.note(Level::Fatal, || false).is_none());
    drop(session);
    let last = &heard(&listener)[0];
    assert_eq!((last.status, last.errors), (SessionStatus::Exited, 2));
    assert_eq!((last.init, last.sequence), (false, Some(1)));
    assert_eq!((last.session_id, last.started), (first.session_id, first.started));
}

#[test]
fn a_crash_ends_a_run_and_is_an_error_too() {
    let (listener, session) = start(SessionMode::Application, None);
    assert!(session.note(Level::Warning, || true).is_none(), "below an error");
    let crash = sent(&session.note(Level::Error, || true).unwrap());
    assert_eq!((crash.status, crash.errors, crash.init), (SessionStatus::Crashed, 1, true));
    assert!(crash.duration.is_some());
    assert!(session.note(Level::Fatal, || true).is_none());
    assert!(session.note(Level::Error, || false).is_none());
    session.end(SessionStatus::Exited);
    drop(session);
    assert!(heard(&listener).is_empty());
}

#[test]
fn a_run_that_is_ended_as_crashed_has_an_error() {
    let (listener, session) = start(SessionMode::Application, None);
    session.end(SessionStatus::Crashed);
    assert_eq!((heard(&listener)[0].status, heard(&listener)[0].errors), (SessionStatus::Crashed, 1));
}

#[test]
fn a_request_is_told_once_when_it_ends_and_by_how_it_went() {
    let cases: [(&[bool], SessionStatus, Outcome); 7] = [
        (&[], SessionStatus::Exited, Outcome::Exited),
        (&[], SessionStatus::Ok, Outcome::Exited),
        (&[], SessionStatus::Abnormal, Outcome::Abnormal),
        (&[], SessionStatus::Crashed, Outcome::Crashed),
        (&[false], SessionStatus::Exited, Outcome::Errored),
        (&[false], SessionStatus::Abnormal, Outcome::Abnormal),
        (&[true, false], SessionStatus::Exited, Outcome::Crashed),
    ];
    for (crashes, status, outcome) in cases {
        let (listener, session) = start(SessionMode::Request, None);
        for &crashed in crashes {
            assert!(session.note(Level::Error, || crashed).is_none());
        }
        assert!(listener.requests.lock().unwrap().is_empty());
        session.end(status);
        session.end(SessionStatus::Crashed);
        drop(session);
        let heard = listener.requests.lock().unwrap();
        assert_eq!(heard.iter().map(|request| request.outcome).collect::<Vec<_>>(), [outcome], "{status}");
        assert!(listener.updates.lock().unwrap().is_empty());
    }
}

#[test]
fn a_user_is_known_by_the_first_of_id_email_and_name() {
    let some = |text: &str| Some(text.to_owned());
    let cases = [
        (User::default(), None),
        (User { id: some(""), username: some("name"), ..User::default() }, Some("name")),
        (User { email: some("mail"), username: some("name"), ..User::default() }, Some("mail")),
        (User { id: some("id"), email: some("mail"), ..User::default() }, Some("id")),
    ];
    for (user, expected) in cases {
        let (listener, session) = start(SessionMode::Application, Some(user));
        drop(session);
        assert_eq!(heard(&listener)[0].distinct_id.as_deref(), expected);
    }
}

#[test]
fn of_threads_that_mark_and_end_one_session_each_change_is_told_once() {
    const ROUNDS: usize = 3_000;
    let sessions: Vec<_> = (0..ROUNDS).map(|_| start(SessionMode::Application, None)).collect();
    let arrived = AtomicUsize::new(0);
    let play = |thread: usize| {
        let mut told = Vec::new();
        for (round, (_, session)) in sessions.iter().enumerate() {
            let crashed = (thread, round % 2) == (0, 0);
            // All at once.
            arrived.fetch_add(1, Relaxed);
            while arrived.load(Relaxed) < 2 * (round + 1) {
                std::thread::yield_now();
            }
            let updates = (0..round % 3).filter_map(|_| session.note(Level::Error, || crashed));
            told.push(updates.map(|update| sent(&update)).collect::<Vec<_>>());
            session.end(SessionStatus::Exited);
        }
        told
    };
    let [mine, others] = std::thread::scope(|scope| {
        let other = scope.spawn(|| play(1));
        [play(0), other.join().unwrap()]
    });
    for (((listener, _), mine), others) in sessions.iter().zip(mine).zip(others) {
        let mut told: Vec<_> = mine.into_iter().chain(others).chain(heard(listener)).collect();
        told.sort_by_key(|update| update.sequence);
        let sequence: Vec<_> = told.iter().map(|update| update.sequence.unwrap()).collect();
        assert_eq!(sequence, (0..told.len() as u64).collect::<Vec<_>>());
        assert_eq!(told.iter().filter(|update| update.init).count(), 1);
        assert!(told.is_sorted_by_key(|update| update.errors));
        let terminal = told.iter().filter(|update| update.status != SessionStatus::Ok).count();
        assert_eq!((terminal, told.last().unwrap().status != SessionStatus::Ok), (1, true));
    }
}

#[test]
fn buckets_merge_by_minute_and_user_and_leave_in_parts() {
    let user = |id: &str| DistinctId::of(Arc::new(User { id: Some(id.to_owned()), ..User::default() }));
    let mut buckets = Buckets::default();
    buckets.add(2, user("b"), Outcome::Errored, 1);
    buckets.add(2, user("a"), Outcome::Exited, 1);
    buckets.add(2, user("a"), Outcome::Exited, 1);
    buckets.add(2, None, Outcome::Exited, 5);
    buckets.add(1, user("a"), Outcome::Crashed, 1);
    assert_eq!(buckets.len(), 4);
    let all = buckets.take(100).unwrap();
    assert_eq!(all.sessions, 9);
    let seen: Vec<_> = all.items.iter().map(|item| (item.distinct_id.as_deref(), item.exited, item.crashed)).collect();
    assert_eq!(seen, [(Some("a"), 0, 1), (None, 5, 0), (Some("a"), 2, 0), (Some("b"), 0, 0)]);
    assert!(buckets.take(100).is_none());

    (0..7).for_each(|minute| buckets.add(minute, None, Outcome::Exited, 1));
    let parts = std::iter::from_fn(|| buckets.take(3)).map(|part| part.items.len());
    assert_eq!(parts.collect::<Vec<_>>(), [3, 3, 1]);
}
