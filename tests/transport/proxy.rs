//! Ways through a proxy.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use vidette::transport::{HttpTransport, HttpTransportError, SendError, TransportOptions};

use crate::receiver::Receiver;
use crate::tls;
use crate::{event, options, send};

/// A proxy that leads anywhere it is asked to, or says no with a status.
struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(refusal: Option<&'static str>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let seen = Arc::clone(&seen);
                thread::spawn(move || lead(client, refusal, &seen));
            }
        });
        Self { address, heads }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn lead(mut client: TcpStream, refusal: Option<&str>, seen: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).map(str::to_owned);
    seen.lock().unwrap().push(head);
    if let Some(refusal) = refusal {
        return write!(client, "HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n");
    }
    let Some(target) = target else {
        return write!(client, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
    };
    let mut server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    let (mut back, mut onto) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut back, &mut onto);
        onto.shutdown(std::net::Shutdown::Both)
    });
    io::copy(&mut reader, &mut server)?;
    server.shutdown(std::net::Shutdown::Both)
}

#[test]
fn http_goes_through_the_proxy_over_one_connection() {
    let (receiver, proxy) = (Receiver::start().unwrap(), Proxy::start(None));
    let mut options = options(receiver.dsn());
    options.http_proxy = Some(proxy.url().into());
    let transport = HttpTransport::new(&options).unwrap();
    for _ in 0..3 {
        assert_eq!(send(&transport, &event(1_000)).unwrap().status, 200);
    }
    let heads = proxy.heads();
    assert_eq!(heads.len(), 1);
    assert!(heads[0].starts_with(&format!("CONNECT {} HTTP/1.1\r\n", receiver.address())), "{heads:?}");
    assert!(!heads[0].to_lowercase().contains("authorization"), "{heads:?}");
    assert!(!heads[0].to_lowercase().contains("x-sentry-auth"), "{heads:?}");
}

#[test]
fn https_goes_through_the_proxy_sealed() {
    let ((receiver, _), proxy) = (tls::server(), Proxy::start(None));
    let mut options = options(receiver.dsn());
    options.accept_invalid_certs = true;
    options.https_proxy = Some(proxy.url().into());
    let transport = HttpTransport::new(&options).unwrap();
    assert_eq!(send(&transport, &event(10)).unwrap().status, 200);
    assert_eq!(proxy.heads().len(), 1);
    assert_eq!(receiver.counts().accepted, 1);
}

#[test]
fn the_proxy_gets_the_credentials_from_its_url() {
    let (receiver, proxy) = (Receiver::start().unwrap(), Proxy::start(None));
    let mut options = options(receiver.dsn());
    options.http_proxy = Some(format!("http://me:p%40ss@{}", proxy.address).into());
    send(&HttpTransport::new(&options).unwrap(), &event(10)).unwrap();
    let head = proxy.heads().remove(0).to_lowercase();
    // The base64 of `me:p@ss`.
    assert!(head.contains("proxy-authorization: basic bwu6cebzcw==\r\n"), "{head}");
    let request = receiver.take().remove(0).request;
    assert_eq!(request.header("Proxy-Authorization"), None);
}

#[test]
fn a_proxy_that_says_no_is_told_from_a_server_that_does() {
    let (receiver, proxy) = (Receiver::start().unwrap(), Proxy::start(Some("407 Who are you")));
    let mut options = options(receiver.dsn());
    options.http_proxy = Some(proxy.url().into());
    let error = send(&HttpTransport::new(&options).unwrap(), &event(10)).unwrap_err();
    assert!(matches!(error, SendError::Proxy(_)), "{error:?}");
    assert_eq!(receiver.counts().connections, 0);
}

#[test]
fn a_proxy_that_is_down_gives_no_connection() {
    let receiver = Receiver::start().unwrap();
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let mut options = options(receiver.dsn());
    options.http_proxy = Some(format!("http://{nobody}").into());
    let error = send(&HttpTransport::new(&options).unwrap(), &event(10)).unwrap_err();
    assert!(matches!(error, SendError::Connect(_)), "{error:?}");
}

#[test]
fn a_bad_proxy_is_an_error_before_anything_is_sent() {
    let receiver = Receiver::start().unwrap();
    let mut options = options(receiver.dsn());
    options.http_proxy = Some("not a proxy".into());
    let error = HttpTransport::new(&options).unwrap_err();
    assert!(matches!(error, HttpTransportError::InvalidProxy(_)), "{error:?}");
    options.http_proxy = Some("socks5://localhost".into());
    let error = HttpTransport::new(&options).unwrap_err();
    assert!(matches!(error, HttpTransportError::UnsupportedProxy), "{error:?}");
}

#[test]
fn the_environment_names_the_proxy_and_who_needs_none() {
    let (receiver, proxy) = (Receiver::start().unwrap(), Proxy::start(None));
    let send_from_child = |no_proxy: &str| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "proxy::a_child_sends_as_its_environment_says"]);
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "no_proxy", "REQUEST_METHOD"] {
            child.env_remove(name);
        }
        child.env("http_proxy", proxy.url()).env("NO_PROXY", no_proxy);
        child.env(CHILD, receiver.dsn().to_string());
        assert!(child.status().unwrap().success());
    };
    send_from_child("elsewhere.example");
    assert_eq!((proxy.heads().len(), receiver.counts().accepted), (1, 1));
    send_from_child("elsewhere.example, 127.0.0.1");
    assert_eq!((proxy.heads().len(), receiver.counts().accepted), (1, 2));
}

/// Sends one envelope in the process that the test above starts; does nothing in any other.
#[test]
fn a_child_sends_as_its_environment_says() {
    if let Ok(dsn) = std::env::var(CHILD) {
        let options = TransportOptions::new(dsn.parse().unwrap());
        let reply = send(&HttpTransport::new(&options).unwrap(), &event(10)).unwrap();
        assert_eq!(reply.status, 200);
    }
}

const CHILD: &str = "VIDETTE_TEST_CHILD_DSN";
