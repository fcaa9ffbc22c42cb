//! A session: the run of an application, or one request, and whether it went well.
//!
//! Scopes hold sessions; pushed scopes and forked hubs share them. Any thread may mark or end one, and it ends by itself when
//! the last scope lets go of it. What becomes of it is told to the client that it was started under, its [`Sink`].
//!
//! ```text
//!   Scope ─┐                        ┌─ run ──────► Update, for each change that the server wants to hear of
//!   Scope ─┼─► Session { state } ──►┤
//!   Scope ─┘    one atomic word     └─ request ──► one count, when it ends
//! ```
//! # Guarantees
//! Marking and ending are lock-free and allocate nothing; a session is one allocation. Of threads that mark and end one at
//! the same time, each change is told once, in one order, which its sequence number gives.

mod buckets;
mod minutes;
mod state;

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use uuid::Uuid;

pub(crate) use self::buckets::Buckets;
pub(crate) use self::minutes::{Counted, Minutes};
use self::state::{Record, State};
use crate::clock;
use crate::options::{ClientOptions, SessionMode};
use crate::protocol::ids::random_uuid;
use crate::protocol::{Level, SessionAttributes, SessionStatus, SessionUpdate, User};

/// A session that some scope holds, running or over.
pub(crate) struct Session {
    sink: Arc<dyn Sink>,
    did: Option<DistinctId>,
    kind: Kind,
    state: State,
}

/// What a session stands for, with what is to be known of it.
enum Kind {
    Run { id: Uuid, started: SystemTime, began: Instant },
    Request { minute: u32 },
}

/// Who hears of sessions: a client. Holding it keeps the client open, so that a session that outlives all other handles
/// still arrives.
pub(crate) trait Sink: Send + Sync {
    /// Takes an update of a run.
    fn update(&self, update: Update);

    /// Takes a request that is over.
    fn count(&self, request: Request);

    /// Tells clients apart.
    fn key(&self) -> usize;
}

/// How a run stood at one moment. Holds no client, so it can wait anywhere.
#[derive(Debug)]
pub(crate) struct Update {
    id: Uuid,
    did: Option<DistinctId>,
    started: SystemTime,
    made: SystemTime,
    /// In seconds; only when it is over.
    duration: Option<f64>,
    record: Record,
}

/// A request that is over.
#[derive(Debug)]
pub(crate) struct Request {
    /// When it started, in minutes since 1970.
    pub(crate) minute: u32,
    pub(crate) did: Option<DistinctId>,
    pub(crate) outcome: Outcome,
}

/// How a request went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Exited,
    Errored,
    Crashed,
    Abnormal,
}

/// A user whose id, email address or name tells users apart.
#[derive(Clone, Debug)]
pub(crate) struct DistinctId(Arc<User>);

impl Session {
    /// Starts a session for the user of now. `None`: the options name no release, and without one nobody wants to hear of it.
    pub(crate) fn start(sink: Arc<dyn Sink>, options: &ClientOptions, user: Option<Arc<User>>) -> Option<Arc<Self>> {
        options.release.as_ref()?;
        let kind = match options.session_mode {
            SessionMode::Application => {
                Kind::Run { id: random_uuid(), started: SystemTime::now(), began: Instant::now() }
            }
            SessionMode::Request => Kind::Request { minute: minute_of(clock::coarse_micros()) },
        };
        Some(Arc::new(Self { sink, did: user.and_then(DistinctId::of), kind, state: State::new() }))
    }

    /// Takes note of an event that was captured at this level. `Some`: the server wants to hear of the change.
    ///
    /// Only errors count. One that nobody handled is a crash, which ends a run.
    pub(crate) fn note(&self, level: Level, is_crash: impl FnOnce() -> bool) -> Option<Update> {
        if level < Level::Error {
            return None;
        }
        let crashed = is_crash();
        match self.kind {
            Kind::Run { .. } if crashed => self.update(self.state.crash_and_end()?),
            Kind::Run { .. } => self.update(self.state.first_error()?),
            Kind::Request { .. } => {
                self.state.mark(crashed);
                None
            }
        }
    }

    /// Ends the session, if it is not over.
    pub(crate) fn end(&self, status: SessionStatus) {
        let Some(record) = self.state.end(status) else { return };
        match self.kind {
            Kind::Run { .. } => {
                if let Some(update) = self.update(record) {
                    self.sink.update(update);
                }
            }
            Kind::Request { minute } => {
                self.sink.count(Request { minute, did: self.did.clone(), outcome: record.outcome() });
            }
        }
    }

    /// The client that hears of this session.
    pub(crate) fn sink(&self) -> &dyn Sink {
        &*self.sink
    }

    fn update(&self, record: Record) -> Option<Update> {
        let Kind::Run { id, started, began } = self.kind else { return None };
        let duration = record.is_over().then(|| began.elapsed().as_secs_f64());
        Some(Update { id, did: self.did.clone(), started, made: SystemTime::now(), duration, record })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end(SessionStatus::Exited);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("did", &self.did).field("state", &self.state).finish_non_exhaustive()
    }
}

impl Update {
    /// The update as it is sent.
    pub(crate) fn to_item(&self, attributes: SessionAttributes<'static>) -> SessionUpdate<'static> {
        SessionUpdate {
            session_id: self.id,
            distinct_id: self.did.as_ref().map(|did| did.as_str().to_owned()),
            sequence: Some(self.record.sequence()),
            timestamp: Some(self.made),
            started: self.started,
            init: self.record.sequence() == 0,
            duration: self.duration,
            status: self.record.status(),
            errors: self.record.errors(),
            attributes,
        }
    }
}

impl Outcome {
    pub(crate) const ALL: [Self; 4] = [Self::Exited, Self::Errored, Self::Crashed, Self::Abnormal];
}

impl DistinctId {
    pub(crate) fn of(user: Arc<User>) -> Option<Self> {
        name_of(&user).is_some().then_some(Self(user))
    }

    pub(crate) fn as_str(&self) -> &str {
        name_of(&self.0).unwrap_or_default()
    }
}

impl Eq for DistinctId {}

impl PartialEq for DistinctId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl std::hash::Hash for DistinctId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// What is the same for all sessions of a client.
pub(crate) fn attributes(options: &ClientOptions) -> SessionAttributes<'static> {
    SessionAttributes {
        release: options.release.clone().unwrap_or_default(),
        environment: options.environment.clone(),
        ip_address: None,
        user_agent: None,
    }
}

/// What tells this user from others.
fn name_of(user: &User) -> Option<&str> {
    [&user.id, &user.email, &user.username].into_iter().flatten().map(String::as_str).find(|name| !name.is_empty())
}

/// Minutes since 1970, of microseconds since then.
fn minute_of(micros: u64) -> u32 {
    u32::try_from(micros / MICROS_OF_A_MINUTE).unwrap_or(u32::MAX)
}

const MICROS_OF_A_MINUTE: u64 = 60_000_000;

#[cfg(test)]
mod tests;
