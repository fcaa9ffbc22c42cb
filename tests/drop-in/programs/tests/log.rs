//! Programs that log through the `log` crate.

use std::sync::Mutex;

use log::{Level, LevelFilter, Log, Metadata, Record};
use sentry::integrations::log::{
    LogFilter, RecordMapping, SentryLogger, breadcrumb_from_record, event_from_record, log_from_record,
};

use crate::stage::{each, level, values};

/// A logger that remembers what it was told.
struct Notebook(&'static Mutex<Vec<String>>);

impl Log for Notebook {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // The transport logs too.
        if ["programs::log", "shop::cart"].contains(&record.target()) {
            self.0.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

fn install(logger: impl Log + 'static, level: LevelFilter) {
    log::set_boxed_logger(Box::new(logger)).unwrap();
    log::set_max_level(level);
}

#[test]
fn infos_become_breadcrumbs_and_errors_events_and_all_of_them_logs() {
    static NOTES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let run = program!().run(|| {
        install(SentryLogger::with_dest(Notebook(&NOTES)), LevelFilter::Trace);
        let _sentry = sentry::init(sentry::ClientOptions::new().release("shop@1.0").environment("tests"));
        log::info!("generates a breadcrumb");
        log::debug!("is ignored");
        log::warn!(target: "shop::cart", user = "ann", items = 3, rate = 0.5, gift = true; "cart of {}", "ann");
        log::error!(order = 7; "generates an event");
        assert_eq!(NOTES.lock().unwrap().len(), 4, "the logger behind it hears all of them");
    });
    let Some(run) = run else { return };
    let event = run.event();
    assert_eq!((&event["message"], level(&event)), (&"generates an event".into(), "error"));
    assert_eq!(event["logger"], "programs::log");
    assert_eq!(event["contexts"]["Rust Log Metadata"]["logger.target"], "programs::log");
    assert_eq!(event["contexts"]["Rust Log Attributes"]["order"], 7);
    let breadcrumbs = values(&event["breadcrumbs"]);
    assert_eq!(each(breadcrumbs, "message"), ["generates a breadcrumb", "cart of ann"]);
    assert_eq!(each(breadcrumbs, "category"), ["programs::log", "shop::cart"]);
    assert_eq!((&breadcrumbs[0]["type"], &breadcrumbs[1]["level"]), (&"log".into(), &"warning".into()));
    assert_eq!((&breadcrumbs[1]["data"]["user"], &breadcrumbs[1]["data"]["items"]), (&"ann".into(), &3.into()));
    let logs = run.batched("log");
    assert_eq!(each(&logs, "body"), ["generates a breadcrumb", "cart of ann", "generates an event"]);
    assert_eq!(each(&logs, "level"), ["info", "warn", "error"]);
    let attributes = &logs[1]["attributes"];
    assert_eq!(attributes["user"]["value"], "ann");
    assert_eq!((&attributes["items"]["value"], &attributes["rate"]["value"]), (&3.into(), &0.5.into()));
    assert_eq!((&attributes["gift"]["value"], &attributes["gift"]["type"]), (&true.into(), &"boolean".into()));
    assert_eq!(attributes["logger.target"]["value"], "shop::cart");
    assert_eq!(attributes["sentry.origin"]["value"], "auto.log.log");
    assert_eq!(attributes["sentry.release"]["value"], "shop@1.0");
    assert_eq!(attributes["sentry.environment"]["value"], "tests");
    for log in &logs {
        assert_eq!(log["trace_id"], event["contexts"]["trace"]["trace_id"], "{log}");
    }
}

#[test]
fn a_filter_may_want_several_things_of_one_record() {
    let run = program!().run(|| {
        let logger = SentryLogger::new().filter(|metadata| match metadata.level() {
            Level::Error => LogFilter::Event,
            Level::Warn => LogFilter::Breadcrumb | LogFilter::Log,
            _ => LogFilter::Ignore,
        });
        install(logger, LevelFilter::Info);
        let _sentry = sentry::init(());
        log::info!("ignored");
        log::warn!("twice");
        log::error!("only an event");
    });
    let Some(run) = run else { return };
    let event = run.event();
    assert_eq!(event["message"], "only an event");
    assert_eq!(each(values(&event["breadcrumbs"]), "message"), ["twice"]);
    assert_eq!(each(&run.batched("log"), "body"), ["twice"]);
}

#[test]
fn a_mapper_makes_of_a_record_what_it_likes() {
    let run = program!().run(|| {
        let logger = SentryLogger::new().mapper(|record| match record.level() {
            Level::Error => vec![
                RecordMapping::Breadcrumb(breadcrumb_from_record(record)),
                RecordMapping::Event(event_from_record(record).into()),
                RecordMapping::Log(log_from_record(record)),
            ],
            _ => RecordMapping::Ignore.into(),
        });
        install(logger, LevelFilter::Info);
        let _sentry = sentry::init(());
        log::warn!("ignored");
        log::error!("all three");
    });
    let Some(run) = run else { return };
    let event = run.event();
    assert_eq!(event["message"], "all three");
    assert_eq!(each(values(&event["breadcrumbs"]), "message"), ["all three"]);
    assert_eq!(each(&run.batched("log"), "body"), ["all three"]);
}

#[test]
fn an_integration_that_is_told_so_makes_no_logs() {
    let run = program!().run(|| {
        install(SentryLogger::new(), LevelFilter::Info);
        #[expect(deprecated, reason = "programs have it")]
        let _sentry = sentry::init(sentry::ClientOptions::new().enable_logs(false));
        log::error!("an event");
    });
    let Some(run) = run else { return };
    assert_eq!(run.event()["message"], "an event");
    assert_eq!(run.items("log").len(), 0);
}

#[test]
fn what_the_transport_logs_while_it_sends_hangs_nothing() {
    let run = program!().run(|| {
        let everything = SentryLogger::new().filter(|_| LogFilter::Breadcrumb | LogFilter::Log);
        install(everything, LevelFilter::Trace);
        let sentry = sentry::init(());
        for _ in 0..3 {
            log::trace!("before");
            sentry::capture_message("sent", sentry::Level::Info);
            assert!(sentry.flush(None));
        }
    });
    let Some(run) = run else { return };
    assert_eq!(run.events().len(), 3);
}
