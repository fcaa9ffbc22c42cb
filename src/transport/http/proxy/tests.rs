//! Which proxy is chosen, and which texts are none.

use std::error::Error;

use super::*;

fn options(dsn: &str) -> TransportOptions {
    TransportOptions::new(dsn.parse().unwrap())
}

/// The proxy's URL for `options`, or an empty text for none.
fn chosen(options: &TransportOptions, env: &[(&str, &str)]) -> String {
    let look_up = |name: &str| {
        let found = env.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let proxy = choose(options, look_up).unwrap();
    proxy.map_or(String::new(), |proxy| proxy.uri().to_string())
}

const HTTP: &str = "http://key@sentry.example:9000/1";
const HTTPS: &str = "https://key@o1.sentry.example/1";

#[test]
fn options_win_over_the_environment_and_over_its_exceptions() {
    let mut options = options(HTTPS);
    options.https_proxy = Some("http://one:1".into());
    let env = [("HTTPS_PROXY", "http://two:2"), ("NO_PROXY", "*")];
    assert_eq!(chosen(&options, &env), "http://one:1/");
    options.https_proxy = Some("".into());
    assert_eq!(chosen(&options, &env[..1]), "");
}

#[test]
fn https_falls_back_to_the_proxy_for_http() {
    let mut options = options(HTTPS);
    assert_eq!(chosen(&options, &[("http_proxy", "http://a:1")]), "http://a:1/");
    options.http_proxy = Some("http://b:2".into());
    assert_eq!(chosen(&options, &[]), "http://b:2/");
    assert_eq!(chosen(&options, &[("https_proxy", "http://c:3")]), "http://c:3/");
}

#[test]
fn http_never_takes_the_proxy_for_https() {
    let mut options = options(HTTP);
    options.https_proxy = Some("http://a:1".into());
    assert_eq!(chosen(&options, &[("HTTPS_PROXY", "http://b:2")]), "");
    assert_eq!(chosen(&options, &[("HTTP_PROXY", "http://c:3")]), "http://c:3/");
}

#[test]
fn empty_variables_are_as_good_as_none() {
    let env = [("HTTP_PROXY", " "), ("http_proxy", "a:1"), ("NO_PROXY", ""), ("no_proxy", "other")];
    assert_eq!(chosen(&options(HTTP), &env), "http://a:1/");
}

#[test]
fn a_request_cannot_name_our_proxy() {
    let env = [("HTTP_PROXY", "http://evil:1"), ("REQUEST_METHOD", "GET")];
    assert_eq!(chosen(&options(HTTP), &env), "");
    assert_eq!(chosen(&options(HTTPS), &env), "");
}

#[test]
fn exceptions_name_a_host_its_domain_or_everything() {
    let exempt = |list| is_exempt("o1.Sentry.example", 443, list);
    for list in ["*", "o1.sentry.example", "a, .sentry.example ", "*.sentry.example", "SENTRY.example:443", "example"] {
        assert!(exempt(list), "{list}");
    }
    for list in
        ["", ",", ".", "entry.example", "sentry.example:80", "1.sentry.example", "x.o1.sentry.example", "sentry"]
    {
        assert!(!exempt(list), "{list}");
    }
}

#[test]
fn exceptions_know_addresses() {
    assert!(is_exempt("127.0.0.1", 80, "127.0.0.1"));
    assert!(!is_exempt("127.0.0.1", 80, "127.0.0.2,127.0.0.1:81"));
    assert!(is_exempt("[::1]", 80, "::1"));
    assert!(is_exempt("[::1]", 80, "[::1]:80"));
    assert!(!is_exempt("[::1]", 80, "[::1]:81"));
}

#[test]
fn loopback_goes_through_the_proxy_unless_excepted() {
    let options = options("http://key@localhost/1");
    let proxy = ("http_proxy", "http://a:1");
    assert_eq!(chosen(&options, &[proxy]), "http://a:1/");
    assert_eq!(chosen(&options, &[proxy, ("no_proxy", "localhost")]), "");
}

#[test]
fn a_bad_proxy_is_an_error_that_keeps_the_password() {
    for bad in ["http://user:secret@", "secret word", "ftp://secret:1", "http://secret:99999", "/secret"] {
        let mut options = options(HTTP);
        options.http_proxy = Some(bad.into());
        let error = choose(&options, |_| None).unwrap_err();
        assert!(matches!(error, HttpTransportError::InvalidProxy(_)), "{bad}: {error:?}");
        let told = format!("{error} {error:?} {:?}", error.source().map(ToString::to_string));
        assert!(!told.contains("secret"), "{told}");
    }
}

#[test]
fn a_proxy_in_the_environment_may_be_wrong_too() {
    let error = choose(&options(HTTP), |name| (name == "HTTP_PROXY").then(|| "socks5://a:1".into()));
    assert!(matches!(error, Err(HttpTransportError::UnsupportedProxy)));
}
