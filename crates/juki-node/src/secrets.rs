//! Where a node's secret keys lie, and whether they are kept as secrets should be.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use juki_topology::NodeConfig;

/// The folder of the secret keys. Relative paths start at `folder`, the folder of the configuration
/// file; `credentials` is what the service manager says of its own.
///
/// # Errors
/// A sentence, where the configuration wants credentials and there are none.
pub(crate) fn secrets_folder(
    config: &NodeConfig,
    folder: &Path,
    credentials: Option<PathBuf>,
) -> Result<PathBuf, String> {
    let Some(secrets) = &config.node.secrets else {
        return Ok(folder.join(&config.node.keys));
    };
    let mut parts = secrets.components();
    if parts.next() != Some(Component::Normal(CREDENTIALS.as_ref())) {
        return Ok(folder.join(secrets));
    }
    let given = credentials.ok_or_else(|| {
        "node.secrets is $CREDENTIALS_DIRECTORY, which is not set: start the node as a service with \
         LoadCredential"
            .to_owned()
    })?;
    Ok(given.join(parts.as_path()))
}

/// What is wrong with how secrets are kept: one sentence for each.
pub(crate) fn findings(secrets: &Path, keys: &Path, data: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folders = if secrets == keys {
        vec![keys]
    } else {
        vec![secrets, keys]
    };
    for folder in &folders {
        if real(folder).starts_with(real(data)) {
            found.push(format!(
                "{}: lies in the data folder, so that a copy of the data would open itself",
                folder.display()
            ));
        }
    }
    let files = folders
        .iter()
        .flat_map(|folder| NAMES.iter().map(move |name| folder.join(name)));
    let open = folders
        .iter()
        .map(|folder| folder.to_path_buf())
        .chain(files)
        .filter_map(|path| {
            // What is not there is not open; whoever needs it says so.
            let mode = fs::metadata(&path).ok()?.permissions().mode() & 0o7777;
            (mode & 0o077 != 0)
                .then(|| format!("{}: others can reach it ({mode:04o})", path.display()))
        });
    found.extend(open);
    found
}

/// The variable that names the folder of a unit's credentials (systemd.exec).
pub(crate) const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";
const CREDENTIALS: &str = "$CREDENTIALS_DIRECTORY";
const NAMES: [&str; 6] = [
    "node.key",
    "seal.key",
    "storage.key",
    "issuing.key",
    "link.key",
    "link.key.next",
];

#[cfg(test)]
mod tests {
    use juki_topology::Network;

    use super::*;

    fn config(secrets: Option<&str>) -> NodeConfig {
        let network = Network::demo(1, "demo", 1_700_000_000).unwrap();
        let mut config = network.node_config(&"national".parse().unwrap()).unwrap();
        config.node.secrets = secrets.map(PathBuf::from);
        config
    }

    #[test]
    fn secrets_lie_with_the_keys_or_where_the_configuration_says() {
        let at = |secrets, credentials: Option<&str>| {
            let credentials = credentials.map(PathBuf::from);
            secrets_folder(&config(secrets), Path::new("/n"), credentials)
        };
        assert_eq!(at(None, None), Ok("/n/keys".into()));
        assert_eq!(at(Some("secrets"), None), Ok("/n/secrets".into()));
        assert_eq!(at(Some("/etc/secrets"), None), Ok("/etc/secrets".into()));
        let given = Some("/run/credentials/x");
        assert_eq!(
            at(Some(CREDENTIALS), given),
            Ok("/run/credentials/x".into())
        );
        let below = format!("{CREDENTIALS}/cs");
        assert_eq!(at(Some(&below), given), Ok("/run/credentials/x/cs".into()));
        assert!(at(Some(CREDENTIALS), None).is_err());
    }

    #[test]
    fn what_others_can_read_and_what_lies_in_the_data_folder_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let [keys, data] = ["keys", "data"].map(|name| folder.path().join(name));
        let private = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        for path in [&keys, &data] {
            fs::create_dir(path).unwrap();
            private(path, 0o700);
        }
        let key = keys.join("node.key");
        fs::write(&key, "x").unwrap();
        private(&key, 0o600);
        assert_eq!(findings(&keys, &keys, &data), Vec::<String>::new());
        private(&key, 0o640);
        private(&keys, 0o755);
        let found = findings(&keys, &keys, &data);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].contains("node.key") && found[1].contains("0640"));
        // By whatever way it gets there.
        std::os::unix::fs::symlink(&data, folder.path().join("elsewhere")).unwrap();
        let elsewhere = folder.path().join("elsewhere");
        let found = findings(&elsewhere, &keys, &data);
        assert!(found[0].contains("lies in the data folder"), "{found:?}");
    }
}
