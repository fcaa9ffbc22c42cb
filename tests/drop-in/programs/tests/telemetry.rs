//! Programs that send logs and metrics by hand.

use sentry::protocol::{LogLevel, Unit};
use sentry::{ClientOptions, Level, metrics};
use sentry::{logger_debug, logger_error, logger_fatal, logger_info, logger_trace, logger_warn};
use serde_json::json;

use crate::stage::each;

fn options() -> ClientOptions {
    ClientOptions::new().release("shop@1.0").environment("tests").server_name("till-4")
}

#[test]
fn the_macros_log_at_every_level() {
    let run = program!().run(|| {
        let _sentry = sentry::init(options());
        logger_trace!("a trace");
        logger_debug!("a {} of {}", "debug", 2);
        logger_info!(user.name = "ann", attempt = 3, ratio = 0.25, ok = true, "logged in");
        logger_warn!(cart = 7, "cart of {}", "ann");
        sentry::logger_error!("an error");
        logger_fatal!(code = 404, "fatal");
        logger_error!("last");
    });
    let Some(run) = run else { return };
    let logs = run.batched("log");
    assert_eq!(each(&logs, "level"), ["trace", "debug", "info", "warn", "error", "fatal", "error"]);
    assert_eq!(logs[1]["body"], "a debug of 2");
    let debug = &logs[1]["attributes"];
    assert_eq!(debug["sentry.message.template"]["value"], "a {} of {}");
    assert_eq!(debug["sentry.message.parameter.0"], json!({ "value": "debug", "type": "string" }));
    assert_eq!(debug["sentry.message.parameter.1"], json!({ "value": 2, "type": "integer" }));
    let info = &logs[2]["attributes"];
    assert_eq!((&info["user.name"]["value"], &info["attempt"]["value"]), (&"ann".into(), &3.into()));
    assert_eq!((&info["ratio"], &info["ok"]["value"]), (&json!({ "value": 0.25, "type": "double" }), &true.into()));
    assert_eq!((&logs[3]["attributes"]["cart"]["value"], &logs[3]["body"]), (&7.into(), &"cart of ann".into()));
    for log in &logs {
        let attributes = &log["attributes"];
        assert_eq!(attributes["sentry.release"]["value"], "shop@1.0", "{log:#}");
        assert_eq!(attributes["sentry.environment"]["value"], "tests");
        assert_eq!(attributes["server.address"]["value"], "till-4");
        assert!(
            attributes["sentry.sdk.name"]["value"].is_string() && attributes["sentry.sdk.version"]["value"].is_string()
        );
        assert!(log["timestamp"].is_number() && log["trace_id"].is_string());
    }
    let item = run.items("log")[0];
    assert_eq!(item.headers["content_type"], "application/vnd.sentry.items.log+json");
    assert_eq!(item.headers["item_count"], 7);
}

#[test]
fn logs_pass_a_callback_and_go_out_in_batches() {
    let run = program!().run(|| {
        let options = options().before_send_log(|mut log| {
            log.attributes.insert("seen".into(), true.into());
            (log.level != LogLevel::Trace).then_some(log)
        });
        let sentry = sentry::init(options);
        for number in 0..150 {
            logger_info!("number {}", number);
            logger_trace!("dropped");
        }
        assert!(sentry.flush(None));
        logger_info!("after the flush");
    });
    let Some(run) = run else { return };
    let logs = run.batched("log");
    assert_eq!(logs.len(), 151);
    assert!(logs.iter().all(|log| log["attributes"]["seen"]["value"] == true));
    let sizes: Vec<_> = run.items("log").iter().map(|item| item.headers["item_count"].as_u64().unwrap()).collect();
    assert!(sizes.iter().all(|size| *size <= 100), "{sizes:?}");
    let numbers: Vec<_> = logs.iter().map(|log| log["body"].as_str().unwrap()).collect();
    let in_order: Vec<_> =
        (0..150).map(|number| format!("number {number}")).chain(["after the flush".into()]).collect();
    assert_eq!(numbers, in_order);
    assert_eq!(run.lost("log_item", "before_send"), 150);
}

