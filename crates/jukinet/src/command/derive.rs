//! `jukinet derive`: writes the nodes' configurations anew from `network.toml`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use juki_domain::{ErrorCode, Lang};
use serde_json::json;

use crate::cli::FolderArgs;
use crate::command::up::is_supervised;
use crate::deployment::{Deployment, NodePlace};
use crate::failure::{Ending, Failure, Outcome};
use crate::policy_seal;
use crate::screen::Screen;
use crate::text::machines as say;

pub(crate) fn run(args: &FolderArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    check_nodes(&deployment, screen.lang)?;
    let mut written = Vec::new();
    for place in deployment.places() {
        let Some(config) = deployment.network().node_config(&place.name) else {
            continue;
        };
        let mut is_new = put(&place.config(), &config.to_toml()?)?;
        if let Some(policy) = config.policy_toml()? {
            is_new |= put_policy(&place, &policy_seal::sealed(&policy), screen)?;
        }
        if is_new {
            written.push(place.name.to_string());
        }
    }
    let all = deployment.places().len();
    screen.line(say::derived(screen.lang, written.len(), all));
    if !written.is_empty() && is_supervised(&deployment) {
        let folder = deployment.folder().display().to_string();
        screen.line(say::restart_to_use(screen.lang, &folder));
    }
    screen.document(&json!({"written": written, "nodes": all}))?;
    Ok(Outcome::Held)
}

/// Keys and certificates come with `new` alone: a node without them cannot be added here.
fn check_nodes(deployment: &Deployment, lang: Lang) -> Result<(), Failure> {
    let places = deployment.places();
    let lacks = |place: &&NodePlace| !place.keys().is_dir() && !deployment.is_keyless(place);
    match places.iter().find(lacks) {
        None => Ok(()),
        Some(place) => Err(Failure::new(
            ErrorCode::ConfigBadValue,
            say::no_keys(lang, place.name.as_str()),
        )
        .with_todo(say::new_for_nodes(lang))),
    }
}

/// Writes a derived policy, but never over one that a person has changed: then it is put beside.
fn put_policy(place: &NodePlace, text: &str, screen: Screen) -> Result<bool, Failure> {
    let file = place.policy();
    let is_own =
        fs::read_to_string(&file).is_ok_and(|present| !policy_seal::is_as_derived(&present));
    if !is_own {
        return put(&file, text);
    }
    let beside = file.with_file_name("policy.derived.toml");
    put(&beside, text)?;
    screen.line(say::policy_kept(
        screen.lang,
        &file.display().to_string(),
        &beside.display().to_string(),
    ));
    Ok(false)
}

/// Writes a file where it is another than the one that is there; true where it was.
fn put(file: &Path, text: &str) -> Result<bool, Failure> {
    if fs::read_to_string(file).is_ok_and(|present| present == text) {
        return Ok(false);
    }
    replace(file, text).map_err(|error| Failure::file(file, &error))?;
    Ok(true)
}

/// Puts a whole file in the place of another, whatever happens in between.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let fresh = file.with_extension("toml.new");
    let mut out = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&fresh)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    fs::rename(&fresh, file)
}
