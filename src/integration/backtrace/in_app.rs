//! Which frames belong to the application.
//!
//! In this order; the first that answers decides:
//! 1. what the frame already says,
//! 2. the longest of the options' prefixes that matches (of two equal ones, the excluding one),
//! 3. the well-known crates of runtimes and tools: not in the application,
//! 4. a function that debug information names without its module, as it does where it keeps lines alone: in the application
//!    if another function of the same directory is,
//! 5. where nothing in the stack trace is in the application so far: every frame still open is, except those of
//!    downloaded crates; when that leaves nothing, those as well.

use std::collections::BTreeSet;

use super::{name, source};
use crate::options::ClientOptions;
use crate::protocol::Frame;

/// Decides for every frame that does not say so whether it belongs to the application.
pub(super) fn mark(frames: &mut [Frame], options: &ClientOptions) {
    for frame in frames.iter_mut().filter(|it| it.in_app.is_none()) {
        let file = frame.abs_path.as_deref();
        let owner = frame.function.as_deref().map(name::owner);
        frame.in_app = owner.and_then(|owner| by_options(owner, options)).or_else(|| {
            let is_system =
                owner.is_some_and(|owner| is_system(owner, file)) || file.is_some_and(source::is_of_the_toolchain);
            is_system.then_some(false)
        });
    }
    let own: Vec<&Frame> = frames.iter().filter(|frame| frame.in_app == Some(true)).collect();
    if !own.is_empty() {
        let directories: BTreeSet<String> = own.into_iter().filter_map(directory).map(str::to_owned).collect();
        for frame in frames.iter_mut().filter(|it| it.in_app.is_none() && is_unqualified(it)) {
            frame.in_app = directory(frame).is_some_and(|it| directories.contains(it)).then_some(true);
        }
        return;
    }
    let mut open: Vec<_> = frames.iter_mut().filter(|it| it.in_app.is_none()).collect();
    let all_downloaded = open.iter().all(|frame| is_downloaded(frame));
    for frame in &mut open {
        frame.in_app = Some(all_downloaded || !is_downloaded(frame));
    }
}

/// Whether `owner` lies in the standard library, a runtime, or another crate that only carries the application's code.
fn is_system(owner: &str, file: Option<&str>) -> bool {
    match name::krate(owner) {
        Some(krate) => SYSTEM_CRATES.contains(&krate),
        // Debug information may name a function of the application just so, too.
        None if file.is_some_and(|file| file.ends_with(".rs")) => false,
        None => SYSTEM_FUNCTIONS.contains(&owner) || SYSTEM_FUNCTION_PREFIXES.iter().any(|it| owner.starts_with(it)),
    }
}

fn by_options(owner: &str, options: &ClientOptions) -> Option<bool> {
    let longest = |prefixes: &[&'static str]| {
        let matching = prefixes.iter().filter(|prefix| name::lies_in(owner, prefix));
        matching.map(|it| it.trim_end_matches(':').len()).max()
    };
    let excluded = longest(&options.in_app_exclude);
    let included = longest(&options.in_app_include);
    (excluded.is_some() || included.is_some()).then_some(included > excluded)
}

/// Where the frame's source file lies.
fn directory(frame: &Frame) -> Option<&str> {
    let (directory, _) = frame.abs_path.as_deref()?.rsplit_once(['/', '\\'])?;
    Some(directory)
}

/// Whether the frame's function stands there without a module.
fn is_unqualified(frame: &Frame) -> bool {
    frame.function.as_deref().is_some_and(|function| name::krate(name::owner(function)).is_none())
}

/// Whether the frame's source was downloaded by cargo.
fn is_downloaded(frame: &Frame) -> bool {
    frame.abs_path.as_deref().is_some_and(source::is_downloaded)
}

