//! The server's side of HTTP/1.1: requests off a connection, answers onto it.

use std::io::{self, Read, Write};

/// What a connection is made of: a socket, or TLS over one.
pub trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// In the order they came, names as they were spelled.
    pub headers: Vec<(String, String)>,
    /// Before any decompression.
    pub body: Vec<u8>,
}

impl Request {
    /// Returns the first header of that name, in any spelling.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }
}

/// Reads requests off one connection, one after the other.
pub struct Connection<'a> {
    stream: &'a mut dyn Stream,
    /// What was read and not used yet.
    buffer: Vec<u8>,
}

impl<'a> Connection<'a> {
    pub fn new(stream: &'a mut dyn Stream) -> Self {
        Self { stream, buffer: Vec::with_capacity(16 << 10) }
    }

    /// Reads the next request; nothing where the client has gone between two.
    pub fn next(&mut self) -> io::Result<Option<Request>> {
        let (mut request, head, length) = loop {
            if let Some(head) = parse_head(&self.buffer)? {
                break head;
            }
            if self.buffer.len() > LARGEST_HEAD {
                return Err(invalid("the head of the request is too long"));
            }
            if self.fill()? == 0 {
                let clean = self.buffer.is_empty();
                return if clean { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        };
        if length > LARGEST_BODY {
            return Err(invalid("the body is too long"));
        }
        if request.header("Expect").is_some() {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        while self.buffer.len() < head + length {
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        request.body = self.buffer[head..head + length].to_vec();
        self.buffer.drain(..head + length);
        Ok(Some(request))
    }

    /// Writes `bytes` at once.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    fn fill(&mut self) -> io::Result<usize> {
        let start = self.buffer.len();
        self.buffer.resize(start + READ, 0);
        let read = self.stream.read(&mut self.buffer[start..]);
        self.buffer.truncate(start + *read.as_ref().unwrap_or(&0));
        read
    }
}

/// Returns the request without its body, the length of its head, and that of its body.
fn parse_head(bytes: &[u8]) -> io::Result<Option<(Request, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Request::new(&mut headers);
    let head = match parsed.parse(bytes).map_err(invalid)? {
        httparse::Status::Complete(head) => head,
        httparse::Status::Partial => return Ok(None),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: parsed.path.unwrap_or_default().to_owned(),
        headers: parsed.headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect(),
        body: Vec::new(),
    };
    if request.header("Transfer-Encoding").is_some() {
        return Err(invalid("this server wants a Content-Length"));
    }
    let length = request.header("Content-Length").map_or(Ok(0), str::parse).map_err(invalid)?;
    Ok(Some((request, head, length)))
}

fn invalid(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

const READ: usize = 8 << 10;
const LARGEST_HEAD: usize = 64 << 10;
/// As Sentry's servers: 200 MiB for an envelope, compressed or not.
const LARGEST_BODY: usize = 200 << 20;
