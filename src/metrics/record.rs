//! A metric on its way: what was given, and what it took along from its scope.

use std::borrow::Cow;
use std::time::SystemTime;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use smallvec::SmallVec;

use crate::attributes::{Context, Defaults, weight_of};
use crate::clock;
use crate::protocol::losses::attribute_bytes;
use crate::protocol::metric::WireMetric;
use crate::protocol::{LogAttribute, Map, Metric, MetricType, Unit, Value};

/// A metric on its way. `complete`: a callback has seen all of it, and nothing is added any more.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    ty: MetricType,
    complete: bool,
    name: Cow<'static, str>,
    value: f64,
    timestamp: SystemTime,
    context: Context,
    unit: Option<Unit>,
    attributes: Attributes,
}

/// Enough for most metrics; more move to the heap together.
type Attributes = SmallVec<[(Cow<'static, str>, LogAttribute); 2]>;

impl Record {
    #[inline]
    pub(crate) fn new(ty: MetricType, name: Cow<'static, str>, value: f64) -> Self {
        let (context, attributes) = (Context::default(), Attributes::new());
        let timestamp = SystemTime::UNIX_EPOCH;
        Self { ty, complete: false, name, value, timestamp, context, unit: None, attributes }
    }

    /// Adds an attribute.
    #[inline]
    pub(crate) fn push(&mut self, name: Cow<'static, str>, value: LogAttribute) {
        self.attributes.push((name, value));
    }

    /// Says what the value is measured in.
    #[inline]
    pub(crate) fn measure_in(&mut self, unit: Unit) {
        self.unit = Some(unit);
    }

    /// Takes along what its scope has, and the time.
    #[inline]
    pub(crate) fn take_along(&mut self, context: Context) {
        (self.context, self.timestamp) = (context, clock::time_of(clock::now()));
    }

    /// Takes a metric to which nothing is to be added.
    pub(crate) fn of_complete_metric(metric: Metric) -> Self {
        let Metric { r#type: ty, name, value, timestamp, trace_id, span_id, unit, attributes } = metric;
        let context = Context { trace_id: Some(trace_id), span_id, user: None };
        let attributes = attributes.into_iter().collect();
        Self { ty, complete: true, name, value, timestamp, context, unit, attributes }
    }

    /// The metric that this stands for, with everything that it will say.
    pub(crate) fn into_metric(self, defaults: &Defaults) -> Metric {
        let added: Vec<_> =
            self.added(defaults).map(|(name, value)| (Cow::Borrowed(name), value.into_owned())).collect();
        let mut attributes: Map<_, _> = self.attributes.into_iter().collect();
        attributes.extend(added);
        Metric {
            r#type: self.ty,
            name: self.name,
            value: self.value,
            timestamp: self.timestamp,
            trace_id: self.context.trace_id.unwrap_or_default(),
            span_id: self.context.span_id,
            unit: self.unit,
            attributes,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes it counts for, as [`Metric`]s are counted.
    pub(crate) fn bytes(&self, defaults: &Defaults) -> u64 {
        let own = self.own().map(|(name, value)| attribute_bytes(name, value));
        let added = self.added(defaults).map(|(name, value)| attribute_bytes(name, &value));
        self.name.len() as u64 + 8 + own.sum::<u64>() + added.sum::<u64>()
    }

    /// How many bytes it takes when it is written, at most; `None`: only writing it tells.
    pub(crate) fn most_written(&self, defaults: &Defaults) -> Option<usize> {
        let own = self.own().map(|(name, value)| most_of_attribute(name, value));
        let added = self.added(defaults).map(|(name, value)| most_of_attribute(name, &value));
        let unit = match &self.unit {
            Some(Unit::Other(unit)) => most_of_text(unit),
            _ => 0,
        };
        let rest = MOST_OF_FRAME + most_of_text(&self.name) + unit;
        own.chain(added).try_fold(rest, |sum, attribute| Some(sum + attribute?))
    }

    /// Roughly how many bytes of heap it keeps alive.
    pub(crate) fn weight(&self) -> usize {
        let texts = self.attributes.iter().map(|(name, LogAttribute(value))| name.len() + weight_of(value));
        self.name.len() + texts.sum::<usize>()
    }

    /// Its own attributes, each name once.
    fn own(&self) -> impl Iterator<Item = (&str, &LogAttribute)> {
        let list = &self.attributes;
        let last = |at: usize, name: &str| !list.iter().skip(at + 1).any(|(later, _)| later == name);
        let named = list.iter().enumerate().filter(move |(at, (name, _))| last(*at, name));
        named.map(|(_, (name, value))| (&**name, value))
    }

    /// What the user and the defaults add to it.
    fn added<'a>(&'a self, defaults: &'a Defaults) -> impl Iterator<Item = (&'static str, Cow<'a, LogAttribute>)> {
        // Half of one user and half of another would be nobody.
        let names_a_user = self.attributes.iter().any(|(name, _)| USER.contains(&&**name));
        let user = self.context.user_attributes().filter(move |_| !names_a_user);
        let user = user.map(|(name, value)| (name, Cow::Owned(value)));
        let all = user.chain(defaults.of_metrics().map(|(name, value)| (*name, Cow::Borrowed(value))));
        all.filter(|(name, _)| !self.complete && !self.attributes.iter().any(|(own, _)| own == name))
    }
}

/// How many bytes an attribute takes at most.
fn most_of_attribute(name: &str, LogAttribute(value): &LogAttribute) -> Option<usize> {
    let value = match value {
        Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => most_of_text(text),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(MOST_OF_ATTRIBUTE + most_of_text(name) + value)
}

/// How many bytes a text takes at most: six for each of its bytes that can't stand in JSON as it is.
fn most_of_text(text: &str) -> usize {
    let escaped = text.bytes().filter(|byte| matches!(byte, 0..0x20 | b'"' | b'\\'));
    text.len() + 5 * escaped.count()
}

/// What a metric takes without its name, its attributes and a unit of its own.
const MOST_OF_FRAME: usize = 256;
/// What an attribute takes without its name and its text: names of fields, punctuation, the type, a number.
const MOST_OF_ATTRIBUTE: usize = 64;

/// The attributes that tell of a user: a metric that has one of them gets none from the scope.
const USER: [&str; 3] = ["user.id", "user.name", "user.email"];

/// A record with everything that it will say, to be written as a [`Metric`] is.
pub(crate) struct Filled<'a> {
    pub(crate) record: &'a Record,
    pub(crate) defaults: &'a Defaults,
}

impl Serialize for Filled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Record { ty, name, value, timestamp, context, unit, .. } = self.record;
        WireMetric {
            r#type: *ty,
            name,
            value: *value,
            timestamp: *timestamp,
            trace_id: context.trace_id.unwrap_or_default(),
            span_id: context.span_id,
            unit: unit.as_ref(),
            attributes: Some(Added(self)),
        }
        .serialize(serializer)
    }
}

/// The attributes of a filled record.
struct Added<'a>(&'a Filled<'a>);

impl Serialize for Added<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Filled { record, defaults } = *self.0;
        let mut map = serializer.serialize_map(None)?;
        record.own().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        record.added(defaults).try_for_each(|(name, value)| map.serialize_entry(name, &value))?;
        map.end()
    }
}

