//! TLS of a receiver: certificates from files, and again when the files change.

use crate::config::{ClientCertificate, Tls, TlsVersion};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{Error, RootCertStore, ServerConfig};

/// Largest file of certificates or of a key, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// What is wrong, and with the value of which key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {why}")]
pub struct TlsProblem {
    /// The key.
    pub key: &'static str,
    /// What is wrong.
    pub why: String,
}

/// The files' contents at one moment.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Contents {
    /// Reads the files.
    pub(super) fn read(config: &Tls) -> Result<Self, TlsProblem> {
        Ok(Self {
            cert: file("cert_file", &config.cert_file)?,
            key: file("key_file", &config.key_file)?,
            client_ca: config.client_ca_file.as_ref().map(|path| file("client_ca_file", path)).transpose()?,
        })
    }

    /// What a receiver needs to speak TLS.
    pub(super) fn server(&self, config: &Tls, protocols: &[&[u8]]) -> Result<Arc<ServerConfig>, TlsProblem> {
        let chain = certificates("cert_file", &config.cert_file, &self.cert)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| problem("key_file", &config.key_file, &format!("has no private key in PEM: {error}")))?;
        let provider = Arc::new(ring::default_provider());
        let versions: &[_] = match config.min_version {
            TlsVersion::V1_2 => &[&TLS13, &TLS12],
            TlsVersion::V1_3 => &[&TLS13],
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .map_err(|error| problem("min_version", &config.cert_file, &error))?;
        let builder = match (&self.client_ca, &config.client_ca_file) {
            (Some(pem), Some(path)) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates("client_ca_file", path, pem)? {
                    roots.add(certificate).map_err(|error| problem("client_ca_file", path, &error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = match config.client_certificate {
                    ClientCertificate::Required => verifier,
                    ClientCertificate::Optional => verifier.allow_unauthenticated(),
                };
                let verifier = verifier.build().map_err(|error| problem("client_ca_file", path, &error))?;
                builder.with_client_cert_verifier(verifier)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut server = builder.with_single_cert(chain, key).map_err(|error| match error {
            Error::InconsistentKeys(_) => problem(
                "key_file",
                &config.key_file,
                &format!("is not the key of the certificate in {}", config.cert_file.display()),
            ),
            error => problem("cert_file", &config.cert_file, &error),
        })?;
        server.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Arc::new(server))
    }
}

/// Whether a receiver could speak TLS with these files.
///
/// # Errors
/// What is wrong, and with which of them.
pub fn check(config: &Tls) -> Result<(), TlsProblem> {
    Contents::read(config)?.server(config, &[]).map(drop)
}

fn file(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsProblem> {
    let size = std::fs::metadata(path).map_err(|error| problem(key, path, &error))?.len();
    if size > MAX_FILE {
        return Err(problem(key, path, &format!("has {size} bytes; at most {MAX_FILE} are read")));
    }
    std::fs::read(path).map_err(|error| problem(key, path, &error))
}

fn certificates(key: &'static str, path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsProblem> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(problem(key, path, &"has no certificate in PEM")),
        Ok(chain) => Ok(chain),
        Err(error) => Err(problem(key, path, &format!("is not PEM: {error}"))),
    }
}

fn problem(key: &'static str, path: &Path, why: &dyn std::fmt::Display) -> TlsProblem {
    TlsProblem { key, why: format!("{}: {why}", path.display()) }
}
