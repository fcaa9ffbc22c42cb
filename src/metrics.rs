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
//!
//! # Cost
//! While no client is open, a sample holds nothing, and nothing that it is given is converted: what is left of all its calls
//! is one relaxed load and a branch. It is not captured when a client is opened later. Otherwise a capture allocates for
//! texts that are not constants, and nothing for up to two attributes.

pub(crate) mod record;

use std::borrow::Cow;

pub(crate) use self::record::Record;
use crate::attributes::Context;
use crate::gate;
use crate::hub::Hub;
use crate::hub::bound::{Backend, Bound};
use crate::hub::current::look_at_current;
use crate::offer::Left;
use crate::protocol::{LogAttribute, MetricType, Unit};

/// Makes a sample of a counter: its values are added up.
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn counter<N, V>(name: N, value: V) -> CounterMetric
where
    N: Into<Cow<'static, str>>,
    V: Into<f64>,
{
    CounterMetric(Sample::new(MetricType::Counter, name, value))
}

/// Makes a sample of a gauge: its last value counts.
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn gauge<N, V>(name: N, value: V) -> GaugeMetric
where
    N: Into<Cow<'static, str>>,
    V: Into<f64>,
{
    GaugeMetric(Sample::new(MetricType::Gauge, name, value))
}

/// Makes a sample of a distribution: its percentiles matter.
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn distribution<N, V>(name: N, value: V) -> DistributionMetric
where
    N: Into<Cow<'static, str>>,
    V: Into<f64>,
{
    DistributionMetric(Sample::new(MetricType::Distribution, name, value))
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
                #[cfg_attr(debug_assertions, inline)]
                #[cfg_attr(not(debug_assertions), inline(always))]
                pub fn attribute<K, V>(self, key: K, value: V) -> Self
                where
                    K: Into<Cow<'static, str>>,
                    V: Into<LogAttribute>,
                {
                    Self(self.0.and(|record| record.push(key.into(), value.into())))
                }

                $(
                    /// Says what the value is measured in.
                    #[cfg_attr(debug_assertions, inline)]
                    #[cfg_attr(not(debug_assertions), inline(always))]
                    pub fn $unit<U: Into<Unit>>(self, unit: U) -> Self {
                        Self(self.0.and(|record| record.measure_in(unit.into())))
                    }
                )?

                /// Captures the sample with the current hub.
                #[cfg_attr(debug_assertions, inline)]
                #[cfg_attr(not(debug_assertions), inline(always))]
                pub fn capture(self) {
                    if let Sample(Some(record)) = self.0 {
                        capture(&mut Some(record));
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
        let Sample(mut record) = metric.into_sample();
        let left = self.look(|client, scope| offer(&mut record, client, Context::of(scope, client.options())));
        finish(&mut record, left.flatten());
    }
}

/// What is given of a metric; nothing, if no client was open when it was made: nobody would hear of it.
#[derive(Clone, Debug)]
pub struct Sample(Option<Record>);

impl Sample {
    #[cfg_attr(debug_assertions, inline)]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn new<N: Into<Cow<'static, str>>, V: Into<f64>>(ty: MetricType, name: N, value: V) -> Self {
        Self(if gate::is_open() { Some(Record::new(ty, name.into(), value.into())) } else { None })
    }

    /// Changes the record, if there is one. By value: what holds nothing then has no address either, and goes to nothing.
    #[cfg_attr(debug_assertions, inline)]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn and(self, change: impl FnOnce(&mut Record)) -> Self {
        match self.0 {
            Some(mut record) => {
                change(&mut record);
                Self(Some(record))
            }
            None => Self(None),
        }
    }

    /// The record, to which what its scope has is to be added.
    pub(crate) fn into_record(self) -> Option<Record> {
        self.0
    }
}

/// Captures a record with the current hub.
#[inline(never)]
fn capture(record: &mut Option<Record>) {
    let left = look_at_current(|client, scope| offer(record, client, Context::of(scope, client.options())));
    finish(record, left.flatten());
}

/// Sends a record on its way, as far as that runs no code of the host.
#[inline]
fn offer(record: &mut Option<Record>, client: &Bound, context: Context) -> Option<(Left, Bound)> {
    record.as_mut()?.take_along(context);
    let left = client.offer_metric(record)?;
    // Not `client.clone()`: where there are no clients, nothing could come after it.
    Some(client).cloned().map(|client| (left, client))
}

/// Does what was left.
#[inline]
fn finish(record: &mut Option<Record>, left: Option<(Left, Bound)>) {
    if let Some((left, client)) = left {
        client.finish_metric(left, record.take());
    }
}
