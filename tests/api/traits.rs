//! What holds for the types that users keep: where they may go, and what a panic may do to them.

use std::fmt::Debug;
use std::hash::Hash;
use std::panic::{RefUnwindSafe, UnwindSafe};

use serde::{Serialize, de::DeserializeOwned};
use vidette::protocol::{
    Attachment, Breadcrumb, Context, Envelope, EnvelopeItem, Event, IpAddress, Level, Map, ParseLevelError,
    SessionStatus, SpanId, SpanStatus, TraceId, Transaction, User, Values, debugid, map, value,
};
use vidette::types::{Auth, CodeId, DebugId, Dsn, ParseCodeIdError, ProjectId, Scheme, Uuid, UuidVariant, UuidVersion};
use vidette::{ClientOptions, Hub, HubSwitchGuard, Integration, Scope, ScopeGuard, SentryFuture, Transport};

const fn anywhere<T: Send + Sync>() {}
const fn unmoved_by_panics<T: UnwindSafe + RefUnwindSafe>() {}
const fn data<T: Clone + Debug + DeserializeOwned + PartialEq + Send + Serialize + Sync>() {}
const fn a_name<T: Clone + Copy + Debug + Eq + Hash>() {}
const fn unpinned<T: Unpin>() {}

const _: () = {
    anywhere::<ClientOptions>();
    anywhere::<Hub>();
    anywhere::<Scope>();
    anywhere::<ScopeGuard>();
    anywhere::<Envelope>();
    anywhere::<EnvelopeItem>();
    anywhere::<Attachment>();
    anywhere::<Box<dyn Integration>>();
    anywhere::<Box<dyn Transport>>();

    unmoved_by_panics::<Hub>();
    unmoved_by_panics::<HubSwitchGuard>();
    unmoved_by_panics::<Scope>();
    unmoved_by_panics::<ScopeGuard>();
    unmoved_by_panics::<SentryFuture<std::future::Ready<()>>>();

    unpinned::<SentryFuture<std::future::Ready<()>>>();

    data::<Event<'static>>();
    data::<Transaction<'static>>();
    data::<Breadcrumb>();
    data::<Context>();
    data::<User>();
    data::<Values<Level>>();
    data::<Map<String, value::Value>>();

    a_name::<Level>();
    a_name::<Scheme>();
    a_name::<SessionStatus>();
    a_name::<SpanId>();
    a_name::<SpanStatus>();
    a_name::<TraceId>();
};

/// Names of other crates that are re-exported in more than one place are the same types everywhere.
#[test]
fn a_type_is_one_type_under_all_its_names() {
    fn same<T>(_: Option<T>, _: Option<T>) {}
    same(None::<vidette::types::DebugId>, None::<debugid::DebugId>);
    same(None::<DebugId>, None::<vidette::protocol::v7::debugid::DebugId>);
    same(None::<CodeId>, None::<vidette::types::protocol::latest::debugid::CodeId>);
    same(None::<map::BTreeMap<u8, u8>>, None::<Map<u8, u8>>);
    same(None::<map::Map<u8, u8>>, None::<Map<u8, u8>>);
    same(None::<Uuid>, None::<vidette::protocol::Uuid>);
    same(None::<Level>, None::<vidette::Level>);
    same(None::<Event<'static>>, None::<vidette::types::protocol::v7::Event<'static>>);
    same(None::<Envelope>, None::<vidette::Envelope>);
    assert_eq!(vidette::types::protocol::LATEST, 7);
    assert_eq!(Uuid::nil().get_variant(), UuidVariant::NCS);
    assert_eq!(Uuid::nil().get_version(), Some(UuidVersion::Nil));
    assert!("?".parse::<CodeId>().is_ok_and(|id| id.is_nil()) || "?".parse::<CodeId>() == Err(ParseCodeIdError));
}

#[test]
fn texts_are_read_and_written_the_same() {
    for text in ["https://key:secret@sentry.example:9000/path/1", "http://key@localhost/2"] {
        assert_eq!(text.parse::<Dsn>().unwrap().to_string(), text);
    }
    assert_eq!("42".parse::<ProjectId>().unwrap().value(), "42");
    assert!("Sentry sentry_key=key".parse::<Auth>().is_ok());
    assert!(matches!("loud".parse::<Level>(), Err(ParseLevelError)));
    assert_eq!("{{auto}}".parse::<IpAddress>().unwrap(), IpAddress::Auto);
    assert!(SessionStatus::Ok < SessionStatus::Crashed);
}
