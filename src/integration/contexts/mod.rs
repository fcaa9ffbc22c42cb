//! Contexts that stay the same while the process runs: operating system, device, compiler.

mod host;
mod linux;

use std::sync::OnceLock;

use crate::integration::Integration;
use crate::options::ClientOptions;
use crate::protocol::{Context, Event, RuntimeContext};

/// Adds the contexts `os`, `rust` and `device` to events that lack them, and names the server.
///
/// The contexts are looked up once, with the first event. The name of the machine becomes the
/// [`server_name`](ClientOptions::server_name), unless one is set.
///
/// # Examples
/// ```
/// use vidette::Integration;
/// use vidette::integration::contexts::ContextIntegration;
/// use vidette::protocol::Event;
///
/// let integration = ContextIntegration::new().add_device(false);
/// let event = integration.process_event(Event::default(), &Default::default()).unwrap();
/// assert!(event.contexts.contains_key("os"));
/// assert!(!event.contexts.contains_key("device"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ContextIntegration {
    device: bool,
    os: bool,
    rust: bool,
}

impl ContextIntegration {
    /// Creates the integration, with all contexts.
    pub fn new() -> Self {
        Self { device: true, os: true, rust: true }
    }

    /// Sets whether events get the context `os`: name, version, kernel, distribution.
    #[must_use]
    pub fn add_os(mut self, add: bool) -> Self {
        self.os = add;
        self
    }

    /// Sets whether events get the context `rust`: version and channel of the compiler that built the program.
    #[must_use]
    pub fn add_rust(mut self, add: bool) -> Self {
        self.rust = add;
        self
    }

    /// Sets whether events get the context `device`: architecture, family, model.
    #[must_use]
    pub fn add_device(mut self, add: bool) -> Self {
        self.device = add;
        self
    }
}

impl Default for ContextIntegration {
    fn default() -> Self {
        Self::new()
    }
}

impl Integration for ContextIntegration {
    fn name(&self) -> &'static str {
        "contexts"
    }

    fn setup(&self, options: &mut ClientOptions) {
        if options.server_name.is_none() {
            options.server_name = host::name().map(Into::into);
        }
    }

    fn process_event(&self, mut event: Event<'static>, _: &ClientOptions) -> Option<Event<'static>> {
        let wanted = [
            (self.os, "os", &OS, host::os as fn() -> Option<Context>),
            (self.rust, "rust", &RUST, rust),
            (self.device, "device", &DEVICE, host::device),
        ];
        for (_, key, known, look_up) in wanted.into_iter().filter(|it| it.0) {
            if !event.contexts.contains_key(key)
                && let Some(context) = known.get_or_init(look_up)
            {
                event.contexts.insert(key.to_owned(), context.clone());
            }
        }
        Some(event)
    }

    fn looks_at_breadcrumbs(&self) -> bool {
        false
    }
}

fn rust() -> Option<Context> {
    let mut context = RuntimeContext {
        name: Some("rustc".into()),
        version: Some(option_env!("VIDETTE_RUSTC_VERSION")?.into()),
        ..Default::default()
    };
    if let Some(channel) = option_env!("VIDETTE_RUSTC_CHANNEL") {
        context.other.insert("channel".into(), channel.into());
    }
    Some(context.into())
}

static DEVICE: OnceLock<Option<Context>> = OnceLock::new();
static OS: OnceLock<Option<Context>> = OnceLock::new();
static RUST: OnceLock<Option<Context>> = OnceLock::new();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::OsContext;

    fn processed(integration: ContextIntegration, event: Event<'static>) -> Event<'static> {
        integration.process_event(event, &ClientOptions::default()).unwrap()
    }

    fn keys(event: &Event<'_>) -> Vec<String> {
        event.contexts.keys().cloned().collect()
    }

    #[test]
    fn events_get_all_contexts() {
        let event = processed(ContextIntegration::new(), Event::default());
        assert_eq!(keys(&event), ["device", "os", "rust"]);
    }

    #[test]
    fn contexts_can_be_left_out_one_by_one() {
        let all = ContextIntegration::default();
        assert_eq!(keys(&processed(all.add_os(false), Event::default())), ["device", "rust"]);
        assert_eq!(keys(&processed(all.add_rust(false), Event::default())), ["device", "os"]);
        assert_eq!(keys(&processed(all.add_device(false), Event::default())), ["os", "rust"]);
    }

    #[test]
    fn a_context_that_an_event_brings_stays() {
        let mine = Context::from(OsContext { name: Some("Plan 9".into()), ..Default::default() });
        let mut event = Event::default();
        event.contexts.insert("os".into(), mine.clone());
        let event = processed(ContextIntegration::new(), event);
        assert_eq!(event.contexts["os"], mine);
        assert_eq!(event.contexts.len(), 3);
    }

    #[test]
    fn the_compiler_is_known() {
        let Some(Context::Runtime(runtime)) = rust() else {
            panic!("no runtime context");
        };
        assert_eq!(runtime.name.as_deref(), Some("rustc"));
        assert!(runtime.version.unwrap().starts_with("1."));
        let channel = runtime.other["channel"].as_str().unwrap();
        assert!(["stable", "beta", "nightly", "dev"].contains(&channel), "{channel}");
    }

    #[test]
    fn the_server_is_named_after_the_machine_unless_it_has_a_name() {
        let mut options = ClientOptions::default();
        ContextIntegration::new().setup(&mut options);
        assert_eq!(options.server_name.as_deref(), host::name().as_deref());

        options.server_name = Some("mine".into());
        ContextIntegration::new().setup(&mut options);
        assert_eq!(options.server_name.as_deref(), Some("mine"));
    }
}
