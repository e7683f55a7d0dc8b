//! `jukinet audit verify`: each ledger by itself, then each against what its neighbours keep of it.

use std::path::{Path, PathBuf};

use juki_incident::{Confronted, Contradiction, Witness, Witnesses, Wrong, confront, witness_of};
use juki_runtime::DiskFiles;
use juki_store::{LedgerOwner, VerifyFailure, VerifyReport, ledger_owner, verify_each, walk_chain};
use serde_json::{Value, json};

use super::places::{key_of, ledgers};
use crate::cli::VerifyArgs;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text::{self, evidence as say};

/// What is known of one ledger.
struct Examined {
    path: PathBuf,
    owner: Option<LedgerOwner>,
    alone: Result<VerifyReport, VerifyFailure>,
}

/// Verifies ledgers that nobody runs; shows the first bad entry of each, and who proves it.
pub(crate) fn verify(args: &VerifyArgs, screen: Screen) -> Ending {
    let mut witnesses = Witnesses::default();
    let mut examined = Vec::new();
    for path in ledgers(&args.path)? {
        examined.push(examine(path, args.key.as_deref(), &mut witnesses)?);
    }
    let mut reports = Vec::new();
    let mut outcome = Outcome::Held;
    for ledger in &examined {
        let report = judge(ledger, &witnesses, screen)?;
        if report.get("intact") != Some(&Value::Bool(true)) {
            outcome = Outcome::NotHeld;
        }
        reports.push(report);
    }
    screen.document(&reports)?;
    Ok(outcome)
}

/// Reads one ledger to its end, and takes what it keeps of others.
fn examine(
    path: PathBuf,
    key: Option<&Path>,
    witnesses: &mut Witnesses,
) -> Result<Examined, Failure> {
    let key = key_of(&path, key)?;
    let files = open(&path)?;
    let owner = ledger_owner(&files).map_err(|error| Failure::file(&path, &error))?;
    let alone = verify_each(&files, key.as_ref(), &mut |entry| {
        if let Some(owner) = &owner {
            witnesses.take(&owner.node, entry);
        }
    });
    Ok(Examined { path, owner, alone })
}

fn judge(ledger: &Examined, witnesses: &Witnesses, screen: Screen) -> Result<Value, Failure> {
    let shown = ledger.path.display().to_string();
    let lang = screen.lang;
    let (owner, of_it) = match &ledger.owner {
        Some(owner) => (Some(owner), witnesses.of(&owner.node)),
        None => (None, Vec::new()),
    };
    let signers = owner.map_or(&[][..], |owner| &owner.signers);
    match &ledger.alone {
        Err(failure) => {
            screen.line(text::ledger_damaged(lang, &shown, &failure.to_string()));
            let mut report = damaged(&shown, failure);
            let entry = report.get("entry").and_then(Value::as_u64);
            let proof = entry.and_then(|entry| witness_of(&of_it, signers, entry));
            if let (Some(proof), Some(members)) = (proof, report.as_object_mut()) {
                let keeper = proof.keeper.as_str();
                screen.line(say::proven(lang, keeper, proof.entry, proof.checkpoint.seq));
                members.insert("proven_by".to_owned(), proof_json(&proof));
            }
            Ok(report)
        }
        Ok(report) => {
            let confronted = if of_it.is_empty() {
                Confronted::Unwitnessed
            } else {
                confronted(&ledger.path, &of_it, signers)?
            };
            Ok(beside(&shown, report, &confronted, screen))
        }
    }
}

/// Walks the chain once more, since a node that runs may have gone on meanwhile.
fn confronted(
    path: &Path,
    witnesses: &[Witness],
    signers: &[[u8; 32]],
) -> Result<Confronted, Failure> {
    let files = open(path)?;
    let after: Vec<u64> = witnesses.iter().map(|one| one.checkpoint.seq).collect();
    let walked = walk_chain(&files, &after).map_err(|error| Failure::file(path, &error))?;
    Ok(confront(witnesses, signers, &walked.chains, &walked.head))
}

fn beside(shown: &str, report: &VerifyReport, confronted: &Confronted, screen: Screen) -> Value {
    let lang = screen.lang;
    let mut value = intact(shown, report);
    let mut put = |name: &str, member: Value| {
        if let Some(members) = value.as_object_mut() {
            members.insert(name.to_owned(), member);
        }
    };
    let mut line = text::ledger_intact(lang, shown, report.entries, report.checkpoints);
    if report.purged > 0 {
        line.push_str(&say::with_purged(lang, report.purged));
    }
    if report.purged_unfinished > 0 {
        line.push_str(&say::with_purges_open(lang, report.purged_unfinished));
    }
    match confronted {
        Confronted::Unwitnessed => {
            screen.line(line);
            put("witnesses", json!(0));
            put("witnessed_through", json!(0));
        }
        Confronted::Confirmed { through, witnesses } => {
            let more = say::witnessed(lang, *witnesses, *through);
            screen.line(format!("{line}{more}"));
            put("witnesses", json!(witnesses));
            put("witnessed_through", json!(through));
        }
        Confronted::Contradicted(found) => {
            let what = sentence(found, screen);
            screen.line(text::ledger_damaged(lang, shown, &what));
            let (keeper, entry) = (found.proof.keeper.as_str(), found.proof.entry);
            screen.line(say::proven(lang, keeper, entry, found.proof.checkpoint.seq));
            put("intact", json!(false));
            put("what", json!(what));
            put("entry", json!(found.first));
            put("entry_at_most", json!(found.last));
            put("proven_by", proof_json(&found.proof));
        }
    }
    value
}

fn sentence(found: &Contradiction, screen: Screen) -> String {
    let (lang, first, last) = (screen.lang, found.first, found.last);
    match found.wrong {
        Wrong::CutOff => say::cut_off(lang, first),
        Wrong::Rewritten => say::rewritten(lang, first, last),
        Wrong::OtherKey => say::other_key(lang, first),
    }
}

fn proof_json(proof: &Witness) -> Value {
    json!({
        "node": proof.keeper.as_str(),
        "entry": proof.entry,
        "checkpoint": proof.checkpoint.seq,
        "signed_unix_ms": proof.checkpoint.at_ms,
    })
}

fn open(path: &Path) -> Result<DiskFiles, Failure> {
    DiskFiles::open(path).map_err(|error| Failure::file(path, &error))
}

fn intact(path: &str, report: &VerifyReport) -> Value {
    json!({
        "path": path,
        "intact": true,
        "node": report.node.as_ref().map(ToString::to_string),
        "segments": report.segments,
        "entries": report.entries,
        "opened": report.opened,
        "checkpoints": report.checkpoints,
        "purged": report.purged,
        "purged_unfinished": report.purged_unfinished,
        "head": report.head.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
    })
}

fn damaged(path: &str, failure: &VerifyFailure) -> Value {
    let mut value = json!({"path": path, "intact": false, "what": failure.to_string()});
    if let (
        VerifyFailure::Bad {
            file,
            offset,
            entry,
            ..
        }
        | VerifyFailure::Torn {
            file,
            offset,
            entry,
            ..
        },
        Some(members),
    ) = (failure, value.as_object_mut())
    {
        members.insert("file".to_owned(), json!(file));
        members.insert("offset".to_owned(), json!(offset));
        members.insert("entry".to_owned(), json!(entry));
    }
    value
}
