//! What is captured as an event: a whole one, or less, from which one is made when somebody wants to see it.
//!
//! A whole [`Event`] takes more than a kilobyte. What a message or an error says fits into a line or two, so where nobody
//! looks at an event before it is sent, only that goes on its way, and the sender makes the event.

use std::fmt;
use std::time::SystemTime;

use smallvec::SmallVec;
use uuid::Uuid;

use crate::clock;
use crate::protocol::ids::random_uuid;
use crate::protocol::{Event, Exception, Level, Mechanism, Values};
use crate::scope::Scope;

/// An event, or what one is made of.
#[derive(Debug)]
pub(crate) enum Matter {
    /// Boxed, because it goes through many hands.
    Whole(Box<Event<'static>>),
    Seed(Seed),
}

/// What a capture takes along: what is captured, and the scope as of now.
///
/// Goes from hand to hand by reference: where it is passed on by value it is copied, which costs as much as the rest.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) matter: Matter,
    pub(crate) scope: Scope,
}

/// What an event is made of.
#[derive(Debug)]
pub(crate) struct Seed {
    id: Uuid,
    time: SystemTime,
    level: Level,
    what: What,
}

#[derive(Debug)]
enum What {
    Message(String),
    Errors(Chain),
}

/// An error and its sources, the outermost first: of each the name of its type and what it says, one after the other.
#[derive(Default)]
pub(crate) struct Chain {
    texts: String,
    /// Where in the texts the name ends, and where what it says does.
    ends: SmallVec<[(u32, u32); 4]>,
}

impl Matter {
    /// A message of now.
    #[inline]
    pub(crate) fn of_message(message: &str, level: Level) -> Self {
        Self::seed(level, What::Message(message.to_owned()))
    }

    /// An error of now, which was handled.
    #[inline]
    pub(crate) fn of_errors(chain: Chain) -> Self {
        Self::seed(Level::Error, What::Errors(chain))
    }

    #[inline]
    fn seed(level: Level, what: What) -> Self {
        Self::Seed(Seed { id: random_uuid(), time: clock::time_of(clock::now()), level, what })
    }

    /// The id; made now, if there is none.
    pub(crate) fn identify(&mut self) -> Uuid {
        match self {
            Self::Whole(event) => {
                if event.event_id.is_nil() {
                    event.event_id = random_uuid();
                }
                event.event_id
            }
            Self::Seed(seed) => seed.id,
        }
    }

    pub(crate) fn level(&self) -> Level {
        match self {
            Self::Whole(event) => event.level,
            Self::Seed(seed) => seed.level,
        }
    }

    /// True if it tells of an error that nobody handled.
    pub(crate) fn is_crash(&self) -> bool {
        match self {
            Self::Whole(event) => event.exception.iter().any(is_unhandled),
            Self::Seed(_) => false,
        }
    }

    /// The event.
    pub(crate) fn into_event(self) -> Box<Event<'static>> {
        match self {
            Self::Whole(event) => event,
            Self::Seed(seed) => seed.into_boxed_event(),
        }
    }

    /// The event, if it was made already.
    pub(crate) fn event(&mut self) -> Option<&mut Event<'static>> {
        match self {
            Self::Whole(event) => Some(event),
            Self::Seed(_) => None,
        }
    }

    /// Roughly how many bytes it keeps alive, beside itself.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Whole(event) => {
                let frames = event.exception.iter().filter_map(|exception| exception.stacktrace.as_ref());
                let frames: usize = frames.map(|stacktrace| stacktrace.frames.len()).sum();
                let entries = event.extra.len() + event.contexts.len() + event.tags.len() + event.breadcrumbs.len();
                let message = event.message.as_ref().map_or(0, String::len);
                size_of::<Event<'_>>() + message + 256 * (frames + entries)
            }
            Self::Seed(Seed { what: What::Message(text) | What::Errors(Chain { texts: text, .. }), .. }) => text.len(),
        }
    }
}

impl From<Event<'static>> for Matter {
    fn from(event: Event<'static>) -> Self {
        Self::Whole(Box::new(event))
    }
}

impl Seed {
    pub(crate) fn into_event<'e>(self) -> Event<'e> {
        let mut event = Event::bare(self.id, self.time);
        self.fill(&mut event);
        event
    }

    /// The same where it stays: an event is too large to be moved there.
    fn into_boxed_event(self) -> Box<Event<'static>> {
        let mut event = Box::write(Box::new_uninit(), Event::bare(self.id, self.time));
        self.fill(&mut event);
        event
    }

    #[inline]
    fn fill(self, event: &mut Event<'_>) {
        event.level = self.level;
        match self.what {
            What::Message(message) => event.message = Some(message),
            What::Errors(chain) => event.exception = chain.exceptions(),
        }
    }
}

impl Chain {
    /// An empty one with room for a usual one.
    pub(crate) fn new() -> Self {
        Self { texts: String::with_capacity(USUAL), ends: SmallVec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Where the next text is written, behind those that are there.
    pub(crate) fn texts(&mut self) -> &mut String {
        &mut self.texts
    }

    /// Adds an error whose type's name ends there in the texts. What stands behind it is what the error says.
    pub(crate) fn end(&mut self, name: usize) {
        let bounded = |length| u32::try_from(length).unwrap_or(u32::MAX);
        self.ends.push((bounded(name), bounded(self.texts.len())));
    }

    /// The exceptions, the root cause first.
    pub(crate) fn exceptions(&self) -> Values<Exception> {
        let text = |from: u32, to: u32| self.texts.get(from as usize..to as usize).unwrap_or_default().to_owned();
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        let mut exceptions: Vec<_> = starts
            .zip(&self.ends)
            .map(|(start, (name, end))| Exception {
                ty: text(start, *name),
                value: Some(text(*name, *end)),
                ..Exception::default()
            })
            .collect();
        if let Some(outermost) = exceptions.first_mut() {
            let generic = Mechanism { ty: "generic".into(), handled: Some(true), ..Mechanism::default() };
            outermost.mechanism = Some(generic);
        }
        exceptions.reverse();
        exceptions.into()
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chain").field(&self.texts).finish()
    }
}

fn is_unhandled(exception: &Exception) -> bool {
    exception.mechanism.as_ref().is_some_and(|mechanism| mechanism.handled == Some(false))
}

/// Bytes of a usual chain of errors.
const USUAL: usize = 240;
