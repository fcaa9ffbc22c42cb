//! Metrics: what each sample says, and what becomes of it.

use std::sync::Arc;

use vidette::protocol::client_report::{Category, Reason};
use vidette::protocol::{Metric, MetricType, Unit, User};
use vidette::wire::{EnvelopeItem, ItemContainer};
use vidette::{ClientOptions, Envelope, Hub, Scope, metrics};

use crate::rig::{Gate, PATIENCE, Probe, Rig, assert_settled, client, discarded_of, eventually, hub};

fn metrics_in(envelope: &Envelope) -> Vec<Metric> {
    let items = envelope.items().filter_map(|item| match item {
        EnvelopeItem::ItemContainer(ItemContainer::Metrics(metrics)) => Some(metrics.clone()),
        _ => None,
    });
    items.flatten().collect()
}

impl Rig {
    /// The metrics that `body` captures.
    fn metrics(&self, body: impl FnOnce()) -> Vec<Metric> {
        self.run(body);
        assert!(self.client.flush(Some(PATIENCE)));
        self.transport.take_envelopes().iter().flat_map(metrics_in).collect()
    }
}

#[test]
fn each_kind_says_what_it_was_given() {
    let samples = Rig::new().metrics(|| {
        metrics::counter("requests", 1).attribute("route", "/cart").attribute("route", "/pay").capture();
        metrics::gauge(String::from("load"), 0.5_f32).unit("ratio").capture();
        metrics::distribution("time", 7_u32).unit("furlong").unit(Unit::Millisecond).attribute("cold", true).capture();
    });
    let said: Vec<_> = samples
        .iter()
        .map(|metric| (metric.r#type, &*metric.name, metric.value, metric.unit.clone(), metric.span_id))
        .collect();
    let expected = [
        (MetricType::Counter, "requests", 1.0, None, None),
        (MetricType::Gauge, "load", 0.5, Some(Unit::Ratio), None),
        (MetricType::Distribution, "time", 7.0, Some(Unit::Millisecond), None),
    ];
    assert_eq!(said, expected);
    assert_eq!(samples[0].attributes["route"], "/pay".into());
    assert_eq!(samples[2].attributes["cold"], true.into());
    assert!(samples.iter().all(|metric| metric.trace_id == samples[0].trace_id));
}

#[test]
fn what_the_client_and_the_scope_know_is_added() {
    for with_user in [true, false] {
        let rig = Rig::with(ClientOptions::new().release("r@1").environment("test").send_default_pii(with_user));
        rig.hub.configure_scope(|scope| scope.set_user(Some(User { id: Some("7".into()), ..User::default() })));
        let samples = rig.metrics(|| metrics::counter("c", 1).attribute("sentry.release", "own").capture());
        let version = env!("CARGO_PKG_VERSION");
        let mut expected = vec![
            ("sentry.environment", "test".into()),
            ("sentry.release", "own".into()),
            ("sentry.sdk.name", "sentry.rust.vidette".into()),
            ("sentry.sdk.version", version.into()),
        ];
        if with_user {
            expected.push(("user.id", "7".into()));
        }
        assert_eq!(samples[0].attributes, expected.into_iter().map(|(name, value)| (name.into(), value)).collect());
    }
}

#[test]
fn a_metric_that_names_a_user_gets_nothing_of_another() {
    let rig = Rig::with(ClientOptions::new().send_default_pii(true));
    let user = User { id: Some("7".into()), email: Some("ann@example.com".into()), ..User::default() };
    rig.hub.configure_scope(|scope| scope.set_user(Some(user)));
    let samples = rig.metrics(|| metrics::counter("c", 1).attribute("user.name", "bob").capture());
    let of_users = samples[0].attributes.iter().filter(|(name, _)| name.starts_with("user."));
    assert_eq!(of_users.collect::<Vec<_>>(), [(&"user.name".into(), &"bob".into())]);
}

#[test]
fn a_callback_may_change_a_metric_drop_it_or_panic() {
    let options = ClientOptions::new().release("r@1").before_send_metric(|mut metric| match &*metric.name {
        "drop" => None,
        "panic" => panic!("on purpose"),
        _ => {
            metric.value += 1.0;
            metric.attributes.remove("sentry.release").map(|_| metric)
        }
    });
    let rig = Rig::with(options);
    let samples =
        rig.metrics(|| ["drop", "panic", "keep"].into_iter().for_each(|name| metrics::counter(name, 1).capture()));
    assert_eq!(samples.len(), 1);
    assert_eq!((samples[0].value, samples[0].attributes.contains_key("sentry.release")), (2.0, false));
    let stats = rig.client.stats();
    assert_settled(&stats);
    assert_eq!(discarded_of(&stats, Category::TraceMetric, Reason::BeforeSend), 2);
    assert!(discarded_of(&stats, Category::TraceMetricByte, Reason::BeforeSend) > 20);
}

#[test]
fn a_metric_that_is_too_large_is_dropped_and_the_others_are_sent() {
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let options =
        ClientOptions::new().debug(true).diagnostics(move |_, text| log.lock().unwrap().push(text.to_string()));
    let rig = Rig::with(options);
    let samples = rig.metrics(|| {
        for length in [1_000, 3_000, 10] {
            metrics::counter("large", 1).attribute("text", "x".repeat(length)).capture();
        }
    });
    assert_eq!(samples.len(), 2);
    assert_eq!(discarded_of(&rig.client.stats(), Category::TraceMetric, Reason::Invalid), 1);
    assert!(told.lock().unwrap().iter().any(|text| text.contains("\"large\"") && text.contains("2048")));
    assert_settled(&rig.client.stats());
}

#[test]
fn metrics_leave_in_hundreds() {
    let probe = Probe::new(Gate::opened());
    let client = client(ClientOptions::new().transport(Arc::clone(&probe)));
    Hub::run(hub(&client), || (0..120).for_each(|n| metrics::gauge("n", n).capture()));
    eventually("a hundred are sent unasked", || client.stats().handed_over(Category::TraceMetric) == 100);
    assert!(client.close(Some(PATIENCE)));
    let sent: Vec<_> = probe.take().iter().map(metrics_in).collect();
    assert!(sent.iter().map(Vec::len).eq([100, 20]));
    assert!(sent.concat().iter().map(|metric| metric.value).eq((0..120).map(f64::from)));
    assert_settled(&client.stats());
}

#[test]
fn a_client_captures_a_metric_under_any_scope() {
    let rig = Rig::new();
    let samples = rig.metrics(|| {
        rig.client.capture_metric(metrics::counter("c", 1), &Scope::default());
        rig.hub.capture_metric(metrics::gauge("g", 1));
    });
    assert_eq!(samples.len(), 2);
    assert_ne!(samples[0].trace_id, samples[1].trace_id);
}

#[test]
fn a_metric_without_a_client_is_nothing() {
    metrics::counter("c", 1).attribute("k", "v").capture();
    Hub::new(None, Arc::default()).capture_metric(metrics::gauge("g", 1));
}
