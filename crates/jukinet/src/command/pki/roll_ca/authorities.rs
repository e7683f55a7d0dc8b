//! The authorities' folder during a roll-over: the root in force, and the next one in `next`.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use juki_crypto::{Directory, SigningKey, SystemRandomness, VerifyingKey, random_array};
use juki_domain::ErrorCode;
use juki_pki::{
    Authority, authority_key, generate_key, open_key_file, public_key_info, read_certificates,
    seal_key_file, serial_of, write_certificates, write_notice, write_secret,
};

use super::too_early;
use crate::command::new::ROOT_DAYS;
use crate::command::pki::{broken, hex};
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::local_time::{DAY_S, unix_now};

/// The authorities' folder.
pub(super) struct Authorities {
    folder: PathBuf,
    network: String,
    /// Some node's keys folder: every node has the directory.
    a_nodes_keys: PathBuf,
    passphrase_file: Option<PathBuf>,
}

impl Authorities {
    pub(super) fn at(deployment: &Deployment, passphrase_file: Option<PathBuf>) -> Self {
        let with_keys = deployment
            .places()
            .into_iter()
            .find(|place| !deployment.is_keyless(place));
        Self {
            folder: deployment.pki(),
            network: deployment.network().id().to_owned(),
            a_nodes_keys: with_keys.map(|place| place.keys()).unwrap_or_default(),
            passphrase_file,
        }
    }

    fn next(&self) -> PathBuf {
        self.folder.join("next")
    }

    /// The certificate of the root in force.
    pub(super) fn root(&self) -> Result<Vec<u8>, Failure> {
        certificate(&self.folder.join("root.crt"))
    }

    /// The certificate of the next root.
    pub(super) fn next_root(&self) -> Result<Vec<u8>, Failure> {
        self.of_next("root.crt")
    }

    /// The issuing authority's certificate under the next root.
    pub(super) fn next_issuing(&self) -> Result<Vec<u8>, Failure> {
        self.of_next("issuing.crt")
    }

    fn of_next(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let path = self.next().join(name);
        if path.exists() {
            certificate(&path)
        } else {
            Err(too_early(path.display().to_string()))
        }
    }

    /// The directory as the next root signed it.
    pub(super) fn next_directory(&self) -> Result<Vec<u8>, Failure> {
        let path = self.next().join("directory.bin");
        fs::read(&path).map_err(|error| Failure::file(&path, &error))
    }

    /// Signs with the key of the root in force.
    pub(super) fn sign(&self, context: &str, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let pass = match &self.passphrase_file {
            Some(path) => path.clone(),
            None => self.folder.join("root.pass"),
        };
        signed(&self.folder.join("root.key"), &pass, context, message)
    }

    /// Signs with the key of the next root.
    pub(super) fn sign_as_next(&self, context: &str, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let next = self.next();
        signed(
            &next.join("root.key"),
            &next.join("root.pass"),
            context,
            message,
        )
    }

    /// Makes the next root with what it signs, unless it is there already. The folder gets its name
    /// last: whatever is in it is whole.
    pub(super) fn make_next(&self) -> Result<(), Failure> {
        if self.next().exists() {
            return Ok(());
        }
        let making = self.folder.join("next.new");
        // What an interrupted run left.
        let _absent = fs::remove_dir_all(&making);
        DirBuilder::new()
            .mode(0o700)
            .create(&making)
            .map_err(|error| Failure::file(&making, &error))?;
        let now = unix_now();
        let end = now + ROOT_DAYS * DAY_S;
        let key = generate_key().map_err(broken)?;
        let root = Authority::root(&self.network, &key, now, end).map_err(broken)?;
        let issuing = certificate(&self.folder.join("issuing.crt"))?;
        let issuing_key = public_key_info(&authority_key(&issuing).map_err(broken)?);
        // Until the end that it has under the root in force.
        let issuing_end = juki_pki::not_after_of(&issuing).map_err(broken)?;
        let issuing = root
            .certify_issuing(&self.network, &issuing_key, now, issuing_end)
            .map_err(broken)?;
        let passphrase = hex(&random_array::<16>(&SystemRandomness));
        write_secret(&making.join("root.pass"), passphrase.as_bytes()).map_err(broken)?;
        seal_key_file(&making.join("root.key"), &key, passphrase.as_bytes()).map_err(broken)?;
        write_certificates(&making.join("root.crt"), &[root.certificate().to_vec()])
            .map_err(broken)?;
        write_certificates(&making.join("issuing.crt"), &[issuing]).map_err(broken)?;
        let signing = SigningKey::from_pkcs8(&key).map_err(no_key)?;
        let directory = self.directory()?.sign(&signing);
        write_notice(&making.join("directory.bin"), &directory).map_err(broken)?;
        fs::rename(&making, self.next()).map_err(|error| Failure::file(&making, &error))
    }

    fn directory(&self) -> Result<Directory, Failure> {
        let path = self.a_nodes_keys.join("directory.bin");
        let bytes = fs::read(&path).map_err(|error| Failure::file(&path, &error))?;
        let root = authority_key(&self.root()?).map_err(broken)?;
        let root = VerifyingKey::from_bytes(&root).map_err(no_key)?;
        Directory::verify(&bytes, &root)
            .map_err(|error| Failure::new(ErrorCode::RootsNotSigned, error.to_string()))
    }

    /// Puts the next root in the place of the first, of which only the certificate is kept.
    pub(super) fn retire_first(&self) -> Result<(), Failure> {
        let retired = self.folder.join("retired");
        let failed = |error: std::io::Error| Failure::file(&retired, &error);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&retired)
            .map_err(failed)?;
        let serial = hex(&serial_of(&self.root()?).map_err(broken)?);
        let kept = retired.join(format!("root-{serial}.crt"));
        fs::copy(self.folder.join("root.crt"), kept).map_err(failed)?;
        for name in ["root.key", "root.pass", "issuing.crt", "root.crt"] {
            let (new, named) = (
                self.folder.join(format!("{name}.new")),
                self.folder.join(name),
            );
            // With its mode; the one in `next` stays until all are there.
            fs::copy(self.next().join(name), &new).map_err(failed)?;
            fs::rename(&new, named).map_err(failed)?;
        }
        fs::remove_dir_all(self.next()).map_err(failed)
    }
}

fn signed(key: &Path, pass: &Path, context: &str, message: &[u8]) -> Result<Vec<u8>, Failure> {
    let passphrase = fs::read_to_string(pass).map_err(|error| Failure::file(pass, &error))?;
    let key = open_key_file(key, passphrase.trim_end().as_bytes()).map_err(broken)?;
    let signing = SigningKey::from_pkcs8(&key).map_err(no_key)?;
    Ok(signing.sign(context, message).to_vec())
}

fn certificate(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut chain = read_certificates(path).map_err(broken)?;
    // Read as one to eight.
    Ok(chain.swap_remove(0))
}

fn no_key(error: juki_crypto::SignatureError) -> Failure {
    Failure::new(ErrorCode::ConfigBadValue, error.to_string())
}
