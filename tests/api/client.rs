//! Clients, and what hubs have to do with them.

use std::sync::Arc;
use std::time::Duration;

use vidette::client_report::{Reason, Recorder};
use vidette::protocol::Event;
use vidette::types::{Dsn, Uuid};
use vidette::{Client, ClientOptions, Envelope, Hub, HubSwitchGuard, Scope};

const _: fn(ClientOptions) -> Client = Client::with_options;
const _: fn(&'static str) -> Client = Client::from_config::<&'static str>;
const _: fn(&Client, Event<'static>, Option<&Scope>) -> Uuid = Client::capture_event;
const _: fn(&Client, Event<'static>, Option<&Scope>) -> Option<Event<'static>> = Client::prepare_event;
const _: fn(&Client, Envelope) = Client::send_envelope;
const _: fn(&Client, Option<Duration>) -> bool = Client::flush;
const _: fn(&Client, Option<Duration>) -> bool = Client::close;
const _: fn(&Client) -> Option<&Dsn> = Client::dsn;
const _: fn(&Client) -> &ClientOptions = Client::options;
const _: fn(&Client) -> bool = Client::is_enabled;
const _: fn(&Client, f32) -> bool = Client::sample_should_send;

const _: fn(Option<Arc<Client>>, Arc<Scope>) -> Hub = Hub::new;
const _: fn(&'static Hub) -> Hub = Hub::new_from_top::<&'static Hub>;
const _: fn(Arc<Hub>) -> Hub = Hub::new_from_top::<Arc<Hub>>;
const _: fn() -> Arc<Hub> = Hub::current;
const _: fn() -> Arc<Hub> = Hub::main;
const _: fn(Arc<Hub>, fn() -> u8) -> u8 = Hub::run::<fn() -> u8, u8>;
const _: fn(&Hub) -> Option<Arc<Client>> = Hub::client;
const _: fn(&Hub, Option<Arc<Client>>) = Hub::bind_client;
const _: fn(Arc<Hub>) -> HubSwitchGuard = HubSwitchGuard::new;

const _: fn(&Recorder, &Envelope, Reason) = Recorder::record_lost_data::<Envelope>;

#[test]
fn a_client_is_made_of_whatever_options_are_made_of() {
    let dsn = "https://key@sentry.example/1";
    assert_eq!(Client::from(dsn).dsn().unwrap().to_string(), dsn);
    assert!(!Client::from((dsn, ClientOptions::new())).is_enabled(), "there is no transport");
    Recorder::default().record_lost_data(&Envelope::from(Event::default()), Reason::NetworkError);
}
