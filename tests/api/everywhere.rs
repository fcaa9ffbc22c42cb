//! Hubs, scopes, options and free functions: there in every build.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use vidette::protocol::{Attachment, Context, Event, OrganizationId, Value};
use vidette::types::{Dsn, ParseDsnError, Uuid};
use vidette::{
    Breadcrumb, ClientOptions, Hub, Integration, IntoDsn, Level, MaxRequestBodySize, Scope, ScopeGuard, SentryFuture,
    TransportOptions, User,
};

const _: fn(&Hub, Event<'static>) -> Uuid = Hub::capture_event;
const _: fn(&Hub, &str, Level) -> Uuid = Hub::capture_message;
const _: fn(&Hub, &Failure) -> Uuid = Hub::capture_error::<Failure>;
const _: fn(&Hub, Vec<Breadcrumb>) = Hub::add_breadcrumb::<Vec<Breadcrumb>>;
const _: fn(&Hub, Option<Breadcrumb>) = Hub::add_breadcrumb::<Option<Breadcrumb>>;
const _: fn(&Hub) -> ScopeGuard = Hub::push_scope;
const _: fn(&Hub, fn(&mut Scope) -> u8) -> u8 = Hub::configure_scope::<fn(&mut Scope) -> u8, u8>;
const _: fn(&Hub, fn(&mut Scope), fn() -> u8) -> u8 = Hub::with_scope::<fn(&mut Scope), fn() -> u8, u8>;
const _: fn(&Hub, fn(&Part) -> u8) -> u8 = Hub::with_integration::<Part, fn(&Part) -> u8, u8>;
const _: fn(&Hub) -> Option<Uuid> = Hub::last_event_id;
const _: fn(fn(&Arc<Hub>) -> u8) -> u8 = Hub::with_active::<fn(&Arc<Hub>) -> u8, u8>;

const _: fn(Event<'static>) -> Uuid = vidette::capture_event;
const _: fn(&str, Level) -> Uuid = vidette::capture_message;
const _: fn(&Failure) -> Uuid = vidette::capture_error::<Failure>;
const _: fn(&Failure) -> Event<'static> = vidette::event_from_error::<Failure>;
const _: fn(&str) -> &str = vidette::parse_type_from_debug;
const _: fn(fn() -> Breadcrumb) = vidette::add_breadcrumb::<fn() -> Breadcrumb>;
const _: fn(fn(&mut Scope)) = vidette::configure_scope::<fn(&mut Scope), ()>;
const _: fn(fn(&mut Scope), fn() -> u8) -> u8 = vidette::with_scope::<fn(&mut Scope), fn() -> u8, u8>;
const _: fn(fn(&Part, &Hub) -> u8) -> u8 = vidette::with_integration::<Part, fn(&Part, &Hub) -> u8, u8>;
const _: fn() -> Option<Uuid> = vidette::last_event_id;
const _: fn(&str) -> bool = vidette::utils::is_sensitive_header;
const _: fn(url::Url) -> url::Url = vidette::utils::scrub_pii_from_url;

const _: fn(&mut Scope, Option<Level>) = Scope::set_level;
const _: fn(&mut Scope, Option<&[&str]>) = Scope::set_fingerprint;
const _: fn(&mut Scope, Option<&str>) = Scope::set_transaction;
const _: fn(&mut Scope, Option<User>) = Scope::set_user;
const _: fn(&Scope) -> Option<&User> = Scope::user;
const _: fn(&mut Scope, &str, u8) = Scope::set_tag::<u8>;
const _: fn(&mut Scope, &str) = Scope::remove_tag;
const _: fn(&mut Scope, &str, Context) = Scope::set_context::<Context>;
const _: fn(&mut Scope, &str) = Scope::remove_context;
const _: fn(&mut Scope, &str, Value) = Scope::set_extra;
const _: fn(&mut Scope, &str) = Scope::remove_extra;
const _: fn(&mut Scope, Attachment) = Scope::add_attachment;
const _: fn(&mut Scope, Processor) = Scope::add_event_processor::<Processor>;
const _: fn(&mut Scope) = Scope::clear;
const _: fn(&mut Scope) = Scope::clear_attachments;
const _: fn(&mut Scope) = Scope::clear_breadcrumbs;
const _: fn(&Scope, Event<'static>) -> Option<Event<'static>> = Scope::apply_to_event;

const _: fn() -> ClientOptions = ClientOptions::new;
const _: fn(ClientOptions, &str) -> ClientOptions = ClientOptions::dsn;
const _: fn(ClientOptions, &'static str) -> ClientOptions = ClientOptions::release::<&'static str>;
const _: fn(ClientOptions, Option<Text>) -> ClientOptions = ClientOptions::maybe_release::<Text>;
const _: fn(ClientOptions, String) -> ClientOptions = ClientOptions::environment::<String>;
const _: fn(ClientOptions, Part) -> ClientOptions = ClientOptions::add_integration::<Part>;
const _: fn(ClientOptions, MaxRequestBodySize) -> ClientOptions = ClientOptions::max_request_body_size;
const _: fn(ClientOptions, OrganizationId) -> ClientOptions = ClientOptions::org_id;
const _: fn(ClientOptions, f32) -> ClientOptions = ClientOptions::sample_rate;
const _: fn(ClientOptions, usize) -> ClientOptions = ClientOptions::transport_channel_capacity;
const _: fn(&ClientOptions) -> Option<TransportOptions> = TransportOptions::try_from_client_options;
const _: fn(&'static str) -> Result<Option<Dsn>, ParseDsnError> = <&'static str as IntoDsn>::into_dsn;
const _: fn(Arc<Hub>, Task) -> SentryFuture<Task> = SentryFuture::<Task>::new;

type Processor = fn(Event<'static>) -> Option<Event<'static>>;
type Failure = dyn Error + 'static;
type Task = std::future::Ready<()>;
type Text = Cow<'static, str>;

struct Part;
impl Integration for Part {}

#[test]
fn a_release_is_the_package_with_its_version() {
    let release: Option<Cow<'static, str>> = vidette::release_name!();
    assert_eq!(release.as_deref(), Some(concat!("vidette@", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn options_are_made_of_what_the_api_takes() {
    let dsn = "https://key@sentry.example/1";
    for options in [ClientOptions::from(dsn), ClientOptions::from((dsn, ClientOptions::new().debug(true)))] {
        assert_eq!(options.dsn.unwrap().to_string(), dsn);
    }
    assert_eq!(ClientOptions::from(()).dsn, None);
}

#[test]
fn a_guard_made_by_default_pops_nothing() {
    drop(ScopeGuard::default());
}
