//! TLS: the owner's certificate, or a self-signed one that is made when the first client asks for TLS.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::gateway::error::GatewayError;
use crate::gateway::options::Identity;

/// Names of the files in [`Identity::Folder`].
const CHAIN_FILE: &str = "certificate.pem";
const KEY_FILE: &str = "certificate-key.pem";

/// A certificate chain and its key, in PEM.
struct Pem {
    chain: String,
    key: String,
    /// Where it comes from, for errors.
    path: PathBuf,
}

/// What completes TLS handshakes. Touches files; not for the async threads.
pub(super) fn acceptor(identity: &Identity) -> Result<TlsAcceptor, GatewayError> {
    let pem = match identity {
        Identity::Memory => generate()?,
        Identity::Folder(folder) => kept(folder)?,
        Identity::Files { chain, key } => Pem {
            chain: read(chain)?,
            key: read(key)?,
            path: chain.clone(),
        },
    };
    config(&pem)
        .map(|config| TlsAcceptor::from(Arc::new(config)))
        .map_err(|reason| GatewayError::Certificate {
            path: pem.path,
            reason,
        })
}

fn config(pem: &Pem) -> Result<ServerConfig, String> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem.chain.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(pem.key.as_bytes()).map_err(|e| e.to_string())?;
    let build = || -> Result<ServerConfig, rustls::Error> {
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)
    };
    let mut config = build().map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn kept(folder: &Path) -> Result<Pem, GatewayError> {
    let (chain, key) = (folder.join(CHAIN_FILE), folder.join(KEY_FILE));
    if chain.exists() && key.exists() {
        return Ok(Pem {
            chain: read(&chain)?,
            key: read(&key)?,
            path: chain,
        });
    }
    let made = generate()?;
    let in_folder = |source| GatewayError::Write {
        path: folder.to_owned(),
        source,
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(in_folder)?;
    write(&key, &made.key)?;
    write(&chain, &made.chain)?;
    Ok(made)
}

fn generate() -> Result<Pem, GatewayError> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    let host = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    names.extend(host.filter(|name| !name.is_empty() && name.is_ascii()));
    let made = rcgen::generate_simple_self_signed(names)
        .map_err(|error| GatewayError::Generate(error.to_string()))?;
    Ok(Pem {
        chain: made.cert.pem(),
        key: made.signing_key.serialize_pem(),
        path: PathBuf::from(CHAIN_FILE),
    })
}

fn read(path: &Path) -> Result<String, GatewayError> {
    fs::read_to_string(path).map_err(|source| GatewayError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file only its owner can read.
fn write(path: &Path, text: &str) -> Result<(), GatewayError> {
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    written.map_err(|source| GatewayError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_the_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Identity::Folder(folder.path().join("keys"));
        acceptor(&keys).unwrap();
        let chain = folder.path().join("keys").join(CHAIN_FILE);
        let first = fs::read_to_string(&chain).unwrap();
        acceptor(&keys).unwrap();
        assert_eq!(fs::read_to_string(&chain).unwrap(), first);
        let key = folder.path().join("keys").join(KEY_FILE);
        assert_eq!(
            fs::metadata(key).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn the_owners_own_files_are_used_and_garbage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let made = generate().unwrap();
        let (chain, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        fs::write(&chain, &made.chain).unwrap();
        fs::write(&key, &made.key).unwrap();
        let files = Identity::Files {
            chain: chain.clone(),
            key,
        };
        assert!(acceptor(&files).is_ok());
        fs::write(&chain, "nothing").unwrap();
        let error = acceptor(&files).err().unwrap();
        assert!(matches!(error, GatewayError::Certificate { path, .. } if path == chain));
    }
}
