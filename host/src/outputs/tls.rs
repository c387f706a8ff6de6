//! The files of TLS, read at the start, and the HTTP client that speaks it.

use super::chain;
use crate::config::ClientTls;
use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Identity};
use std::path::Path;
use std::time::Duration;

/// What the files hold, in PEM.
#[derive(Debug, Default)]
pub(super) struct Pem {
    /// Certificates to trust in the place of the system's.
    pub(super) authorities: Option<Vec<u8>>,
    /// The client's certificate and its key.
    pub(super) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Pem {
    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn read(config: &ClientTls) -> Result<Self, String> {
        // The process may have a provider already: then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let identity = match (&config.cert_file, &config.key_file) {
            (Some(certificate), Some(key)) => Some((file(certificate)?, file(key)?)),
            _ => None,
        };
        Ok(Self { authorities: config.ca_file.as_deref().map(file).transpose()?, identity })
    }
}

/// A client whose attempts take up to `timeout`, and which follows no redirects.
///
/// # Errors
/// A file of TLS cannot be read, or is not what it should be.
pub(super) fn http_client(config: &ClientTls, timeout: Duration, headers: HeaderMap) -> Result<Client, String> {
    let pem = Pem::read(config)?;
    let mut client =
        Client::builder().default_headers(headers).timeout(timeout).redirect(reqwest::redirect::Policy::none());
    if let Some(authorities) = pem.authorities {
        let authorities =
            Certificate::from_pem_bundle(&authorities).map_err(|error| format!("ca_file: {}", chain(&error)))?;
        client = client.tls_certs_only(authorities);
    }
    if let Some((certificate, key)) = pem.identity {
        let identity = Identity::from_pem(&[certificate, b"\n".to_vec(), key].concat())
            .map_err(|error| format!("cert_file and key_file: {}", chain(&error)))?;
        client = client.identity(identity);
    }
    client.build().map_err(|error| format!("the HTTP client cannot be made: {}", chain(&error)))
}

fn file(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}
