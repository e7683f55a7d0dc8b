//! The steps of a roll-over that change nodes; each names the nodes that it could not change.

use juki_admin::AdminClient;
use juki_domain::NodeRole;
use juki_pki::{
    ROOTS_CONTEXT, read_certificates, roots_message, serial_of, write_certificates, write_notice,
};
use serde_json::{Value, json};

use super::authorities::Authorities;
use super::too_early;
use crate::command::pki::lists::newest_list;
use crate::command::pki::rotate::Rotation;
use crate::command::pki::{Holder, broken, hex, holders};
use crate::deployment::{Deployment, NodePlace};
use crate::failure::Failure;
use crate::screen::Screen;
use crate::text;

/// The nodes, and what they are given.
pub(super) struct Spread<'a> {
    deployment: &'a Deployment,
    authorities: &'a Authorities,
    nodes: Vec<Holder>,
    screen: Screen,
}

impl<'a> Spread<'a> {
    pub(super) fn new(
        deployment: &'a Deployment,
        authorities: &'a Authorities,
        screen: Screen,
    ) -> Self {
        Self {
            deployment,
            authorities,
            nodes: trusted(deployment),
            screen,
        }
    }

    /// Every node believes in both roots.
    pub(super) async fn trust_both(&self) -> Result<Vec<String>, Failure> {
        let roots = vec![self.authorities.root()?, self.authorities.next_root()?];
        let signature = self
            .authorities
            .sign(ROOTS_CONTEXT, &roots_message(&roots))?;
        self.give_roots(&roots, &signature, None).await
    }

    /// Every node has a certificate that stands under the next root.
    pub(super) async fn move_over(&self) -> Result<Vec<String>, Failure> {
        let both = [self.authorities.root()?, self.authorities.next_root()?];
        self.all_have(|place| roots_of(place) == both)?;
        let issuing = self.authorities.next_issuing()?;
        let lang = self.screen.lang;
        let center = self.deployment.only(NodeRole::NationalCenter, None, lang)?;
        let _replaced: Value = AdminClient::new(center.admin_socket())
            .with_lang(lang)
            .post_json("/pki/issuing", &json!({ "certificate": hex(&issuing) }))
            .await?;
        let rotation = Rotation::new(self.deployment, self.screen)?;
        let mut late = Vec::new();
        for node in &self.nodes {
            if !has_moved(&node.place, &issuing)
                && let Err(failure) = rotation.renew(node).await
            {
                self.tell(node, &failure);
                late.push(node.name().to_owned());
            }
        }
        Ok(late)
    }

    /// Every node believes in the next root alone.
    pub(super) async fn drop_first(&self) -> Result<Vec<String>, Failure> {
        let issuing = self.authorities.next_issuing()?;
        self.all_have(|place| has_moved(place, &issuing))?;
        let roots = vec![self.authorities.next_root()?];
        let signature = self
            .authorities
            .sign_as_next(ROOTS_CONTEXT, &roots_message(&roots))?;
        let directory = self.authorities.next_directory()?;
        let late = self
            .give_roots(&roots, &signature, Some(&directory))
            .await?;
        for place in self.deployment.places() {
            // An access point has the files, and judges nobody by them.
            if place.role == NodeRole::AccessPoint && !self.deployment.is_keyless(&place) {
                let keys = place.keys();
                write_certificates(&keys.join("root.crt"), &roots).map_err(broken)?;
                write_notice(&keys.join("directory.bin"), &directory).map_err(broken)?;
            }
        }
        Ok(late)
    }

    async fn give_roots(
        &self,
        roots: &[Vec<u8>],
        signature: &[u8],
        directory: Option<&[u8]>,
    ) -> Result<Vec<String>, Failure> {
        let mut body = json!({
            "roots": roots.iter().map(|root| hex(root)).collect::<Vec<_>>(),
            "signature": hex(signature),
        });
        if let (Some(directory), Some(members)) = (directory, body.as_object_mut()) {
            members.insert("directory".to_owned(), hex(directory).into());
        }
        let mut late = Vec::new();
        for node in &self.nodes {
            if roots_of(&node.place) == roots {
                continue;
            }
            let client = AdminClient::new(node.place.admin_socket()).with_lang(self.screen.lang);
            let given: Result<Value, _> = client.post_json("/pki/roots", &body).await;
            if let Err(error) = given {
                self.tell(node, &Failure::from(error));
                late.push(node.name().to_owned());
            }
        }
        Ok(late)
    }

    /// Refuses to go on while some node is not so far.
    fn all_have(&self, is_so_far: impl Fn(&NodePlace) -> bool) -> Result<(), Failure> {
        let late: Vec<&str> = self
            .nodes
            .iter()
            .filter(|node| !is_so_far(&node.place))
            .map(Holder::name)
            .collect();
        if late.is_empty() {
            Ok(())
        } else {
            Err(too_early(late.join(", ")))
        }
    }

    fn tell(&self, node: &Holder, failure: &Failure) {
        let said = failure.sentence();
        let line = text::pki::not_rotated(self.screen.lang, node.name(), &said);
        self.screen.line(line);
    }
}

/// Every node whose certificate is not revoked: the others are left behind with the first root.
fn trusted(deployment: &Deployment) -> Vec<Holder> {
    let all = holders(deployment);
    let revoked = newest_list(&all)
        .map(|list| list.serials)
        .unwrap_or_default();
    let is_revoked = |holder: &Holder| {
        let chain = read_certificates(&holder.place.keys().join("node.crt")).unwrap_or_default();
        let serial = chain.first().and_then(|own| serial_of(own).ok());
        serial.is_some_and(|serial| revoked.contains(&serial))
    };
    all.into_iter()
        .filter(|holder| !is_revoked(holder))
        .collect()
}

/// The roots in a node's folder; none where they cannot be read.
fn roots_of(place: &NodePlace) -> Vec<Vec<u8>> {
    read_certificates(&place.keys().join("root.crt")).unwrap_or_default()
}

fn has_moved(place: &NodePlace, issuing: &[u8]) -> bool {
    let chain = read_certificates(&place.keys().join("node.crt")).unwrap_or_default();
    chain.get(1).is_some_and(|above| above == issuing)
}
