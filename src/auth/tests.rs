//! Tests of the authentication header.

use std::time::{Duration, SystemTime};

use super::{Auth, ParseAuthError};
use crate::dsn::Dsn;

#[test]
fn every_field_of_a_header_is_read() {
    let auth: Auth = "sentry sentry_timestamp=1328055286.5, sentry_client=raven-python/42,\
        sentry_version=6, sentry_key=public,sentry_secret=secret,unknown=1, nonsense"
        .parse()
        .unwrap();
    assert_eq!(auth.timestamp(), Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_328_055_286_500)));
    assert_eq!(auth.client_agent(), Some("raven-python/42"));
    assert_eq!(auth.version(), 6);
    assert_eq!(auth.public_key(), "public");
    assert_eq!(auth.secret_key(), Some("secret"));
    assert!(!auth.is_public());
}

#[test]
fn a_query_is_percent_decoded() {
    let auth = Auth::from_querystring(b"sentry_client=me%2F1+0&sentry_key=public").unwrap();
    assert_eq!(auth.client_agent(), Some("me/1 0"));
    assert_eq!(auth.version(), 7);
    assert!(auth.is_public());
}

#[test]
fn what_is_displayed_parses_to_the_same() {
    let dsn: Dsn = "https://public:secret@example.com/42".parse().unwrap();
    let auth = dsn.to_auth(Some("me/1.0"));
    let text = "Sentry sentry_key=public, sentry_version=7, sentry_client=me/1.0, sentry_secret=secret";
    assert_eq!(auth.to_string(), text);
    assert_eq!(text.parse::<Auth>().unwrap(), auth);
}

#[test]
fn what_is_no_proof_says_why() {
    for (text, error) in [
        ("", ParseAuthError::NonSentryAuth),
        ("Sentry", ParseAuthError::NonSentryAuth),
        ("Basic sentry_key=public", ParseAuthError::NonSentryAuth),
        ("Sentry sentry_version=7", ParseAuthError::MissingPublicKey),
        ("Sentry sentry_key=", ParseAuthError::MissingPublicKey),
        ("Sentry sentry_key=public, sentry_version=70000", ParseAuthError::InvalidVersion),
    ] {
        assert_eq!(text.parse::<Auth>(), Err(error), "{text}");
    }
}

#[test]
fn a_time_out_of_range_is_no_time() {
    for text in ["-1", "NaN", "inf", "1e300", "yesterday"] {
        let header = format!("Sentry sentry_key=public, sentry_timestamp={text}");
        assert_eq!(header.parse::<Auth>().unwrap().timestamp(), None, "{text}");
    }
}
