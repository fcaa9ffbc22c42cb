//! Bytes in and out: snapshots of every item kind, round trips, every error, and the fuzzer's corpora.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod allocations;
#[cfg(all(feature = "client", feature = "logs", feature = "metrics"))]
mod captured;
mod corpus;
mod errors;
mod filter;
mod limits;
mod raw;
mod snapshots;
mod view;

use vidette::protocol::Envelope;

/// Writes an envelope into a new buffer.
fn bytes(envelope: &Envelope) -> Vec<u8> {
    let mut bytes = Vec::new();
    envelope.append_to(&mut bytes).unwrap();
    bytes
}

/// Writes an envelope that is text throughout.
fn text(envelope: &Envelope) -> String {
    String::from_utf8(bytes(envelope)).unwrap()
}

#[cfg(all(feature = "client", feature = "logs", feature = "metrics"))]
#[path = "../support/wiretap.rs"]
mod wiretap;
