//! A server that receives envelopes for tests: HTTP/1.1 on a free port of this machine.
//!
//! It knows the format and none of the crates under test. It keeps what it was sent, in the order of arrival, as JSON
//! and bytes.

mod http;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

pub use self::http::Request;

/// An envelope as it arrived.
#[derive(Clone, Debug)]
pub struct Envelope {
    pub headers: Value,
    pub items: Vec<Item>,
    pub request: Request,
}

/// One item of an envelope.
#[derive(Clone, Debug)]
pub struct Item {
    pub headers: Value,
    pub payload: Vec<u8>,
}

impl Item {
    /// The type of the item, such as `event`.
    pub fn kind(&self) -> &str {
        self.headers["type"].as_str().unwrap_or_default()
    }

    /// The payload as JSON; null where it is something else.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or_default()
    }
}

/// The server. It lives as long as the process.
#[derive(Clone)]
pub struct Receiver {
    shared: Arc<Shared>,
    address: SocketAddr,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    envelopes: Vec<Envelope>,
    /// What could not be read, said in words.
    refused: Vec<String>,
    /// What to say to each request from now on: a status and headers.
    answer: Option<(u16, Vec<(String, String)>)>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound port has an address");
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { shared, address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A DSN that leads here.
    pub fn dsn(&self) -> String {
        format!("http://public@{}/1", self.address)
    }

    /// Answers so from now on.
    pub fn answer(&self, status: u16, headers: &[(&str, &str)]) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.shared.lock().answer = Some((status, headers));
    }

    /// Takes what has arrived since the last call.
    ///
    /// # Panics
    ///
    /// Panics when something arrived that is no envelope.
    pub fn take(&self) -> Vec<Envelope> {
        let mut state = self.shared.lock();
        assert!(state.refused.is_empty(), "not an envelope: {:?}", state.refused);
        std::mem::take(&mut state.envelopes)
    }

    /// Takes the items of one type that have arrived, as JSON, and forgets the others.
    pub fn take_items(&self, kind: &str) -> Vec<Value> {
        let envelopes = self.take();
        let items = envelopes.iter().flat_map(|envelope| &envelope.items);
        items.filter(|item| item.kind() == kind).map(Item::json).collect()
    }

    /// Waits until what has arrived is `enough`; false when it is not after `timeout`.
    pub fn wait_until(&self, timeout: Duration, mut enough: impl FnMut(&[Envelope]) -> bool) -> bool {
        let state = self.shared.lock();
        let waited = self.shared.arrived.wait_timeout_while(state, timeout, |state| !enough(&state.envelopes));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one connection's requests until it ends.
    fn serve(&self, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        while let Ok(Some(request)) = http::read(&mut stream, &mut buffer) {
            let read = read_envelope(request);
            let mut state = self.lock();
            match read {
                Ok(envelope) => state.envelopes.push(envelope),
                Err(why) => state.refused.push(why),
            }
            let answer = http::answer(state.answer.as_ref());
            self.arrived.notify_all();
            drop(state);
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    }
}

/// Reads what a request carries, or says what is wrong with it.
fn read_envelope(request: Request) -> Result<Envelope, String> {
    if request.method != "POST" || request.path != "/api/1/envelope/" {
        return Err(format!("{} {}", request.method, request.path));
    }
    let auth = request.header("X-Sentry-Auth").unwrap_or_default();
    if !auth.contains("sentry_key=public") || !auth.contains("sentry_version=7") {
        return Err(format!("authorised by {auth:?}"));
    }
    let unpacked = match request.header("Content-Encoding") {
        None => request.body.clone(),
        Some("gzip") => unzip(&request.body).map_err(|error| error.to_string())?,
        Some(other) => return Err(format!("encoded as {other}")),
    };
    let (headers, mut rest) = next_line(&unpacked);
    let headers = parse(headers)?;
    let mut items = Vec::new();
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        rest = after;
        if line.is_empty() {
            continue;
        }
        let headers = parse(line)?;
        let payload = match headers["length"].as_u64() {
            Some(length) => {
                let length = usize::try_from(length).map_err(|error| error.to_string())?;
                let (payload, after) = rest.split_at_checked(length).ok_or("shorter than its length says")?;
                rest = after.strip_prefix(b"\n").unwrap_or(after);
                payload
            }
            None => {
                let (payload, after) = next_line(rest);
                rest = after;
                payload
            }
        };
        items.push(Item { headers, payload: payload.to_vec() });
    }
    Ok(Envelope { headers, items, request })
}

fn next_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

fn parse(line: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(line).map_err(|error| format!("{error} in {:?}", String::from_utf8_lossy(line)))
}

fn unzip(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(packed).read_to_end(&mut plain)?;
    Ok(plain)
}
