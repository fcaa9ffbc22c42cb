//! Metrics: counters, gauges and distributions, each sample on its own.
//!
//! ```
//! use vidette::metrics;
//! use vidette::protocol::Unit;
//!
//! metrics::counter("cart.checkouts", 1).attribute("currency", "EUR").capture();
//! metrics::gauge("queue.length", 17).capture();
//! metrics::distribution("db.query", 3.5).unit(Unit::Millisecond).attribute("rows", 12).capture();
//! ```
//!
//! Samples are neither merged nor sampled here; the server does that. They carry the trace and the span they were taken in.

use std::borrow::Cow;
use std::time::SystemTime;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use smallvec::SmallVec;

use crate::attributes::{Context, Defaults, weight_of};
use crate::clock;
use crate::gate;
use crate::hub::Hub;
use crate::hub::bound::{Backend, Bound};
use crate::hub::current::look_at_current;
use crate::offer::Left;
use crate::protocol::losses::attribute_bytes;
use crate::protocol::metric::WireMetric;
use crate::protocol::{LogAttribute, Map, Metric, MetricType, Unit};

/// Makes a sample of a counter: its values are added up.
pub fn counter<N, V>(name: N, value: V) -> CounterMetric
where
    N: Into<Cow<'static, str>>,
    V: Into<f64>,
{
    CounterMetric(Sample::new(MetricType::Counter, name.into(), value.into()))
}

/// Makes a sample of a gauge: its last value counts.
pub fn gauge<N, V>(name: N, value: V) -> GaugeMetric
where
    N: Into<Cow<'static, str>>,
    V: Into<f64>,
{
    GaugeMetric(Sample::new(MetricType::Gauge, name.into(), value.into()))
}

/// Makes a sample of a distribution: its percentiles matter.
pub fn distribution<N, V>(name: N, value: V) -> DistributionMetric
where
    N: Into<Cow<'static, str>>,
    V: Into<f64>,
{
    DistributionMetric(Sample::new(MetricType::Distribution, name.into(), value.into()))
}

/// What can be captured as a metric: what the functions of this module make.
pub trait IntoProtocolMetric: sealed::IntoProtocolMetricImpl {}

mod sealed {
    /// Keeps the list of metrics in this crate.
    pub trait IntoProtocolMetricImpl {
        /// Takes the sample out.
        fn into_sample(self) -> crate::metrics::Sample;
    }
}

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident $([$unit:ident])?;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            #[must_use = "a sample counts when it is captured"]
            pub struct $name(Sample);

            impl $name {
                /// Adds a typed value. Of two with one name, the later one counts.
                pub fn attribute<K, V>(mut self, key: K, value: V) -> Self
                where
                    K: Into<Cow<'static, str>>,
                    V: Into<LogAttribute>,
                {
                    self.0.attributes.push((key.into(), value.into()));
                    self
                }

                $(
                    /// Says what the value is measured in.
                    pub fn $unit<U: Into<Unit>>(mut self, unit: U) -> Self {
                        self.0.unit = Some(unit.into());
                        self
                    }
                )?

                /// Captures the sample with the current hub.
                #[inline]
                pub fn capture(self) {
                    if gate::is_open() {
                        self.0.capture();
                    }
                }
            }

            impl IntoProtocolMetric for $name {}

            impl sealed::IntoProtocolMetricImpl for $name {
                fn into_sample(self) -> Sample {
                    self.0
                }
            }
        )*
    };
}

metrics! {
    /// A sample of a counter, made by [`counter`].
    CounterMetric;
    /// A sample of a gauge, made by [`gauge`].
    GaugeMetric [unit];
    /// A sample of a distribution, made by [`distribution`].
    DistributionMetric [unit];
}

impl Hub {
    /// Captures a metric with the scope on top.
    pub fn capture_metric<M: IntoProtocolMetric>(&self, metric: M) {
        let mut record = Some(Record::of_sample(metric.into_sample()));
        let left = self.look(|client, scope| offer(&mut record, client, Context::of(scope, client.options())));
        finish(record, left.flatten());
    }
}

/// What is given of a metric.
#[derive(Clone, Debug)]
pub struct Sample {
    ty: MetricType,
    name: Cow<'static, str>,
    value: f64,
    unit: Option<Unit>,
    attributes: Attributes,
}

