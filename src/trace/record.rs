//! What one span is, and what was noted about it while it ran.
//!
//! Notes are links of a chain, the newest on top, and are put together when somebody asks. The end of the span seals the
//! chain: what comes later is passed over.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::time::SystemTime;

use serde_json::Value;
use smol_str::SmolStr;

use super::text::Text;
use crate::clock;
use crate::protocol::{Request, Span, SpanId, SpanStatus, TraceContext, TraceId};
use crate::sync::chain::Chain;
use crate::sync::roster::{Entry, Subject};

/// One span, running or finished.
pub(super) type Record = Entry<Facts, Note>;

/// What is known about a span when it starts, and how it ended.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(super) span_id: SpanId,
    pub(super) parent_span_id: Option<SpanId>,
    pub(super) name: Text,
    pub(super) op: Text,
    /// In nanoseconds since the epoch.
    pub(super) start: u64,
    /// The same; written once, by whoever seals the notes.
    end: AtomicU64,
    /// A [code](SpanStatus::code), or zero.
    status: AtomicU8,
}

/// Something that was said about a span after it had started.
#[derive(Debug)]
pub(crate) enum Note {
    Name(SmolStr),
    Op(SmolStr),
    Origin(SmolStr),
    Data(SmolStr, Value),
    /// Takes a piece of data away again.
    NoData(SmolStr),
    Tag(SmolStr, String),
    Extra(SmolStr, Value),
    Request(Box<Request>),
}

/// All notes together.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) origin: Option<String>,
    pub(super) data: BTreeMap<String, Value>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) extra: BTreeMap<String, Value>,
    pub(super) request: Option<Request>,
}

impl Facts {
    #[inline]
    pub(super) fn new(span_id: SpanId, parent_span_id: Option<SpanId>, name: Text, op: Text, start: u64) -> Self {
        Self { span_id, parent_span_id, name, op, start, end: AtomicU64::new(0), status: AtomicU8::new(0) }
    }

    /// Says what a transaction is, in place of another one.
    #[inline]
    pub(super) fn tell_anew(
        &mut self,
        span_id: SpanId,
        parent_span_id: Option<SpanId>,
        name: Text,
        op: Text,
        start: u64,
    ) {
        self.span_id = span_id;
        self.parent_span_id = parent_span_id;
        self.name = name;
        self.op = op;
        self.start = start;
        *self.end.get_mut() = 0;
        *self.status.get_mut() = 0;
    }

    /// Says what a span is, of which nothing was said yet.
    // Inlined by force, so that it is written where it stands.
    #[inline(always)]
    pub(super) fn tell(&mut self, span_id: SpanId, parent_span_id: SpanId, name: &str, op: &str, start: u64) {
        self.span_id = span_id;
        self.parent_span_id = Some(parent_span_id);
        self.start = start;
        self.name.set(name);
        self.op.set(op);
    }

    /// Writes down when the span ended: for whoever has sealed the notes. `None`: now, and never before it started.
    pub(super) fn set_end(&self, end: Option<SystemTime>) {
        let end = end.map_or_else(|| clock::now().max(self.start), clock::nanos_of);
        // Relaxed: the chain of finished spans, or the queue, publishes it.
        self.end.store(end, Relaxed);
    }

    /// When the span ended, in nanoseconds since the epoch; for those that have.
    pub(super) fn ended_at(&self) -> u64 {
        // Relaxed: as in `set_end`.
        self.end.load(Relaxed)
    }
}

impl Subject<Note> for Facts {
    #[inline]
    fn blank() -> Self {
        Self::new(SpanId::from_bits(0), None, Text::EMPTY, Text::EMPTY, 0)
    }
}

impl Record {
    pub(super) fn span_id(&self) -> SpanId {
        self.value().span_id
    }

    /// Notes something, unless the span has ended. It is the tree that weighs it.
    pub(super) fn note(&self, note: Note) {
        // Refused: it came too late.
        _ = self.notes().push(note);
    }

    pub(super) fn status(&self) -> Option<SpanStatus> {
        // Relaxed, here and below: a status tells of itself alone.
        SpanStatus::of_code(self.value().status.load(Relaxed))
    }

    pub(super) fn set_status(&self, status: SpanStatus) {
        if !self.notes().is_sealed() {
            self.value().status.store(status.code(), Relaxed);
        }
    }

