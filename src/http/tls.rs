//! TLS on both sides: the certificate a server shows, the authorities a client trusts.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::SecretError;
use super::secret_file::check_mode;
use crate::regular_file;

/// Longest file of certificates or a key, in bytes: a system's whole store of authorities is a quarter of it.
const MAX_PEM: u64 = 1 << 20;

/// A server's certificate chain and private key, and the files they are in. TLS 1.2 and 1.3. Clones show the same.
#[derive(Clone)]
pub struct TlsIdentity {
    certificate: PathBuf,
    key: PathBuf,
    shown: Arc<Shown>,
    config: Arc<ServerConfig>,
}

/// What whoever connects next is shown: certificates are renewed while a server runs.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

/// Certificate authorities a client trusts instead of the public ones.
#[derive(Clone)]
pub struct Authorities(pub(super) Vec<ureq::tls::Certificate<'static>>);

/// Why a certificate or key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file can't be read, or isn't PEM.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Others can read the private key.
    #[error(transparent)]
    Exposed(#[from] SecretError),
    /// Certificate and key don't belong together, or are of a kind TLS doesn't use.
    #[error("certificate {} and key {}: {problem}", certificate.display(), key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the TLS library says.
        problem: String,
    },
}

impl TlsIdentity {
    /// Reads a certificate chain (the server's first) and its private key, both PEM. The key's file must be readable by
    /// its owner only.
    ///
    /// # Errors
    /// [`TlsError`] names the file and what is wrong with it.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let shown = Arc::new(Shown(RwLock::new(Arc::new(certified(certificate, key)?))));
        let versions = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the ring provider has TLS 1.2 and 1.3");
        let config = versions.with_no_client_auth().with_cert_resolver(Arc::clone(&shown) as _);
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        Ok(Self { certificate, key, shown, config: Arc::new(config) })
    }

    /// Reads both files again: who connects from now on is shown what is in them. Connections go on.
    ///
    /// # Errors
    /// [`TlsError`], and what was shown before is shown on.
    pub fn read_again(&self) -> Result<(), TlsError> {
        let read = Arc::new(certified(&self.certificate, &self.key)?);
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = read; // an Arc is never half-written
        Ok(())
    }

    pub(super) fn into_acceptor(self) -> TlsAcceptor {
        TlsAcceptor::from(self.config)
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Authorities {
    /// Reads certificates from a PEM file: those of a private authority, or a server's own self-signed one.
    ///
    /// # Errors
    /// [`TlsError::File`].
    pub fn from_file(path: &Path) -> Result<Self, TlsError> {
        let certificates = certificates(path)?;
        // A system's store may have some of a kind that is not used here; without any, nobody would ever be believed.
        let (usable, _) = RootCertStore::empty().add_parsable_certificates(certificates.iter().cloned());
        if usable == 0 {
            let problem = "none of its certificates can be read".to_owned();
            return Err(TlsError::File { path: path.to_owned(), problem });
        }
        Ok(Self(certificates.iter().map(|der| ureq::tls::Certificate::from_der(der).to_owned()).collect()))
    }
}

/// A certificate chain and its private key, which belong together.
fn certified(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let file = |problem: &dyn fmt::Display| TlsError::File { path: key.to_owned(), problem: problem.to_string() };
    check_mode(key)?;
    let chain = certificates(certificate)?;
    let private = Zeroizing::new(regular_file::read(key, MAX_PEM).map_err(|error| file(&error))?);
    let private = PrivateKeyDer::from_pem_slice(&private).map_err(|error| file(&error))?;
    CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|error| TlsError::Pair {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        problem: error.to_string(),
    })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let file = |problem: String| TlsError::File { path: path.to_owned(), problem };
    let pem = regular_file::read(path, MAX_PEM).map_err(|error| file(error.to_string()))?;
    let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| file(error.to_string()))?;
    if found.is_empty() { Err(file("there is no certificate in it (PEM is wanted)".to_owned())) } else { Ok(found) }
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
