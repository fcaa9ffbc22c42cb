//! The HTTP transports of `sentry`, each as a program would choose it.

use std::sync::Arc;
use std::time::Duration;

use receiver::Receiver;
use sentry::transports::{ReqwestHttpTransportOptions, UreqHttpTransportOptions};
use sentry::{Client, ClientOptions, Hub, Level, TransactionContext, Transport, TransportFactory, TransportOptions};
use services::Arrived;

#[derive(Clone, Copy, Debug)]
enum By {
    Reqwest,
    Ureq,
}

impl TransportFactory for By {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        match self {
            Self::Reqwest => Arc::new(ReqwestHttpTransportOptions::from(options).build()),
            Self::Ureq => Arc::new(UreqHttpTransportOptions::from(options).build()),
        }
    }
}

/// A client with that transport, and the hub it is bound to.
fn bind(by: By, receiver: &Receiver) -> (Arc<Client>, Arc<Hub>) {
    _ = rustls::crypto::ring::default_provider().install_default();
    let options = ClientOptions::new().release("shop@1.4.2").traces_sample_rate(1.0).transport(by);
    let client = Arc::new(Client::from((receiver.dsn(), options)));
    let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default()));
    (client, hub)
}

fn everything_arrives(by: By) {
    let receiver = Receiver::start();
    let (client, hub) = bind(by, &receiver);
    Hub::run(hub, || {
        for id in 0..20 {
            sentry::capture_message(&format!("message {id}"), Level::Warning);
            if id == 9 {
                assert!(client.flush(Some(Duration::from_secs(10))));
                assert!(receiver.wait_until(Duration::ZERO, |envelopes| envelopes.len() == 10));
            }
        }
        sentry::start_transaction(TransactionContext::new("visit", "http.server")).finish();
    });
    assert!(client.close(Some(Duration::from_secs(10))));
    let arrived = Arrived::at(&receiver);
    for id in 0..20 {
        let event = arrived.event(&format!("message {id}"));
        assert_eq!(event["release"], "shop@1.4.2");
    }
    arrived.transaction("visit");
    for envelope in arrived.envelopes() {
        let auth = envelope.request.header("X-Sentry-Auth").unwrap();
        assert!(auth.contains("sentry_client="), "{auth}");
    }
}

#[test]
fn everything_arrives_by_reqwest() {
    everything_arrives(By::Reqwest);
}

#[test]
fn everything_arrives_by_ureq() {
    everything_arrives(By::Ureq);
}

fn what_the_server_limits_is_reported(by: By) {
    let receiver = Receiver::start();
    let (client, hub) = bind(by, &receiver);
    let limit = Duration::from_secs(10);
    Hub::run(hub, || {
        receiver.answer(200, &[("X-Sentry-Rate-Limits", "60:error:organization")]);
        sentry::capture_message("the last one", Level::Error);
        assert!(client.flush(Some(limit)));
        receiver.answer(200, &[]);
        sentry::capture_message("too much", Level::Error);
        sentry::capture_message("too much again", Level::Error);
        assert!(client.flush(Some(limit)));
        sentry::start_transaction(TransactionContext::new("visit", "http.server")).finish();
        assert!(client.close(Some(limit)));
    });
    let arrived = Arrived::at(&receiver);
    assert_eq!(arrived.events().len(), 1);
    arrived.transaction("visit");
    let reports = arrived.items("client_report");
    let discarded = reports.iter().flat_map(|report| report["discarded_events"].as_array().unwrap());
    let limited = discarded.filter(|entry| entry["reason"] == "ratelimit_backoff" && entry["category"] == "error");
    assert_eq!(limited.map(|entry| entry["quantity"].as_u64().unwrap()).sum::<u64>(), 2, "{reports:#?}");
}

#[test]
fn what_the_server_limits_is_reported_by_reqwest() {
    what_the_server_limits_is_reported(By::Reqwest);
}

#[test]
fn what_the_server_limits_is_reported_by_ureq() {
    what_the_server_limits_is_reported(By::Ureq);
}
