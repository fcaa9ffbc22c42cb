//! What happened before.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Level, time, tolerant};

/// A note on something that happened before an event.
// The defaults stand at the fields: those of the whole struct would ask the clock each time.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Breadcrumb {
    /// When it happened.
    #[serde(default = "SystemTime::now", deserialize_with = "time::seconds::deserialize")]
    pub timestamp: SystemTime,
    /// The kind of breadcrumb, which decides how it is shown: `default`, `http`, `navigation`, …
    #[serde(default = "default_type", deserialize_with = "ty", rename = "type")]
    pub ty: String,
    /// Where it comes from, such as a module or a logger.
    #[serde(default)]
    pub category: Option<String>,
    /// How severe it is.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub level: Level,
    /// What happened, for humans.
    #[serde(default)]
    pub message: Option<String>,
    /// What happened, for machines.
    #[serde(default, deserialize_with = "tolerant::or_default")]
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

impl Serialize for Breadcrumb {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = BreadcrumbFields {
            timestamp: self.timestamp,
            ty: &self.ty,
            category: self.category.as_deref(),
            level: self.level,
            message: self.message.as_deref(),
            data: (!self.data.is_empty()).then_some(&self.data),
        };
        fields.serialize(serializer)
    }
}

/// A breadcrumb as it is written, borrowed from wherever it is.
#[derive(Serialize)]
pub(crate) struct BreadcrumbFields<'a, D> {
    #[serde(serialize_with = "time::seconds::serialize")]
    pub(crate) timestamp: SystemTime,
    #[serde(rename = "type", skip_serializing_if = "is_default_type")]
    pub(crate) ty: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<&'a str>,
    #[serde(skip_serializing_if = "Level::is_info")]
    pub(crate) level: Level,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<&'a str>,
    /// `None`: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<D>,
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
