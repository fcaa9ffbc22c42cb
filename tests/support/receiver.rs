//! A server that receives envelopes, for tests and examples: HTTP/1.1 on a free port of this machine.
//!
//! It checks what Sentry's servers check (method, path, key, compression, envelope), keeps what it accepted, and
//! answers as told. Each connection has a thread; nothing waits but a delay that was asked for.
#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "each test binary includes the file, uses a part of it, and may fail in it"
)]

mod http;

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use vidette::types::{Auth, Dsn};
use vidette::wire::Envelope;

pub use self::http::{Request, Stream};

/// What to say to one request.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// Waits so long before it answers, or until the server stops.
    pub delay: Duration,
    /// Says only so many bytes of the answer, and closes the connection.
    pub cut: Option<usize>,
}

impl Answer {
    /// Accepts with 200, or says with another status that the envelope is not wanted.
    pub fn status(status: u16) -> Self {
        let body = "{}".to_owned();
        Self { status, headers: Vec::new(), body, delay: Duration::ZERO, cut: None }
    }

    /// Says 429, with the limits in the header.
    pub fn rate_limited(limits: &str) -> Self {
        Self::status(429).with_header("X-Sentry-Rate-Limits", limits)
    }

    /// Closes the connection without a word.
    pub fn hang_up() -> Self {
        Self { cut: Some(0), ..Self::status(200) }
    }

    /// Never answers.
    pub fn silence() -> Self {
        Self::status(200).after(Duration::MAX)
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn with_body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn to_bytes(&self) -> Vec<u8> {
        use std::fmt::Write;

        let mut text = format!("HTTP/1.1 {} Said\r\nContent-Length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        text.push_str("\r\n");
        text.push_str(&self.body);
        let mut bytes = text.into_bytes();
        bytes.truncate(self.cut.unwrap_or(usize::MAX));
        bytes
    }
}

/// An envelope that was accepted.
#[derive(Clone, Debug)]
pub struct Received {
    pub envelope: Envelope,
    /// The envelope's bytes, decompressed.
    pub bytes: Vec<u8>,
    pub request: Request,
}

/// How much there was so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    pub connections: u64,
    pub requests: u64,
    pub accepted: u64,
}

/// The server. Stops when it is dropped.
pub struct Receiver {
    shared: Arc<Shared>,
    accepting: Mutex<Option<JoinHandle<()>>>,
    address: SocketAddr,
    scheme: &'static str,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    stopped: AtomicBool,
    connections: AtomicU64,
}

#[derive(Default)]
struct State {
    script: VecDeque<Answer>,
    received: Vec<Received>,
    refused: Vec<Request>,
    requests: u64,
    accepted: u64,
    open: HashMap<u64, TcpStream>,
}

impl Receiver {
    /// Starts a server for project 1 and the key `public`.
    pub fn start() -> io::Result<Self> {
        Self::start_with("http", |stream| Ok(Box::new(stream)))
    }

    /// Starts a server that talks through what `wrap` makes of a connection, such as TLS.
    pub fn start_with(
        scheme: &'static str,
        wrap: impl Fn(TcpStream) -> io::Result<Box<dyn Stream>> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            stopped: AtomicBool::new(false),
            connections: AtomicU64::new(0),
        });
        let (served, wrap): (_, Arc<Wrap>) = (Arc::clone(&shared), Arc::new(wrap));
        let accepting =
            thread::Builder::new().name("receiver".into()).spawn(move || accept(&listener, &served, &wrap))?;
        Ok(Self { shared, accepting: Mutex::new(Some(accepting)), address, scheme })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns a DSN that leads here.
    pub fn dsn(&self) -> Dsn {
        self.dsn_with_key("public")
    }

    pub fn dsn_with_key(&self, key: &str) -> Dsn {
        format!("{}://{key}@{}/1", self.scheme, self.address).parse().unwrap()
    }

    /// Appends to the answers that were ordered; after them all it says 200.
    pub fn answer(&self, times: usize, answer: Answer) {
        self.shared.lock().script.extend(std::iter::repeat_n(answer, times));
    }

