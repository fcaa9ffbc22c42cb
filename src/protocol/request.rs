//! The HTTP request in which an event happened.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::tolerant;

/// The HTTP request in which an event happened.
///
/// Headers, environment, cookies, query and body are also read when they come as objects or lists of pairs.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Request {
    /// The full URL, without the query if [`query_string`](Request::query_string) has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// The HTTP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The body, or a part of it.
    #[serde(deserialize_with = "tolerant::text", skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The query, percent-encoded.
    #[serde(deserialize_with = "tolerant::query", skip_serializing_if = "Option::is_none")]
    pub query_string: Option<String>,
    /// The cookies, as in the header `Cookie`.
    #[serde(deserialize_with = "tolerant::cookies", skip_serializing_if = "Option::is_none")]
    pub cookies: Option<String>,
    /// The headers.
    #[serde(deserialize_with = "tolerant::text_map", skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What the web server says about the request, such as `REMOTE_ADDR`.
    #[serde(deserialize_with = "tolerant::text_map", skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
}
