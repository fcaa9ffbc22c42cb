//! One timed operation.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{SpanId, TraceId, time, tolerant};

/// One timed operation within a trace.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Span {
    /// The span's id.
    pub span_id: SpanId,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// The span it was started in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<SpanId>,
    /// Whether parent and child ran in the same process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_process_as_parent: Option<bool>,
    /// The kind of operation, such as `http.client`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// What is being done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it ended; `None` while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::seconds_opt")]
    pub timestamp: Option<SystemTime>,
    /// When it started.
    #[serde(with = "time::seconds")]
    pub start_timestamp: SystemTime,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<SpanStatus>,
    /// Searchable properties.
    #[serde(default, deserialize_with = "tolerant::text_map", skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Whatever else is known.
    #[serde(default, deserialize_with = "tolerant::or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, Value>,
}

impl Span {
    /// Makes a span of a new trace that starts now.
    pub fn new() -> Span {
        Span::default()
    }

    /// Ends the span now.
    pub fn finish(&mut self) {
        self.finish_with_timestamp(SystemTime::now());
    }

    /// Ends the span at the given time.
    pub fn finish_with_timestamp(&mut self, timestamp: SystemTime) {
        self.timestamp = Some(timestamp);
    }
}

impl Default for Span {
    fn default() -> Self {
        Span {
            span_id: SpanId::default(),
            trace_id: TraceId::default(),
            parent_span_id: None,
            same_process_as_parent: None,
            op: None,
            description: None,
            timestamp: None,
            start_timestamp: SystemTime::now(),
            status: None,
            tags: BTreeMap::new(),
            data: BTreeMap::new(),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = time::format_rfc3339(self.start_timestamp);
        write!(f, "Span(id: {}, ts: {start})", self.span_id)
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SpanStatus {
    /// Without an error.
    Ok,
    /// Too late.
    DeadlineExceeded,
    /// The caller did not say who they are.
    Unauthenticated,
    /// The caller may not do this.
    PermissionDenied,
    /// What was asked for does not exist.
    NotFound,
    /// A quota or a resource ran out.
    ResourceExhausted,
    /// The caller asked for something senseless.
    InvalidArgument,
    /// Nobody has built this yet.
    Unimplemented,
    /// The service is away for now.
    Unavailable,
    /// An invariant is broken.
    InternalError,
    /// Something else went wrong. Written as `unknown`.
    UnknownError,
    /// It was called off, most often by the caller.
    Cancelled,
    /// What should be created is there already.
    AlreadyExists,
    /// The system is not in the state that the operation needs.
    FailedPrecondition,
    /// Somebody else got in the way; trying again may help.
    Aborted,
    /// Past the end of what there is.
    OutOfRange,
    /// Data is lost for good.
    DataLoss,
}

impl SpanStatus {
    /// A number above zero for each status.
    pub(crate) fn code(self) -> u8 {
        self as u8 + 1
    }

    /// The status of a [`code`](Self::code).
    pub(crate) fn of_code(code: u8) -> Option<Self> {
        Self::IN_ORDER.get(usize::from(code.checked_sub(1)?)).copied()
    }

    const IN_ORDER: [Self; 17] = [
        Self::Ok,
        Self::DeadlineExceeded,
        Self::Unauthenticated,
        Self::PermissionDenied,
        Self::NotFound,
        Self::ResourceExhausted,
        Self::InvalidArgument,
        Self::Unimplemented,
        Self::Unavailable,
        Self::InternalError,
        Self::UnknownError,
        Self::Cancelled,
        Self::AlreadyExists,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::DataLoss,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SpanStatus::Ok => "ok",
            SpanStatus::DeadlineExceeded => "deadline_exceeded",
            SpanStatus::Unauthenticated => "unauthenticated",
            SpanStatus::PermissionDenied => "permission_denied",
            SpanStatus::NotFound => "not_found",
            SpanStatus::ResourceExhausted => "resource_exhausted",
            SpanStatus::InvalidArgument => "invalid_argument",
            SpanStatus::Unimplemented => "unimplemented",
            SpanStatus::Unavailable => "unavailable",
            SpanStatus::InternalError => "internal_error",
            SpanStatus::UnknownError => "unknown",
            SpanStatus::Cancelled => "cancelled",
            SpanStatus::AlreadyExists => "already_exists",
            SpanStatus::FailedPrecondition => "failed_precondition",
            SpanStatus::Aborted => "aborted",
            SpanStatus::OutOfRange => "out_of_range",
            SpanStatus::DataLoss => "data_loss",
        }
    }
}

impl fmt::Display for SpanStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SpanStatus {
    type Err = ParseStatusError;

    /// Reads a status as the wire has it; `unknown_error` and `canceled` are understood as well.
    fn from_str(text: &str) -> Result<SpanStatus, ParseStatusError> {
        Ok(match text {
            "ok" => SpanStatus::Ok,
            "deadline_exceeded" => SpanStatus::DeadlineExceeded,
            "unauthenticated" => SpanStatus::Unauthenticated,
            "permission_denied" => SpanStatus::PermissionDenied,
            "not_found" => SpanStatus::NotFound,
            "resource_exhausted" => SpanStatus::ResourceExhausted,
            "invalid_argument" => SpanStatus::InvalidArgument,
            "unimplemented" => SpanStatus::Unimplemented,
            "unavailable" => SpanStatus::Unavailable,
            "internal_error" => SpanStatus::InternalError,
            "unknown" | "unknown_error" => SpanStatus::UnknownError,
            "cancelled" | "canceled" => SpanStatus::Cancelled,
            "already_exists" => SpanStatus::AlreadyExists,
            "failed_precondition" => SpanStatus::FailedPrecondition,
            "aborted" => SpanStatus::Aborted,
            "out_of_range" => SpanStatus::OutOfRange,
            "data_loss" => SpanStatus::DataLoss,
            _ => return Err(ParseStatusError),
        })
    }
}

impl Serialize for SpanStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SpanStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SpanStatus, D::Error> {
        tolerant::parsed(deserializer)
    }
}

/// A text that is not the name of a [`SpanStatus`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ParseStatusError;

impl fmt::Display for ParseStatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid status")
    }
}

impl Error for ParseStatusError {}
