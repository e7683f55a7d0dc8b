//! Which revocation list each node judges by.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use juki_admin::{AdminClient, StatusReport};
use juki_domain::NodeRole;
use juki_pki::RevocationList;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::deployment::{Deployment, NodePlace};

/// A node that judges certificates, and who asks it.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    pub(crate) place: NodePlace,
    client: Arc<AdminClient>,
}

impl Holder {
    /// The node's name.
    pub(crate) fn name(&self) -> &str {
        self.place.name.as_str()
    }
}

/// Every node that judges certificates: all but access points, which only move datagrams.
pub(crate) fn holders(deployment: &Deployment) -> Vec<Holder> {
    let places = deployment.places().into_iter();
    places
        .filter(|place| place.role != NodeRole::AccessPoint)
        .map(|place| {
            let client = AdminClient::new(place.admin_socket()).with_timeout(ANSWER_TIMEOUT);
            Holder {
                place,
                client: Arc::new(client),
            }
        })
        .collect()
}

/// What these nodes say of themselves, in their order; none where one does not answer.
pub(crate) async fn reports(holders: &[Holder]) -> Vec<Option<StatusReport>> {
    let slots = Arc::new(Semaphore::new(ASKED_AT_ONCE));
    let mut asked = JoinSet::new();
    for (position, holder) in holders.iter().enumerate() {
        let client = Arc::clone(&holder.client);
        let slots = Arc::clone(&slots);
        asked.spawn(async move {
            let _slot = slots.acquire_owned().await;
            (position, client.get_json("/status").await.ok())
        });
    }
    let mut answers = BTreeMap::new();
    while let Some(joined) = asked.join_next().await {
        answers.extend(joined);
    }
    answers.into_values().collect()
}

/// The list in a node's folder; none where it cannot be read.
pub(super) fn list_in_file(holder: &Holder) -> Option<RevocationList> {
    let der = juki_pki::read_revocation_list(&holder.place.keys().join("revocation.crl")).ok()?;
    RevocationList::read(&der).ok()
}

/// The newest list in any of these nodes' folders: the registrar may live on another machine.
pub(super) fn newest_list(holders: &[Holder]) -> Option<RevocationList> {
    let lists = holders.iter().filter_map(list_in_file);
    lists.max_by_key(|list| list.number)
}

/// The number of the list that a node judges by.
pub(crate) fn list_of(report: &StatusReport) -> Option<u64> {
    report.more.get("revocation_list").and_then(Value::as_u64)
}

/// Waits until these nodes judge by this list or a newer one, and names those that do not after the
/// patience. A node that does not answer is not waited for.
pub(crate) async fn informed_of(
    list: u64,
    mut waiting: Vec<Holder>,
    patience: Duration,
) -> Vec<Holder> {
    let began = Instant::now();
    let mut silent = Vec::new();
    loop {
        let mut late = Vec::new();
        for (holder, report) in waiting.iter().zip(reports(&waiting).await) {
            match report.as_ref().and_then(list_of) {
                None => silent.push(holder.clone()),
                Some(number) if number >= list => {}
                Some(_) => late.push(holder.clone()),
            }
        }
        if late.is_empty() || began.elapsed() > patience {
            silent.extend(late);
            silent.sort_by(|one, other| one.place.name.cmp(&other.place.name));
            return silent;
        }
        waiting = late;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Enough that one slow node does not hold up the others.
const ASKED_AT_ONCE: usize = 16;
/// Answering takes the nodes time that they need for passing the list on.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
