//! A transport that keeps the bytes it is given, and answers as it is told.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use vidette::transport::{Delivery, Reply, SendBytes, SendError, Transport};
use vidette::{Client, ClientOptions, Envelope};

#[derive(Debug)]
pub(crate) struct Wiretap {
    kept: Mutex<Vec<String>>,
    reply: Mutex<Reply>,
}

impl Wiretap {
    /// A client that sends here.
    pub(crate) fn client(options: ClientOptions) -> (Arc<Self>, Arc<Client>) {
        let wiretap = Arc::new(Self { kept: Mutex::default(), reply: Mutex::new(Reply::from_status(200)) });
        let options = options.dsn("https://public@sentry.invalid/1").transport(Arc::clone(&wiretap));
        (wiretap, Arc::new(Client::with_options(options)))
    }

    /// Answers with these limits from now on.
    pub(crate) fn limit(&self, limits: &str) {
        self.reply.lock().unwrap().rate_limits = Some(limits.to_owned());
    }

    /// Takes what was sent since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.kept.lock().unwrap())
    }
}

impl SendBytes for Wiretap {
    fn send_bytes(&self, envelope: &[u8], _: Option<Duration>) -> Result<Reply, SendError> {
        self.kept.lock().unwrap().push(String::from_utf8_lossy(envelope).into_owned());
        Ok(self.reply.lock().unwrap().clone())
    }
}

impl Transport for Wiretap {
    fn send_envelope(&self, envelope: Envelope) {
        self.send_unheard(&envelope);
    }

    fn delivery(&self) -> Delivery<'_> {
        Delivery::Bytes(self)
    }
}
