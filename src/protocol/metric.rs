//! Counters, gauges and distributions.

use std::borrow::Cow;
use std::time::SystemTime;

use serde::{Deserialize, Serialize, Serializer};

use super::time::seconds;
use super::{LogAttribute, Map, SpanId, TraceId, Unit};

/// One sample of a metric.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Metric {
    /// What is done with its samples.
    pub r#type: MetricType,
    /// The name, such as `http.requests`.
    pub name: Cow<'static, str>,
    /// The value of this sample.
    pub value: f64,
    /// When it was taken.
    #[serde(with = "seconds")]
    pub timestamp: SystemTime,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// The span it was taken in.
    #[serde(default)]
    pub span_id: Option<SpanId>,
    /// What the value is measured in.
    #[serde(default)]
    pub unit: Option<Unit>,
    /// Typed values, by name.
    #[serde(default)]
    pub attributes: Map<Cow<'static, str>, LogAttribute>,
}

/// A metric as it is written, with attributes `A`.
#[derive(Serialize)]
pub(crate) struct WireMetric<'a, A> {
    pub(crate) r#type: MetricType,
    pub(crate) name: &'a str,
    pub(crate) value: f64,
    #[serde(with = "seconds")]
    pub(crate) timestamp: SystemTime,
    pub(crate) trace_id: TraceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) span_id: Option<SpanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<&'a Unit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<A>,
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WireMetric {
            r#type: self.r#type,
            name: &self.name,
            value: self.value,
            timestamp: self.timestamp,
            trace_id: self.trace_id,
            span_id: self.span_id,
            unit: self.unit.as_ref(),
            attributes: (!self.attributes.is_empty()).then_some(&self.attributes),
        }
        .serialize(serializer)
    }
}

/// What is done with a metric's samples.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricType {
    /// They are added up.
    Counter,
    /// The last one counts.
    Gauge,
    /// Their distribution matters: percentiles and the like.
    Distribution,
}
