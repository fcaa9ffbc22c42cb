//! Options that make no HTTP transport, and what is read from answers.

use std::error::Error;
use std::path::PathBuf;

use ureq::http::header::HeaderMap;

use super::*;

fn options() -> TransportOptions {
    TransportOptions::new("https://key@sentry.example/1".parse().unwrap())
}

fn refusal(options: &TransportOptions) -> HttpTransportError {
    HttpTransport::with_env(options, |_| None).unwrap_err()
}

#[test]
fn a_user_agent_that_would_forge_a_header_is_refused() {
    let mut options = options();
    options.user_agent = "me/1\r\nX-Admin: yes".into();
    assert!(matches!(refusal(&options), HttpTransportError::InvalidUserAgent(_)));
}

#[test]
fn a_missing_file_of_certificates_is_named_with_its_cause() {
    let mut options = options();
    options.ca_certs = Some(PathBuf::from("/nowhere/ca.pem"));
    let error = refusal(&options);
    assert_eq!(error.to_string(), "cannot read certificates from /nowhere/ca.pem");
    assert!(error.source().is_some());
}

#[test]
fn a_file_without_certificates_is_refused() {
    let mut options = options();
    options.ca_certs = Some(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into());
    assert!(matches!(refusal(&options), HttpTransportError::NoCaCerts { .. }));
}

#[test]
fn debug_output_holds_no_key() {
    let mut options = options();
    options.dsn = "https://public:secret@sentry.example/1".parse().unwrap();
    let transport = HttpTransport::with_env(&options, |_| None).unwrap();
    let text = format!("{transport:?}");
    assert!(text.contains("https://sentry.example/api/1/envelope/"), "{text}");
    assert!(!text.contains("public") && !text.contains("secret"), "{text}");
}

#[test]
fn repeated_rate_limits_are_joined() {
    let mut headers = HeaderMap::new();
    headers.append("x-sentry-rate-limits", "60:error".parse().unwrap());
    headers.append("x-sentry-rate-limits", "70:log_item".parse().unwrap());
    let reply = read_head(200, &headers);
    assert_eq!(reply.rate_limits.as_deref(), Some("60:error, 70:log_item"));
    assert_eq!(reply.retry_after, None);
}
