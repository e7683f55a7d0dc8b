//! `jukinet basis`: the table of legal bases.

use std::fs;
use std::path::{Path, PathBuf};

use juki_admin::AdminClient;
use juki_crypto::{Notice, NoticeKind, VerifyingKey, sha256};
use juki_domain::{ErrorCode, Lang, LegalBasisTable, NodeRole, Purpose};
use juki_services::orders::{BASIS, BasisAct};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::{BasisFileArgs, BasisPublishArgs, BasisShowArgs, ByArgs};
use crate::command::operator::{SYSTEM_MANAGER, sign};
use crate::deployment::{Deployment, NodePlace};
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text::basis as say;

/// What is in force at a node, as its admin API says it.
#[derive(Debug, Serialize, Deserialize)]
struct InForce {
    number: u64,
    digest: String,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    body: String,
    affair: String,
    table: String,
    starts: Option<String>,
    keys: String,
    items: Vec<u32>,
    fuzzy: bool,
    operator_per_min: Option<u32>,
    body_per_min: Option<u32>,
    body_ja: String,
    statute_ja: String,
    affair_ja: String,
    answered_here: bool,
}

/// What the registrar answers.
#[derive(Debug, Serialize, Deserialize)]
struct Published {
    number: u64,
    digest: String,
    by: String,
    rows: usize,
    added: Vec<Named>,
    removed: Vec<Named>,
    changed: Vec<Named>,
}

/// A row by its body and affair.
#[derive(Debug, Serialize, Deserialize)]
struct Named {
    body: String,
    affair: String,
}

pub(crate) async fn show(args: &BasisShowArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let place = match &args.node {
        Some(node) => deployment.place(node, screen.lang)?,
        None => deployment.only(NodeRole::NationalCenter, None, screen.lang)?,
    };
    let (lang, node) = (screen.lang, place.name.as_str());
    match place.role {
        NodeRole::PrefectureServer | NodeRole::NationalCenter => {}
        NodeRole::MunicipalCs
        | NodeRole::AgencyTerminal
        | NodeRole::FirewallProxy
        | NodeRole::AccessPoint => {
            let sentence = say::answers_nobody(lang, node);
            return Err(Failure::new(ErrorCode::ConfigBadValue, sentence));
        }
    }
    let client = AdminClient::new(place.admin_socket()).with_lang(lang);
    let in_force: InForce = client.get_json("/basis").await?;
    if in_force.number == 0 {
        screen.line(say::none_in_force(lang, node));
        screen.document(&in_force)?;
        return Ok(Outcome::NotHeld);
    }
    screen.line(say::in_force(lang, node, in_force.number, &in_force.digest));
    let rows = in_force.rows.iter().map(|row| cells(row, lang));
    let header = say::header(lang);
    screen.table(&header.split('|').collect::<Vec<_>>(), rows.collect());
    screen.document(&in_force)?;
    Ok(Outcome::Held)
}

fn cells(row: &Row, lang: Lang) -> Vec<String> {
    let or = |value: Option<String>, other: String| value.unwrap_or(other);
    let rate = |rate: Option<u32>| or(rate.map(|rate| rate.to_string()), say::usual(lang));
    let yes = |is| if is { say::yes(lang) } else { say::no(lang) };
    let ja = lang == Lang::Ja;
    vec![
        (if ja { &row.body_ja } else { &row.body }).clone(),
        (if ja { &row.affair_ja } else { &row.affair }).clone(),
        row.table.clone(),
        or(row.starts.clone(), say::not_started(lang)),
        row.keys.clone(),
        row.items.iter().map(u32::to_string).collect(),
        yes(row.fuzzy),
        rate(row.operator_per_min),
        rate(row.body_per_min),
        yes(row.answered_here),
    ]
}

pub(crate) fn check(args: &BasisFileArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let (file, text) = read(&deployment, args)?;
    let table = parse(&file, &text)?;
    let center = deployment.only(NodeRole::NationalCenter, None, screen.lang)?;
    let before = signed(&deployment, &center)?;
    let changes = table.changes_since(before.as_ref().map(|(_, table)| table));
    let (added, removed, changed) = (
        named(&changes.added),
        named(&changes.removed),
        named(&changes.changed),
    );
    let lang = screen.lang;
    screen.line(say::sound(
        lang,
        &file.display().to_string(),
        table.all().len(),
    ));
    let number = before.as_ref().map_or(0, |(number, _)| *number);
    if number > 0 && added.is_empty() && removed.is_empty() && changed.is_empty() {
        screen.line(say::unchanged(lang, number));
    }
    tell(&added, &removed, &changed, screen);
    screen.document(&json!({
        "file": file,
        "rows": table.all().len(),
        "number_in_force": number,
        "added": added,
        "removed": removed,
        "changed": changed,
    }))?;
    Ok(Outcome::Held)
}

