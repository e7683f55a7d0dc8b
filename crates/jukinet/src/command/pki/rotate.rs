//! `jukinet pki rotate`: nodes get new certificates while they work.

use std::time::{Duration, Instant};

use juki_admin::{AdminClient, StatusReport};
use juki_domain::{ErrorCode, NodeRole};
use serde_json::{Value, json};

use super::{Holder, holders, revoke};
use crate::cli::RotateArgs;
use crate::command::operator::{SYSTEM_MANAGER, Signer};
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
use crate::local_time::utc;
use crate::screen::Screen;
use crate::text;

pub(super) async fn run(args: &RotateArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let chosen = chosen(&deployment, args, screen)?;
    let rotation = Rotation::new(&deployment, screen)?.with_days(args.days);
    // A PIN that is wrong should show before certificates are replaced.
    let signer = args
        .revoke_old
        .then(|| Signer::unlock(&deployment, &args.by, SYSTEM_MANAGER, screen))
        .transpose()?;
    let mut rows = Vec::new();
    let mut failed = false;
    for holder in &chosen {
        match rotation.renew(holder).await {
            Ok(renewed) => {
                screen.line(text::pki::rotated(
                    screen.lang,
                    holder.name(),
                    &renewed.serial,
                    &utc(renewed.valid_until_s),
                ));
                if let Some(signer) = &signer {
                    rotation.revoke(holder, &renewed.before, signer).await?;
                    screen.line(text::pki::old_revoked(screen.lang, &renewed.before));
                }
                rows.push(json!({
                    "node": holder.name(),
                    "serial": renewed.serial,
                    "valid_until_unix_s": renewed.valid_until_s,
                    "before": renewed.before,
                    "revoked": args.revoke_old,
                }));
            }
            Err(failure) => {
                failed = true;
                let said = failure.sentence();
                screen.line(text::pki::not_rotated(screen.lang, holder.name(), &said));
                rows.push(json!({ "node": holder.name(), "failed": said }));
            }
        }
    }
    screen.document(&rows)?;
    Ok(if failed {
        Outcome::NotHeld
    } else {
        Outcome::Held
    })
}

/// The nodes that are to get certificates: the named one, or all that have keys here.
fn chosen(
    deployment: &Deployment,
    args: &RotateArgs,
    screen: Screen,
) -> Result<Vec<Holder>, Failure> {
    let all = holders(deployment);
    let Some(name) = &args.node else {
        let here = all
            .into_iter()
            .filter(|holder| !deployment.is_keyless(&holder.place));
        return Ok(here.collect());
    };
    let place = deployment.place(name, screen.lang)?;
    let found: Vec<Holder> = all
        .into_iter()
        .filter(|holder| holder.place.name == place.name)
        .collect();
    if found.is_empty() {
        let detail = text::pki::takes_no_part(screen.lang, name);
        return Err(Failure::new(ErrorCode::ConfigBadValue, detail));
    }
    Ok(found)
}

/// Who brings requests to the registrar and certificates back.
pub(super) struct Rotation {
    center: AdminClient,
    days: u64,
    screen: Screen,
}

/// A certificate that a node has got.
pub(super) struct Renewed {
    pub(super) serial: String,
    pub(super) valid_until_s: u64,
    /// The serial of the one before.
    pub(super) before: String,
}

impl Rotation {
    pub(super) fn new(deployment: &Deployment, screen: Screen) -> Result<Self, Failure> {
        let center = deployment.only(NodeRole::NationalCenter, None, screen.lang)?;
        Ok(Self {
            center: AdminClient::new(center.admin_socket()).with_lang(screen.lang),
            days: DAYS,
            screen,
        })
    }

    fn with_days(self, days: u64) -> Self {
        Self { days, ..self }
    }

    /// Has a node make a new key and show its certificate; returns when all its links have it.
    pub(super) async fn renew(&self, holder: &Holder) -> Result<Renewed, Failure> {
        let node = AdminClient::new(holder.place.admin_socket()).with_lang(self.screen.lang);
        let report: StatusReport = node.get_json("/status").await?;
        let before = text_of(report.more.get("certificate_serial"));
        let mut request: Value = node.post_json("/pki/request", &json!({})).await?;
        if let Some(members) = request.as_object_mut() {
            members.insert("days".to_owned(), self.days.into());
        }
        let issued: Value = self.center.post_json("/pki/renew", &request).await?;
        let chain = issued.get("chain").cloned().unwrap_or(Value::Null);
        let _installed: Value = node
            .post_json("/pki/install", &json!({ "chain": chain }))
            .await?;
        self.wait_for_links(holder, &node).await?;
        Ok(Renewed {
            serial: text_of(issued.get("serial")),
            valid_until_s: issued
                .get("valid_until_unix_s")
                .and_then(Value::as_u64)
                .unwrap_or(0),
            before,
        })
    }

    /// Until no link of the node was made with its old certificate.
    async fn wait_for_links(&self, holder: &Holder, node: &AdminClient) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            let report: StatusReport = node.get_json("/status").await?;
            let left = report.more.get("links_to_renew").and_then(Value::as_u64);
            match left {
                None | Some(0) => return Ok(()),
                Some(left) if began.elapsed() > PATIENCE => {
                    let detail = text::pki::links_left(self.screen.lang, holder.name(), left);
                    return Err(Failure::new(ErrorCode::LineDown, detail));
                }
                Some(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// Has a node's earlier certificate revoked.
    async fn revoke(&self, holder: &Holder, serial: &str, signer: &Signer) -> Result<(), Failure> {
        let order = revoke::order(holder.name(), serial, signer);
        let _list: Value = self.center.post_json("/pki/revoke", &order).await?;
        Ok(())
    }
}

fn text_of(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// As long as a new deployment's certificates are valid.
const DAYS: u64 = 2 * 365;
/// More than a link may take to drain.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
