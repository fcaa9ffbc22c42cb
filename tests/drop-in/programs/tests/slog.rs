//! Programs that log through `slog`.

use sentry::integrations::slog::{LevelFilter, RecordMapping, SentryDrain, event_from_record};
use slog::{Drain, Logger, o};

use crate::stage::{each, level, values};

#[test]
fn records_become_breadcrumbs_and_events_with_their_values() {
    let run = program!().run(|| {
        let _sentry = sentry::init(());
        let drain = SentryDrain::new(slog::Discard);
        let root = Logger::root(drain.fuse(), o!("version" => 3));
        slog::info!(root, "as a breadcrumb"; "rows" => Some("many"));
        slog::debug!(root, "as another");
        slog::warn!(root, "as an event"; "key" => "value", "on" => true);
        let child = root.new(o!("part" => "cart"));
        slog::crit!(child, "as the next one");
    });
    let Some(run) = run else { return };
    let events = run.events();
    assert_eq!(each(&events, "message"), ["as an event", "as the next one"]);
    assert_eq!((level(&events[0]), level(&events[1])), ("warning", "error"));
    let breadcrumbs = values(&events[0]["breadcrumbs"]);
    assert_eq!(each(breadcrumbs, "message"), ["as a breadcrumb", "as another"]);
    assert_eq!((&breadcrumbs[0]["data"]["rows"], &breadcrumbs[0]["data"]["version"]), (&"many".into(), &3.into()));
    assert_eq!(breadcrumbs[1]["level"], "debug");
    let extra = &events[0]["extra"];
    assert_eq!((&extra["key"], &extra["on"], &extra["version"]), (&"value".into(), &true.into(), &3.into()));
    assert_eq!((&events[1]["extra"]["part"], &events[1]["extra"]["version"]), (&"cart".into(), &3.into()));
}

#[test]
fn a_filter_and_a_mapper_choose() {
    let run = program!().run(|| {
        let _sentry = sentry::init(());
        let filtering = SentryDrain::new(slog::Discard).filter(|level| match level {
            slog::Level::Error => LevelFilter::Event,
            _ => LevelFilter::Ignore,
        });
        let filtered = Logger::root(filtering.fuse(), o!());
        slog::warn!(filtered, "ignored");
        slog::error!(filtered, "filtered");
        let mapping = SentryDrain::new(slog::Discard).mapper(|record, values| match record.level() {
            slog::Level::Info => RecordMapping::Event(event_from_record(record, values).into()),
            _ => RecordMapping::Ignore,
        });
        let mapped = Logger::root(mapping.fuse(), o!());
        slog::info!(mapped, "mapped");
        slog::error!(mapped, "ignored too");
    });
    let Some(run) = run else { return };
    let events = run.events();
    assert_eq!(each(&events, "message"), ["filtered", "mapped"]);
    assert!(events.iter().all(|event| values(&event["breadcrumbs"]).is_empty()));
}
