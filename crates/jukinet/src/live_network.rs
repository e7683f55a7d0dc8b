//! A network that a command makes, runs and drives for itself: the demo's and the benchmarks'.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use juki_admin::{AdminClient, StatusReport};
use juki_domain::{ErrorCode, NodeRole, Sex};
use juki_population::{Population, PopulationSettings};
use juki_topology::{Access, DEMO_BODY};
use serde_json::{Value, json};

use crate::cli::{NewArgs, Preset, Selection, UpArgs};
use crate::command::{new, population, status, up};
use crate::deployment::{Deployment, NodePlace};
use crate::failure::{Ending, Failure};
use crate::local_time::unix_now;
use crate::screen::Screen;
use crate::supervisor::ProcessState;
use crate::text;

const READY_PATIENCE: Duration = Duration::from_secs(60);
const LOAD_PATIENCE: Duration = Duration::from_secs(60);
/// How long a large network may take for each resident beyond that.
const PATIENCE_PER_RESIDENT: Duration = Duration::from_micros(500);
const LOOK_INTERVAL: Duration = Duration::from_millis(5);
/// Where many nodes share the cores, looking at them is no small part of the work.
const LARGE_LOOK_INTERVAL: Duration = Duration::from_millis(100);
const LARGE: usize = 50;
const START_LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// One synthetic resident, as the register knows it.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) resident: String,
    pub(crate) name: String,
    pub(crate) birth: String,
    pub(crate) sex: &'static str,
    pub(crate) address: String,
}

/// A deployment with residents' files, and its supervisor once it runs.
pub(crate) struct LiveNetwork {
    deployment: Deployment,
    populations: Vec<PopulationSettings>,
    running: Option<tokio::task::JoinHandle<Ending>>,
}

impl LiveNetwork {
    /// Makes a preset's deployment on unshaped lines with this part of its municipalities' residents,
    /// to be measured: operators may ask as often as the machine can answer.
    ///
    /// # Errors
    /// As `new` and `population`.
    pub(crate) fn make(
        dir: &Path,
        preset: Preset,
        seed: u64,
        scale: f64,
        screen: Screen,
    ) -> Result<Self, Failure> {
        Self::make_with(dir, (preset, Access::MEASURED), seed, scale, screen)
    }

    /// The same with the rates at which operators and bodies may ask.
    ///
    /// # Errors
    /// As `new` and `population`.
    pub(crate) fn make_with(
        dir: &Path,
        (preset, access): (Preset, Access),
        seed: u64,
        scale: f64,
        screen: Screen,
    ) -> Result<Self, Failure> {
        let args = NewArgs {
            dir: dir.to_owned(),
            preset,
            seed,
            scale: None,
            unshaped: true,
            operator_per_min: access.operator_per_min,
            body_per_min: access.body_per_min,
        };
        new::run(&args, screen.silent())?;
        let deployment = Deployment::open(dir)?;
        let codes: Vec<_> = deployment
            .places()
            .iter()
            .filter_map(|place| {
                deployment
                    .network()
                    .node_config(&place.name)?
                    .node
                    .municipality
            })
            .collect();
        let populations =
            population::settings(&codes, scale, seed, deployment.network().calendar().base)?;
        population::write(
            &populations,
            0,
            population::threads_of_machine(),
            &deployment.folder().join("residents"),
        )?;
        Ok(Self {
            deployment,
            populations,
            running: None,
        })
    }

    pub(crate) fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// How many residents the files hold.
    pub(crate) fn residents(&self) -> u64 {
        self.populations
            .iter()
            .map(|settings| settings.residents as u64)
            .sum()
    }

    /// Starts every node and waits until all are ready. The supervisor lives in this process, so
    /// that the nodes end with it.
    ///
    /// # Errors
    /// [`ErrorCode::NodeNotReady`] naming those that are not.
    pub(crate) async fn start(&mut self, screen: Screen) -> Result<(), Failure> {
        self.start_selected(Selection::default(), screen).await
    }

