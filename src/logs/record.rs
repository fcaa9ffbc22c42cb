//! A log on its way: what was written at its call site, and what it took along from its scope.

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::SystemTime;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use smallvec::SmallVec;

use crate::attributes::{Context, Defaults, weight_of};
use crate::clock;
use crate::message::Message;
use crate::protocol::log::{PARENT_SPAN_ID, WireLog, span_of};
use crate::protocol::losses::attribute_bytes;
use crate::protocol::{Log, LogAttribute, LogLevel, LogSeverityNumber, Map, SpanId, TraceId};

/// What is known about a log when the program is compiled.
#[doc(hidden)]
#[derive(Debug)]
pub struct Site {
    pub level: LogLevel,
    /// The message, or the template of it if there are parameters.
    pub text: &'static str,
    /// The names of the attributes, in the order of their values.
    pub keys: &'static [&'static str],
    /// The names of the parameters; empty for those that have a place only.
    pub parameters: &'static [&'static str],
}

/// Collects what a macro was given, where it stays until it goes to its slot.
#[doc(hidden)]
#[derive(Debug)]
pub struct Writer(Option<Record>);

impl Writer {
    #[inline]
    #[must_use]
    pub fn new(site: &'static Site) -> Self {
        let content = Content::Written { site, body: None, values: Values::new() };
        // The clock is asked when all is there.
        Self(Some(Record::new(site.level, None, SystemTime::UNIX_EPOCH, None, content)))
    }

    /// Takes the next value: those of the attributes come first, then those of the parameters.
    #[inline]
    pub fn value<V: Into<LogAttribute>>(&mut self, value: V) {
        if let Some(Record { content: Content::Written { values, .. }, .. }) = &mut self.0 {
            values.push(value.into());
        }
    }

    /// Takes the message that the template and the parameters make.
    #[inline]
    pub fn body(&mut self, Body(text): Body) {
        if let Some(Record { content: Content::Written { body, .. }, .. }) = &mut self.0 {
            *body = Some(text);
        }
    }

    /// Captures the log with the current hub.
    #[inline(never)]
    pub fn capture(mut self) {
        if let Some(record) = &mut self.0 {
            record.timestamp = clock::time_of(clock::now());
        }
        super::capture(&mut self.0);
    }
}

/// The message that the template and the parameters make, piece by piece.
#[doc(hidden)]
#[derive(Debug)]
pub struct Body(String);

impl Body {
    /// Makes room for the template and for short parameters.
    #[inline]
    #[must_use]
    pub fn new(site: &'static Site) -> Self {
        Self(String::with_capacity(site.text.len() + SHORT_PARAMETER * site.parameters.len()))
    }

    #[inline]
    pub fn message(&mut self) -> Message<'_, String> {
        Message::to(&mut self.0)
    }
}

/// Enough for most logs; more move to the heap together.
type Values = SmallVec<[LogAttribute; 3]>;

/// A log on its way.
#[derive(Debug)]
pub(crate) struct Record {
    level: LogLevel,
    severity_number: LogSeverityNumber,
    timestamp: SystemTime,
    context: Context,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// By a macro. The values are those of the site's keys, then those of its parameters.
    Written { site: &'static Site, body: Option<String>, values: Values },
    /// By hand. `complete`: a callback has seen all of it, and nothing is added any more.
    Given { body: String, attributes: Map<String, LogAttribute>, complete: bool },
}

impl Record {
    /// Takes a log that was made by hand.
    pub(crate) fn of_log(log: Log) -> Self {
        Self::given(log, false)
    }

    /// Takes a log to which nothing is to be added.
    pub(crate) fn of_complete_log(log: Log) -> Self {
        Self::given(log, true)
    }

    fn given(log: Log, complete: bool) -> Self {
        let Log { level, body, trace_id, timestamp, severity_number, attributes } = log;
        Self::new(level, severity_number, timestamp, trace_id, Content::Given { body, attributes, complete })
    }

    #[inline]
    fn new(
        level: LogLevel,
        severity_number: Option<LogSeverityNumber>,
        timestamp: SystemTime,
        trace_id: Option<TraceId>,
        content: Content,
    ) -> Self {
        let severity_number = severity_number.unwrap_or_else(|| level.into());
        Self { level, severity_number, timestamp, context: Context { trace_id, ..Context::default() }, content }
    }

    /// Takes along what its scope has. The trace that the log names wins over that.
    #[inline]
    pub(crate) fn take_along(&mut self, context: Context) {
        self.context = Context { trace_id: self.context.trace_id.or(context.trace_id), ..context };
    }

    /// The log that this stands for, with everything that it will say.
    pub(crate) fn into_log(self, defaults: &Defaults) -> Log {
        let mut attributes = Map::new();
        _ = self.each(defaults, |name, value| {
            attributes.insert(name.to_owned(), value.clone());
            Ok::<_, Infallible>(())
        });
        Log {
            level: self.level,
            trace_id: self.context.trace_id,
            timestamp: self.timestamp,
            severity_number: Some(self.severity_number),
            attributes,
            body: match self.content {
                Content::Written { site, body, .. } => body.unwrap_or_else(|| site.text.to_owned()),
                Content::Given { body, .. } => body,
            },
        }
    }

    pub(crate) fn level(&self) -> LogLevel {
        self.level
    }

