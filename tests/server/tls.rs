//! A certificate of our own, for servers that speak HTTPS.

use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::process::Server;

/// A certificate, and who trusts it.
pub struct Authority {
    directory: tempfile::TempDir,
    client: ClientConfig,
}

impl Authority {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(directory.path().join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(directory.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { directory, client }
    }

    /// A file beside the certificate (`cert.pem`) and its key (`key.pem`).
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A server with this certificate.
    pub fn serve(&self, arguments: &[&str]) -> Server {
        let (certificate, key) = (self.path("cert.pem"), self.path("key.pem"));
        let tls = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
        let model = ["--model", super::process::tiny_model().to_str().unwrap()];
        Server::spawn(&[&model[..], &tls[..], arguments].concat())
    }

    /// A connection to it, for the first of these protocols that it speaks.
    pub fn dial(&self, server: &Server, protocols: &[&str]) -> StreamOwned<ClientConnection, TcpStream> {
        let mut client = self.client.clone();
        client.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(client), name).unwrap(), server.dial())
    }
}