    /// Starts these nodes and waits until they are ready.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub(crate) async fn start_selected(
        &mut self,
        selection: Selection,
        screen: Screen,
    ) -> Result<(), Failure> {
        let args = UpArgs {
            dir: self.deployment.folder().to_owned(),
            detach: false,
            selection,
            ready_timeout_s: READY_PATIENCE.as_secs(),
            in_background: true,
        };
        let silent = screen.silent();
        let look = self.look_interval();
        let mut running = tokio::spawn(async move { up::run(&args, silent).await });
        let began = Instant::now();
        loop {
            let nodes = status::supervised(&self.deployment)
                .await
                .unwrap_or_default();
            if !nodes.is_empty() && nodes.iter().all(|node| node.state == ProcessState::Ready) {
                break;
            }
            if began.elapsed() > READY_PATIENCE
                || nodes.iter().any(|node| node.state == ProcessState::Failed)
            {
                let late: Vec<&str> = nodes
                    .iter()
                    .filter(|node| node.state != ProcessState::Ready)
                    .map(|node| node.node.as_str())
                    .collect();
                running.abort();
                return Err(Failure::new(ErrorCode::NodeNotReady, late.join(", ")));
            }
            if running.is_finished() {
                let ended = (&mut running)
                    .await
                    .map_err(|error| Failure::new(ErrorCode::NodeNotReady, error.to_string()))?;
                return Err(ended
                    .err()
                    .unwrap_or_else(|| Failure::new(ErrorCode::NodeNotReady, String::new())));
            }
            tokio::time::sleep(look.min(START_LOOK_INTERVAL)).await;
        }
        self.running = Some(running);
        Ok(())
    }

    /// Registers all residents at their communication servers and waits until three tiers agree.
    ///
    /// # Errors
    /// [`ErrorCode::CheckFailed`] where a row is refused or the tiers do not agree in time.
    pub(crate) async fn load(&self, screen: Screen) -> Result<(), Failure> {
        self.register_all(screen).await?;
        self.wait_equal(self.residents(), screen).await
    }

    /// Registers all residents, side by side at all communication servers, until each is durable there.
    ///
    /// # Errors
    /// [`ErrorCode::CheckFailed`] where a row is refused.
    pub(crate) async fn register_all(&self, screen: Screen) -> Result<(), Failure> {
        let imports = self.servers().into_iter().map(|(place, settings)| {
            let file = self
                .deployment
                .folder()
                .join("residents")
                .join(format!("{}.csv", settings.municipality));
            let patience = self.patience();
            async move {
                let client = AdminClient::new(place.admin_socket())
                    .with_timeout(patience)
                    .with_lang(screen.lang);
                let report: Value = client.post_file("/v1/import", &file).await?;
                match report.get("rejected").and_then(Value::as_u64) {
                    Some(0) => Ok(()),
                    rejected => Err(Failure::new(
                        ErrorCode::CheckFailed,
                        text::demo_import(screen.lang, place.name.as_str(), rejected.unwrap_or(0)),
                    )),
                }
            }
        });
        let tasks: Vec<_> = imports.map(|import| tokio::spawn(import)).collect();
        for task in tasks {
            task.await
                .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))??;
        }
        Ok(())
    }

    /// Waits until the national center holds so many residents and three tiers agree.
    ///
    /// # Errors
    /// [`ErrorCode::CheckFailed`] where they do not in time.
    pub(crate) async fn wait_equal(&self, residents: u64, screen: Screen) -> Result<(), Failure> {
        let began = Instant::now();
        while self.residents_at_top().await? < residents || !self.digests_equal().await? {
            if began.elapsed() > self.patience() {
                return Err(Failure::new(
                    ErrorCode::CheckFailed,
                    text::demo_late(screen.lang, &text::demo_loading(screen.lang, residents)),
                ));
            }
            tokio::time::sleep(self.look_interval()).await;
        }
        Ok(())
    }

    fn patience(&self) -> Duration {
        let residents = u32::try_from(self.residents()).unwrap_or(u32::MAX);
        LOAD_PATIENCE + PATIENCE_PER_RESIDENT * residents
    }

    fn look_interval(&self) -> Duration {
        if self.populations.len() < LARGE {
            LOOK_INTERVAL
        } else {
            LARGE_LOOK_INTERVAL
        }
    }

    /// Stops every node and waits until all are gone.
    ///
    /// # Errors
    /// As the supervisor ended.
    pub(crate) async fn stop(&mut self) -> Result<(), Failure> {
        let Some(running) = self.running.take() else {
            return Ok(());
        };
        // A supervisor that was interrupted is already on its way.
        let _asked: Result<Value, _> = AdminClient::new(self.deployment.supervisor_socket())
            .post_json("/down", &json!({}))
            .await;
        running
            .await
            .map_err(|error| Failure::new(ErrorCode::NotRunning, error.to_string()))?
            .map(|_| ())
    }

    /// How many node processes run.
    pub(crate) async fn processes(&self) -> usize {
        status::supervised(&self.deployment)
            .await
            .unwrap_or_default()
            .iter()
            .filter(|node| node.pid != 0)
            .count()
    }

    /// Residents that the national center holds.
    ///
    /// # Errors
    /// Where it does not answer.
    pub(crate) async fn residents_at_top(&self) -> Result<u64, Failure> {
        let center = self
            .deployment
            .only(NodeRole::NationalCenter, None, juki_domain::Lang::En)?;
        Ok(status_of(&center).await?.residents)
    }

    /// Whether each municipality's digest is the same at its server, its prefecture and the center.
    ///
    /// # Errors
    /// Where a node does not answer.
    pub(crate) async fn digests_equal(&self) -> Result<bool, Failure> {
        let mut tiers: BTreeMap<NodeRole, BTreeMap<String, Value>> = BTreeMap::new();
        let holds = [
            NodeRole::MunicipalCs,
            NodeRole::PrefectureServer,
            NodeRole::NationalCenter,
        ];
        for place in self
            .deployment
            .places()
            .into_iter()
            .filter(|place| holds.contains(&place.role))
        {
            let report = status_of(&place).await?;
            let digests = report
                .more
                .get("digests")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            tiers.entry(place.role).or_default().extend(digests);
        }
        let towns = tiers
            .get(&NodeRole::MunicipalCs)
            .cloned()
            .unwrap_or_default();
        Ok(!towns.is_empty() && holds.iter().all(|role| tiers.get(role) == Some(&towns)))
    }

    /// The network's civil date as ISO text.
    ///
    /// # Errors
    /// Where the calendar's date cannot be written.
    pub(crate) fn civil_date(&self) -> Result<String, Failure> {
        let date = self.deployment.network().calendar().date_at(unix_now());
        date.map(|date| date.to_string())
            .map_err(|error| Failure::new(ErrorCode::DateInvalid, error.to_string()))
    }

    /// The first resident in a server's file.
    ///
    /// # Errors
    /// Where the node is no communication server of this network.
    pub(crate) fn sample(&self, node: &str) -> Result<Sample, Failure> {
        let mut samples = self.samples(node, 1)?;
        samples
            .pop()
            .ok_or_else(|| Failure::new(ErrorCode::ResidentUnknown, node.to_owned()))
    }

    /// The first residents in a server's file.
    ///
    /// # Errors
    /// Where the node is no communication server of this network.
    pub(crate) fn samples(&self, node: &str, count: usize) -> Result<Vec<Sample>, Failure> {
        let servers = self.servers();
        let settings = servers
            .iter()
            .find(|(place, _)| place.name.as_str() == node)
            .map(|(_, settings)| *settings);
        let settings =
            settings.ok_or_else(|| Failure::new(ErrorCode::ConfigBadValue, node.to_owned()))?;
        let population = Population::new(settings)
            .map_err(|error| Failure::new(ErrorCode::ConfigBadValue, error.to_string()))?;
        let sample = |resident: juki_population::Resident| Sample {
            resident: resident.register_number.reveal().to_owned(),
            name: resident.name.reveal().to_owned(),
            birth: resident.birth.reveal(),
            sex: if resident.sex == Sex::Male {
                "male"
            } else {
                "female"
            },
            address: resident.address.reveal().to_owned(),
        };
        Ok(population.take(count).map(sample).collect())
    }

    /// Submits a change as the existing register would.
    ///
    /// # Errors
    /// The server's refusal.
    pub(crate) async fn submit(
        &self,
        node: &str,
        change: &Value,
        screen: Screen,
    ) -> Result<Value, Failure> {
        let client = AdminClient::new(self.deployment.place(node, screen.lang)?.admin_socket())
            .with_lang(screen.lang);
        Ok(client.post_json("/v1/changes", change).await?)
    }

    /// How far a change has got.
    ///
    /// # Errors
    /// Where the server does not answer.
    pub(crate) async fn state(
        &self,
        node: &str,
        key: &str,
        screen: Screen,
    ) -> Result<String, Failure> {
        let client = AdminClient::new(self.deployment.place(node, screen.lang)?.admin_socket());
        let state: Value = client.get_json(&format!("/v1/changes/{key}")).await?;
        Ok(state
            .get("state")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned())
    }

    /// The demo operator's card and PIN.
    ///
    /// # Errors
    /// Where the files cannot be read.
    pub(crate) fn card(&self) -> Result<(PathBuf, String), Failure> {
        let terminal = self.ministry()?;
        let card = self
            .deployment
            .cards()
            .join(format!("{}.card", terminal.name));
        let pin_file = card.with_extension("pin");
        let pin =
            fs::read_to_string(&pin_file).map_err(|error| Failure::file(&pin_file, &error))?;
        Ok((card, pin.trim().to_owned()))
    }

    /// Logs the demo's operator in.
    ///
    /// # Errors
    /// The terminal's refusal.
    pub(crate) async fn log_in(&self, screen: Screen) -> Result<(), Failure> {
        let (card, pin) = self.card()?;
        let _session: Value = self
            .terminal(screen)?
            .post_json("/operator/login", &json!({"card": card, "pin": pin}))
            .await?;
        Ok(())
    }

    /// Asks a question at the terminal.
    ///
    /// # Errors
    /// Where no answer comes.
    pub(crate) async fn ask(&self, question: &Value, screen: Screen) -> Result<Value, Failure> {
        Ok(self.terminal(screen)?.post_json("/query", question).await?)
    }

    /// A client of the terminal.
    ///
    /// # Errors
    /// Where the network has none.
    pub(crate) fn terminal(&self, screen: Screen) -> Result<AdminClient, Failure> {
        let terminal = self.ministry()?;
        Ok(AdminClient::new(terminal.admin_socket()).with_lang(screen.lang))
    }

    /// The terminal of the ministry that every preset has.
    fn ministry(&self) -> Result<NodePlace, Failure> {
        let name = format!("agency-{DEMO_BODY}");
        self.deployment.place(&name, juki_domain::Lang::En)
    }

    fn servers(&self) -> Vec<(NodePlace, PopulationSettings)> {
        let servers = self
            .deployment
            .places()
            .into_iter()
            .filter(|place| place.role == NodeRole::MunicipalCs);
        servers
            .filter_map(|place| {
                let municipality = self
                    .deployment
                    .network()
                    .node_config(&place.name)?
                    .node
                    .municipality?;
                let settings = self
                    .populations
                    .iter()
                    .find(|settings| settings.municipality == municipality)?;
                Some((place, *settings))
            })
            .collect()
    }
}

async fn status_of(place: &NodePlace) -> Result<StatusReport, Failure> {
    Ok(AdminClient::new(place.admin_socket())
        .get_json("/status")
        .await?)
}
