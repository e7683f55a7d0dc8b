//! `jukinet pki revoke`: one certificate more on the revocation list.

use std::time::Duration;

use juki_admin::AdminClient;
use juki_domain::NodeRole;
use serde_json::{Value, json};

use super::{broken, hex, holders, informed_of};
use crate::cli::RevokeArgs;
use crate::deployment::{Deployment, NodePlace};
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;

/// Asks the registrar at the national center for a new revocation list with one more certificate, and
/// says which nodes do not have it.
pub(super) async fn run(args: &RevokeArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let revoked = deployment.place(&args.node, screen.lang)?;
    let mut answer = revoke_certificate(&deployment, &revoked, screen).await?;
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

/// Has the certificate that lies in a node's folder revoked; the answer names the new list.
pub(crate) async fn revoke_certificate(
    deployment: &Deployment,
    revoked: &NodePlace,
    screen: Screen,
) -> Result<Value, Failure> {
    let center = deployment.only(NodeRole::NationalCenter, None, screen.lang)?;
    let client = AdminClient::new(center.admin_socket()).with_lang(screen.lang);
    let chain = juki_pki::read_certificates(&revoked.keys().join("node.crt")).map_err(broken)?;
    let own = chain.first().map_or(&[][..], Vec::as_slice);
    let serial = hex(&juki_pki::serial_of(own).map_err(broken)?);
    let request = json!({"node": revoked.name.as_str(), "serial": serial});
    Ok(client.post_json("/pki/revoke", &request).await?)
}

/// As long as a list may take to the last node that can be reached.
const PATIENCE: Duration = Duration::from_secs(5);
