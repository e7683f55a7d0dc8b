//! Where a node's secret keys may lie.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use network::Deployment;

#[test]
fn secret_keys_may_lie_apart_and_a_check_says_where_they_are_no_secrets() {
    let net = Deployment::made();
    let node = net.node("cs-352047");
    let (config, keys) = (node.join("node.toml"), node.join("keys"));
    // Exit code and what was said.
    let check = |credentials: Option<&Path>| {
        let arguments = ["--lang", "en", "--check", "--config"];
        let mut command = net.command("municipal-cs", &arguments);
        command.arg(&config).env_remove("CREDENTIALS_DIRECTORY");
        command.envs(credentials.map(|folder| ("CREDENTIALS_DIRECTORY", folder)));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let sound = || (Some(0), String::new());
    assert_eq!(check(None), sound());

    let key = keys.join("node.key");
    mode(&key, 0o644);
    let (code, said) = check(None);
    assert!(
        code == Some(0) && said.contains("JKP-1107") && said.contains("node.key"),
        "{said}"
    );
    mode(&key, 0o600);

    let hidden = node.join("data/keys");
    fs::rename(&keys, &hidden).unwrap();
    symlink(&hidden, &keys).unwrap();
    let (code, said) = check(None);
    assert!(
        code == Some(0) && said.contains("lies in the data folder"),
        "{said}"
    );
    fs::remove_file(&keys).unwrap();
    fs::rename(&hidden, &keys).unwrap();

    let apart = net.folder().join("credentials");
    fs::create_dir(&apart).unwrap();
    mode(&apart, 0o700);
    for name in ["node.key", "seal.key", "storage.key", "register.token"] {
        fs::rename(keys.join(name), apart.join(name)).unwrap();
    }
    assert_eq!(check(None).0, Some(2), "the keys are gone");
    let text = fs::read_to_string(&config).unwrap();
    let with = "[node]\nsecrets = \"$CREDENTIALS_DIRECTORY\"\n";
    fs::write(&config, text.replacen("[node]\n", with, 1)).unwrap();
    let (code, said) = check(None);
    assert!(code == Some(2) && said.contains("LoadCredential"), "{said}");
    assert_eq!(check(Some(&apart)), sound());
}