    pub(super) fn name(&self) -> &str {
        let newest = self.notes().iter().find_map(|note| match note {
            Note::Name(name) => Some(name.as_str()),
            _ => None,
        });
        newest.unwrap_or(self.value().name.as_str())
    }

    pub(super) fn op(&self) -> &str {
        let newest = self.notes().iter().find_map(|note| match note {
            Note::Op(op) => Some(op.as_str()),
            _ => None,
        });
        newest.unwrap_or(self.value().op.as_str())
    }

    pub(super) fn start(&self) -> SystemTime {
        clock::time_of(self.value().start)
    }

    /// When the span ended; for records that have.
    pub(super) fn end(&self) -> SystemTime {
        clock::time_of(self.value().ended_at())
    }

    /// Puts the notes together; the latest on a matter counts. `request_is_data`: for a span, which has no request.
    pub(super) fn put_together(&self, request_is_data: bool) -> Notes {
        Notes::of(self.notes(), request_is_data)
    }

    /// Where events happen that are captured in this span.
    pub(super) fn trace_context(&self, trace_id: TraceId, notes: &mut Notes) -> TraceContext {
        TraceContext {
            span_id: self.value().span_id,
            trace_id,
            parent_span_id: self.value().parent_span_id,
            op: Some(self.op().to_owned()),
            description: None,
            status: self.status(),
            origin: notes.origin.take(),
            data: std::mem::take(&mut notes.data),
        }
    }

    /// The finished span.
    pub(super) fn to_span(&self, trace_id: TraceId) -> Span {
        let notes = self.put_together(true);
        Span {
            span_id: self.value().span_id,
            trace_id,
            parent_span_id: self.value().parent_span_id,
            same_process_as_parent: None,
            op: Some(self.op().to_owned()),
            description: self.description(),
            timestamp: Some(self.end()),
            start_timestamp: self.start(),
            status: self.status(),
            tags: notes.tags,
            data: notes.data,
        }
    }

    /// The name of a span that is no transaction.
    pub(super) fn description(&self) -> Option<String> {
        Some(self.name()).filter(|name| !name.is_empty()).map(str::to_owned)
    }
}

impl Note {
    /// Roughly how many bytes it takes; for lists and maps, and for requests, which can be of any size, a large number.
    pub(super) fn weight(&self) -> u32 {
        let text = |text: &str| u32::try_from(text.len()).unwrap_or(LARGE);
        let value = |value: &Value| match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(string) => text(string),
            Value::Array(_) | Value::Object(_) => LARGE,
        };
        let content = match self {
            Self::Name(it) | Self::Op(it) | Self::Origin(it) | Self::NoData(it) => text(it),
            Self::Data(key, it) | Self::Extra(key, it) => text(key).saturating_add(value(it)),
            Self::Tag(key, it) => text(key).saturating_add(text(it)),
            Self::Request(_) => LARGE,
        };
        content.saturating_add(size_of::<Self>() as u32)
    }
}

impl Notes {
    /// Puts the notes together; the latest on a matter counts. `request_is_data`: for a span, which has no request.
    pub(super) fn of(chain: &Chain<Note>, request_is_data: bool) -> Self {
        let mut notes = Self::default();
        let mut oldest_first: Vec<&Note> = chain.iter().collect();
        oldest_first.reverse();
        for note in oldest_first {
            match note {
                Note::Name(_) | Note::Op(_) => {}
                Note::Origin(origin) => notes.origin = Some(origin.to_string()),
                Note::Data(key, value) => _ = notes.data.insert(key.to_string(), value.clone()),
                Note::NoData(key) => _ = notes.data.remove(key.as_str()),
                Note::Tag(key, value) => _ = notes.tags.insert(key.to_string(), value.clone()),
                Note::Extra(key, value) => _ = notes.extra.insert(key.to_string(), value.clone()),
                Note::Request(request) if request_is_data => notes.data.extend(fields_of(request)),
                Note::Request(request) => notes.request = Some((**request).clone()),
            }
        }
        notes
    }
}

/// What a request says of a span: data, under the names that its fields have.
pub(super) fn fields_of(request: &Request) -> serde_json::Map<String, Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(request) else { return serde_json::Map::new() };
    if let Some(body) = fields.get_mut("data")
        && let Some(parsed) = body.as_str().and_then(|text| serde_json::from_str(text).ok())
    {
        *body = parsed;
    }
    fields
}

