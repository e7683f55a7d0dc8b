//! Checks of the deployment folder: configurations, keys, certificates.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use juki_domain::{Lang, NodeRole};
use juki_pki::{Expiry, crl_next_update, not_after_of, read_certificates, read_revocation_list};

use super::Finding;
use crate::deployment::{Deployment, NodePlace};
use crate::local_time::{DAY_S, unix_now};
use crate::text;

pub(super) fn examine(deployment: &Deployment, lang: Lang) -> Vec<Finding> {
    let mut findings = Vec::new();
    for place in deployment.places() {
        let name = place.name.to_string();
        let config = deployment.config_of(&place);
        let secrets = config
            .as_ref()
            .ok()
            .and_then(|config| config.node.secrets.clone());
        match config {
            Ok(_) => findings.push(Finding::good(
                text::check_configuration(lang),
                name.as_str(),
                String::new(),
            )),
            Err(failure) => findings.push(Finding::of_failure(
                text::check_configuration(lang),
                name.as_str(),
                &failure,
                lang,
            )),
        }
        if deployment.is_keyless(&place) {
            continue;
        }
        findings.extend(protection(
            &name,
            &secrets_of(&place, secrets.as_deref()),
            lang,
        ));
        // An access point takes no part in certificates.
        if place.role != NodeRole::AccessPoint {
            findings.push(certificate(&place, lang));
            findings.push(revocation_list(&place, lang));
        }
    }
    let mut central = vec![deployment.cards(), deployment.run()];
    // One machine of several has the authorities' folder.
    if deployment.network().parts().machines.is_empty() || deployment.pki().exists() {
        central.extend([deployment.pki(), deployment.pki().join("root.key")]);
    }
    findings.extend(protection("", &central, lang));
    findings
}

/// Without the credentials that a service manager gives a node, which are there only while it runs.
fn secrets_of(place: &NodePlace, secrets: Option<&Path>) -> Vec<PathBuf> {
    let folder = match secrets {
        Some(secrets) if secrets.starts_with("$CREDENTIALS_DIRECTORY") => {
            return vec![place.keys(), place.data()];
        }
        Some(secrets) => place.folder.join(secrets),
        None => place.keys(),
    };
    let files = ["node.key", "storage.key", "seal.key"].map(|name| folder.join(name));
    [place.keys(), place.data()]
        .into_iter()
        .chain(files)
        .collect()
}

/// Secrets must be there and closed to all but their owner.
fn protection(node: &str, paths: &[PathBuf], lang: Lang) -> Vec<Finding> {
    let check = || text::check_secrets(lang);
    let mut findings: Vec<Finding> = paths
        .iter()
        .filter_map(|path| {
            let shown = path.display().to_string();
            match fs::metadata(path) {
                Ok(metadata) if metadata.permissions().mode() & 0o077 == 0 => None,
                Ok(metadata) => {
                    let mode = format!("{:04o}", metadata.permissions().mode() & 0o7777);
                    Some(Finding::bad(
                        check(),
                        node,
                        text::open_to_others(lang, &shown, &mode),
                        text::close_to_others(lang, &shown),
                    ))
                }
                Err(_) => Some(Finding::bad(
                    check(),
                    node,
                    text::missing_file(lang, &shown),
                    text::make_anew(lang),
                )),
            }
        })
        .collect();
    if findings.is_empty() {
        findings.push(Finding::good(check(), node, String::new()));
    }
    findings
}

fn certificate(place: &NodePlace, lang: Lang) -> Finding {
    let path = place.keys().join("node.crt");
    let end = read_certificates(&path)
        .and_then(|chain| not_after_of(chain.first().map(Vec::as_slice).unwrap_or_default()));
    expiry(
        text::check_certificate(lang),
        place,
        &path,
        end.map_err(|error| error.to_string()),
        (text::renew(lang), true),
        lang,
    )
}

fn revocation_list(place: &NodePlace, lang: Lang) -> Finding {
    let path = place.keys().join("revocation.crl");
    let end = read_revocation_list(&path).and_then(|list| crl_next_update(&list));
    expiry(
        text::check_revocation(lang),
        place,
        &path,
        end.map_err(|error| error.to_string()),
        // The registrar renews lists by itself long before their end.
        (text::pki::renew_list(lang), false),
        lang,
    )
}

fn expiry(
    check: String,
    place: &NodePlace,
    path: &Path,
    end: Result<u64, String>,
    (todo, warns_early): (String, bool),
    lang: Lang,
) -> Finding {
    let node = place.name.as_str();
    let now = unix_now();
    match end {
        Ok(end) => {
            let left = text::expires_in(lang, end.saturating_sub(now) / DAY_S);
            match Expiry::of(end, now) {
                Expiry::Ended => Finding::bad(check, node, text::expired(lang), todo),
                Expiry::Day => Finding::bad(check, node, left, todo),
                Expiry::Week => Finding::doubtful(check, node, left, todo),
                Expiry::Month if warns_early => Finding::doubtful(check, node, left, todo),
                Expiry::Month | Expiry::Far => Finding::good(check, node, left),
            }
        }
        Err(error) => Finding::bad(
            check,
            node,
            format!("{}: {error}", path.display()),
            text::make_anew(lang),
        ),
    }
}
