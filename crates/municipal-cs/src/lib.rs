//! Communication server of one municipality: the bridge between the existing resident register
//! and the network, and the single writer of the municipality's journal.

mod api;
mod change_json;
mod codes_api;
mod drop_folder;
mod import;
mod import_api;
mod papers;
mod reconcile;
mod register;
mod register_http;
mod spool;

use std::sync::Arc;

use juki_dispatch::Service;
use juki_domain::{ChangeRequest, CivilDate, ErrorCode, MunicipalityCode, NodeId, NodeRole};
use juki_incident::{Monitor, MonitorSettings};
use juki_journal::{Heights, JournalSender};
use juki_node::{
    EngineHandle, EngineParts, Node, Prepared, Reporter, Reports, ServiceNode, StartError, Stop,
};
use juki_record_node as records;
use juki_registry::Registry;
use juki_services::codes::CodeStock;
use juki_services::registration::Registration;
use serde_json::json;

use drop_folder::DropFolder;
use import::Imports;
use register::Register;
use register_http::RegisterHttp;
use spool::SpoolFolder;

/// Reads one change as the register's interface takes it in JSON, on a civil date.
///
/// # Errors
/// The code with which the interface refuses it.
pub fn read_change(body: &[u8], today: CivilDate) -> Result<ChangeRequest, ErrorCode> {
    let change: change_json::ChangeJson =
        serde_json::from_slice(body).map_err(|_| ErrorCode::ValueInvalid)?;
    change.request(today).map_err(|wrong| wrong.code)
}

/// A running communication server.
pub struct MunicipalCs {
    node: ServiceNode,
    http: Option<RegisterHttp>,
    imports: Imports,
    drop_folder: Option<DropFolder>,
}

impl MunicipalCs {
    /// What interfaces hold of it.
    #[must_use]
    pub fn handle(&self) -> EngineHandle {
        self.node.handle()
    }
}

impl Node for MunicipalCs {
    const ROLE: NodeRole = NodeRole::MunicipalCs;

    fn check(prepared: &Prepared) -> Result<(), StartError> {
        municipality(prepared)?;
        upper(prepared)?;
        RegisterHttp::token(prepared).map(|_| ())
    }

    async fn start(prepared: Arc<Prepared>, stop: Stop) -> Result<Self, StartError> {
        let municipality = municipality(&prepared)?;
        let upper = upper(&prepared)?;
        // Its own municipality's records are looked up by number and code, never by the four items.
        let registry = records::registry(&prepared, false);
        let sender = JournalSender::new(
            municipality,
            upper.clone(),
            registry.clone(),
            prepared.config.limits.receipt_timeout_ms,
        );
        let pseudonyms = prepared
            .keys
            .storage_key()
            .derive_digest_key("registration pseudonyms");
        let registration =
            Registration::new(municipality, registry.clone(), pseudonyms, sender.gate());
        let monitor = Monitor::new(MonitorSettings {
            upper: Some(upper.clone()),
            ..MonitorSettings::default()
        });
        let stock = CodeStock::new(municipality, upper);
        let codes_left = stock.gauge();
        let services: Vec<Box<dyn Service>> = vec![
            Box::new(sender),
            Box::new(registration),
            Box::new(stock),
            Box::new(monitor),
        ];
        let parts = EngineParts {
            services,
            index: records::open_index(&prepared)?,
            reporter: reporter(municipality, registry),
        };
        let spools = SpoolFolder::open(&prepared.data())
            .map_err(|error| StartError::failed(ErrorCode::DiskFailed, error))?;
        let file_bytes_max = prepared.config.register.as_ref().map_or_else(
            juki_topology::Register::file_bytes_max_default,
            |register| register.file_bytes_max,
        );
        let imports = Imports::new(spools, file_bytes_max);
        let (routed, gauge) = (imports.clone(), Arc::clone(&codes_left));
        let mut node =
            ServiceNode::start(Arc::clone(&prepared), stop.clone(), parts, move |handle| {
                api::routes(Register::new(handle, municipality, routed, gauge))
            })
            .await?;
        let register = Register::new(node.handle(), municipality, imports.clone(), codes_left);
        let drop_folder = DropFolder::start(&prepared, register.clone(), stop.clone())
            .map_err(|error| StartError::failed(ErrorCode::DiskFailed, error))?;
        let http = RegisterHttp::start(&prepared, register, stop).await?;
        if let Some(http) = &http {
            node.add_address("register", http.address().to_string());
        }
        Ok(Self {
            node,
            http,
            imports,
            drop_folder,
        })
    }

    async fn ready(&self) -> Vec<(String, String)> {
        self.node.ready().await
    }

    async fn failure(&self) -> String {
        self.node.failure().await
    }

    async fn shutdown(self) -> Result<(), String> {
        if let Some(folder) = self.drop_folder {
            folder.stop().await;
        }
        self.imports.close();
        // The register hears no more before the journal ends.
        if let Some(http) = self.http {
            http.stop().await;
        }
        self.node.shutdown().await
    }
}

fn municipality(prepared: &Prepared) -> Result<MunicipalityCode, StartError> {
    prepared
        .config
        .node
        .municipality
        .ok_or_else(|| StartError::missing("node.municipality: the six digits of the municipality"))
}

fn upper(prepared: &Prepared) -> Result<NodeId, StartError> {
    let prefecture = municipality(prepared)?.prefecture();
    let name = format!("prefecture-{prefecture}");
    let node: NodeId = name
        .parse()
        .map_err(|_| StartError::missing("directory.bin: the prefecture server"))?;
    match prepared.keys.directory.entry(&node) {
        Some(_) => Ok(node),
        None => Err(StartError::missing(&format!(
            "directory.bin: the node {name}"
        ))),
    }
}

fn reporter(municipality: MunicipalityCode, registry: Registry) -> Reporter {
    Box::new(move |view| {
        let heights = Heights::load(view, municipality);
        let head = JournalSender::head(view);
        Reports {
            residents: registry.count(view, municipality),
            behind: head.seq.saturating_sub(heights.national),
            more: vec![
                (
                    "digests".to_owned(),
                    records::digests(&registry, view, std::iter::once(municipality)),
                ),
                (
                    "journal".to_owned(),
                    json!({"head": head.seq, "at_prefecture": heights.prefecture, "at_national": heights.national}),
                ),
                ("codes_left".to_owned(), CodeStock::left(view).into()),
                (
                    "differences".to_owned(),
                    registry.differences(view, 1_000).len().into(),
                ),
            ],
            ..Reports::default()
        }
    })
}