/// More than notes weigh of which a thread keeps some.
const LARGE: u32 = 1 << 20;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn record() -> Record {
        Record::new(Facts::new(SpanId::default(), None, Text::new("name"), Text::new("op"), 7))
    }

    #[test]
    fn the_latest_note_on_a_matter_counts() {
        let record = record();
        for n in 0..3 {
            record.note(Note::Name(format!("name{n}").into()));
            record.note(Note::Op(format!("op{n}").into()));
            record.note(Note::Data("key".into(), n.into()));
            record.note(Note::Data(format!("key{n}").into(), n.into()));
            record.note(Note::Tag("tag".into(), n.to_string()));
        }
        record.note(Note::NoData("key0".into()));
        assert_eq!((record.name(), record.op()), ("name2", "op2"));
        let notes = record.put_together(true);
        let data: Vec<_> = notes.data.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(data, ["key=2", "key1=1", "key2=2"]);
        assert_eq!(notes.tags["tag"], "2");
    }

    #[test]
    fn what_comes_after_the_end_is_passed_over() {
        let record = record();
        record.set_status(SpanStatus::Ok);
        let end = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_234_567);
        assert!(record.notes().seal());
        record.value().set_end(Some(end));
        record.note(Note::Data("late".into(), 1.into()));
        record.set_status(SpanStatus::Aborted);
        let span = record.to_span(TraceId::default());
        assert_eq!((span.timestamp, span.status, span.data.len()), (Some(end), Some(SpanStatus::Ok), 0));
    }

    #[test]
    fn a_span_is_written_as_one_that_was_put_together() {
        let trace_id = TraceId::default();
        for (name, parent) in [("name", None), ("", Some(SpanId::default())), (&"a \"long\" name, ".repeat(9), None)] {
            let facts = Facts::new(SpanId::default(), parent, Text::new(name), Text::new("op"), 7_000_000);
            let record = Record::new(facts);
            let compare = |record: &Record| {
                let mut written = Vec::new();
                record.write(&trace_id.hex(), &mut written).unwrap();
                let typed = serde_json::to_string(&record.to_span(trace_id)).unwrap();
                assert_eq!(String::from_utf8(written).unwrap(), typed);
            };
            record.value().set_end(None);
            compare(&record);
            record.set_status(SpanStatus::Aborted);
            record.note(Note::Tag("tag".into(), "a".to_owned()));
            record.note(Note::Data("key".into(), 1.into()));
            record.note(Note::Op("other".into()));
            compare(&record);
            let url = "https://example.com/".parse().ok();
            record.note(Note::Data("url".into(), "earlier".into()));
            record.note(Note::Request(Box::new(Request { url, data: Some("[1]".into()), ..Request::default() })));
            record.note(Note::Data("method".into(), "later".into()));
            record.note(Note::Tag("tag".into(), "\t".to_owned()));
            record.note(Note::Tag("another".into(), String::new()));
            record.note(Note::NoData("key".into()));
            record.note(Note::Name("renamed".into()));
            compare(&record);
            (0..40).for_each(|n| record.note(Note::Data((n % 7).to_string().into(), n.into())));
            record.note(Note::NoData("3".into()));
            compare(&record);
        }
    }

    #[test]
    fn a_span_that_ends_now_does_not_end_before_it_started() {
        let start = SystemTime::now() + Duration::from_secs(3_600);
        let facts = Facts::new(SpanId::default(), None, Text::new(""), Text::new(""), clock::nanos_of(start));
        facts.set_end(None);
        assert_eq!(Record::new(facts).end(), start);
    }

    #[test]
    fn a_shelf_of_eight_is_small() {
        // With the link, a place is 120 bytes: eight fit what allocators keep for the thread.
        assert!(size_of::<Record>() <= 104);
    }

    #[test]
    fn a_request_is_spread_over_the_data_of_a_span() {
        let record = record();
        record.note(Note::Request(Box::new(Request {
            method: Some("GET".into()),
            url: "https://example.com/".parse().ok(),
            data: Some("[1]".into()),
            headers: [("accept".to_owned(), "*/*".to_owned())].into(),
            ..Request::default()
        })));
        let data = record.put_together(true).data;
        assert_eq!(
            serde_json::to_string(&data).unwrap(),
            r#"{"data":[1],"headers":{"accept":"*/*"},"method":"GET","url":"https://example.com/"}"#
        );
        assert_eq!(record.put_together(false).request.and_then(|request| request.method).as_deref(), Some("GET"));
    }
}
