//! Structured logs.

use std::time::SystemTime;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Number, Value};

use super::time::seconds;
use super::{Map, SpanId, TraceId};

/// One structured log.
///
/// The id of the span in which it was written is the attribute `parent_span_id`. On the wire it stands beside the
/// attributes, as `span_id`.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// How severe it is.
    pub level: LogLevel,
    /// The message.
    pub body: String,
    /// The trace it belongs to.
    pub trace_id: Option<TraceId>,
    /// When it was written.
    pub timestamp: SystemTime,
    /// The severity as a number, finer than the level.
    pub severity_number: Option<LogSeverityNumber>,
    /// Typed values, by name.
    pub attributes: Map<String, LogAttribute>,
}

/// The attribute that holds the id of a log's span.
pub(crate) const PARENT_SPAN_ID: &str = "parent_span_id";

/// A log as it stands on the wire: with a text `B` and attributes `A`.
#[derive(Deserialize, Serialize)]
pub(crate) struct WireLog<B, A> {
    pub(crate) level: LogLevel,
    pub(crate) body: B,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<TraceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) span_id: Option<SpanId>,
    #[serde(with = "seconds")]
    pub(crate) timestamp: SystemTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) severity_number: Option<LogSeverityNumber>,
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<A>,
}

/// Reads the id of a span from the attribute that holds it, if it is one that reads back as it is.
pub(crate) fn span_of(LogAttribute(value): &LogAttribute) -> Option<SpanId> {
    let text = value.as_str()?;
    let id: SpanId = text.parse().ok()?;
    (id.to_string() == text).then_some(id)
}

impl Serialize for Log {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let span_id = self.attributes.get(PARENT_SPAN_ID).and_then(span_of);
        let others = self.attributes.len() - usize::from(span_id.is_some());
        WireLog {
            level: self.level,
            body: &self.body,
            trace_id: self.trace_id,
            span_id,
            timestamp: self.timestamp,
            severity_number: self.severity_number,
            attributes: (others > 0).then_some(Without { attributes: &self.attributes, span: span_id.is_some() }),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Log {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = WireLog::<String, Map<String, LogAttribute>>::deserialize(deserializer)?;
        let mut attributes = wire.attributes.unwrap_or_default();
        if let Some(id) = wire.span_id {
            attributes.entry(PARENT_SPAN_ID.to_owned()).or_insert_with(|| id.to_string().into());
        }
        Ok(Self {
            level: wire.level,
            body: wire.body,
            trace_id: wire.trace_id,
            timestamp: wire.timestamp,
            severity_number: wire.severity_number,
            attributes,
        })
    }
}

/// Attributes, but for the one that stands elsewhere.
struct Without<'a> {
    attributes: &'a Map<String, LogAttribute>,
    span: bool,
}

impl Serialize for Without<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.attributes.iter().filter(|(name, _)| !(self.span && *name == PARENT_SPAN_ID)))
    }
}

/// How severe a log is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// The finest detail.
    Trace,
    /// Detail for those who look for a bug.
    Debug,
    /// Something worth knowing.
    Info,
    /// Something looks wrong.
    Warn,
    /// Something failed.
    Error,
    /// Nothing works any more.
    Fatal,
}

/// A severity between 1 and 24, as OpenTelemetry numbers them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "u8")]
pub struct LogSeverityNumber(u8);

impl LogSeverityNumber {
    /// The least severity.
    pub const MIN: u8 = 1;
    /// The greatest severity.
    pub const MAX: u8 = 24;
}

impl From<LogLevel> for LogSeverityNumber {
    fn from(level: LogLevel) -> Self {
        Self(match level {
            LogLevel::Trace => 1,
            LogLevel::Debug => 5,
            LogLevel::Info => 9,
            LogLevel::Warn => 13,
            LogLevel::Error => 17,
            LogLevel::Fatal => 21,
        })
    }
}

impl TryFrom<u8> for LogSeverityNumber {
    type Error = String;

    fn try_from(value: u8) -> Result<Self, String> {
        if (Self::MIN..=Self::MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err(format!("the severity number {value} is not between {} and {}", Self::MIN, Self::MAX))
        }
    }
}

/// A value with its type: text, a truth value, a number, or a list of one of these.
///
/// On the wire it is an object with `value` and `type`. What has no type there (an object, a mixed list, null, an
/// integer above [`i64::MAX`]) travels as JSON text.
#[derive(Clone, Debug, PartialEq)]
pub struct LogAttribute(pub Value);