    pub(crate) fn body(&self) -> &str {
        match &self.content {
            Content::Written { site, body, .. } => body.as_deref().unwrap_or(site.text),
            Content::Given { body, .. } => body,
        }
    }

    /// How many bytes it counts for, as [`Log`]s are counted.
    pub(crate) fn bytes(&self, defaults: &Defaults) -> u64 {
        let mut sum = self.body().len() as u64;
        _ = self.each(defaults, |name, value| {
            sum += attribute_bytes(name, value);
            Ok::<_, Infallible>(())
        });
        sum.max(1)
    }

    /// Roughly how many bytes of heap it keeps alive.
    pub(crate) fn weight(&self) -> usize {
        let (own, values) = match &self.content {
            Content::Written { body, values, .. } => {
                (body.as_ref().map_or(0, String::len), values.iter().map(|LogAttribute(value)| weight_of(value)).sum())
            }
            Content::Given { body, attributes, .. } => {
                let attributes =
                    attributes.iter().map(|(name, LogAttribute(value))| name.len() + 64 + weight_of(value));
                (body.len(), attributes.sum::<usize>())
            }
        };
        own + values
    }

    /// Shows each attribute once: its own first, then those of the context and the defaults that it lacks.
    fn each<E>(
        &self,
        defaults: &Defaults,
        mut show: impl FnMut(&str, &LogAttribute) -> Result<(), E>,
    ) -> Result<(), E> {
        match &self.content {
            Content::Given { attributes, complete, .. } => {
                attributes.iter().try_for_each(|(name, value)| show(name, value))?;
                if *complete {
                    return Ok(());
                }
            }
            Content::Written { site, values, .. } => {
                let mut named = site.keys.iter().zip(values).enumerate();
                // Of two with one name, the later one counts.
                let is_last = |at: usize, name: &str| !site.keys.iter().skip(at + 1).any(|later| *later == name);
                named.try_for_each(|(at, (name, value))| if is_last(at, name) { show(name, value) } else { Ok(()) })?;
                self.each_of_message(site, values, &mut show)?;
            }
        }
        if let Some(id) = self.context.span_id.filter(|_| !self.has(PARENT_SPAN_ID)) {
            show(PARENT_SPAN_ID, &id.to_string().into())?;
        }
        for (name, value) in self.context.user_attributes().filter(|(name, _)| !self.has(name)) {
            show(name, &value)?;
        }
        for (name, value) in defaults.of_logs().filter(|(name, _)| !self.has(name)) {
            show(name, value)?;
        }
        Ok(())
    }

    /// Shows the template and the parameters, if there are parameters.
    fn each_of_message<E>(
        &self,
        site: &Site,
        values: &[LogAttribute],
        show: &mut impl FnMut(&str, &LogAttribute) -> Result<(), E>,
    ) -> Result<(), E> {
        if site.parameters.is_empty() {
            return Ok(());
        }
        if !self.has(TEMPLATE) {
            show(TEMPLATE, &site.text.into())?;
        }
        let parameters = site.parameters.iter().zip(values.iter().skip(site.keys.len()));
        for (at, (name, value)) in parameters.enumerate() {
            let name = if name.is_empty() { Cow::Owned(at.to_string()) } else { Cow::Borrowed(*name) };
            let name = format!("{PARAMETER}{name}");
            if !self.has(&name) {
                show(&name, value)?;
            }
        }
        Ok(())
    }

    /// True if the log has an attribute of this name of its own.
    fn has(&self, name: &str) -> bool {
        self.own(name).is_some()
    }

    fn own(&self, name: &str) -> Option<&LogAttribute> {
        match &self.content {
            Content::Written { site, values, .. } => values.get(site.keys.iter().rposition(|key| *key == name)?),
            Content::Given { attributes, .. } => attributes.get(name),
        }
    }

    /// The span that the log names, or else the one it was written in.
    fn span_id(&self) -> Option<SpanId> {
        self.own(PARENT_SPAN_ID).map_or(self.context.span_id, span_of)
    }

    fn trace_id(&self) -> Option<TraceId> {
        self.context.trace_id
    }
}

/// A record with everything that it will say, to be written as a [`Log`] is.
pub(crate) struct Filled<'a> {
    pub(crate) record: &'a Record,
    pub(crate) defaults: &'a Defaults,
}

impl Serialize for Filled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Record { level, severity_number, timestamp, .. } = *self.record;
        let span_id = self.record.span_id();
        WireLog {
            level,
            body: self.record.body(),
            trace_id: self.record.trace_id(),
            span_id,
            timestamp,
            severity_number: Some(severity_number),
            attributes: Some(Attributes { filled: self, span: span_id.is_some() }),
        }
        .serialize(serializer)
    }
}

/// The attributes of a filled record, but for the span if that stands elsewhere.
struct Attributes<'a> {
    filled: &'a Filled<'a>,
    span: bool,
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.filled.record.each(self.filled.defaults, |name, value| {
            if self.span && name == PARENT_SPAN_ID { Ok(()) } else { map.serialize_entry(name, value) }
        })?;
        map.end()
    }
}

/// Bytes, beside the braces that it stands for.
const SHORT_PARAMETER: usize = 14;

const TEMPLATE: &str = "sentry.message.template";
const PARAMETER: &str = "sentry.message.parameter.";

const _: () = assert!(size_of::<Record>() <= 256, "a thousand of them wait in a queue");
