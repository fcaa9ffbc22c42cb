//! Cutting stack traces: what only captured them, and what is too long.

use super::name;

/// How many of the innermost frames are there only because the stack trace was taken.
///
/// Takes the functions from the caller to the callee. Walks inwards out, from the panic hook if one runs: past this
/// crate, past what carried the call here (the standard library, the panic machinery, a logging facade), up to the
/// first function of somebody else. Carriers beyond the last capturing function stay. A stack trace made of nothing
/// else stays whole.
pub(super) fn capturing<'a>(
    functions: impl DoubleEndedIterator<Item = Option<&'a str>> + ExactSizeIterator + Clone,
) -> usize {
    let owners = functions.map(|function| function.map_or("", name::owner)).rev();
    let runs_hook = |owner: &str| PANIC_HOOK_RUNNERS.contains(&owner);
    // Whatever the hook runs, other hooks included, is not where the panic happened.
    let mut capturing = owners.clone().position(runs_hook).unwrap_or(0);
    for (depth, owner) in owners.clone().enumerate().skip(capturing) {
        if is_capturing(owner) {
            capturing = depth + 1;
        } else if !is_carrying(owner) {
            break;
        }
    }
    if capturing == owners.len() { 0 } else { capturing }
}

/// Removes the middle of what is longer than [`MAX_FRAMES`], and says which frames that were.
///
/// The numbers count from 1, as the protocol wants it: the first one removed, and the first one kept after it.
pub(super) fn middle<T>(frames: &mut Vec<T>) -> Option<(u64, u64)> {
    let surplus = frames.len().checked_sub(MAX_FRAMES).filter(|&it| it > 0)?;
    frames.drain(OUTERMOST..OUTERMOST + surplus);
    let first = OUTERMOST as u64 + 1;
    Some((first, first + surplus as u64))
}

/// Whether a function captures, or leads nowhere else.
fn is_capturing(owner: &str) -> bool {
    CAPTURING_FUNCTIONS.contains(&owner) || CAPTURING_PATHS.iter().any(|path| name::lies_in(owner, path))
}

/// Whether a function may stand between others that capture.
fn is_carrying(owner: &str) -> bool {
    owner.starts_with("__rust_") || name::krate(owner).is_some_and(|krate| CARRIERS.contains(&krate))
}

/// Frames that a stack trace may have; the server keeps no more.
pub(super) const MAX_FRAMES: usize = 50;
/// How many of them are the outermost, which tell where the work came from. The others tell where it went wrong.
const OUTERMOST: usize = 15;

const CAPTURING_PATHS: &[&str] = &[
    "anyhow",
    "backtrace",
    "color_eyre",
    "core::panicking",
    "eyre",
    "log",
    "sentry",
    "sentry_actix",
    "sentry_anyhow",
    "sentry_backtrace",
    "sentry_core",
    "sentry_log",
    "sentry_panic",
    "sentry_slog",
    "sentry_tower",
    "sentry_tracing",
    "stable_eyre",
    "std::backtrace",
    "std::backtrace_rs",
    "std::panicking::begin_panic",
    "std::panicking::begin_panic_handler",
    "std::panicking::panic_handler",
    "std::panicking::panic_with_hook",
    "std::panicking::rust_panic_with_hook",
    "std::sys::backtrace::__rust_end_short_backtrace",
    "tracing",
    "tracing_core",
    "tracing_log",
    "tracing_subscriber",
    "vidette",
];

const CAPTURING_FUNCTIONS: &[&str] = &["__rust_end_short_backtrace", "__rustc::rust_begin_unwind", "rust_begin_unwind"];

/// What calls the panic hook.
const PANIC_HOOK_RUNNERS: &[&str] = &["std::panicking::panic_with_hook", "std::panicking::rust_panic_with_hook"];

const CARRIERS: &[&str] = &["__rustc", "alloc", "core", "std"];

#[cfg(test)]
mod tests {
    use super::*;

