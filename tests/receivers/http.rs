//! Just enough HTTP to send one handwritten request to a server on loopback.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An answer: its status code, its headers with names in lower case, its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The value of the header of that name, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Posts an envelope to the project of a DSN, as a client would.
pub(crate) fn post_envelope(dsn: &str, envelope: &str) -> Answer {
    let (key, rest) = dsn.strip_prefix("http://").and_then(|rest| rest.split_once('@')).unwrap();
    let (host, project) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let length = envelope.len();
    write!(
        stream,
        "POST /api/{project}/envelope/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         X-Sentry-Auth: Sentry sentry_version=7, sentry_client=handwritten/1, sentry_key={key}\r\n\
         Content-Type: application/x-sentry-envelope\r\nContent-Length: {length}\r\n\r\n{envelope}"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(k, v)| (k.to_lowercase(), v.to_owned()));
    Answer { status, headers: headers.collect(), body: body.to_owned() }
}
