//! Turning panics into events.
//!
//! The hook runs on the panicking thread, before it unwinds. A panic inside a panic hook aborts the process and cannot
//! be caught, so nothing here may panic, and extractors must not either.

use std::fmt;
use std::panic::{self, PanicHookInfo};
use std::sync::Once;
use std::thread;

use super::thread::current_thread;
use super::{Integration, current_stacktrace};
use crate::hub::Hub;
use crate::options::ClientOptions;
use crate::protocol::{Event, Exception, Level, Mechanism};

/// Captures panics as fatal events, and waits until they are sent.
///
/// The first client with this integration installs a panic hook, once for the process. The hook reports to the client
/// of the panicking thread's hub, if that one has the integration, and then runs the hook that was there before.
///
/// # Examples
/// ```
/// use vidette::integration::panic::PanicIntegration;
/// use vidette::protocol::Event;
///
/// struct Quit;
///
/// // A panic with this payload is a way to leave, not a failure.
/// let integration = PanicIntegration::new().add_extractor(|info| {
///     info.payload().is::<Quit>().then(Event::default)
/// });
/// ```
#[derive(Default)]
pub struct PanicIntegration {
    extractors: Vec<Extractor>,
}

type Extractor = Box<dyn Fn(&PanicHookInfo<'_>) -> Option<Event<'static>> + Send + Sync>;

impl PanicIntegration {
    /// Creates the integration, without extractors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function that may build the event of a panic itself.
    ///
    /// Extractors are asked in the order in which they were added; the first event is taken. They run inside the panic
    /// hook: one that panics aborts the process.
    #[must_use]
    pub fn add_extractor<F>(mut self, extractor: F) -> Self
    where
        F: Fn(&PanicHookInfo<'_>) -> Option<Event<'static>> + Send + Sync + 'static,
    {
        self.extractors.push(Box::new(extractor));
        self
    }

    /// Builds the event of a panic: that of the first extractor that has one, or else an exception of type `panic`.
    ///
    /// # Examples
    /// ```standalone_crate
    /// use std::sync::mpsc;
    /// use vidette::integration::panic::PanicIntegration;
    /// use vidette::protocol::Level;
    ///
    /// let (sender, events) = mpsc::channel();
    /// std::panic::set_hook(Box::new(move |info| {
    ///     let _ = sender.send(PanicIntegration::new().event_from_panic_info(info));
    /// }));
    /// let _ = std::thread::spawn(|| panic!("{} apples", 3)).join();
    ///
    /// let event = events.recv().unwrap();
    /// assert_eq!(event.level, Level::Fatal);
    /// assert_eq!(event.exception[0].ty, "panic");
    /// assert_eq!(event.exception[0].value.as_deref(), Some("3 apples"));
    /// ```
    pub fn event_from_panic_info(&self, info: &PanicHookInfo<'_>) -> Event<'static> {
        let extracted = self.extractors.iter().find_map(|extractor| extractor(info));
        extracted.unwrap_or_else(|| event(message_from_panic_info(info)))
    }
}

impl fmt::Debug for PanicIntegration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PanicIntegration").field("extractors", &self.extractors.len()).finish()
    }
}

impl Integration for PanicIntegration {
    fn name(&self) -> &'static str {
        "panic"
    }

    fn setup(&self, _: &mut ClientOptions) {
        // std refuses, by panicking, to change the hook on a thread that unwinds. The next client installs it.
        if !thread::panicking() {
            INSTALLED.call_once(install);
        }
    }

    fn looks_at_breadcrumbs(&self) -> bool {
        false
    }
}

/// Reads the message of a panic, if its payload is text.
///
/// The answer for other payloads is `"Box<dyn Any>"`, as std prints them.
pub fn message_from_panic_info<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    let payload = info.payload();
    match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "Box<dyn Any>",
    }
}

fn install() {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        report(|integration| integration.event_from_panic_info(info));
        previous(info);
    }));
}

fn event(message: &str) -> Event<'static> {
    let thread = current_thread(true);
    Event {
        exception: vec![Exception {
            mechanism: Some(Mechanism { handled: Some(false), ty: "panic".into(), ..Default::default() }),
            stacktrace: current_stacktrace(),
            thread_id: thread.id.clone(),
            ty: "panic".into(),
            value: Some(message.to_owned()),
            ..Default::default()
        }]
        .into(),
        level: Level::Fatal,
        threads: vec![thread].into(),
        ..Default::default()
    }
}

/// Captures what `event` makes, if the current hub's client has the integration, and waits until it is sent.
fn report(event: impl FnOnce(&PanicIntegration) -> Event<'static>) {
    Hub::with_active(|hub| {
        hub.with_integration(|integration: &PanicIntegration| {
            hub.capture_event(event(integration));
            if let Some(client) = hub.client() {
                client.flush(None);
            }
        });
    });
}

static INSTALLED: Once = Once::new();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fatal_unhandled_exception_on_the_crashed_thread() {
        let event = event("out of hay");
        assert_eq!(event.level, Level::Fatal);
        let exception = &event.exception[0];
        assert_eq!(exception.ty, "panic");
        assert_eq!(exception.value.as_deref(), Some("out of hay"));
        let mechanism = exception.mechanism.as_ref().unwrap();
        assert_eq!((mechanism.ty.as_str(), mechanism.handled), ("panic", Some(false)));
        let thread = &event.threads[0];
        assert!(thread.crashed && thread.current);
        assert_eq!(thread.stacktrace, None);
        assert_eq!(exception.thread_id, thread.id);
    }

    #[test]
    fn a_panic_has_a_stack_trace_in_builds_that_can_take_one() {
        let event = event("out of hay");
        let stacktrace = event.exception[0].stacktrace.as_ref();
        assert_eq!(stacktrace.is_some(), current_stacktrace().is_some());
    }
}
