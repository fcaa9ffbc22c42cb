//! Whom we trust: the well-known authorities, a file of further ones, or, when asked to, everyone.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::HttpTransportError;
use crate::transport::TransportOptions;

/// Returns how to check the server's certificate.
pub(super) fn config(options: &TransportOptions) -> Result<TlsConfig, HttpTransportError> {
    let roots = match &options.ca_certs {
        None => RootCerts::WebPki,
        Some(path) => well_known().chain(read_certificates(path)?).into(),
    };
    Ok(TlsConfig::builder().root_certs(roots).disable_verification(options.accept_invalid_certs).build())
}

fn well_known() -> impl Iterator<Item = Certificate<'static>> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|root| Certificate::from_der(root))
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate<'static>>, HttpTransportError> {
    let certificates = read_bounded(path)
        .and_then(|pem| {
            parse_pem(&pem)
                .filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
                    Ok(_) => None,
                    Err(cause) => Some(Err(io::Error::new(io::ErrorKind::InvalidData, cause))),
                })
                .collect::<io::Result<Vec<_>>>()
        })
        .map_err(|cause| HttpTransportError::CaCerts { path: path.to_owned(), cause })?;
    if certificates.is_empty() {
        return Err(HttpTransportError::NoCaCerts { path: path.to_owned() });
    }
    Ok(certificates)
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut pem = Vec::new();
    File::open(path)?.take(LARGEST_FILE + 1).read_to_end(&mut pem)?;
    if pem.len() as u64 > LARGEST_FILE {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    Ok(pem)
}

/// The bundles of the operating systems have a quarter of a megabyte.
const LARGEST_FILE: u64 = 8 << 20;