const SYSTEM_CRATES: &[&str] = &[
    "__rustc",
    "actix_http",
    "actix_rt",
    "actix_server",
    "actix_service",
    "actix_web",
    "addr2line",
    "alloc",
    "anyhow",
    "async_std",
    "async_trait",
    "axum",
    "axum_core",
    "backtrace",
    "color_eyre",
    "core",
    "crossbeam_channel",
    "crossbeam_deque",
    "crossbeam_epoch",
    "crossbeam_queue",
    "crossbeam_utils",
    "eyre",
    "futures",
    "futures_channel",
    "futures_core",
    "futures_executor",
    "futures_util",
    "gimli",
    "h2",
    "hyper",
    "hyper_util",
    "log",
    "mio",
    "parking_lot",
    "parking_lot_core",
    "proc_macro",
    "rayon",
    "rayon_core",
    "reqwest",
    "rustc_demangle",
    "sentry",
    "sentry_actix",
    "sentry_anyhow",
    "sentry_backtrace",
    "sentry_contexts",
    "sentry_core",
    "sentry_debug_images",
    "sentry_log",
    "sentry_opentelemetry",
    "sentry_panic",
    "sentry_slog",
    "sentry_tower",
    "sentry_tracing",
    "sentry_types",
    "smol",
    "stable_eyre",
    "std",
    "test",
    "threadpool",
    "tokio",
    "tokio_rustls",
    "tokio_stream",
    "tokio_util",
    "tonic",
    "tower",
    "tower_http",
    "tower_layer",
    "tower_service",
    "tracing",
    "tracing_core",
    "tracing_futures",
    "tracing_log",
    "tracing_subscriber",
    "vidette",
    "warp",
];

const SYSTEM_FUNCTIONS: &[&str] = &[
    "_main",
    "_start",
    "BaseThreadInitThunk",
    "RtlUserThreadStart",
    "clone",
    "main",
    "rust_begin_unwind",
    "rust_eh_personality",
    "rust_panic",
    "start",
    "start_thread",
    "thread_start",
];

