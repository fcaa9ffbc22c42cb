//! The server's side of HTTP/1.1: requests off a connection, answers onto it.

use std::io::{self, Read};

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
    /// The first header of that name, in any spelling.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }
}

/// Reads the next request; `buffer` keeps what was read beyond it. None where the client has gone.
pub(crate) fn read(stream: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let (mut request, head) = loop {
        if let Some(parsed) = parse_head(buffer)? {
            break parsed;
        }
        if fill(stream, buffer)? == 0 {
            return Ok(None);
        }
    };
    let length = request.header("Content-Length").and_then(|text| text.parse::<usize>().ok());
    let length = length.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    while buffer.len() < head + length {
        if fill(stream, buffer)? == 0 {
            return Ok(None);
        }
    }
    request.body = buffer[head..head + length].to_vec();
    buffer.drain(..head + length);
    Ok(Some(request))
}

/// What is said to a request: 200 unless told otherwise.
pub(crate) fn answer(ordered: Option<&(u16, Vec<(String, String)>)>) -> Vec<u8> {
    let (status, headers) = ordered.map_or((200, &[][..]), |(status, headers)| (*status, headers));
    let mut text = format!("HTTP/1.1 {status} Said\r\nContent-Length: 2\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.push_str("\r\n{}");
    text.into_bytes()
}

fn parse_head(bytes: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Request::new(&mut headers);
    let status = parsed.parse(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(head) = status else {
        return Ok(None);
    };
    let headers = parsed.headers.iter();
    let headers = headers.map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()));
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: parsed.path.unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: Vec::new(),
    };
    Ok(Some((request, head)))
}

fn fill(stream: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let mut chunk = [0; 8 << 10];
    let read = stream.read(&mut chunk)?;
    buffer.extend_from_slice(&chunk[..read]);
    Ok(read)
}
