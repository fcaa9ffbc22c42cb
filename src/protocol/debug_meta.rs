//! The loaded images a stack trace points into.

use debugid::{CodeId, DebugId};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Addr, tolerant};

/// What the server needs to turn addresses into names and lines.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct DebugMeta {
    /// The system SDK the program ran on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdk_info: Option<SystemSdkInfo>,
    /// The loaded images. Images of a kind we have no type for are skipped when read.
    #[serde(deserialize_with = "known_images", skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<DebugImage>,
}

impl DebugMeta {
    /// Tells whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.sdk_info.is_none() && self.images.is_empty()
    }
}

/// The system SDK a program ran on.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SystemSdkInfo {
    /// The name of the SDK.
    pub sdk_name: String,
    /// The major version.
    pub version_major: u32,
    /// The minor version.
    pub version_minor: u32,
    /// The patch level.
    #[serde(default)]
    pub version_patchlevel: u32,
}

/// A loaded image, of one of the kinds there are.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase", tag = "type")]
pub enum DebugImage {
    /// An image of Apple's systems, in the older form.
    Apple(AppleDebugImage),
    /// A native image of any system. Images of the kinds `elf`, `macho` and `pe` are read as this one.
    #[serde(alias = "elf", alias = "macho", alias = "pe")]
    Symbolic(SymbolicDebugImage),
    /// A mapping file of ProGuard.
    Proguard(ProguardDebugImage),
    /// A WebAssembly module.
    Wasm(WasmDebugImage),
}

impl DebugImage {
    /// Returns the kind of image, as the wire has it in `type`.
    pub fn type_name(&self) -> &str {
        match self {
            DebugImage::Apple(_) => "apple",
            DebugImage::Symbolic(_) => "symbolic",
            DebugImage::Proguard(_) => "proguard",
            DebugImage::Wasm(_) => "wasm",
        }
    }
}

impl From<AppleDebugImage> for DebugImage {
    fn from(image: AppleDebugImage) -> DebugImage {
        DebugImage::Apple(image)
    }
}

impl From<SymbolicDebugImage> for DebugImage {
    fn from(image: SymbolicDebugImage) -> DebugImage {
        DebugImage::Symbolic(image)
    }
}

impl From<ProguardDebugImage> for DebugImage {
    fn from(image: ProguardDebugImage) -> DebugImage {
        DebugImage::Proguard(image)
    }
}

impl From<WasmDebugImage> for DebugImage {
    fn from(image: WasmDebugImage) -> DebugImage {
        DebugImage::Wasm(image)
    }
}

/// An image of Apple's systems, in the older form.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct AppleDebugImage {
    /// The path of the image.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub name: String,
    /// The processor architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// The processor type, as Mach numbers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_type: Option<u32>,
    /// The processor subtype, as Mach numbers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_subtype: Option<u32>,
    /// Where the image was loaded.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub image_addr: Addr,
    /// The size of the image, in bytes.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub image_size: u64,
    /// Where the image would like to be loaded.
    #[serde(default, deserialize_with = "tolerant::or_default", skip_serializing_if = "Addr::is_null")]
    pub image_vmaddr: Addr,
    /// The id that image and debug file share.
    pub uuid: Uuid,
}

/// A native image of any system.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SymbolicDebugImage {
    /// The path of the image.
    #[serde(alias = "name", default, deserialize_with = "tolerant::or_default", rename = "code_file")]
    pub name: String,
    /// The processor architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// Where the image was loaded.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub image_addr: Addr,
    /// The size of the image, in bytes.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub image_size: u64,
    /// Where the image would like to be loaded.
    #[serde(default, deserialize_with = "tolerant::or_default", skip_serializing_if = "Addr::is_null")]
    pub image_vmaddr: Addr,
    /// The id that image and debug file share.
    #[serde(alias = "id", rename = "debug_id")]
    pub id: DebugId,
    /// The id of the image itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_id: Option<CodeId>,
    /// The path of the debug file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug_file: Option<String>,
}

/// A mapping file of ProGuard.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ProguardDebugImage {
    /// The id of the mapping file.
    pub uuid: Uuid,
}

/// A WebAssembly module.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct WasmDebugImage {
    /// The module's name.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub name: String,
    /// The id that module and debug file share.
    pub debug_id: Uuid,
    /// The path or URL of the debug file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug_file: Option<String>,
    /// The id of the module itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_id: Option<String>,
    /// The path or URL of the module.
    #[serde(default, deserialize_with = "tolerant::or_default")]
    pub code_file: String,
}

/// Reads a list of images, and skips what is none of ours: one odd image must not cost the event.
fn known_images<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<DebugImage>, D::Error> {
    let images = Option::<Vec<Value>>::deserialize(deserializer)?;
    Ok(images.into_iter().flatten().filter_map(|image| serde_json::from_value(image).ok()).collect())
}
