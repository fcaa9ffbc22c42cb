//! What stands in the first line of an envelope.

use std::time::SystemTime;

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::dsn::Dsn;
use crate::protocol::time::rfc3339_opt;
use crate::protocol::{ClientSdkInfo, DynamicSamplingContext, Map, Value};

/// The headers of an envelope. Those without a field here are kept, but cannot be seen.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct EnvelopeHeaders {
    pub(crate) event_id: Option<Uuid>,
    // Boxed because few envelopes carry one, and because it is large.
    pub(crate) dsn: Option<Box<Dsn>>,
    pub(crate) sdk: Option<ClientSdkInfo>,
    #[serde(default, with = "rfc3339_opt")]
    pub(crate) sent_at: Option<SystemTime>,
    pub(crate) trace: Option<DynamicSamplingContext>,
    #[serde(flatten)]
    pub(crate) other: Map<String, Value>,
}

impl EnvelopeHeaders {
    /// Builds headers that say nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the id of the event or transaction in the envelope.
    #[must_use]
    pub fn with_event_id(mut self, event_id: Uuid) -> Self {
        self.event_id = Some(event_id);
        self
    }

    /// Sets where the envelope goes; only the public part of the DSN is written.
    #[must_use]
    pub fn with_dsn(mut self, dsn: Dsn) -> Self {
        self.dsn = Some(Box::new(dsn));
        self
    }

    /// Sets the name and version of the SDK.
    #[must_use]
    pub fn with_sdk(mut self, sdk: ClientSdkInfo) -> Self {
        self.sdk = Some(sdk);
        self
    }

    /// Sets what the services in the trace have agreed on.
    #[must_use]
    pub fn with_trace(mut self, trace: DynamicSamplingContext) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Sets when the envelope is sent.
    #[must_use]
    pub fn with_sent_at(mut self, sent_at: SystemTime) -> Self {
        self.sent_at = Some(sent_at);
        self
    }

    pub(super) fn fields(&self) -> HeaderFields<'_> {
        HeaderFields {
            event_id: self.event_id,
            dsn: self.dsn.as_deref(),
            sdk: self.sdk.as_ref(),
            sent_at: self.sent_at,
            trace: self.trace.as_ref(),
            other: (!self.other.is_empty()).then_some(&self.other),
        }
    }
}

impl Serialize for EnvelopeHeaders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.fields().serialize(serializer)
    }
}

/// The headers of an envelope, borrowed from wherever they are.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct HeaderFields<'a> {
    #[serde(serialize_with = "simple", skip_serializing_if = "Option::is_none")]
    pub(crate) event_id: Option<Uuid>,
    #[serde(serialize_with = "without_secret", skip_serializing_if = "Option::is_none")]
    pub(crate) dsn: Option<&'a Dsn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sdk: Option<&'a ClientSdkInfo>,
    #[serde(with = "rfc3339_opt", skip_serializing_if = "Option::is_none")]
    pub(crate) sent_at: Option<SystemTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<&'a DynamicSamplingContext>,
    #[serde(flatten)]
    pub(crate) other: Option<&'a Map<String, Value>>,
}

fn simple<S: Serializer>(id: &Option<Uuid>, serializer: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => uuid::serde::simple::serialize(id, serializer),
        None => serializer.serialize_none(),
    }
}

fn without_secret<S: Serializer>(dsn: &Option<&Dsn>, serializer: S) -> Result<S::Ok, S::Error> {
    match dsn {
        Some(dsn) => serializer.collect_str(&dsn.without_secret()),
        None => serializer.serialize_none(),
    }
}
