//! The certificates of `AWS_CA_BUNDLE` or a profile's `ca_bundle`: they take the place of the system's, as in the AWS CLI.
//!
//! The HTTP client panics over a file that it can't use, so everything it would read is checked here first.

use std::path::{Path, PathBuf};

use aws_smithy_http_client::tls::TrustStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// A bundle that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{set_by} = {}", path.display())]
pub(in crate::aws) struct BundleError {
    set_by: String,
    path: PathBuf,
    source: BundleProblem,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum BundleProblem {
    #[error("the file can't be read")]
    Unreadable(#[from] std::io::Error),
    #[error("the file has no PEM certificate ({BEGIN}) that can be a trust anchor")]
    NoCertificate,
}

/// The roots of trust of a file. `set_by` is the setting that names it, for errors.
pub(in crate::aws) fn load(path: &Path, set_by: &str) -> Result<TrustStore, BundleError> {
    let bundle = super::files::read(path).map_err(BundleProblem::from);
    bundle.and_then(|bytes| trust_store(&String::from_utf8_lossy(&bytes))).map_err(|source| BundleError {
        set_by: set_by.to_owned(),
        path: path.to_owned(),
        source,
    })
}

/// As with the system's certificates, one that can't be used costs only itself.
fn trust_store(bundle: &str) -> Result<TrustStore, BundleProblem> {
    let certificates: Vec<&str> = certificates(bundle).filter(|certificate| is_usable(certificate)).collect();
    if certificates.is_empty() {
        return Err(BundleProblem::NoCertificate);
    }
    let add = |store: TrustStore, certificate: &str| store.with_pem_certificate(certificate);
    Ok(certificates.into_iter().fold(TrustStore::empty(), add))
}

fn certificates(bundle: &str) -> impl Iterator<Item = &str> {
    bundle.match_indices(BEGIN).filter_map(|(at, _)| {
        let end = bundle[at..].find(END)? + END.len();
        bundle.get(at..at + end)
    })
}

fn is_usable(certificate: &str) -> bool {
    let der = CertificateDer::from_pem_slice(certificate.as_bytes());
    der.is_ok_and(|der| webpki::anchor_from_trusted_cert(&der).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let error = |text: Option<&str>| {
            if let Some(text) = text {
                std::fs::write(&path, text).unwrap();
            }
            crate::aws::error::causes(&load(&path, "AWS_CA_BUNDLE").unwrap_err())
        };
        assert!(error(None).contains("ca.pem: the file can't be read: No such file"), "{}", error(None));
        for text in ["", "not PEM", BEGIN, &format!("{BEGIN}\nAAAA\n{END}\n"), &format!("{BEGIN}\n!\n{END}\n")] {
            let error = error(Some(text));
            assert!(error.starts_with("AWS_CA_BUNDLE = ") && error.contains("no PEM certificate"), "{text}: {error}");
        }
    }
}
