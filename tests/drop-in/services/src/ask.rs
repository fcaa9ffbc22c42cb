//! One HTTP request to a service under test.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// What a service said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    pub status: u16,
    /// The status line and the headers, as they came.
    pub head: String,
    pub body: String,
}

impl Reply {
    /// The header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Asks a service of this machine for a path, and waits for what it says; an error where it hangs up.
pub fn ask(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> io::Result<Reply> {
    send(address, "GET", path, headers, "")
}

/// Sends a body to a service of this machine, and waits for what it says.
pub fn send(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Reply> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    if !body.is_empty() {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.extend(["\r\n", body]);
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let (head, body) = reply.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Reply { status, head: head.to_owned(), body: body.to_owned() })
}
