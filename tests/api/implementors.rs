//! The traits that users implement, with no more than the peer asks for.

use std::sync::Arc;
use std::time::Duration;

use vidette::protocol::Event;
use vidette::types::{Dsn, ParseDsnError};
use vidette::{
    Breadcrumb, ClientOptions, Envelope, Integration, IntoBreadcrumbs, IntoDsn, Transport, TransportFactory,
    TransportOptions,
};

struct Sink;

impl Transport for Sink {
    fn send_envelope(&self, _: Envelope) {}
}

struct Modern;

impl TransportFactory for Modern {
    fn create_transport_with_options(&self, _: TransportOptions) -> Arc<dyn Transport> {
        Arc::new(Sink)
    }
}

struct Legacy;

impl TransportFactory for Legacy {
    fn create_transport(&self, _: &ClientOptions) -> Arc<dyn Transport> {
        Arc::new(Sink)
    }
}

struct Neither;

impl TransportFactory for Neither {}

struct Silent;

impl Integration for Silent {}

struct Twice;

impl IntoBreadcrumbs for Twice {
    type Output = std::array::IntoIter<Breadcrumb, 2>;

    fn into_breadcrumbs(self) -> Self::Output {
        [Breadcrumb::default(), Breadcrumb::default()].into_iter()
    }
}

struct Home;

impl IntoDsn for Home {
    fn into_dsn(self) -> Result<Option<Dsn>, ParseDsnError> {
        "https://key@sentry.example/1".parse().map(Some)
    }
}

#[test]
fn a_factory_needs_one_of_its_methods_only() {
    let with_dsn = ClientOptions::from(Home);
    let closure = |_: &ClientOptions| Arc::new(Sink) as Arc<dyn Transport>;
    let factories: [&dyn TransportFactory; 5] = [&Modern, &Legacy, &Neither, &closure, &Arc::new(Sink)];
    for factory in factories {
        let options = TransportOptions::try_from_client_options(&with_dsn).unwrap();
        for transport in [factory.create_transport_with_options(options), old_way(factory, &with_dsn)] {
            transport.send_envelope(Envelope::new());
            assert!(transport.flush(Duration::ZERO) && transport.shutdown(Duration::ZERO));
        }
        old_way(factory, &ClientOptions::new()).send_envelope(Envelope::new());
    }
}

fn old_way(factory: &dyn TransportFactory, options: &ClientOptions) -> Arc<dyn Transport> {
    #[expect(deprecated, reason = "it is there, so it is tried")]
    factory.create_transport(options)
}

#[test]
fn an_integration_needs_nothing() {
    let mut options = ClientOptions::new();
    Silent.setup(&mut options);
    assert!(Silent.name().ends_with("Silent"));
    assert!(Silent.process_event(Event::default(), &options).is_some());
}

#[test]
fn breadcrumbs_come_from_whatever_says_so() {
    assert_eq!(Twice.into_breadcrumbs().count(), 2);
    assert_eq!((|| Twice).into_breadcrumbs().count(), 2, "what a closure makes counts too");
    vidette::add_breadcrumb(Twice);
}
