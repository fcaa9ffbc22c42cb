//! Programs that capture an `anyhow::Error`.

use anyhow::{Context, anyhow};
use sentry::integrations::anyhow::{AnyhowHubExt, capture_anyhow, event_from_error};
use serde_json::Value;

use crate::stage::{each, level, values};

#[inline(never)]
fn reads_a_price() -> anyhow::Result<u32> {
    "a lot".parse::<u32>().context("no price").with_context(|| format!("cart {}", 7))
}

fn functions(exception: &Value) -> Vec<&str> {
    let frames = exception["stacktrace"]["frames"].as_array().map_or(&[][..], Vec::as_slice);
    frames.iter().filter_map(|frame| frame["function"].as_str()).collect()
}

#[test]
fn an_error_is_captured_with_its_causes_innermost_first() {
    let run = program!().run(|| {
        let _sentry = sentry::init(());
        let error = reads_a_price().unwrap_err();
        let id = capture_anyhow(&error);
        assert_eq!(sentry::last_event_id(), Some(id));
        assert_eq!(event_from_error(&error).exception.len(), 3);
    });
    let Some(run) = run else { return };
    let event = run.event();
    let exceptions = values(&event["exception"]);
    assert_eq!(each(exceptions, "value"), ["invalid digit found in string", "no price", "cart 7"]);
    assert_eq!(exceptions[0]["type"], "ParseIntError");
    assert_eq!(level(&event), "error");
    assert!(exceptions.iter().all(|exception| exception["stacktrace"].is_null()), "RUST_BACKTRACE is off");
}

#[test]
fn an_error_brings_the_backtrace_of_its_origin() {
    let run = program!().env("RUST_BACKTRACE", "1").run(|| {
        let _sentry = sentry::init(());
        let error = reads_a_price().unwrap_err();
        sentry::Hub::current().capture_anyhow(&error);
    });
    let Some(run) = run else { return };
    let event = run.event();
    let exceptions = values(&event["exception"]);
    let functions = functions(exceptions.last().unwrap());
    assert!(functions.iter().any(|function| function.contains("reads_a_price")), "{functions:?}");
    let position = |name: &str| functions.iter().position(|function| function.contains(name)).unwrap();
    assert!(position("an_error_brings") < position("reads_a_price"), "callers stand first: {functions:?}");
    assert!(each(values(&event["threads"]), "stacktrace").iter().all(|trace| trace.is_null()));
}

#[test]
fn a_lone_error_is_one_exception() {
    let run = program!().run(|| {
        let _sentry = sentry::init(());
        sentry::with_scope(|scope| scope.set_tag("part", "cart"), || capture_anyhow(&anyhow!("some kind of error")));
    });
    let Some(run) = run else { return };
    let event = run.event();
    assert_eq!(each(values(&event["exception"]), "value"), ["some kind of error"]);
    assert_eq!(event["tags"]["part"], "cart");
}