impl LogAttribute {
    /// Returns the type's name on the wire, or `None` for what must travel as text.
    fn type_name(value: &Value) -> Option<&'static str> {
        match value {
            Value::String(_) => Some("string"),
            Value::Bool(_) => Some("boolean"),
            Value::Number(number) if number.is_i64() => Some("integer"),
            Value::Number(number) if number.is_f64() => Some("double"),
            Value::Array(values) => {
                let mut names = values.iter().map(|value| match value {
                    Value::Array(_) => None,
                    value => Self::type_name(value),
                });
                let first = names.next().unwrap_or(Some(""))?;
                names.all(|name| name == Some(first)).then_some("array")
            }
            Value::Number(_) | Value::Null | Value::Object(_) => None,
        }
    }
}

impl<T> From<T> for LogAttribute
where
    Value: From<T>,
{
    fn from(value: T) -> Self {
        Self(Value::from(value))
    }
}

impl<'de> Deserialize<'de> for LogAttribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Typed {
            value: Value,
            #[serde(default, rename = "type")]
            ty: Option<String>,
        }

        let Typed { value, ty } = Typed::deserialize(deserializer)?;
        Ok(Self(match (value, ty.as_deref()) {
            // Some writers leave out the fraction of a whole number.
            (Value::Number(number), Some("double")) => {
                Value::Number(number.as_f64().and_then(Number::from_f64).unwrap_or(number))
            }
            (value, _) => value,
        }))
    }
}

impl Serialize for LogAttribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        if let Some(name) = Self::type_name(&self.0) {
            map.serialize_entry("value", &self.0)?;
            map.serialize_entry("type", name)?;
        } else {
            map.serialize_entry("value", &self.0.to_string())?;
            map.serialize_entry("type", "string")?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Log, LogAttribute, LogLevel, LogSeverityNumber, PARENT_SPAN_ID};

    fn written(value: Value) -> String {
        serde_json::to_string(&LogAttribute(value)).unwrap()
    }

    #[test]
    fn a_value_is_written_with_its_type() {
        for (value, json) in [
            (json!("a"), r#"{"value":"a","type":"string"}"#),
            (json!(true), r#"{"value":true,"type":"boolean"}"#),
            (json!(-1), r#"{"value":-1,"type":"integer"}"#),
            (json!(1.5), r#"{"value":1.5,"type":"double"}"#),
            (json!(["a", "b"]), r#"{"value":["a","b"],"type":"array"}"#),
            (json!([]), r#"{"value":[],"type":"array"}"#),
        ] {
            assert_eq!(written(value.clone()), json);
            assert_eq!(serde_json::from_str::<LogAttribute>(json).unwrap().0, value);
        }
    }

    #[test]
    fn a_value_without_a_type_travels_as_text() {
        assert_eq!(written(json!(u64::MAX)), r#"{"value":"18446744073709551615","type":"string"}"#);
        assert_eq!(written(json!(null)), r#"{"value":"null","type":"string"}"#);
        assert_eq!(written(json!([1, "a"])), r#"{"value":"[1,\"a\"]","type":"string"}"#);
        assert_eq!(written(json!([[1]])), r#"{"value":"[[1]]","type":"string"}"#);
        assert_eq!(written(json!({"a": 1})), r#"{"value":"{\"a\":1}","type":"string"}"#);
    }

    #[test]
    fn a_double_without_a_fraction_stays_a_double() {
        let attribute: LogAttribute = serde_json::from_str(r#"{"value":1,"type":"double"}"#).unwrap();
        assert_eq!(attribute, LogAttribute::from(1.0));
    }

    #[test]
    fn the_span_stands_beside_the_attributes_on_the_wire_and_among_them_here() {
        let json = r#"{"level":"info","body":"b","span_id":"0123456789abcdef","timestamp":1}"#;
        let mut log: Log = serde_json::from_str(json).unwrap();
        assert_eq!(log.attributes[PARENT_SPAN_ID], "0123456789abcdef".into());
        assert_eq!(serde_json::to_string(&log).unwrap(), json);
        // What is no id stays where it is.
        for other in [json!("0123456789ABCDEF"), json!("12"), json!(7)] {
            log.attributes.insert(PARENT_SPAN_ID.to_owned(), LogAttribute(other));
            let written = serde_json::to_string(&log).unwrap();
            assert!(!written.contains("\"span_id"), "{written}");
            assert_eq!(serde_json::from_str::<Log>(&written).unwrap(), log);
        }
    }

    #[test]
    fn severities_lie_between_1_and_24() {
        assert!(LogSeverityNumber::try_from(0).is_err());
        assert!(LogSeverityNumber::try_from(25).is_err());
        assert_eq!(LogSeverityNumber::try_from(17).unwrap(), LogLevel::Error.into());
        assert!(serde_json::from_str::<LogSeverityNumber>("25").is_err());
    }
}
