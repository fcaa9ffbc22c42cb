//! An error or message, as the server receives it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Breadcrumb, ClientSdkInfo, Context, DebugMeta, Exception, Level, Request, Stacktrace, TemplateInfo, Thread, User,
    Values, context, ids, time, tolerant,
};

/// An error or message, with all that is known about how it came about.
///
/// # Examples
/// ```
/// use vidette::protocol::{Event, Level};
///
/// let event = Event {
///     message: Some("The printer is on fire".into()),
///     level: Level::Warning,
///     ..Event::default()
/// };
/// assert_eq!(event.platform, "other");
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Event<'a> {
    /// The event's id, written as 32 hex digits.
    #[serde(serialize_with = "uuid::serde::simple::serialize")]
    pub event_id: Uuid,
    /// How severe it is.
    #[serde(deserialize_with = "level", skip_serializing_if = "Level::is_error")]
    pub level: Level,
    /// What groups this event with others; `{{ default }}` stands for what the server would choose.
    #[serde(deserialize_with = "fingerprint", skip_serializing_if = "is_default_fingerprint")]
    pub fingerprint: Cow<'a, [Cow<'a, str>]>,
    /// The function or module to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub culprit: Option<String>,
    /// The name of the transaction in which it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// What happened, for humans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What happened, as a message with parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logentry: Option<LogEntry>,
    /// The logger that noticed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
    /// The loaded modules and their versions.
    #[serde(deserialize_with = "tolerant::text_map", skip_serializing_if = "BTreeMap::is_empty")]
    pub modules: BTreeMap<String, String>,
    /// The platform, such as `native`.
    #[serde(deserialize_with = "platform", skip_serializing_if = "is_default_platform")]
    pub platform: Cow<'a, str>,
    /// When it happened.
    #[serde(with = "time::seconds")]
    pub timestamp: SystemTime,
    /// The name of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<Cow<'a, str>>,
    /// The version of the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Cow<'a, str>>,
    /// The build of the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dist: Option<Cow<'a, str>>,
    /// Where the application runs, such as `production`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Cow<'a, str>>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// The HTTP request in which it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// The surroundings.
    #[serde(deserialize_with = "context::by_key", skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<String, Context>,
    /// What happened before, the oldest first.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub breadcrumbs: Values<Breadcrumb>,
    /// The chain of errors, the innermost cause first.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub exception: Values<Exception>,
    /// Where it happened, if there is neither an exception nor a thread that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stacktrace: Option<Stacktrace>,
    /// The template in which it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateInfo>,
    /// The threads of the program.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub threads: Values<Thread>,
    /// Searchable properties.
    #[serde(deserialize_with = "tolerant::text_map", skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Whatever else is known.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, Value>,
    /// The loaded images that stack traces point into.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "DebugMeta::is_empty")]
    pub debug_meta: Cow<'a, DebugMeta>,
    /// The SDK that sends this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdk: Option<Cow<'a, ClientSdkInfo>>,
}

impl<'a> Event<'a> {
    /// Makes an event with a new id that happens now.
    pub fn new() -> Event<'a> {
        Event::default()
    }

    /// Makes all borrowed parts owned.
    pub fn into_owned(self) -> Event<'static> {
        Event {
            event_id: self.event_id,
            level: self.level,
            fingerprint: owned_fingerprint(self.fingerprint),
            culprit: self.culprit,
            transaction: self.transaction,
            message: self.message,
            logentry: self.logentry,
            logger: self.logger,
            modules: self.modules,
            platform: owned(self.platform),
            timestamp: self.timestamp,
            server_name: self.server_name.map(owned),
            release: self.release.map(owned),
            dist: self.dist.map(owned),
            environment: self.environment.map(owned),
            user: self.user,
            request: self.request,
            contexts: self.contexts,
            breadcrumbs: self.breadcrumbs,
            exception: self.exception,
            stacktrace: self.stacktrace,
            template: self.template,
            threads: self.threads,
            tags: self.tags,
            extra: self.extra,
            debug_meta: owned(self.debug_meta),
            sdk: self.sdk.map(owned),
        }
    }
}

