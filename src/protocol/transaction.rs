//! A trace's entry point with its spans.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::event::{DEFAULT_PLATFORM, is_default_platform, owned, platform};
use super::{ClientSdkInfo, Context, Request, Span, User, context, ids, time, tolerant};

/// A trace's entry point in this process, with the spans below it.
///
/// Written with `"type": "transaction"`, as the protocol asks.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename = "transaction", tag = "type")]
pub struct Transaction<'a> {
    /// The id of the transaction.
    #[serde(default = "ids::random_uuid", serialize_with = "uuid::serde::simple::serialize")]
    pub event_id: Uuid,
    /// The transaction's name.
    #[serde(default, rename = "transaction", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The version of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Cow<'a, str>>,
    /// Where the application runs, such as `production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Cow<'a, str>>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// Searchable properties.
    #[serde(default, deserialize_with = "tolerant::text_map", skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Whatever else is known.
    #[serde(default, deserialize_with = "tolerant::or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, Value>,
    /// The SDK that sends this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk: Option<Cow<'a, ClientSdkInfo>>,
    /// The platform, such as `native`.
    #[serde(default = "default_platform", deserialize_with = "platform", skip_serializing_if = "is_default_platform")]
    pub platform: Cow<'a, str>,
    /// When it ended; `None` while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::seconds_opt")]
    pub timestamp: Option<SystemTime>,
    /// When it started.
    #[serde(with = "time::seconds")]
    pub start_timestamp: SystemTime,
    /// The spans below.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub spans: Vec<Span>,
    /// The surroundings.
    #[serde(default, deserialize_with = "context::by_key", skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<String, Context>,
    /// The HTTP request that was served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// The name of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<Cow<'a, str>>,
}

impl<'a> Transaction<'a> {
    /// Makes a transaction that starts now.
    pub fn new() -> Transaction<'a> {
        Transaction::default()
    }

    /// Makes all borrowed parts owned.
    pub fn into_owned(self) -> Transaction<'static> {
        Transaction {
            event_id: self.event_id,
            name: self.name,
            release: self.release.map(owned),
            environment: self.environment.map(owned),
            user: self.user,
            tags: self.tags,
            extra: self.extra,
            sdk: self.sdk.map(owned),
            platform: owned(self.platform),
            timestamp: self.timestamp,
            start_timestamp: self.start_timestamp,
            spans: self.spans,
            contexts: self.contexts,
            request: self.request,
            server_name: self.server_name.map(owned),
        }
    }

    /// Ends the transaction now.
    pub fn finish(&mut self) {
        self.finish_with_timestamp(SystemTime::now());
    }

    /// Ends the transaction at the given time.
    pub fn finish_with_timestamp(&mut self, timestamp: SystemTime) {
        self.timestamp = Some(timestamp);
    }
}

impl Default for Transaction<'_> {
    fn default() -> Self {
        Transaction {
            event_id: ids::random_uuid(),
            name: None,
            release: None,
            environment: None,
            user: None,
            tags: BTreeMap::new(),
            extra: BTreeMap::new(),
            sdk: None,
            platform: default_platform(),
            timestamp: None,
            start_timestamp: SystemTime::now(),
            spans: Vec::new(),
            contexts: BTreeMap::new(),
            request: None,
            server_name: None,
        }
    }
}

impl fmt::Display for Transaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = time::format_rfc3339(self.start_timestamp);
        write!(f, "Transaction(id: {}, ts: {start})", self.event_id)
    }
}

fn default_platform<'a>() -> Cow<'a, str> {
    Cow::Borrowed(DEFAULT_PLATFORM)
}
