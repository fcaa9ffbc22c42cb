//! Where a client's DSN comes from, and what it makes of a bad one.

use std::panic::catch_unwind;

use crate::rig::Keeper;
use vidette::types::Dsn;
use vidette::{Client, ClientOptions, IntoDsn};

#[test]
fn options_come_from_all_that_can_be_a_dsn() {
    let text = "https://key@sentry.invalid/sub/7";
    let dsn: Dsn = text.parse().unwrap();
    let all = [
        ClientOptions::from(text),
        ClientOptions::from(dsn.clone()),
        ClientOptions::from((text, ClientOptions::new())),
        ClientOptions::from((Some(dsn.clone()), ClientOptions::new())),
        ClientOptions::new().dsn(text),
    ];
    assert!(all.into_iter().all(|options| options.dsn.as_ref() == Some(&dsn)));
    assert_eq!(ClientOptions::from(()).dsn, None);
    assert_eq!("".into_dsn().unwrap(), None);
}

#[test]
fn a_malformed_dsn_is_an_error_where_it_can_be_handled_and_a_panic_where_it_was_typed_in() {
    for bad in ["no dsn", "https://sentry.invalid/1", "https://key@sentry.invalid/", "ftp://key@sentry.invalid/1"] {
        assert!(bad.into_dsn().is_err(), "{bad}");
        assert!(catch_unwind(|| ClientOptions::new().dsn(bad)).is_err(), "{bad}");
        assert!(catch_unwind(|| ClientOptions::from(bad)).is_err(), "{bad}");
    }
}

#[test]
fn a_client_is_open_if_it_has_a_dsn_and_a_transport() {
    let transport = || ClientOptions::new().transport(Keeper::new());
    assert!(Client::from_config(("https://key@sentry.invalid/1", transport())).is_enabled());
    assert!(!Client::from_config(transport()).is_enabled());
    assert!(!Client::from_config("https://key@sentry.invalid/1").is_enabled());
}

#[test]
fn envelopes_carry_the_dsn_and_the_sdk() {
    let rig = crate::rig::Rig::new();
    assert!(crate::rig::capture(&rig.hub, "event"));
    let mut bytes = Vec::new();
    rig.transport.take_envelopes()[0].to_writer(&mut bytes).unwrap();
    let headers = String::from_utf8(bytes).unwrap();
    let headers: serde_json::Value = serde_json::from_str(headers.lines().next().unwrap()).unwrap();
    assert_eq!(headers["dsn"], rig.client.dsn().unwrap().to_string());
    assert_eq!(headers["sdk"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(headers["sent_at"].is_string() && headers["event_id"].is_string());
}
