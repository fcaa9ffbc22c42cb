//! What stands in the first line of an envelope.

use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::json;
use crate::clock;
use crate::dsn::Dsn;
use crate::protocol::time::{rfc3339, rfc3339_opt};
use crate::protocol::{ClientSdkInfo, DynamicSamplingContext, Map, Value};

/// The headers of an envelope. Those without a field here are kept, but cannot be seen.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct EnvelopeHeaders {
    pub(crate) event_id: Option<Uuid>,
    // Shared, because all envelopes of a client carry the same.
    #[serde(default, deserialize_with = "shared")]
    pub(crate) dsn: Option<Arc<Dsn>>,
    #[serde(default, deserialize_with = "shared")]
    pub(crate) sdk: Option<Arc<ClientSdkInfo>>,
    #[serde(default, with = "rfc3339_opt")]
    pub(crate) sent_at: Option<SystemTime>,
    // Shared, because one trace has many envelopes.
    #[serde(default, deserialize_with = "shared")]
    pub(crate) trace: Option<Arc<DynamicSamplingContext>>,
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
        self.dsn = Some(Arc::new(dsn));
        self
    }

    /// Sets the name and version of the SDK.
    #[must_use]
    pub fn with_sdk(mut self, sdk: ClientSdkInfo) -> Self {
        self.sdk = Some(Arc::new(sdk));
        self
    }

    /// Sets what the services in the trace have agreed on.
    #[must_use]
    pub fn with_trace(mut self, trace: DynamicSamplingContext) -> Self {
        self.trace = Some(Arc::new(trace));
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
            sdk: self.sdk.as_deref(),
            sent_at: self.sent_at,
            trace: self.trace.as_deref(),
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

/// The headers that are the same in all envelopes of a client, as the bytes that begin the line.
/// By default there are none.
#[derive(Debug, Default)]
pub(crate) struct FixedHeaders {
    /// Ends before the closing brace.
    opened: Vec<u8>,
}

impl FixedHeaders {
    /// Writes them.
    ///
    /// # Errors
    ///
    /// None of the types here refuses to become JSON.
    pub(crate) fn new(dsn: Option<&Dsn>, sdk: &ClientSdkInfo) -> Result<Self, serde_json::Error> {
        let mut opened = Vec::new();
        json::append(&mut opened, &HeaderFields { dsn, sdk: Some(sdk), ..HeaderFields::default() })?;
        opened.pop();
        Ok(Self { opened })
    }

    /// Makes these the same as `others`, and what is said of a trace.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub(crate) fn continue_with(
        &mut self,
        others: &Self,
        trace: &DynamicSamplingContext,
    ) -> Result<(), serde_json::Error> {
        self.opened.clear();
        self.opened.extend_from_slice(&others.opened);
        append_fields(&mut self.opened, 0, &HeaderFields { trace: Some(trace), ..HeaderFields::default() })?;
        self.opened.pop();
        Ok(())
    }

    /// Writes them, and after them others.
    pub(super) fn write_with(
        &self,
        own: &OwnHeaders<'_, impl Serialize>,
        out: &mut Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        let begin = out.len();
        out.extend_from_slice(&self.opened);
        append_fields(out, begin, own)
    }
}

/// Writes an object that goes on where another ended, if there is one since `begin`; neither is without fields.
fn append_fields<T: Serialize>(out: &mut Vec<u8>, begin: usize, fields: &T) -> Result<(), serde_json::Error> {
    let joint = out.len();
    json::append(out, fields)?;
    if let Some(brace) = out.get_mut(joint).filter(|_| joint > begin) {
        *brace = b',';
    }
    Ok(())
}

/// The headers that differ from one envelope of a client to the next.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct OwnHeaders<'a, T = DynamicSamplingContext> {
    #[serde(serialize_with = "rfc3339::serialize")]
    pub(crate) sent_at: SystemTime,
    #[serde(serialize_with = "simple", skip_serializing_if = "Option::is_none")]
    pub(crate) event_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<&'a T>,
}

impl<'a, T> OwnHeaders<'a, T> {
    /// Headers of an event or a transaction that is sent now, and what its trace has agreed on.
    pub(crate) fn of(event_id: Uuid, trace: Option<&'a T>) -> Self {
        Self { sent_at: clock::time_of(clock::now()), event_id: Some(event_id), trace }
    }
}

impl OwnHeaders<'_> {
    /// Headers that say when the envelope is sent.
    pub(crate) fn now() -> Self {
        Self { sent_at: clock::time_of(clock::now()), event_id: None, trace: None }
    }
}

fn shared<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Arc<T>>, D::Error> {
    Option::deserialize(deserializer).map(|value| value.map(Arc::new))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Envelope;
    use crate::wire::write::EnvelopeWriter;

    #[test]
    fn headers_that_are_written_in_two_parts_read_back_as_one() {
        let dsn: Dsn = "https://public:secret@sentry.invalid/1".parse().unwrap();
        let sdk = ClientSdkInfo { name: "a \"name\"".to_owned(), ..ClientSdkInfo::default() };
        let trace = DynamicSamplingContext::new().with_release("shop@1".to_owned());
        let sent_at = SystemTime::UNIX_EPOCH;
        let event_id = Some(Uuid::from_u128(7));
        let fixed = FixedHeaders::new(Some(&dsn), &sdk).unwrap();
        for own in
            [OwnHeaders { sent_at, event_id, trace: Some(&trace) }, OwnHeaders { sent_at, event_id: None, trace: None }]
        {
            let mut bytes = b"before".to_vec();
            EnvelopeWriter::of_client(&mut bytes, &fixed, &own).unwrap();
            let read = Envelope::from_slice(bytes.strip_prefix(b"before").unwrap()).unwrap();
            let expected = EnvelopeHeaders {
                event_id: own.event_id,
                dsn: Some(Arc::new("https://public@sentry.invalid/1".parse().unwrap())),
                sdk: Some(Arc::new(sdk.clone())),
                sent_at: Some(sent_at),
                trace: own.trace.cloned().map(Arc::new),
                ..EnvelopeHeaders::default()
            };
            assert_eq!(read.headers(), &expected);
        }
        // What is said of a trace may stand in the first part, of which there may be no other.
        let own: OwnHeaders<'_> = OwnHeaders { sent_at, event_id, trace: None };
        let mut traced = FixedHeaders::default();
        for (fixed, sdk) in [(&fixed, Some(&sdk)), (&FixedHeaders::default(), None)] {
            traced.continue_with(fixed, &trace).unwrap();
            let mut bytes = Vec::new();
            EnvelopeWriter::of_client(&mut bytes, &traced, &own).unwrap();
            let read = Envelope::from_slice(&bytes).unwrap();
            assert_eq!(read.headers().trace.as_deref(), Some(&trace));
            assert_eq!((read.uuid().copied(), read.headers().sdk.as_deref()), (event_id, sdk));
        }
        let mut bytes = Vec::new();
        let own: OwnHeaders<'_> = OwnHeaders { sent_at, event_id: None, trace: None };
        EnvelopeWriter::of_client(&mut bytes, &FixedHeaders::default(), &own).unwrap();
        assert_eq!(Envelope::from_slice(&bytes).unwrap().headers(), &EnvelopeHeaders::new().with_sent_at(sent_at));
    }
}
