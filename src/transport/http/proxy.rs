//! Which proxy leads to a server: the options say, or the environment.

use ureq::{Proxy, ProxyProtocol};

use super::HttpTransportError;
use crate::transport::TransportOptions;
use crate::types::Scheme;

/// Returns the proxy for the server in `options`; `env` looks up a variable.
///
/// A proxy from the options is used for every server; one from the environment only where `NO_PROXY` does not name
/// the server.
pub(super) fn choose(
    options: &TransportOptions,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, HttpTransportError> {
    let env = |name: &str| env(name).filter(|text| !text.trim().is_empty());
    // Where requests become variables (CGI), a request's `Proxy:` header would become `HTTP_PROXY`.
    let from_request = env("REQUEST_METHOD").is_some();
    let http = || {
        Source::option(options.http_proxy.as_deref())
            .or_else(|| env("HTTP_PROXY").filter(|_| !from_request).map(Source::Environment))
            .or_else(|| env("http_proxy").map(Source::Environment))
    };
    let source = match options.dsn.scheme() {
        Scheme::Https => Source::option(options.https_proxy.as_deref())
            .or_else(|| env("HTTPS_PROXY").map(Source::Environment))
            .or_else(|| env("https_proxy").map(Source::Environment))
            .or_else(http),
        Scheme::Http => http(),
    };
    match source {
        Some(Source::Option(text)) if !text.trim().is_empty() => parse(&text).map(Some),
        Some(Source::Environment(text)) => {
            let exceptions = env("NO_PROXY").or_else(|| env("no_proxy")).unwrap_or_default();
            if is_exempt(options.dsn.host(), options.dsn.port(), &exceptions) {
                return Ok(None);
            }
            parse(&text).map(Some)
        }
        Some(Source::Option(_)) | None => Ok(None),
    }
}

enum Source {
    Option(String),
    Environment(String),
}

impl Source {
    fn option(text: Option<&str>) -> Option<Self> {
        text.map(|text| Self::Option(text.to_owned()))
    }
}

fn parse(text: &str) -> Result<Proxy, HttpTransportError> {
    let invalid = |cause: ureq::Error| HttpTransportError::InvalidProxy(cause.into());
    let proxy = Proxy::new(text.trim()).map_err(invalid)?;
    // ureq takes a port it cannot read for the usual one.
    let address = proxy.uri().authority();
    if address.is_none_or(|address| address.port_u16().is_none() && !address.as_str().ends_with(address.host())) {
        return Err(invalid(ureq::Error::InvalidProxyUrl));
    }
    match proxy.protocol() {
        ProxyProtocol::Http | ProxyProtocol::Https => Ok(proxy),
        _ => Err(HttpTransportError::UnsupportedProxy),
    }
}

/// Says whether a list such as `localhost, .example.com, 10.0.0.1:9000` names the server, itself or its domain.
fn is_exempt(host: &str, port: u16, list: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    list.split(',').map(str::trim).any(|entry| {
        let (name, wanted) = split_port(entry);
        let domain = name.trim_start_matches('*').trim_start_matches('.');
        if wanted.is_some_and(|wanted| wanted != port) {
            return false;
        }
        entry == "*" || (!domain.is_empty() && is_within(host, domain))
    })
}

/// Splits `host:port` and `[v6]:port`; a bare IPv6 address has no port.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    let (name, port) = match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port.parse().ok()),
        _ => (entry, None),
    };
    (name.trim_start_matches('[').trim_end_matches(']'), port)
}

fn is_within(host: &str, domain: &str) -> bool {
    let Some(start) = host.len().checked_sub(domain.len()) else {
        return false;
    };
    host.as_bytes()[start..].eq_ignore_ascii_case(domain.as_bytes())
        && (start == 0 || host.as_bytes()[start - 1] == b'.')
}

#[cfg(test)]
mod tests;
