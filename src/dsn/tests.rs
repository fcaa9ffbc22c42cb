//! Tests of DSNs: every form, and every way to be none.

use super::{Dsn, ParseDsnError, ParseProjectIdError, ProjectId, Scheme};

fn dsn(text: &str) -> Dsn {
    text.parse().unwrap()
}

#[test]
fn every_part_is_found() {
    let dsn = dsn("https://public:secret@example.com:8443/one/two/23%21");
    assert_eq!(dsn.scheme(), Scheme::Https);
    assert_eq!(dsn.public_key(), "public");
    assert_eq!(dsn.secret_key(), Some("secret"));
    assert_eq!(dsn.host(), "example.com");
    assert_eq!(dsn.port(), 8443);
    assert_eq!(dsn.path(), "/one/two/");
    assert_eq!(dsn.project_id(), &ProjectId::new("23%21"));
}

#[test]
fn endpoints_carry_no_keys() {
    let dsn = dsn("http://public:secret@example.com:9000/one/42");
    assert_eq!(dsn.envelope_api_url().as_str(), "http://example.com:9000/one/api/42/envelope/");
    assert_eq!(dsn.store_api_url().as_str(), "http://example.com:9000/one/api/42/store/");
}

#[test]
fn what_is_displayed_parses_to_the_same() {
    for text in [
        "https://public@example.com/42",
        "https://public:secret@example.com/42",
        "http://public@example.com:8080/a/b/c/name",
        "https://public@[::1]:9/42",
        "https://pub%20lic@example.com//42",
    ] {
        assert_eq!(dsn(text).to_string(), text);
    }
}

#[test]
fn query_fragment_and_last_slashes_are_dropped() {
    let dsn = dsn("https://public@example.com/42//?a=b#c");
    assert_eq!(dsn.to_string(), "https://public@example.com/42");
    assert_eq!(dsn, "https://public@example.com/42".parse().unwrap());
}

#[test]
fn a_missing_port_is_the_default_of_the_scheme() {
    assert_eq!(dsn("https://public@example.com/1").port(), 443);
    assert_eq!(dsn("http://public@example.com/1").port(), 80);
}

#[test]
fn what_is_not_a_dsn_says_why() {
    for (text, error) in [
        ("", ParseDsnError::InvalidUrl),
        ("random string", ParseDsnError::InvalidUrl),
        ("ftp://public@example.com/42", ParseDsnError::InvalidScheme),
        ("https://example.com/42", ParseDsnError::NoUsername),
        ("https://:secret@example.com/42", ParseDsnError::NoUsername),
        ("https://public@example.com", ParseDsnError::NoProjectId),
        ("https://public@example.com///", ParseDsnError::NoProjectId),
    ] {
        assert_eq!(text.parse::<Dsn>(), Err(error), "{text}");
    }
    assert_eq!("".parse::<ProjectId>(), Err(ParseProjectIdError::EmptyValue));
}

#[test]
fn the_organization_is_in_the_host_of_an_ingest_domain() {
    for (host, id) in [
        ("o42.ingest.sentry.io", Some(42)),
        ("o42.ingest.us.sentry.io", Some(42)),
        ("o.ingest.sentry.io", None),
        ("o+1.ingest.sentry.io", None),
        ("o1x.ingest.sentry.io", None),
        ("o99999999999999999999999.ingest.sentry.io", None),
        ("o42.sentry.io", None),
        ("x.o42.ingest.sentry.io", None),
        ("example.com", None),
    ] {
        assert_eq!(dsn(&format!("https://public@{host}/1")).org_id(), id.map(u64::into), "{host}");
    }
}

#[test]
fn the_public_form_keeps_the_secret_at_home() {
    let dsn = dsn("https://public:secret@example.com:9/one/42");
    assert_eq!(dsn.without_secret().to_string(), "https://public@example.com:9/one/42");
}

#[test]
fn serde_speaks_text() {
    let dsn = dsn("https://public@example.com/42");
    let json = serde_json::to_string(&dsn).unwrap();
    assert_eq!(json, r#""https://public@example.com/42""#);
    assert_eq!(serde_json::from_str::<Dsn>(&json).unwrap(), dsn);
    assert!(serde_json::from_str::<Dsn>("\"nothing\"").is_err());
}
