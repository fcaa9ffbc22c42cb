//! Counters, gauges and distributions.

use std::borrow::Cow;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::time::seconds;
use super::{LogAttribute, Map, SpanId, TraceId, Unit};

/// One sample of a metric.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<SpanId>,
    /// What the value is measured in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Typed values, by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<Cow<'static, str>, LogAttribute>,
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
