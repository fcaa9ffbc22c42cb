//! What the traits promise: every method arrives, and the provided ones do what they say.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Delivery, Reply, SendBytes, SendError, Transport};
use crate::wire::Envelope;

/// Writes down which methods arrive.
#[derive(Default)]
struct Diary(Mutex<Vec<&'static str>>);

impl Diary {
    fn note(&self, method: &'static str) {
        self.0.lock().unwrap().push(method);
    }
}

impl Transport for Diary {
    fn send_envelope(&self, _envelope: Envelope) {
        self.note("send_envelope");
    }

    fn flush(&self, timeout: Duration) -> bool {
        self.note("flush");
        timeout == Duration::from_secs(1)
    }

    fn shutdown(&self, timeout: Duration) -> bool {
        self.note("shutdown");
        timeout == Duration::from_secs(2)
    }

    fn delivery(&self) -> Delivery<'_> {
        self.note("delivery");
        Delivery::Bytes(self)
    }
}

impl SendBytes for Diary {
    fn send_bytes(&self, envelope: &[u8], _limit: Option<Duration>) -> Result<Reply, SendError> {
        assert_eq!(envelope, b"{}\n");
        Ok(Reply::from_status(200))
    }
}

struct Plain;

impl Transport for Plain {
    fn send_envelope(&self, _envelope: Envelope) {}
}

/// Calls through the trait, with the type the client sees.
fn call_every_method(transport: &dyn Transport) -> [bool; 3] {
    transport.send_envelope(Envelope::new());
    let flushed = transport.flush(Duration::from_secs(1));
    let shut_down = transport.shutdown(Duration::from_secs(2));
    let takes_bytes = match transport.delivery() {
        Delivery::Bytes(sender) => sender.send_bytes(b"{}\n", None).is_ok(),
        _ => false,
    };
    [flushed, shut_down, takes_bytes]
}

#[test]
fn every_method_arrives_through_one_and_two_arcs() {
    let diary = Arc::new(Diary::default());
    for transport in [&diary as &dyn Transport, &Arc::new(Arc::clone(&diary))] {
        assert_eq!(call_every_method(transport), [true; 3]);
        let methods = std::mem::take(&mut *diary.0.lock().unwrap());
        assert_eq!(methods, ["send_envelope", "flush", "shutdown", "delivery"]);
    }
}

#[test]
fn a_transport_with_one_method_queues_nothing_and_takes_envelopes() {
    let plain = Plain;
    assert!(plain.flush(Duration::ZERO));
    assert!(plain.shutdown(Duration::ZERO));
    assert!(matches!(plain.delivery(), Delivery::Envelopes));
}

#[test]
fn a_send_error_keeps_its_cause() {
    use std::error::Error;

    let error = SendError::from(std::io::Error::other("disk full"));
    assert_eq!(error.to_string(), "the transfer failed");
    assert_eq!(error.source().unwrap().to_string(), "disk full");
    let error = SendError::Connect("refused".into());
    assert_eq!(error.source().unwrap().to_string(), "refused");
}
