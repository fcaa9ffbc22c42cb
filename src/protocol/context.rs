//! The surroundings of an event.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{SpanId, SpanStatus, TraceId, time, tolerant};

/// One part of an event's surroundings.
///
/// The wire tells the kinds apart by `type`; where that is missing, the key in the map of contexts decides. What
/// fits no kind is kept as [`Context::Other`], with its `type`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Context {
    /// The machine.
    Device(Box<DeviceContext>),
    /// The operating system.
    Os(Box<OsContext>),
    /// The language runtime.
    Runtime(Box<RuntimeContext>),
    /// The application.
    App(Box<AppContext>),
    /// The browser.
    Browser(Box<BrowserContext>),
    /// The trace.
    Trace(Box<TraceContext>),
    /// The graphics card.
    Gpu(Box<GpuContext>),
    /// What OpenTelemetry knows.
    Otel(Box<OtelContext>),
    /// The HTTP response.
    Response(Box<ResponseContext>),
    /// Anything else.
    #[serde(untagged)]
    Other(BTreeMap<String, Value>),
}

impl Context {
    /// Returns the kind of context, as the wire has it in `type`; `unknown` if it has none.
    pub fn type_name(&self) -> &str {
        match self {
            Context::Device(_) => "device",
            Context::Os(_) => "os",
            Context::Runtime(_) => "runtime",
            Context::App(_) => "app",
            Context::Browser(_) => "browser",
            Context::Trace(_) => "trace",
            Context::Gpu(_) => "gpu",
            Context::Otel(_) => "otel",
            Context::Response(_) => "response",
            Context::Other(map) => match map.get("type") {
                Some(Value::String(name)) => name,
                _ => "unknown",
            },
        }
    }

    /// Makes the context that `fields` describe; `key` stands in for a missing `type`.
    fn from_fields(mut fields: serde_json::Map<String, Value>, key: &str) -> Context {
        let ty = fields.remove("type");
        let name = match &ty {
            Some(Value::String(name)) => name,
            Some(_) => "",
            None => key,
        };
        let typed = match name {
            "device" => read(&fields, Context::Device),
            "os" => read(&fields, Context::Os),
            "runtime" => read(&fields, Context::Runtime),
            "app" => read(&fields, Context::App),
            "browser" => read(&fields, Context::Browser),
            "trace" => read(&fields, Context::Trace),
            "gpu" => read(&fields, Context::Gpu),
            "otel" => read(&fields, Context::Otel),
            "response" => read(&fields, Context::Response),
            _ => None,
        };
        typed.unwrap_or_else(|| {
            fields.extend(ty.map(|ty| ("type".to_owned(), ty)));
            Context::Other(fields.into_iter().collect())
        })
    }
}

/// Reads the fields as one kind of context; `None` if they do not fit.
fn read<T>(fields: &serde_json::Map<String, Value>, wrap: fn(Box<T>) -> Context) -> Option<Context>
where
    T: DeserializeOwned,
{
    T::deserialize(fields).ok().map(Box::new).map(wrap)
}

impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Context, D::Error> {
        serde_json::Map::deserialize(deserializer).map(|fields| Context::from_fields(fields, ""))
    }
}

/// Reads a map of contexts, where a key stands in for a missing `type`. Null entries are left out.
pub(super) fn by_key<'de, D>(deserializer: D) -> Result<BTreeMap<String, Context>, D::Error>
where
    D: Deserializer<'de>,
{
    struct Contexts;

    impl<'de> Visitor<'de> for Contexts {
        type Value = BTreeMap<String, Context>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of contexts")
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut contexts = BTreeMap::new();
            while let Some((key, fields)) = map.next_entry::<String, Option<_>>()? {
                if let Some(fields) = fields {
                    let context = Context::from_fields(fields, &key);
                    contexts.insert(key, context);
                }
            }
            Ok(contexts)
        }
    }

    deserializer.deserialize_any(Contexts)
}

/// Implements the way from a context's type into [`Context`].
macro_rules! into_context {
    ($($variant:ident($context:ident)),*) => {
        $(impl From<$context> for Context {
            fn from(context: $context) -> Self {
                Context::$variant(Box::new(context))
            }
        })*
    };
}

into_context!(
    App(AppContext),
    Browser(BrowserContext),
    Device(DeviceContext),
    Gpu(GpuContext),
    Os(OsContext),
    Otel(OtelContext),
    Response(ResponseContext),
    Runtime(RuntimeContext),
    Trace(TraceContext)
);

