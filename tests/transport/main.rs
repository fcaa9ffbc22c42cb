//! The transports that come with the crate, against a server on this machine.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod file;
mod http;
mod proxy;
#[path = "../support/receiver.rs"]
mod receiver;
mod tls;

use std::time::Duration;

use vidette::transport::{HttpTransport, Reply, SendBytes, SendError, TransportOptions};
use vidette::types::Dsn;

/// Options for `dsn` that leave the environment's proxy out.
fn options(dsn: Dsn) -> TransportOptions {
    let mut options = TransportOptions::new(dsn);
    options.http_proxy = Some("".into());
    options.https_proxy = Some("".into());
    options
}

fn transport(dsn: Dsn) -> HttpTransport {
    HttpTransport::new(&options(dsn)).unwrap()
}

fn send(transport: &HttpTransport, envelope: &[u8]) -> Result<Reply, SendError> {
    transport.send_bytes(envelope, Some(LONG))
}

/// An envelope with one event, whose message has `length` bytes.
fn event(length: usize) -> Vec<u8> {
    let message: String = "it broke again, ".chars().cycle().take(length).collect();
    let event = format!(r#"{{"event_id":"{ID}","message":"{message}"}}"#);
    let item = format!(r#"{{"type":"event","length":{}}}"#, event.len());
    format!("{{\"event_id\":\"{ID}\"}}\n{item}\n{event}\n").into_bytes()
}

const ID: &str = "9ec79c33ec9942ab8353589fcb2e04dc";
/// Longer than anything takes that ends.
const LONG: Duration = Duration::from_secs(20);
