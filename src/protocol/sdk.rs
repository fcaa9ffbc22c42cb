//! Which SDK sent this.

use serde::{Deserialize, Serialize};

use super::tolerant;

/// The SDK that sent an item.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(default)]
pub struct ClientSdkInfo {
    /// The SDK's name, such as `sentry.rust`.
    pub name: String,
    /// The SDK's version.
    pub version: String,
    /// The names of the integrations that are switched on.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "Vec::is_empty")]
    pub integrations: Vec<String>,
    /// The packages the SDK consists of.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<ClientSdkPackage>,
}

/// A package that is part of an SDK.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(default)]
pub struct ClientSdkPackage {
    /// Where it comes from and what it is called, such as `cargo:sentry`.
    pub name: String,
    /// Its version.
    pub version: String,
}