    /// Takes what was accepted since the last call.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.shared.lock().received)
    }

    /// Takes what was not accepted since the last call.
    pub fn take_refused(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.lock().refused)
    }

    pub fn counts(&self) -> Counts {
        let state = self.shared.lock();
        let connections = self.shared.connections.load(Ordering::Relaxed);
        Counts { connections, requests: state.requests, accepted: state.accepted }
    }

    /// Waits until `wanted` envelopes were accepted; false when there are fewer after `timeout`.
    pub fn wait_for(&self, wanted: u64, timeout: Duration) -> bool {
        let state = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(state, timeout, |state| state.accepted < wanted);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Closes the port and all connections; answers that are due are never given.
    pub fn stop(&self) {
        if self.shared.stopped.swap(true, Ordering::SeqCst) {
            return;
        }
        // Wakes the thread that accepts, which then closes the port.
        let _ = TcpStream::connect(self.address);
        self.shared.changed.notify_all();
        for stream in self.shared.lock().open.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(accepting) = self.accepting.lock().unwrap().take() {
            accepting.join().unwrap();
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Answers one connection's requests until it ends.
    fn serve(&self, stream: &mut dyn Stream) -> io::Result<()> {
        let mut connection = http::Connection::new(stream);
        while let Some(request) = connection.next()? {
            let ordered = {
                let mut state = self.lock();
                state.requests += 1;
                state.script.pop_front()
            };
            let mut answer = ordered.unwrap_or_else(|| Answer::status(200));
            self.wait(answer.delay);
            if self.is_stopped() {
                break;
            }
            let wanted = answer.cut.is_none() && (200..300).contains(&answer.status);
            let outcome = if wanted { check(&request) } else { Err(answer.status) };
            let mut state = self.lock();
            match outcome {
                Ok((envelope, bytes)) => {
                    state.received.push(Received { envelope, bytes, request });
                    state.accepted += 1;
                    self.changed.notify_all();
                }
                Err(status) => {
                    answer.status = status;
                    state.refused.push(request);
                }
            }
            drop(state);
            connection.write(&answer.to_bytes())?;
            if answer.cut.is_some() {
                break;
            }
        }
        Ok(())
    }

    fn wait(&self, delay: Duration) {
        if !delay.is_zero() {
            let due = Instant::now().checked_add(delay);
            let mut state = self.lock();
            while !self.is_stopped() && due.is_none_or(|due| Instant::now() < due) {
                let step = due.map_or(delay, |due| due.saturating_duration_since(Instant::now()));
                let step = step.min(Duration::from_millis(50));
                state = self.changed.wait_timeout(state, step).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}

type Wrap = dyn Fn(TcpStream) -> io::Result<Box<dyn Stream>> + Send + Sync;

fn accept(listener: &TcpListener, shared: &Arc<Shared>, wrap: &Arc<Wrap>) {
    while let Ok((stream, _)) = listener.accept() {
        if shared.is_stopped() {
            return;
        }
        let id = shared.connections.fetch_add(1, Ordering::Relaxed);
        let (shared, wrap) = (Arc::clone(shared), Arc::clone(wrap));
        thread::spawn(move || {
            let _ = stream.set_nodelay(true);
            if let Ok(handle) = stream.try_clone() {
                shared.lock().open.insert(id, handle);
            }
            if !shared.is_stopped() {
                // A client that goes away in the middle is the client's affair.
                let _ = wrap(stream).and_then(|mut stream| shared.serve(&mut *stream));
            }
            if let Some(handle) = shared.lock().open.remove(&id) {
                let _ = handle.shutdown(Shutdown::Both);
            }
        });
    }
}

/// Returns the envelope and its bytes, or the status that refuses it.
fn check(request: &Request) -> Result<(Envelope, Vec<u8>), u16> {
    if request.path != "/api/1/envelope/" {
        return Err(404);
    }
    if request.method != "POST" {
        return Err(405);
    }
    let auth = request.header("X-Sentry-Auth").and_then(|text| text.parse::<Auth>().ok());
    if auth.is_none_or(|auth| auth.public_key() != "public" || auth.version() != 7) {
        return Err(403);
    }
    let bytes = match request.header("Content-Encoding") {
        None => request.body.clone(),
        Some("gzip") => unzip(&request.body)?,
        Some(_) => return Err(415),
    };
    let envelope = Envelope::from_slice(&bytes).map_err(|_| 400_u16)?;
    Ok((envelope, bytes))
}

fn unzip(packed: &[u8]) -> Result<Vec<u8>, u16> {
    let mut plain = Vec::new();
    let reader = flate2::read::MultiGzDecoder::new(packed);
    reader.take(LARGEST_ENVELOPE + 1).read_to_end(&mut plain).map_err(|_| 400_u16)?;
    if plain.len() as u64 > LARGEST_ENVELOPE { Err(413) } else { Ok(plain) }
}

const LARGEST_ENVELOPE: u64 = 200 << 20;
