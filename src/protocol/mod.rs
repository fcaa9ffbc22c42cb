//! The data types of the Sentry protocol: plain serde data, one concept a file.
//!
//! Field names are those of the API this crate mirrors; where the wire says something else (`type` for `ty`), a
//! serde attribute translates. What the protocol lets a sender leave out, or write in more than one way, is
//! accepted on input; on output there is one form, and empty fields are left out.
//!
//! The names `v7` and `latest` are aliases of this module.

mod attachment;
mod breadcrumb;
mod context;
mod debug_meta;
mod event;
mod exception;
pub(crate) mod ids;
mod level;
pub(crate) mod log;
pub(crate) mod losses;
pub(crate) mod metric;
mod monitor;
mod request;
mod sdk;
mod session;
mod span;
mod stacktrace;
pub(crate) mod time;
mod tolerant;
mod trace;
mod transaction;
mod unit;
mod user;
mod values;

pub mod client_report;

pub use std::collections::BTreeMap as Map;

pub use serde_json::Value;
pub use url::Url;
pub use uuid::Uuid;

pub use self::attachment::{Attachment, AttachmentType};
pub use self::breadcrumb::Breadcrumb;
pub(crate) use self::breadcrumb::BreadcrumbFields;
pub use self::client_report::Report as ClientReport;
pub use self::context::{
    AppContext, BrowserContext, Context, DeviceContext, GpuContext, Orientation, OsContext, OtelContext,
    ResponseContext, RuntimeContext, TraceContext,
};
pub use self::debug_meta::{
    AppleDebugImage, DebugImage, DebugMeta, ProguardDebugImage, SymbolicDebugImage, SystemSdkInfo, WasmDebugImage,
};
pub use self::event::{Event, LogEntry};
pub use self::exception::{CError, Exception, MachException, Mechanism, MechanismMeta, PosixSignal};
pub use self::ids::{SpanId, TraceId};
pub use self::level::{Level, ParseLevelError};
pub use self::log::{Log, LogAttribute, LogLevel, LogSeverityNumber};
pub use self::metric::{Metric, MetricType};
pub use self::monitor::{
    CrontabParseError, MonitorCheckIn, MonitorCheckInStatus, MonitorConfig, MonitorIntervalUnit, MonitorSchedule,
};
pub use self::request::Request;
pub use self::sdk::{ClientSdkInfo, ClientSdkPackage};
pub use self::session::{
    ParseSessionStatusError, SessionAggregateItem, SessionAggregates, SessionAttributes, SessionStatus, SessionUpdate,
};
pub use self::span::{ParseStatusError, Span, SpanStatus};
pub use self::stacktrace::{Frame, Stacktrace, TemplateInfo, Thread, ThreadId};
pub use self::trace::{DynamicSamplingContext, InvalidSampleRandError, OrganizationId, SampleRand};
pub use self::transaction::Transaction;
pub use self::unit::Unit;
pub use self::user::{IpAddress, User};
pub use self::values::{Addr, RegVal, Values};
pub use crate::wire::{
    Envelope, EnvelopeError, EnvelopeFilter, EnvelopeFilterCallbacks, EnvelopeHeaders, EnvelopeItem, EnvelopeItemIter,
    ItemContainer,
};

pub use crate::protocol as latest;
pub use crate::protocol as v7;

/// The version of the protocol that [`latest`] stands for.
pub const LATEST: u16 = 7;

/// Identifiers of debug information files.
pub mod debugid {
    pub use ::debugid::{BreakpadFormat, CodeId, DebugId, ParseDebugIdError};
}

/// The ordered map that payloads are made of, and its iterators.
pub mod map {
    pub use std::collections::BTreeMap as Map;
    pub use std::collections::btree_map::*;
}

/// Untyped JSON.
pub mod value {
    pub use serde_json::value::{Index, Map, Number, Value, from_value, to_value};
}

#[cfg(test)]
mod tests;
