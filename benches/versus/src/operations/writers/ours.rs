//! As our transports: the sender writes envelopes to its buffer and hands over the bytes.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vidette::transport::{Delivery, Reply, SendBytes, SendError};
use vidette::{Envelope, Transport};

#[derive(Default)]
pub struct Writer {
    pub written: Arc<AtomicU64>,
}

impl Transport for Writer {
    fn send_envelope(&self, _: Envelope) {
        unreachable!("it takes bytes");
    }

    fn flush(&self, _: Duration) -> bool {
        true
    }

    fn delivery(&self) -> Delivery<'_> {
        Delivery::Bytes(self)
    }
}

impl SendBytes for Writer {
    fn send_bytes(&self, envelope: &[u8], _: Option<Duration>) -> Result<Reply, SendError> {
        black_box(envelope);
        self.written.fetch_add(1, Ordering::Relaxed);
        let mut reply = Reply::default();
        reply.status = 200;
        Ok(reply)
    }
}
