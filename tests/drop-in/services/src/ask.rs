//! One HTTP request to a service under test.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// What a service said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

/// Asks a service of this machine for a path, and waits for what it says; an error where it hangs up.
pub fn ask(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> io::Result<Reply> {
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("\r\n");
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let status = reply.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(io::ErrorKind::UnexpectedEof)?;
    let body = reply.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok(Reply { status, body })
}
