//! Whom the HTTP transport trusts.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use vidette::transport::{HttpTransport, SendError};

use crate::receiver::Receiver;
use crate::{event, options, send};

/// A server with a certificate of its own making, and that certificate as PEM.
pub(crate) fn server() -> (Receiver, String) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let receiver = Receiver::start_with("https", move |socket| {
        let tls = ServerConnection::new(Arc::clone(&config)).map_err(std::io::Error::other)?;
        Ok(Box::new(StreamOwned::new(tls, socket)))
    });
    (receiver.unwrap(), made.cert.pem())
}

/// A file that goes away with the value.
pub(crate) struct Scratch(pub PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let unique = format!("vidette-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(unique))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_certificate_nobody_vouches_for_is_refused() {
    let (receiver, _) = server();
    let transport = HttpTransport::new(&options(receiver.dsn())).unwrap();
    let error = send(&transport, &event(10)).unwrap_err();
    assert!(matches!(error, SendError::Tls(_)), "{error:?}");
    assert_eq!(receiver.counts().requests, 0);
}

#[test]
fn any_certificate_is_accepted_when_asked_to() {
    let (receiver, _) = server();
    let mut options = options(receiver.dsn());
    options.accept_invalid_certs = true;
    let transport = HttpTransport::new(&options).unwrap();
    for _ in 0..3 {
        assert_eq!(send(&transport, &event(1_000)).unwrap().status, 200);
    }
    assert_eq!(receiver.counts().connections, 1);
}

#[test]
fn a_certificate_from_the_file_is_accepted_and_no_other() {
    let (receiver, pem) = server();
    let (stranger, _) = server();
    let file = Scratch::new("ca.pem");
    std::fs::write(&file.0, format!("# ours\n{pem}")).unwrap();
    let mut options = options(receiver.dsn());
    options.ca_certs = Some(file.0.clone());
    let transport = HttpTransport::new(&options).unwrap();
    assert_eq!(send(&transport, &event(1_000)).unwrap().status, 200);

    options.dsn = stranger.dsn();
    let transport = HttpTransport::new(&options).unwrap();
    let error = send(&transport, &event(10)).unwrap_err();
    assert!(matches!(error, SendError::Tls(_)), "{error:?}");
}

#[test]
fn a_server_without_tls_is_not_trusted() {
    let receiver = Receiver::start().unwrap();
    let dsn = receiver.dsn().to_string().replace("http:", "https:");
    let transport = HttpTransport::new(&options(dsn.parse().unwrap())).unwrap();
    let error = send(&transport, &event(10)).unwrap_err();
    assert!(matches!(error, SendError::Tls(_) | SendError::Io(_)), "{error:?}");
}
