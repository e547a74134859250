//! HTTPS.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::configuration::Configuration;

/// What HTTPS needs, if it is asked for. An error names the file and what is wrong with it.
pub(in crate::server) fn server(configuration: &Configuration) -> Result<Option<ServerConfig>, String> {
    let (Some(certificate), Some(key)) = (&configuration.tls_cert, &configuration.tls_key) else { return Ok(None) };
    let unusable = |path: &Path, reason: String| format!("cannot use {}: {reason}", path.display());
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(certificate, error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable(certificate, "it holds no certificate in PEM form".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|error| unusable(certificate, error.to_string()))?;
    Ok(Some(server))
}