const SYSTEM_FUNCTION_PREFIXES: &[&str] = &[
    "_Unwind_",
    "__clone",
    "__libc_start",
    "__pthread_",
    "__rust_",
    "__rustc",
    "__scrt_",
    "___rust_",
    "_pthread_",
    "clone3",
    "invoke_main",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn options(include: &[&'static str], exclude: &[&'static str]) -> ClientOptions {
        ClientOptions { in_app_exclude: exclude.to_vec(), in_app_include: include.to_vec(), ..Default::default() }
    }

    fn frame(function: &str) -> Frame {
        Frame { function: Some(function.into()), ..Default::default() }
    }

    fn downloaded(function: &str) -> Frame {
        Frame {
            abs_path: Some("/home/me/.cargo/registry/src/index-1949cf8c6b5b557f/other-1.0.0/src/lib.rs".into()),
            ..frame(function)
        }
    }

    fn marked(mut frames: Vec<Frame>, options: &ClientOptions) -> Vec<Option<bool>> {
        mark(&mut frames, options);
        frames.iter().map(|frame| frame.in_app).collect()
    }

    #[test]
    fn runtimes_and_tools_are_not_the_application() {
        for function in [
            "std::rt::lang_start",
            "core::ops::function::FnOnce::call_once",
            "alloc::boxed::Box<F>::new",
            "<alloc::boxed::Box<F> as core::ops::function::FnOnce<A>>::call_once",
            "<T as core::convert::Into<U>>::into",
            "tokio::runtime::task::raw::poll",
            "tokio_util::sync::cancel",
            "tower_http::trace::call",
            "futures_util::future::poll_fn",
            "tracing::span::Span::in_scope",
            "rayon_core::registry::main_loop",
            "vidette::capture_error",
            "sentry_tracing::layer::on_event",
            "backtrace::capture::Backtrace::new",
            "__rust_begin_short_backtrace",
            "__libc_start_main_impl",
            "_start",
            "main",
            "clone3",
        ] {
            // Beside a frame of the application, so that nothing is in it for want of another.
            let all = marked(vec![frame("app::main"), frame(function)], &options(&["app"], &[]));
            assert_eq!(all, [Some(true), Some(false)], "{function}");
        }
    }

    #[test]
    fn names_that_only_start_alike_stay_open() {
        for function in ["stdout::print", "corelib::run", "tokio_service::run", "my_start"] {
            let all = marked(vec![frame("app::main"), frame(function)], &options(&["app"], &[]));
            assert_eq!(all, [Some(true), None], "{function}");
        }
    }

    #[test]
    fn included_prefixes_are_in_the_application() {
        let all = marked(
            vec![frame("app::main"), frame("<app::Foo as tower::Service<R>>::call"), frame("other::run")],
            &options(&["app"], &[]),
        );
        assert_eq!(all, [Some(true), Some(true), None]);
    }

    #[test]
    fn excluded_prefixes_are_not() {
        let all = marked(vec![frame("vendor::run"), frame("app::main")], &options(&[], &["vendor"]));
        assert_eq!(all, [Some(false), Some(true)]);
    }

    #[test]
    fn the_longer_prefix_wins() {
        let split = options(&["app", "tokio::ours", "app::vendor::ours"], &["app::vendor", "tokio::"]);
        for (function, expected) in [
            ("app::main", true),
            ("app::vendor::run", false),
            ("app::vendor::ours::run", true),
            ("tokio::ours::run", true),
            ("tokio::run", false),
        ] {
            assert_eq!(marked(vec![frame(function)], &split), [Some(expected)], "{function}");
        }
    }

    #[test]
    fn of_two_equal_prefixes_the_excluding_one_wins() {
        for (include, exclude) in [("app", "app"), ("app::", "app"), ("app", "app::")] {
            let all = marked(vec![frame("app::main")], &options(&[include], &[exclude]));
            assert_eq!(all, [Some(false)]);
        }
    }

    #[test]
    fn an_included_prefix_beats_the_well_known_crates() {
        let all = marked(vec![frame("tower::ours::call")], &options(&["tower"], &[]));
        assert_eq!(all, [Some(true)]);
    }

    #[test]
    fn what_a_frame_says_itself_stays() {
        let said = |function, in_app| Frame { in_app: Some(in_app), ..frame(function) };
        let all = marked(
            vec![said("std::rt::init", true), said("app::main", false), frame("other::run")],
            &options(&["app"], &["std"]),
        );
        assert_eq!(all, [Some(true), Some(false), None]);
    }

    #[test]
    fn where_nothing_is_in_the_application_all_open_frames_are() {
        let nameless = Frame::default();
        let all =
            marked(vec![frame("std::rt::init"), frame("app::main"), nameless, frame("callback")], &options(&[], &[]));
        assert_eq!(all, [Some(false), Some(true), Some(true), Some(true)]);
    }

    #[test]
    fn downloaded_crates_stand_back_behind_local_ones() {
        let windows = Frame {
            abs_path: Some(r"C:\Users\me\.cargo\git\checkouts\other-1\src\lib.rs".into()),
            ..frame("other::run")
        };
        let all =
            marked(vec![frame("app::main"), downloaded("serde::de"), windows, frame("std::rt")], &options(&[], &[]));
        assert_eq!(all, [Some(true), Some(false), Some(false), Some(false)]);
    }

    #[test]
    fn an_application_that_was_itself_downloaded_is_one_all_the_same() {
        let all = marked(vec![frame("std::rt::init"), downloaded("app::main")], &options(&[], &[]));
        assert_eq!(all, [Some(false), Some(true)]);
    }

    #[test]
    fn sources_of_the_toolchain_are_not_the_application() {
        let inlined = Frame { abs_path: Some("/rustc/59807616/library/core/src/option.rs".into()), ..frame("map<u8>") };
        let all = marked(vec![frame("app::main"), inlined], &options(&[], &[]));
        assert_eq!(all, [Some(true), Some(false)]);
    }

    #[test]
    fn a_function_of_the_application_may_be_called_main() {
        let bare = Frame { abs_path: Some("/build/app/src/main.rs".into()), ..frame("main") };
        assert_eq!(marked(vec![frame("main"), bare], &options(&[], &[])), [Some(false), Some(true)]);
    }

    #[test]
    fn a_function_without_a_module_goes_with_the_others_of_its_directory() {
        let at = |function, path: &str| Frame { abs_path: Some(path.into()), ..frame(function) };
        let frames = vec![
            at("app::load::run", "/build/examples/app/load.rs"),
            at("serve<true>", "/build/examples/app/service.rs"),
            at("serve<true>", "/build/other/service.rs"),
            at("other::serve", "/build/examples/app/service.rs"),
            frame("serve"),
        ];
        assert_eq!(marked(frames, &options(&["app"], &[])), [Some(true), Some(true), None, None, None]);
    }

    #[test]
    fn no_frames_are_no_problem() {
        assert_eq!(marked(vec![], &options(&["app"], &["app"])), []);
    }
}
