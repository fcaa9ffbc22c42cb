//! Services of `tower` without HTTP, as the documentation of `sentry-tower` would have them: with a hub that was made
//! for all requests, and with one that the request chooses.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use receiver::Receiver;
use sentry::integrations::tower::{NewSentryLayer, SentryLayer};
use sentry::{Client, ClientOptions, Hub, Level};
use services::Arrived;
use tower::{Service, ServiceBuilder, ServiceExt};

/// A client that sends to the receiver, and a hub of it for each of these tenants.
fn hubs(receiver: &Receiver, tenants: &[&'static str]) -> (Arc<Client>, HashMap<&'static str, Arc<Hub>>) {
    _ = rustls::crypto::ring::default_provider().install_default();
    let options = sentry::apply_defaults(ClientOptions::new().default_integrations(false));
    let client = Arc::new(Client::from((receiver.dsn(), options)));
    let hub = |tenant: &&'static str| {
        let hub = Hub::new(Some(Arc::clone(&client)), Arc::default());
        hub.configure_scope(|scope| scope.set_tag("tenant", *tenant));
        (*tenant, Arc::new(hub))
    };
    let hubs = tenants.iter().map(hub).collect();
    (client, hubs)
}

async fn greet(tenant: &'static str) -> Result<String, Infallible> {
    sentry::add_breadcrumb(sentry::Breadcrumb { message: Some(format!("greeting {tenant}")), ..Default::default() });
    tokio::task::yield_now().await;
    sentry::capture_message(&format!("hello {tenant}"), Level::Info);
    Ok(format!("hello {tenant}"))
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

fn breadcrumbs(event: &serde_json::Value) -> usize {
    let values = event["breadcrumbs"]["values"].as_array().or_else(|| event["breadcrumbs"].as_array());
    values.map_or(0, Vec::len)
}

#[test]
fn the_request_chooses_its_hub() {
    let receiver = Receiver::start();
    let (client, hubs) = hubs(&receiver, &["ada", "bob"]);
    block_on(async {
        let service = ServiceBuilder::new()
            .layer(SentryLayer::new(move |tenant: &&'static str| Arc::clone(&hubs[tenant])))
            .service_fn(greet);
        let both = ["ada", "bob"].map(|tenant| tokio::spawn(service.clone().oneshot(tenant)));
        for greeted in both {
            greeted.await.unwrap().unwrap();
        }
    });
    assert!(client.close(None));
    let arrived = Arrived::at(&receiver);
    for tenant in ["ada", "bob"] {
        let event = arrived.event(&format!("hello {tenant}"));
        assert_eq!(event["tags"]["tenant"], tenant);
        assert_eq!(breadcrumbs(&event), 1);
    }
}

#[test]
fn one_hub_for_all_requests_keeps_what_they_leave() {
    let receiver = Receiver::start();
    let (client, hubs) = hubs(&receiver, &["ada"]);
    block_on(async {
        let layer = SentryLayer::<_, _, &'static str>::new(Arc::clone(&hubs["ada"]));
        let mut service = ServiceBuilder::new().layer(layer).service_fn(greet);
        for tenant in ["first", "second"] {
            service.ready().await.unwrap().call(tenant).await.unwrap();
        }
    });
    assert!(client.close(None));
    let arrived = Arrived::at(&receiver);
    assert_eq!(breadcrumbs(&arrived.event("hello first")), 1);
    assert_eq!(breadcrumbs(&arrived.event("hello second")), 2);
}

#[test]
fn a_new_hub_for_each_request_starts_from_the_current_one() {
    let receiver = Receiver::start();
    let (client, hubs) = hubs(&receiver, &["ada"]);
    let hub = Arc::clone(&hubs["ada"]);
    hub.add_breadcrumb(sentry::Breadcrumb { message: Some("before".to_owned()), ..Default::default() });
    Hub::run(Arc::clone(&hub), || {
        let layer = NewSentryLayer::<&'static str>::new_from_top();
        let mut service = ServiceBuilder::new().layer(layer).service_fn(greet);
        let calls = ["first", "second"].map(|tenant| service.call(tenant));
        block_on(async {
            for call in calls {
                call.await.unwrap();
            }
        });
    });
    assert_eq!(hub.last_event_id(), None);
    assert!(client.close(None));
    let arrived = Arrived::at(&receiver);
    for tenant in ["first", "second"] {
        let event = arrived.event(&format!("hello {tenant}"));
        assert_eq!(breadcrumbs(&event), 2);
        assert_eq!(event["tags"]["tenant"], "ada");
    }
}