/// Enough for most metrics; more move to the heap together.
type Attributes = SmallVec<[(Cow<'static, str>, LogAttribute); 2]>;

impl Sample {
    #[inline]
    fn new(ty: MetricType, name: Cow<'static, str>, value: f64) -> Self {
        Self { ty, name, value, unit: None, attributes: Attributes::new() }
    }

    #[inline(never)]
    fn capture(self) {
        let mut record = Some(Record::of_sample(self));
        let left = look_at_current(|client, scope| offer(&mut record, client, Context::of(scope, client.options())));
        finish(record, left.flatten());
    }
}

/// Sends a record on its way, as far as that runs no code of the host.
#[inline]
fn offer(record: &mut Option<Record>, client: &Bound, context: Context) -> Option<(Left, Bound)> {
    if let Some(record) = record {
        record.take_along(context);
    }
    let left = client.offer_metric(record)?;
    // Not `client.clone()`: where there are no clients, nothing could come after it.
    Some(client).cloned().map(|client| (left, client))
}

/// Does what was left.
#[inline]
fn finish(record: Option<Record>, left: Option<(Left, Bound)>) {
    if let Some((left, client)) = left {
        client.finish_metric(left, record);
    }
}

/// A metric on its way. `complete`: a callback has seen all of it, and nothing is added any more.
#[derive(Debug)]
pub(crate) struct Record {
    sample: Sample,
    timestamp: SystemTime,
    context: Context,
    complete: bool,
}

impl Record {
    #[inline]
    pub(crate) fn of_sample(sample: Sample) -> Self {
        Self { sample, timestamp: clock::time_of(clock::now()), context: Context::default(), complete: false }
    }

    /// Takes along what its scope has.
    #[inline]
    pub(crate) fn take_along(&mut self, context: Context) {
        self.context = context;
    }

    /// Takes a metric to which nothing is to be added.
    pub(crate) fn of_complete_metric(metric: Metric) -> Self {
        let Metric { r#type: ty, name, value, timestamp, trace_id, span_id, unit, attributes } = metric;
        let sample = Sample { ty, name, value, unit, attributes: attributes.into_iter().collect() };
        let context = Context { trace_id: Some(trace_id), span_id, user: None };
        Self { sample, timestamp, context, complete: true }
    }

    /// The metric that this stands for, with everything that it will say.
    pub(crate) fn into_metric(self, defaults: &Defaults) -> Metric {
        let added: Vec<_> =
            self.added(defaults).map(|(name, value)| (Cow::Borrowed(name), value.into_owned())).collect();
        let mut attributes: Map<_, _> = self.sample.attributes.into_iter().collect();
        attributes.extend(added);
        Metric {
            r#type: self.sample.ty,
            name: self.sample.name,
            value: self.sample.value,
            timestamp: self.timestamp,
            trace_id: self.context.trace_id.unwrap_or_default(),
            span_id: self.context.span_id,
            unit: self.sample.unit,
            attributes,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.sample.name
    }

    /// How many bytes it counts for, as [`Metric`]s are counted.
    pub(crate) fn bytes(&self, defaults: &Defaults) -> u64 {
        let own = self.own().map(|(name, value)| attribute_bytes(name, value));
        let added = self.added(defaults).map(|(name, value)| attribute_bytes(name, &value));
        self.sample.name.len() as u64 + 8 + own.sum::<u64>() + added.sum::<u64>()
    }

    /// Roughly how many bytes of heap it keeps alive.
    pub(crate) fn weight(&self) -> usize {
        let texts = self.sample.attributes.iter().map(|(name, LogAttribute(value))| name.len() + weight_of(value));
        self.sample.name.len() + texts.sum::<usize>()
    }

    /// Its own attributes, each name once.
    fn own(&self) -> impl Iterator<Item = (&str, &LogAttribute)> {
        let list = &self.sample.attributes;
        let last = |at: usize, name: &str| !list.iter().skip(at + 1).any(|(later, _)| later == name);
        let named = list.iter().enumerate().filter(move |(at, (name, _))| last(*at, name));
        named.map(|(_, (name, value))| (&**name, value))
    }

    /// What the user and the defaults add to it.
    fn added<'a>(&'a self, defaults: &'a Defaults) -> impl Iterator<Item = (&'static str, Cow<'a, LogAttribute>)> {
        // Half of one user and half of another would be nobody.
        let names_a_user = self.sample.attributes.iter().any(|(name, _)| USER.contains(&&**name));
        let user = self.context.user_attributes().filter(move |_| !names_a_user);
        let user = user.map(|(name, value)| (name, Cow::Owned(value)));
        let all = user.chain(defaults.of_metrics().map(|(name, value)| (*name, Cow::Borrowed(value))));
        all.filter(|(name, _)| !self.complete && !self.sample.attributes.iter().any(|(own, _)| own == name))
    }
}

/// The attributes that tell of a user: a metric that has one of them gets none from the scope.
const USER: [&str; 3] = ["user.id", "user.name", "user.email"];

/// A record with everything that it will say, to be written as a [`Metric`] is.
pub(crate) struct Filled<'a> {
    pub(crate) record: &'a Record,
    pub(crate) defaults: &'a Defaults,
}

impl Serialize for Filled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Record { sample, timestamp, context, .. } = self.record;
        WireMetric {
            r#type: sample.ty,
            name: &sample.name,
            value: sample.value,
            timestamp: *timestamp,
            trace_id: context.trace_id.unwrap_or_default(),
            span_id: context.span_id,
            unit: sample.unit.as_ref(),
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
