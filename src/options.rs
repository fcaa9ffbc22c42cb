//! What a client is configured with.

use std::borrow::Cow;
use std::sync::Arc;

use crate::integration::Integration;

/// What a client is configured with.
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientOptions {
    /// Whether events without a stack trace get the current one.
    pub attach_stacktrace: bool,
    /// Whether the integrations of this build are added to `integrations`.
    pub default_integrations: bool,
    /// Paths of modules that never belong to the application.
    pub in_app_exclude: Vec<&'static str>,
    /// Paths of modules that always belong to the application.
    pub in_app_include: Vec<&'static str>,
    /// Code that adds events or changes them.
    pub integrations: Vec<Arc<dyn Integration>>,
    /// Whether data that may identify a person is sent.
    pub send_default_pii: bool,
    /// The name of the machine.
    pub server_name: Option<Cow<'static, str>>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            attach_stacktrace: false,
            default_integrations: true,
            in_app_exclude: Vec::new(),
            in_app_include: Vec::new(),
            integrations: Vec::new(),
            send_default_pii: false,
            server_name: None,
        }
    }
}