/// The machine the program ran on.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct DeviceContext {
    /// The machine's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The family of models it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The revision of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// The processor architecture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// How full the battery is, from 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub battery_level: Option<f32>,
    /// How the screen was held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orientation: Option<Orientation>,
    /// Whether the machine is simulated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulator: Option<bool>,
    /// The memory in all, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_size: Option<u64>,
    /// The memory that was free, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_memory: Option<u64>,
    /// The memory the program could use, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usable_memory: Option<u64>,
    /// The built-in storage in all, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_size: Option<u64>,
    /// The built-in storage that was free, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_storage: Option<u64>,
    /// The attached storage in all, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_storage_size: Option<u64>,
    /// The attached storage that was free, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_free_storage: Option<u64>,
    /// When the machine was started.
    #[serde(skip_serializing_if = "Option::is_none", with = "time::rfc3339_opt")]
    pub boot_time: Option<SystemTime>,
    /// The time zone, such as `Europe/Vienna`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Whatever else is known.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// How a screen is held.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Orientation {
    /// Upright.
    Portrait,
    /// On its side.
    Landscape,
}

/// The operating system.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct OsContext {
    /// The system's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The system's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The system's build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The kernel's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_version: Option<String>,
    /// Whether the protection of the system was broken open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rooted: Option<bool>,
    /// Whatever else is known.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The language runtime, such as `rustc`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct RuntimeContext {
    /// The runtime's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The runtime's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whatever else is known.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The application.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct AppContext {
    /// When the application was started.
    #[serde(skip_serializing_if = "Option::is_none", with = "time::rfc3339_opt")]
    pub app_start_time: Option<SystemTime>,
    /// What ties the application to the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_app_hash: Option<String>,
    /// The kind of build, such as `testflight`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_type: Option<String>,
    /// The application's unique name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_identifier: Option<String>,
    /// The application's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_name: Option<String>,
    /// The application's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_version: Option<String>,
    /// The application's build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_build: Option<String>,
    /// Whatever else is known.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The browser.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct BrowserContext {
    /// The browser's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The browser's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whatever else is known.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// Where in a trace an event happened.
///
/// Both ids must be there when it is read: made-up ones would tie the event to a trace that does not exist.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct TraceContext {
    /// The span in which it happened.
    pub span_id: SpanId,
    /// The trace the span belongs to.
    pub trace_id: TraceId,
    /// The span in which the span was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<SpanId>,
    /// The kind of operation, such as `http.server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// What was being done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<SpanStatus>,
    /// What started the span, such as `manual` or `auto.http.tower`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Whatever else is known.
    #[serde(default, deserialize_with = "tolerant::or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, Value>,
}

/// The graphics card.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct GpuContext {
    /// The card's name.
    #[serde(deserialize_with = "tolerant::or_default")]
    pub name: String,
    /// The card's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The driver's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_version: Option<String>,
    /// The device id on the bus.
    #[serde(deserialize_with = "tolerant::text", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The vendor's id on the bus.
    #[serde(deserialize_with = "tolerant::text", skip_serializing_if = "Option::is_none")]
    pub vendor_id: Option<String>,
    /// The vendor's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_name: Option<String>,
    /// The card's memory, in megabytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_size: Option<u32>,
    /// The graphics interface in use, such as `Vulkan`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_type: Option<String>,
    /// Whether several threads draw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_threaded_rendering: Option<bool>,
    /// Whether textures may have sizes other than powers of two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub npot_support: Option<bool>,
    /// The longest side of a texture, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_texture_size: Option<u32>,
    /// The shader model, roughly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graphics_shader_level: Option<String>,
    /// Whether draw calls can be instanced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_draw_call_instancing: Option<bool>,
    /// Whether rays can be traced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_ray_tracing: Option<bool>,
    /// Whether there are compute shaders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_compute_shaders: Option<bool>,
    /// Whether there are geometry shaders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_geometry_shaders: Option<bool>,
    /// Whatever else is known.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// What OpenTelemetry knows.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct OtelContext {
    /// The attributes of the span.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Value>,
    /// The attributes of what made the span.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub resource: BTreeMap<String, Value>,
    /// Whatever else is known.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The HTTP response to the request in which an event happened.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct ResponseContext {
    /// The cookies, as in the header `Set-Cookie`.
    #[serde(deserialize_with = "tolerant::cookies", skip_serializing_if = "Option::is_none")]
    pub cookies: Option<String>,
    /// The headers.
    #[serde(deserialize_with = "tolerant::text_map", skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The status code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u64>,
    /// The size of the body, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_size: Option<u64>,
    /// The body, or a part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}
