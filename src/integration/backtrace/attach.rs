//! Giving a stack trace to events that come without one.

use super::current_stacktrace;
use crate::integration::Integration;
use crate::integration::thread::current_thread;
use crate::options::ClientOptions;
use crate::protocol::{Event, Stacktrace};

/// Gives events without any stack trace that of the place where they were captured.
///
/// Works when [`attach_stacktrace`](ClientOptions::attach_stacktrace) is set. The stack trace goes to the last
/// exception, the one that was captured; on an event without exceptions, to the current thread. Either way the event
/// names the current thread, unless it already names others.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttachStacktraceIntegration;

impl AttachStacktraceIntegration {
    /// Creates the integration.
    pub fn new() -> Self {
        Self
    }
}

impl Integration for AttachStacktraceIntegration {
    fn name(&self) -> &'static str {
        "attach-stacktrace"
    }

    fn process_event(&self, mut event: Event<'static>, options: &ClientOptions) -> Option<Event<'static>> {
        if options.attach_stacktrace
            && !has_stacktrace(&event)
            && let Some(stacktrace) = current_stacktrace()
        {
            attach(&mut event, stacktrace);
        }
        Some(event)
    }

    fn looks_at_breadcrumbs(&self) -> bool {
        false
    }
}

fn has_stacktrace(event: &Event<'_>) -> bool {
    event.stacktrace.is_some()
        || event.exception.iter().any(|it| it.stacktrace.is_some())
        || event.threads.iter().any(|it| it.stacktrace.is_some())
}

fn attach(event: &mut Event<'_>, stacktrace: Stacktrace) {
    let mut thread = current_thread(false);
    let Some(exception) = event.exception.last_mut() else {
        thread.stacktrace = Some(stacktrace);
        event.threads.values.push(thread);
        return;
    };
    exception.stacktrace = Some(stacktrace);
    if event.threads.is_empty() && exception.thread_id.is_none() {
        exception.thread_id.clone_from(&thread.id);
        event.threads.values.push(thread);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Exception, Frame, Thread};

    fn attached(event: Event<'static>) -> Event<'static> {
        let options = ClientOptions { attach_stacktrace: true, ..Default::default() };
        AttachStacktraceIntegration::new().process_event(event, &options).unwrap()
    }

    fn error(value: &str) -> Exception {
        Exception { ty: "Error".into(), value: Some(value.into()), ..Default::default() }
    }

    fn some_stacktrace() -> Option<Stacktrace> {
        Some(Stacktrace { frames: vec![Frame::default()], ..Default::default() })
    }

    #[test]
    fn nothing_happens_unless_asked_for() {
        let event = Event::default();
        let same = AttachStacktraceIntegration.process_event(event.clone(), &ClientOptions::default());
        assert_eq!(same, Some(event));
    }

    #[test]
    fn a_message_gets_the_current_thread_with_its_stack() {
        let event = attached(Event::default());
        assert_eq!(event.threads.len(), 1);
        let thread = &event.threads[0];
        assert!(thread.current && !thread.crashed);
        assert!(thread.id.is_some());
        assert_eq!(thread.name.as_deref(), std::thread::current().name());
        assert!(!thread.stacktrace.as_ref().unwrap().frames.is_empty());
    }

    #[test]
    fn of_a_chain_of_errors_the_captured_one_gets_the_stack() {
        let event = attached(Event { exception: vec![error("cause"), error("captured")].into(), ..Default::default() });
        assert_eq!(event.exception[0].stacktrace, None);
        assert!(event.exception[1].stacktrace.is_some());
        assert_eq!(event.threads.len(), 1);
        assert_eq!(event.threads[0].stacktrace, None);
        assert_eq!(event.exception[1].thread_id, event.threads[0].id);
    }

    #[test]
    fn threads_that_an_event_names_stay_alone() {
        let named = Thread { name: Some("other".into()), ..Default::default() };
        let event = attached(Event {
            exception: vec![error("captured")].into(),
            threads: vec![named.clone()].into(),
            ..Default::default()
        });
        assert!(event.exception[0].stacktrace.is_some());
        assert_eq!(event.exception[0].thread_id, None);
        assert_eq!(event.threads.values, [named]);
    }

    #[test]
    fn an_event_with_a_stack_trace_anywhere_stays_as_it_is() {
        let on_exception = Event {
            exception: vec![Exception { stacktrace: some_stacktrace(), ..error("cause") }, error("captured")].into(),
            ..Default::default()
        };
        let on_thread = Event {
            threads: vec![Thread { stacktrace: some_stacktrace(), ..Default::default() }].into(),
            ..Default::default()
        };
        let on_event = Event { stacktrace: some_stacktrace(), ..Default::default() };
        for event in [on_exception, on_thread, on_event] {
            assert_eq!(attached(event.clone()), event);
        }
    }
}
