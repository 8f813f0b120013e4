//! TLS: the operator's certificate, or one for localhost from a development CA in the data directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Failure;
use crate::data_dir::write_secret;

/// Where the development CA's certificate is.
pub(crate) fn dev_ca(data_dir: &Path) -> PathBuf {
    data_dir.join("dev-ca").join("ca.pem")
}

/// Serves with the certificate and key from these files.
pub(crate) fn from_files(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let refused = |what: &str, file: &Path, error: &dyn std::fmt::Display| {
        Failure::new(format!(
            "the {what} {} cannot be used: {error}",
            file.display()
        ))
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refused("certificate", certificate, &error))?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| refused("private key", key, &error))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| refused("certificate", certificate, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Serves localhost with a certificate from the development CA, which is made where it is missing.
pub(crate) fn development(data_dir: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let directory = data_dir.join("dev-ca");
    let (certificate, key) = (
        directory.join("localhost.pem"),
        directory.join("localhost.key"),
    );
    ensure_dev_ca(data_dir)?;
    from_files(&certificate, &key)
}

/// Makes the development CA and its certificate for localhost, once.
pub(crate) fn ensure_dev_ca(data_dir: &Path) -> Result<(), Failure> {
    let directory = data_dir.join("dev-ca");
    if dev_ca(data_dir).exists() {
        return Ok(());
    }
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.distinguished_name
        .push(DnType::CommonName, "Portcullis development CA");
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_certificate = ca.self_signed(&ca_key)?;

    let leaf_key = KeyPair::generate()?;
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut leaf = CertificateParams::new(names.to_vec())?;
    leaf.distinguished_name
        .push(DnType::CommonName, "localhost");
    leaf.use_authority_key_identifier_extension = true;
    let leaf_certificate = leaf.signed_by(&leaf_key, &Issuer::new(ca, ca_key))?;

    write_secret(&directory.join("localhost.key"), &leaf_key.serialize_pem())?;
    write_secret(&directory.join("localhost.pem"), &leaf_certificate.pem())?;
    // Last, since its presence says that the others are complete. The CA's own key is not kept.
    write_secret(&dev_ca(data_dir), &ca_certificate.pem())
}
