//! Structured logs.

use std::time::SystemTime;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Number, Value};

use super::time::seconds;
use super::{Map, TraceId};

/// One structured log.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Log {
    /// How severe it is.
    pub level: LogLevel,
    /// The message.
    pub body: String,
    /// The trace it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<TraceId>,
    /// When it was written.
    #[serde(with = "seconds")]
    pub timestamp: SystemTime,
    /// The severity as a number, finer than the level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_number: Option<LogSeverityNumber>,
    /// Typed values, by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, LogAttribute>,
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

    use super::{LogAttribute, LogLevel, LogSeverityNumber};

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
    fn severities_lie_between_1_and_24() {
        assert!(LogSeverityNumber::try_from(0).is_err());
        assert!(LogSeverityNumber::try_from(25).is_err());
        assert_eq!(LogSeverityNumber::try_from(17).unwrap(), LogLevel::Error.into());
        assert!(serde_json::from_str::<LogSeverityNumber>("25").is_err());
    }
}