pub(crate) async fn publish(args: &BasisPublishArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.table.dir)?;
    let (file, text) = read(&deployment, &args.table)?;
    // The registrar reads it as strictly; here the file can be named.
    parse(&file, &text)?;
    let center = deployment.only(NodeRole::NationalCenter, None, screen.lang)?;
    let client = AdminClient::new(center.admin_socket()).with_lang(screen.lang);
    let in_force: InForce = client.get_json("/basis").await?;
    let act = BasisAct {
        number: in_force.number + 1,
        digest: sha256(text.as_bytes()).to_vec(),
    };
    let by = ByArgs {
        by: args.by.clone(),
        by_pin_file: args.by_pin_file.clone(),
    };
    let act = (BASIS.acts, act.encode_to_vec());
    let signed = sign(&deployment, &by, SYSTEM_MANAGER, act, screen)?;
    let request = json!({"table": text, "act": signed});
    let published: Published = client.post_json("/basis", &request).await?;
    screen.line(say::published(
        screen.lang,
        published.number,
        &published.digest,
        &published.by,
    ));
    tell(
        &published.added,
        &published.removed,
        &published.changed,
        screen,
    );
    screen.document(&published)?;
    Ok(Outcome::Held)
}

fn tell(added: &[Named], removed: &[Named], changed: &[Named], screen: Screen) {
    let purpose = |row: &Named| format!("{} {}", row.body, row.affair);
    for row in added {
        screen.line(say::added(screen.lang, &purpose(row)));
    }
    for row in removed {
        screen.line(say::removed(screen.lang, &purpose(row)));
    }
    for row in changed {
        screen.line(say::changed(screen.lang, &purpose(row)));
    }
}

fn read(deployment: &Deployment, args: &BasisFileArgs) -> Result<(PathBuf, String), Failure> {
    let file = args
        .file
        .clone()
        .unwrap_or_else(|| deployment.legal_basis());
    let bytes = fs::metadata(&file).map_err(|error| Failure::file(&file, &error))?;
    if bytes.len() > LegalBasisTable::BYTES_MAX as u64 {
        return Err(malformed(&file, &juki_domain::LegalBasisError::TooLarge));
    }
    let text = fs::read_to_string(&file).map_err(|error| Failure::file(&file, &error))?;
    Ok((file, text))
}

fn parse(file: &Path, text: &str) -> Result<LegalBasisTable, Failure> {
    LegalBasisTable::parse(text).map_err(|error| malformed(file, &error))
}

fn malformed(file: &Path, error: &juki_domain::LegalBasisError) -> Failure {
    Failure::new(error.code(), format!("{}: {error}", file.display()))
}

/// The table that the national center was last given, where its registrar signed it.
fn signed(
    deployment: &Deployment,
    center: &NodePlace,
) -> Result<Option<(u64, LegalBasisTable)>, Failure> {
    let kind = NoticeKind::LegalBasis;
    let Ok(bytes) = fs::read(center.keys().join(format!("{}.notice", kind.name()))) else {
        return Ok(None);
    };
    let broken = |error: juki_pki::PkiError| Failure::new(error.code(), error.to_string());
    let chain =
        juki_pki::read_certificates(&deployment.pki().join("issuing.crt")).map_err(broken)?;
    let key =
        juki_pki::authority_key(chain.first().map_or(&[][..], Vec::as_slice)).map_err(broken)?;
    let invalid = |error: String| Failure::new(ErrorCode::NoticeInvalid, error);
    let registrar = VerifyingKey::from_bytes(&key).map_err(|error| invalid(error.to_string()))?;
    let notice = Notice::verify(&bytes, &registrar).map_err(|error| invalid(error.to_string()))?;
    let table = std::str::from_utf8(&notice.body)
        .ok()
        .and_then(|text| LegalBasisTable::parse(text).ok());
    Ok(table.map(|table| (notice.number, table)))
}

fn named(purposes: &[Purpose<'_>]) -> Vec<Named> {
    let named = |purpose: &Purpose<'_>| Named {
        body: purpose.body.to_owned(),
        affair: purpose.affair.to_owned(),
    };
    purposes.iter().map(named).collect()
}
