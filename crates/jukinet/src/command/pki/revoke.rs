//! `jukinet pki revoke`: one certificate more on the revocation list.

use std::time::Duration;

use juki_admin::AdminClient;
use juki_domain::NodeRole;
use juki_services::orders::{REVOCATION, RevocationAct};
use prost::Message as _;
use serde_json::{Value, json};

use super::{broken, holders, informed_of};
use crate::cli::RevokeArgs;
use crate::command::operator::{SYSTEM_MANAGER, Signer};
use crate::deployment::{Deployment, NodePlace};
use crate::failure::{Ending, Failure, Outcome};
use crate::hexadecimal::{bytes_of, hex};
use crate::screen::Screen;
use crate::text;

/// Asks the registrar at the national center for a new revocation list with one more certificate, and
/// says which nodes do not have it.
pub(super) async fn run(args: &RevokeArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let revoked = deployment.place(&args.node, screen.lang)?;
    let signer = Signer::unlock(&deployment, &args.by, SYSTEM_MANAGER, screen)?;
    let order = order_for(&revoked, &signer)?;
    let mut answer = bring(&deployment, &order, screen).await?;
    screen.line(text::revoked(screen.lang, revoked.name.as_str()));
    if let Some(list) = answer.get("list").and_then(Value::as_u64) {
        let others = holders(&deployment)
            .into_iter()
            .filter(|holder| holder.place.name != revoked.name)
            .collect();
        let late = informed_of(list, others, PATIENCE).await;
        let late: Vec<&str> = late.iter().map(super::Holder::name).collect();
        if late.is_empty() {
            screen.line(text::pki::all_informed(screen.lang, list));
        } else {
            screen.line(text::pki::not_informed(screen.lang, list, &late.join(", ")));
        }
        if let Some(members) = answer.as_object_mut() {
            members.insert("not_informed".to_owned(), json!(late));
        }
    }
    screen.document(&answer)?;
    Ok(Outcome::Held)
}

/// The order to revoke a certificate, as a system manager's card signs it.
pub(crate) fn order(node: &str, serial: &str, signer: &Signer) -> Value {
    let act = RevocationAct {
        node: node.to_owned(),
        serial: bytes_of(serial).unwrap_or_default(),
    };
    let act = signer.sign((REVOCATION.acts, act.encode_to_vec()));
    json!({"node": node, "serial": serial, "act": act})
}

/// The order to revoke the certificate that lies in a node's folder.
pub(crate) fn order_for(revoked: &NodePlace, signer: &Signer) -> Result<Value, Failure> {
    let chain = juki_pki::read_certificates(&revoked.keys().join("node.crt")).map_err(broken)?;
    let own = chain.first().map_or(&[][..], Vec::as_slice);
    let serial = hex(&juki_pki::serial_of(own).map_err(broken)?);
    Ok(order(revoked.name.as_str(), &serial, signer))
}

/// Brings an order to the registrar at the national center; the answer names the new list.
pub(crate) async fn bring(
    deployment: &Deployment,
    order: &Value,
    screen: Screen,
) -> Result<Value, Failure> {
    let center = deployment.only(NodeRole::NationalCenter, None, screen.lang)?;
    let client = AdminClient::new(center.admin_socket()).with_lang(screen.lang);
    Ok(client.post_json("/pki/revoke", order).await?)
}

/// As long as a list may take to the last node that can be reached.
const PATIENCE: Duration = Duration::from_secs(5);