    fn kept<'a>(functions: &[&'a str]) -> Vec<&'a str> {
        let drop = capturing(functions.iter().map(|it| Some(*it)));
        functions[..functions.len() - drop].to_vec()
    }

    #[test]
    fn what_captured_goes_and_what_called_it_stays() {
        assert_eq!(
            kept(&[
                "std::rt::lang_start",
                "app::main",
                "vidette::api::capture_error",
                "std::thread::local::LocalKey<T>::with",
                "vidette::client::Client::process::{{closure}}",
                "<vidette::integration::Attach as vidette::Integration>::process_event",
                "backtrace::backtrace::trace",
            ]),
            ["std::rt::lang_start", "app::main"],
        );
    }

    #[test]
    fn the_panic_machinery_goes() {
        assert_eq!(
            kept(&[
                "app::main",
                "app::run::{{closure}}",
                "core::option::unwrap_failed",
                "core::panicking::panic",
                "core::panicking::panic_fmt",
                "__rustc::rust_begin_unwind",
                "std::sys::backtrace::__rust_end_short_backtrace",
                "std::panicking::panic_handler::{closure#0}",
                "<alloc::boxed::Box<F,A> as core::ops::function::Fn<Args>>::call",
                "vidette::integration::panic::install::{{closure}}",
            ]),
            ["app::main", "app::run::{{closure}}", "core::option::unwrap_failed"],
        );
    }

    #[test]
    fn carriers_outside_the_capturing_frames_stay() {
        assert_eq!(
            kept(&["app::main", "core::iter::Iterator::for_each", "vidette::capture_error"]),
            ["app::main", "core::iter::Iterator::for_each"],
        );
    }

    #[test]
    fn our_frames_below_the_applications_stay() {
        let functions = ["vidette::future::Bound<F>::poll", "app::handler::{{closure}}"];
        assert_eq!(kept(&functions), functions);
    }

    #[test]
    fn an_applications_closure_stops_the_cut() {
        let functions = ["app::main", "vidette::hub::with_scope", "app::main::{{closure}}", "vidette::capture_error"];
        assert_eq!(kept(&functions), functions[..3]);
    }

    #[test]
    fn the_logging_facade_goes() {
        assert_eq!(
            kept(&[
                "app::main",
                "tracing::__macro_support::callsite",
                "tracing_core::dispatcher::get_default",
                "<sentry_tracing::layer::SentryLayer<S> as tracing_subscriber::layer::Layer<S>>::on_event",
                "vidette::api::capture_event",
            ]),
            ["app::main"],
        );
    }

    #[test]
    fn a_stack_trace_of_machinery_only_stays_whole() {
        let functions = ["vidette::sender::run", "backtrace::backtrace::trace"];
        assert_eq!(kept(&functions), functions);
        assert_eq!(kept(&[]), [""; 0]);
    }

    #[test]
    fn a_frame_without_a_name_stops_the_cut() {
        let functions = [Some("vidette::future::poll"), None, Some("vidette::capture_error")];
        assert_eq!(capturing(functions.into_iter()), 1);
        assert_eq!(capturing([None, None].into_iter()), 0);
    }

    #[test]
    fn the_frames_that_start_a_thread_stay() {
        assert_eq!(
            kept(&[
                "std::panicking::catch_unwind",
                "__rust_try",
                "std::sys::backtrace::__rust_begin_short_backtrace",
                "core::ops::function::FnOnce::call_once",
                "vidette::capture_error",
            ])
            .len(),
            4,
        );
    }

    #[test]
    fn a_hook_around_ours_goes_with_the_panic_machinery() {
        assert_eq!(
            kept(&[
                "app::main",
                "core::panicking::panic_fmt",
                "std::panicking::rust_panic_with_hook",
                "<alloc::boxed::Box<F,A> as core::ops::function::Fn<Args>>::call",
                "app::install_hook::{{closure}}",
                "vidette::integration::panic::install::{{closure}}",
            ]),
            ["app::main"],
        );
    }

    #[test]
    fn names_that_only_start_like_ours_stay() {
        let functions = ["app::main", "vidette_service::run"];
        assert_eq!(kept(&functions), functions);
    }

    #[test]
    fn fifty_frames_stay_as_they_are() {
        let mut frames: Vec<_> = (0..50).collect();
        assert_eq!(middle(&mut frames), None);
        assert_eq!(frames.len(), 50);
    }

    #[test]
    fn of_more_the_middle_goes() {
        let mut frames: Vec<_> = (0..51).collect();
        assert_eq!(middle(&mut frames), Some((16, 17)));
        assert_eq!(frames.len(), 50);
        assert_eq!((frames[14], frames[15], frames[49]), (14, 16, 50));

        let mut frames: Vec<_> = (0..1000).collect();
        assert_eq!(middle(&mut frames), Some((16, 966)));
        assert_eq!((frames[14], frames[15], frames[49]), (14, 965, 999));
    }
}
