//! Who was affected.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{AddrParseError, IpAddr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::tolerant;

/// Who was using the application when an event happened.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct User {
    /// The application's own id for the user.
    #[serde(deserialize_with = "tolerant::text", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The user's email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The address the user's requests come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<IpAddress>,
    /// The user's name.
    #[serde(deserialize_with = "tolerant::text", skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Whatever else is known about the user.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// An IP address, or the wish that the server fills it in.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum IpAddress {
    /// The address from which the server received the event, written as `{{auto}}`.
    #[default]
    Auto,
    /// This address.
    Exact(IpAddr),
}

impl PartialEq<IpAddr> for IpAddress {
    fn eq(&self, other: &IpAddr) -> bool {
        match self {
            IpAddress::Auto => false,
            IpAddress::Exact(addr) => addr == other,
        }
    }
}

impl PartialOrd<IpAddr> for IpAddress {
    fn partial_cmp(&self, other: &IpAddr) -> Option<Ordering> {
        match self {
            IpAddress::Auto => None,
            IpAddress::Exact(addr) => addr.partial_cmp(other),
        }
    }
}

impl fmt::Display for IpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IpAddress::Auto => f.pad(AUTO),
            IpAddress::Exact(addr) => addr.fmt(f),
        }
    }
}

impl From<IpAddr> for IpAddress {
    fn from(addr: IpAddr) -> IpAddress {
        IpAddress::Exact(addr)
    }
}

impl FromStr for IpAddress {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<IpAddress, AddrParseError> {
        match text {
            AUTO => Ok(IpAddress::Auto),
            _ => text.parse().map(IpAddress::Exact),
        }
    }
}

impl Serialize for IpAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IpAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        tolerant::parsed(deserializer)
    }
}

const AUTO: &str = "{{auto}}";
