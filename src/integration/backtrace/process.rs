//! Making stack traces fit to be read.

use super::{in_app, trim};
use crate::integration::Integration;
use crate::options::ClientOptions;
use crate::protocol::{Event, Stacktrace};

/// Cuts off what captured a stack trace, and decides which frames are in the application.
///
/// The options [`in_app_include`](ClientOptions::in_app_include) and [`in_app_exclude`](ClientOptions::in_app_exclude)
/// hold prefixes of paths: `"app::db"` names that module and everything under it. A method of a trait counts to the
/// type it is implemented for. The longest prefix that matches decides; what a frame says itself stays. Frames of
/// the standard library and of well-known runtimes are not in the application unless included. When no frame of a
/// stack trace is, all that are still open are, those of downloaded crates last.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessStacktraceIntegration;

impl ProcessStacktraceIntegration {
    /// Creates the integration.
    pub fn new() -> Self {
        Self
    }
}

impl Integration for ProcessStacktraceIntegration {
    fn name(&self) -> &'static str {
        "process-stacktrace"
    }

    fn process_event(&self, mut event: Event<'static>, options: &ClientOptions) -> Option<Event<'static>> {
        let exceptions = event.exception.iter_mut().filter_map(|it| it.stacktrace.as_mut());
        let threads = event.threads.iter_mut().filter_map(|it| it.stacktrace.as_mut());
        for stacktrace in exceptions.chain(threads).chain(event.stacktrace.as_mut()) {
            process(stacktrace, options);
        }
        Some(event)
    }

    fn looks_at_breadcrumbs(&self) -> bool {
        false
    }
}

fn process(stacktrace: &mut Stacktrace, options: &ClientOptions) {
    let frames = &mut stacktrace.frames;
    let functions = frames.iter().map(|frame| frame.function.as_deref());
    frames.truncate(frames.len() - trim::capturing(functions));
    in_app::mark(frames, options);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Exception, Frame, Thread};

    fn stacktrace() -> Option<Stacktrace> {
        let frame = |function: &str| Frame { function: Some(function.into()), ..Default::default() };
        Some(Stacktrace {
            frames: ["std::rt::lang_start", "app::main", "vidette::capture_error"].map(frame).into(),
            ..Default::default()
        })
    }

    fn in_app(stacktrace: &Option<Stacktrace>) -> Vec<Option<bool>> {
        let frames = &stacktrace.as_ref().unwrap().frames;
        frames.iter().map(|frame| frame.in_app).collect()
    }

    #[test]
    fn stack_traces_are_processed_wherever_they_are() {
        let event = Event {
            exception: vec![Exception { stacktrace: stacktrace(), ..Default::default() }].into(),
            threads: vec![Thread { stacktrace: stacktrace(), ..Default::default() }].into(),
            stacktrace: stacktrace(),
            ..Default::default()
        };
        let event = ProcessStacktraceIntegration::new().process_event(event, &ClientOptions::default()).unwrap();
        let expected = [Some(false), Some(true)];
        assert_eq!(in_app(&event.exception[0].stacktrace), expected);
        assert_eq!(in_app(&event.threads[0].stacktrace), expected);
        assert_eq!(in_app(&event.stacktrace), expected);
    }

    #[test]
    fn an_event_without_stack_traces_passes() {
        let event = Event::default();
        let same = ProcessStacktraceIntegration.process_event(event.clone(), &ClientOptions::default());
        assert_eq!(same, Some(event));
    }

    #[test]
    fn processing_twice_changes_nothing_more() {
        let once = |mut stacktrace: Stacktrace| {
            process(&mut stacktrace, &ClientOptions::default());
            stacktrace
        };
        let first = once(stacktrace().unwrap());
        assert_eq!(once(first.clone()), first);
    }
}
