//! The files of TLS, read at the start.

use crate::config::ClientTls;
use std::path::Path;

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

fn file(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}
