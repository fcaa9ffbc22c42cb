//! Code that adds events or changes them.
//!
//! An integration is given to a client through [`ClientOptions`]. It may change the options
//! before the client starts, and it sees every event after the scope was applied to it.

use std::any::{Any, type_name};
#[cfg(feature = "client")]
use std::sync::Arc;

use crate::options::ClientOptions;
use crate::protocol::Event;

#[cfg(feature = "backtrace")]
pub mod backtrace;
#[cfg(feature = "contexts")]
pub mod contexts;
#[cfg(feature = "panic")]
pub mod panic;
#[cfg(any(feature = "backtrace", feature = "panic"))]
mod thread;

/// Adds events to a client, or changes those that pass through it.
///
/// # Examples
/// ```
/// use vidette::protocol::Event;
/// use vidette::{ClientOptions, Integration};
///
/// /// Names the part of the system that events come from.
/// struct Part(&'static str);
///
/// impl Integration for Part {
///     fn process_event(&self, mut event: Event<'static>, _: &ClientOptions) -> Option<Event<'static>> {
///         event.tags.entry("part".into()).or_insert_with(|| self.0.into());
///         Some(event)
///     }
/// }
///
/// let event = Part("billing").process_event(Event::default(), &ClientOptions::default());
/// assert_eq!(event.unwrap().tags["part"], "billing");
/// ```
pub trait Integration: Sync + Send + Any + AsAny {
    /// Names the integration; the name is sent along with events. By default that of its type.
    fn name(&self) -> &'static str {
        type_name::<Self>()
    }

    /// Runs once, before the client starts with `options`.
    fn setup(&self, options: &mut ClientOptions) {
        let _ = options;
    }

    /// Changes an event, or drops it by returning `None`.
    ///
    /// Runs on the thread that captured the event.
    fn process_event(&self, event: Event<'static>, options: &ClientOptions) -> Option<Event<'static>> {
        let _ = options;
        Some(event)
    }

    /// False: [`process_event`](Self::process_event) cares for no breadcrumbs. Where nobody does, the event has none yet but
    /// its own, and what it costs to build them is saved.
    #[doc(hidden)]
    fn looks_at_breadcrumbs(&self) -> bool {
        true
    }
}

/// Upcasts to [`Any`]; implemented for every type.
#[doc(hidden)]
pub trait AsAny {
    /// Upcasts a reference.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Any> AsAny for T {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(all(feature = "panic", feature = "backtrace"))]
use self::backtrace::current_stacktrace;

/// Captures the stack trace of the caller, in builds that can.
#[cfg(all(feature = "panic", not(feature = "backtrace")))]
fn current_stacktrace() -> Option<crate::protocol::Stacktrace> {
    None
}

/// Puts the integrations of the enabled features around those given.
#[cfg(feature = "client")]
pub(crate) fn with_defaults(own: Vec<Arc<dyn Integration>>) -> Vec<Arc<dyn Integration>> {
    let first: &[fn() -> Arc<dyn Integration>] = &[
        #[cfg(feature = "backtrace")]
        || Arc::new(backtrace::AttachStacktraceIntegration),
        #[cfg(feature = "contexts")]
        || Arc::new(contexts::ContextIntegration::new()),
        #[cfg(feature = "panic")]
        || Arc::new(panic::PanicIntegration::new()),
    ];
    let last: &[fn() -> Arc<dyn Integration>] = &[
        #[cfg(feature = "backtrace")]
        || Arc::new(backtrace::ProcessStacktraceIntegration),
    ];
    first.iter().map(|make| make()).chain(own).chain(last.iter().map(|make| make())).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    struct Plain;
    impl Integration for Plain {}

    #[test]
    fn an_integration_is_named_after_its_type_and_passes_events_on() {
        let plain: Arc<dyn Integration> = Arc::new(Plain);
        assert!(plain.name().ends_with("::Plain"), "{}", plain.name());
        let event = Event { message: Some("hello".into()), ..Default::default() };
        let passed = plain.process_event(event.clone(), &ClientOptions::default());
        assert_eq!(passed, Some(event));
    }

    #[test]
    fn an_integration_is_found_by_its_type_behind_the_arc() {
        let plain: Arc<dyn Integration> = Arc::new(Plain);
        assert!((*plain).as_any().downcast_ref::<Plain>().is_some());
    }
}
