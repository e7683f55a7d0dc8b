//! Keys and certificates of a new deployment.

use juki_crypto::{
    Directory, DirectoryEntry, SealingKey, SigningKey, SystemRandomness, random_array,
};
use juki_domain::{ErrorCode, NodeRole};
use juki_pki::{
    Authority, generate_key, public_key_info, public_key_of, seal_key_file, write_certificates,
    write_key, write_revocation_list,
};
use juki_topology::NodeConfig;

use super::{broken, folder};
use crate::deployment::{Deployment, NodePlace};
use crate::failure::Failure;
pub(super) use crate::hexadecimal::hex;
use crate::local_time::DAY_S;

/// Writes the authorities' and every node's keys; returns the registrar's key, which signs cards.
pub(super) fn write(
    deployment: &Deployment,
    nodes: &[(NodePlace, NodeConfig)],
    now: u64,
) -> Result<SigningKey, Failure> {
    let failed = broken(ErrorCode::DiskFailed);
    let network = deployment.network().id();
    let root_key = generate_key().map_err(&failed)?;
    let root =
        Authority::root(network, &root_key, now, now + ROOT_DAYS * DAY_S).map_err(&failed)?;
    let issuing_key = generate_key().map_err(&failed)?;
    let issuing = root
        .issuing(network, &issuing_key, now, now + ISSUING_DAYS * DAY_S)
        .map_err(&failed)?;
    let offline = deployment.pki();
    let passphrase = hex(&random_array::<16>(&SystemRandomness));
    folder::write(&offline.join("root.pass"), passphrase.as_bytes())?;
    seal_key_file(&offline.join("root.key"), &root_key, passphrase.as_bytes()).map_err(&failed)?;
    write_certificates(&offline.join("root.crt"), &[root.certificate().to_vec()])
        .map_err(&failed)?;
    write_certificates(
        &offline.join("issuing.crt"),
        &[issuing.certificate().to_vec()],
    )
    .map_err(&failed)?;
    let issued = Issued {
        network: network.to_owned(),
        revocation_list: issuing
            .revocation_list(1, &[], now, now + REVOCATION_LIST_DAYS * DAY_S)
            .map_err(&failed)?,
        root_certificate: root.certificate().to_vec(),
        issuing,
        now,
    };
    let registrar = SigningKey::from_pkcs8(&issuing_key).map_err(broken(ErrorCode::DiskFailed))?;
    let mut directory = Directory {
        registrar: Some(registrar.public()),
        ..Directory::default()
    };
    for (place, config) in nodes {
        let entry = issued.write_node(place, config)?;
        // An access point moves datagrams and speaks no word of its own.
        if config.node.role != NodeRole::AccessPoint {
            directory.nodes.insert(place.name.clone(), entry);
        }
        if config.node.role == NodeRole::NationalCenter {
            write_key(&place.keys().join("issuing.key"), &issuing_key).map_err(&failed)?;
            write_certificates(
                &place.keys().join("issuing.crt"),
                &[issued.issuing.certificate().to_vec()],
            )
            .map_err(&failed)?;
        }
    }
    let root_signing = SigningKey::from_pkcs8(&root_key).map_err(broken(ErrorCode::DiskFailed))?;
    let directory = directory.sign(&root_signing);
    for (place, _) in nodes {
        folder::write(&place.keys().join("directory.bin"), &directory)?;
    }
    Ok(registrar)
}

/// What every node's keys folder is made with.
struct Issued {
    network: String,
    issuing: Authority,
    root_certificate: Vec<u8>,
    revocation_list: Vec<u8>,
    now: u64,
}

impl Issued {
    fn write_node(
        &self,
        place: &NodePlace,
        config: &NodeConfig,
    ) -> Result<DirectoryEntry, Failure> {
        let failed = broken(ErrorCode::DiskFailed);
        let keys = place.keys();
        let key = generate_key().map_err(&failed)?;
        let public = public_key_info(&public_key_of(&key).map_err(&failed)?);
        let certificate = self
            .issuing
            .issue_node(
                &place.name,
                &self.network,
                &public,
                self.now,
                self.now + NODE_DAYS * DAY_S,
            )
            .map_err(&failed)?;
        write_key(&keys.join("node.key"), &key).map_err(&failed)?;
        write_certificates(
            &keys.join("node.crt"),
            &[certificate, self.issuing.certificate().to_vec()],
        )
        .map_err(&failed)?;
        write_certificates(
            &keys.join("root.crt"),
            std::slice::from_ref(&self.root_certificate),
        )
        .map_err(&failed)?;
        write_revocation_list(&keys.join("revocation.crl"), &self.revocation_list)
            .map_err(&failed)?;
        folder::write(
            &keys.join("storage.key"),
            &random_array::<32>(&SystemRandomness),
        )?;
        let sealing = SealingKey::generate().map_err(broken(ErrorCode::DiskFailed))?;
        folder::write(&keys.join("seal.key"), &sealing.encode())?;
        if let Some(register) = &config.register {
            folder::write(
                &keys.join(&register.token),
                hex(&random_array::<32>(&SystemRandomness)).as_bytes(),
            )?;
        }
        let signing = SigningKey::from_pkcs8(&key).map_err(broken(ErrorCode::DiskFailed))?;
        Ok(DirectoryEntry {
            role: config.node.role,
            signing: signing.public(),
            sealing: sealing.public().clone(),
            municipality: config.node.municipality,
        })
    }
}

/// How many days a root is valid.
pub(crate) const ROOT_DAYS: u64 = 20 * 365;
const ISSUING_DAYS: u64 = 10 * 365;
const NODE_DAYS: u64 = 2 * 365;

/// The registrar issues a new list with every revocation; without one, a list serves this long.
const REVOCATION_LIST_DAYS: u64 = 365;