#[test]
fn metrics_of_every_kind_are_sent_with_units_and_attributes() {
    let run = program!().run(|| {
        let _sentry = sentry::init(options());
        metrics::counter("http.requests", 1).attribute("http.route", "/health").attribute("status", 200).capture();
        metrics::gauge("queue.depth", 42).unit("jobs").capture();
        metrics::distribution("http.response_time", 187.5).unit(Unit::Millisecond).capture();
        sentry::Hub::current().capture_metric(metrics::counter(String::from("by hub"), 2.0));
    });
    let Some(run) = run else { return };
    let metrics = run.batched("trace_metric");
    assert_eq!(each(&metrics, "name"), ["http.requests", "queue.depth", "http.response_time", "by hub"]);
    assert_eq!(each(&metrics, "type"), ["counter", "gauge", "distribution", "counter"]);
    let numbers: Vec<_> = metrics.iter().map(|metric| metric["value"].as_f64().unwrap()).collect();
    assert_eq!(numbers, [1.0, 42.0, 187.5, 2.0]);
    assert_eq!((&metrics[1]["unit"], &metrics[2]["unit"]), (&"jobs".into(), &"millisecond".into()));
    assert!(metrics[0].get("unit").is_none_or(serde_json::Value::is_null));
    let attributes = &metrics[0]["attributes"];
    assert_eq!((&attributes["http.route"]["value"], &attributes["status"]["value"]), (&"/health".into(), &200.into()));
    for metric in &metrics {
        assert_eq!(metric["attributes"]["sentry.release"]["value"], "shop@1.0", "{metric:#}");
        assert!(metric["timestamp"].is_number() && metric["trace_id"].is_string());
    }
    let item = run.items("trace_metric")[0];
    assert_eq!(item.headers["content_type"], "application/vnd.sentry.items.trace-metric+json");
    assert_eq!(item.headers["item_count"], 4);
}

#[test]
fn metrics_pass_a_callback() {
    let run = program!().run(|| {
        let options = options().before_send_metric(|metric| (metric.name != "secret").then_some(metric));
        let _sentry = sentry::init(options);
        metrics::counter("secret", 1).capture();
        metrics::counter("public", 1).capture();
    });
    let Some(run) = run else { return };
    assert_eq!(each(&run.batched("trace_metric"), "name"), ["public"]);
    assert_eq!(run.lost("trace_metric", "before_send"), 1);
}

#[test]
fn logs_metrics_and_errors_of_a_span_share_its_trace() {
    let run = program!().run(|| {
        let _sentry = sentry::init(options().traces_sample_rate(1.0));
        let transaction = sentry::start_transaction(sentry::TransactionContext::new("checkout", "task"));
        sentry::configure_scope(|scope| scope.set_span(Some(transaction.clone().into())));
        logger_info!("paid");
        metrics::counter("paid", 1).capture();
        sentry::capture_message("paid", Level::Info);
        transaction.finish();
    });
    let Some(run) = run else { return };
    let trace = run.payloads("transaction")[0]["contexts"]["trace"].clone();
    let log = &run.batched("log")[0];
    let metric = &run.batched("trace_metric")[0];
    assert_eq!((&log["trace_id"], &metric["trace_id"]), (&trace["trace_id"], &trace["trace_id"]));
    assert_eq!(metric["span_id"], trace["span_id"]);
    assert_eq!(run.event()["contexts"]["trace"]["trace_id"], trace["trace_id"]);
}

#[test]
fn what_is_logged_without_a_client_goes_nowhere() {
    let run = program!().env("SENTRY_DSN", "").run(|| {
        logger_info!("before");
        metrics::gauge("before", 1).capture();
        let _sentry = sentry::init(options());
        logger_error!(code = 1, "disabled {}", 1);
        metrics::counter("disabled", 1).capture();
    });
    let Some(run) = run else { return };
    assert!(run.envelopes.is_empty());
}