impl Default for Event<'_> {
    fn default() -> Self {
        Event::bare(ids::random_uuid(), SystemTime::now())
    }
}

impl Event<'_> {
    /// An event of which only this is known.
    #[inline]
    pub(crate) fn bare(event_id: Uuid, timestamp: SystemTime) -> Self {
        Event {
            event_id,
            level: Level::Error,
            fingerprint: Cow::Borrowed(DEFAULT_FINGERPRINT),
            culprit: None,
            transaction: None,
            message: None,
            logentry: None,
            logger: None,
            modules: BTreeMap::new(),
            platform: Cow::Borrowed(DEFAULT_PLATFORM),
            timestamp,
            server_name: None,
            release: None,
            dist: None,
            environment: None,
            user: None,
            request: None,
            contexts: BTreeMap::new(),
            breadcrumbs: Values::new(),
            exception: Values::new(),
            stacktrace: None,
            template: None,
            threads: Values::new(),
            tags: BTreeMap::new(),
            extra: BTreeMap::new(),
            debug_meta: Cow::Owned(DebugMeta::default()),
            sdk: None,
        }
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = time::format_rfc3339(self.timestamp);
        write!(f, "Event(id: {}, ts: {time})", self.event_id)
    }
}

/// A message with parameters.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(from = "LogEntryForms")]
pub struct LogEntry {
    /// The message, with a placeholder for each parameter.
    pub message: String,
    /// The parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Value>,
}

/// What the wire may say about a message: its pattern, or only the finished text.
#[derive(Default, Deserialize)]
#[serde(default)]
struct LogEntryForms {
    message: Option<String>,
    formatted: Option<String>,
    #[serde(deserialize_with = "tolerant::list")]
    params: Vec<Value>,
}

impl From<LogEntryForms> for LogEntry {
    fn from(forms: LogEntryForms) -> LogEntry {
        LogEntry { message: forms.message.or(forms.formatted).unwrap_or_default(), params: forms.params }
    }
}

/// Reads a level; null is the default one.
fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
    Option::deserialize(deserializer).map(|level| level.unwrap_or(Level::Error))
}

/// Reads a fingerprint of any scalars; null or an empty list is the default one.
fn fingerprint<'de, 'a, D>(deserializer: D) -> Result<Cow<'a, [Cow<'a, str>]>, D::Error>
where
    D: Deserializer<'de>,
{
    tolerant::texts(deserializer).map(|texts| match &texts[..] {
        [] => Cow::Borrowed(DEFAULT_FINGERPRINT),
        _ => Cow::Owned(texts.into_iter().map(Cow::Owned).collect()),
    })
}

/// Reads a platform; null is the default one.
pub(super) fn platform<'de, 'a, D>(deserializer: D) -> Result<Cow<'a, str>, D::Error>
where
    D: Deserializer<'de>,
{
    Option::<String>::deserialize(deserializer)
        .map(|platform| platform.map_or(Cow::Borrowed(DEFAULT_PLATFORM), Cow::Owned))
}

/// Makes a borrowed value owned, whatever it borrowed from.
pub(super) fn owned<T: ToOwned + ?Sized>(value: Cow<'_, T>) -> Cow<'static, T> {
    Cow::Owned(value.into_owned())
}

pub(super) fn is_default_platform(platform: &str) -> bool {
    platform == DEFAULT_PLATFORM
}

/// Makes a fingerprint owned; the default one, which most events have, needs no memory.
fn owned_fingerprint(fingerprint: Cow<'_, [Cow<'_, str>]>) -> Cow<'static, [Cow<'static, str>]> {
    if *fingerprint == *DEFAULT_FINGERPRINT {
        return Cow::Borrowed(DEFAULT_FINGERPRINT);
    }
    Cow::Owned(fingerprint.into_owned().into_iter().map(owned).collect())
}

fn is_default_fingerprint(fingerprint: &[Cow<'_, str>]) -> bool {
    matches!(fingerprint, [only] if only == "{{ default }}" || only == "{{default}}")
}

pub(super) const DEFAULT_PLATFORM: &str = "other";

const DEFAULT_FINGERPRINT: &[Cow<'static, str>] = &[Cow::Borrowed("{{ default }}")];