const _: () = assert!(size_of::<Record>() <= 256, "a thousand of them wait in a queue");

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Filled, Record};
    use crate::attributes::{Context, Defaults};
    use crate::options::ClientOptions;
    use crate::protocol::{ClientSdkInfo, LogAttribute, MetricType, Unit, User, Value};

    #[test]
    fn a_metric_is_never_longer_than_it_was_told_without_writing_it() {
        let options = ClientOptions::new().release("r\"1\"").environment("a\nb");
        let defaults = Defaults::new(&options, &ClientSdkInfo::default(), None);
        let hard = "\0\u{1f}\"\\\u{7f}äß🦀".repeat(5);
        let numbers = [json!(f64::MIN_POSITIVE), json!(i64::MIN), json!(u64::MAX), json!(-1.797_693_134_862_315_7e308)];
        let values = numbers.into_iter().chain([json!(false), json!(hard), json!("plain")]);
        for unit in [None, Some(Unit::Millisecond), Some(Unit::Other(hard.clone().into()))] {
            let mut record = Record::new(MetricType::Distribution, hard.clone().into(), -f64::MIN_POSITIVE);
            record.take_along(Context {
                trace_id: Some("d49d9bf66f13450b81f65bc51cf49c03".parse().unwrap()),
                span_id: Some("1cc4b26ab9094ef0".parse().unwrap()),
                user: Some(User { id: Some(hard.clone()), ..User::default() }.into()),
            });
            record.unit = unit;
            for (at, value) in values.clone().enumerate() {
                record.push(format!("{at}{hard}").into(), LogAttribute(value));
                let written = serde_json::to_vec(&Filled { record: &record, defaults: &defaults }).unwrap().len();
                assert!(record.most_written(&defaults).is_some_and(|most| most >= written), "{at}");
            }
            record.push("list".into(), LogAttribute(Value::Array(Vec::new())));
            assert_eq!(record.most_written(&defaults), None);
        }
    }
}
