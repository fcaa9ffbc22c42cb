//! What happened before.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Level, time, tolerant};

/// A note on something that happened before an event.
// The defaults stand at the fields: those of the whole struct would ask the clock each time.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Breadcrumb {
    /// When it happened.
    #[serde(default = "SystemTime::now", with = "time::seconds")]
    pub timestamp: SystemTime,
    /// The kind of breadcrumb, which decides how it is shown: `default`, `http`, `navigation`, …
    #[serde(default = "default_type", deserialize_with = "ty", rename = "type", skip_serializing_if = "is_default_type")]
    pub ty: String,
    /// Where it comes from, such as a module or a logger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How severe it is.
    #[serde(default, deserialize_with = "tolerant::or_default", skip_serializing_if = "Level::is_info")]
    pub level: Level,
    /// What happened, for humans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What happened, for machines.
    #[serde(default, deserialize_with = "tolerant::or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, Value>,
}

impl Default for Breadcrumb {
    /// Makes a breadcrumb of type `default` and level info that happens now.
    fn default() -> Breadcrumb {
        Breadcrumb {
            timestamp: SystemTime::now(),
            ty: default_type(),
            category: None,
            level: Level::Info,
            message: None,
            data: BTreeMap::new(),
        }
    }
}

/// Reads a type; null is the default one.
fn ty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(|ty| ty.unwrap_or_else(default_type))
}

fn default_type() -> String {
    DEFAULT_TYPE.to_owned()
}

fn is_default_type(ty: &str) -> bool {
    ty == DEFAULT_TYPE
}

const DEFAULT_TYPE: &str = "default";
