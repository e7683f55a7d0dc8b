//! `jukinet pki`: certificates of a running network.

use juki_admin::AdminClient;
use juki_domain::NodeRole;
use serde_json::{Value, json};

use crate::cli::RevokeArgs;
use crate::deployment::Deployment;
use crate::failure::{Ending, Outcome};
use crate::screen::Screen;
use crate::text;

/// Asks the registrar at the national center for a new revocation list with one more certificate.
pub(crate) async fn revoke(args: &RevokeArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let revoked = deployment.place(&args.node, screen.lang)?;
    let center = deployment.only(NodeRole::NationalCenter, None, screen.lang)?;
    let client = AdminClient::new(center.admin_socket()).with_lang(screen.lang);
    let path = revoked.keys().join("node.crt");
    let broken =
        |error: juki_pki::PkiError| crate::failure::Failure::new(error.code(), error.to_string());
    let chain = juki_pki::read_certificates(&path).map_err(broken)?;
    let serial =
        juki_pki::serial_of(chain.first().map_or(&[][..], Vec::as_slice)).map_err(broken)?;
    let serial: String = serial.iter().map(|byte| format!("{byte:02x}")).collect();
    let answer: Value = client
        .post_json(
            "/pki/revoke",
            &json!({"node": revoked.name.as_str(), "serial": serial}),
        )
        .await?;
    screen.line(text::revoked(screen.lang, revoked.name.as_str()));
    screen.document(&answer)?;
    Ok(Outcome::Held)
}
