//! The admin API's routes for the lines.

use std::path::PathBuf;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use juki_admin::{JsonBody, Problem, accepted_lang};
use juki_domain::{ErrorCode, Lang};
use juki_line::{Burst, Direction, Disturbance, Flapping, JitterShape, LineSettings, Schedule};
use serde::Deserialize;

use crate::switch::now_ms;
use crate::{ControlError, LineStatus, RelayControl};

/// New numbers of a line, those that are to change.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    bandwidth_bps: Option<u64>,
    delay_us: Option<u64>,
    jitter_us: Option<u64>,
    loss: Option<f64>,
    queue_bytes: Option<u64>,
    mtu: Option<u16>,
    disturbance: Option<Disturbing>,
}

/// New numbers of a bad line, those that are to change; a burst that never begins ends bursts.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Disturbing {
    jitter: Option<JitterShape>,
    burst: Option<Burst>,
    duplicate: Option<f64>,
    corrupt: Option<f64>,
    reorder: Option<f64>,
    reorder_us: Option<u64>,
}

impl Disturbing {
    fn over(self, old: Disturbance) -> Disturbance {
        let begins = |burst: &Burst| burst.enter > 0.0 || burst.enter.is_nan();
        Disturbance {
            jitter: self.jitter.unwrap_or(old.jitter),
            burst: self.burst.or(old.burst).filter(begins),
            duplicate: self.duplicate.unwrap_or(old.duplicate),
            corrupt: self.corrupt.unwrap_or(old.corrupt),
            reorder: self.reorder.unwrap_or(old.reorder),
            reorder_us: self.reorder_us.unwrap_or(old.reorder_us),
        }
    }
}

/// A line that is to come and go from now on.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Flaps {
    down_ms: u64,
    up_ms: u64,
    /// How long it goes on; 0 ends it.
    for_ms: u64,
}

/// Whether what passes a line is to be written down.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Captures {
    on: bool,
    /// The file's greatest length.
    #[serde(default = "capture_bytes")]
    bytes_max: u64,
}

/// What the routes work with.
#[derive(Clone)]
struct Desk {
    control: RelayControl,
    /// Where captures are written.
    captures: PathBuf,
}

impl Numbers {
    fn over(self, old: LineSettings) -> LineSettings {
        LineSettings {
            bandwidth_bps: self.bandwidth_bps.unwrap_or(old.bandwidth_bps),
            delay_us: self.delay_us.unwrap_or(old.delay_us),
            jitter_us: self.jitter_us.unwrap_or(old.jitter_us),
            loss: self.loss.unwrap_or(old.loss),
            queue_bytes: self.queue_bytes.unwrap_or(old.queue_bytes),
            mtu: self.mtu.unwrap_or(old.mtu),
            disturbance: match self.disturbance {
                Some(new) => new.over(old.disturbance),
                None => old.disturbance,
            },
        }
    }
}

/// Which direction of a line is meant; both where none is named.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Way {
    direction: Option<Direction>,
}

type WayGiven = Result<Query<Way>, QueryRejection>;

/// `GET /lines`, `POST /lines/{name}` with new numbers (what is left out stays as it is),
/// `POST /lines/{name}/up` and `POST /lines/{name}/down`: these change both directions, or the one
/// named by `?direction=upward` or `?direction=downward`. `POST /lines/{name}/schedule`, `/flap` and
/// `/capture` change the line. Each is answered with the line as it is then. Captures are files
/// `LINE.pcap` in that folder.
pub(crate) fn routes(control: RelayControl, captures: PathBuf) -> Router {
    Router::new()
        .route("/lines", get(list))
        .route("/lines/{name}", post(set))
        .route("/lines/{name}/up", post(up))
        .route("/lines/{name}/down", post(down))
        .route("/lines/{name}/schedule", post(schedule))
        .route("/lines/{name}/flap", post(flap))
        .route("/lines/{name}/capture", post(capture))
        .with_state(Desk { control, captures })
}

async fn list(State(desk): State<Desk>) -> Json<Vec<LineStatus>> {
    Json(desk.control.list())
}

async fn schedule(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    headers: HeaderMap,
    JsonBody(schedule): JsonBody<Schedule>,
) -> Response {
    let changed = desk.control.schedule(&name, schedule);
    answer(&desk.control, &name, &headers, Ok(changed))
}

async fn flap(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    headers: HeaderMap,
    JsonBody(flaps): JsonBody<Flaps>,
) -> Response {
    let from_ms = now_ms();
    let flapping = (flaps.for_ms > 0).then(|| Flapping {
        from_ms,
        until_ms: from_ms.saturating_add(flaps.for_ms),
        down_ms: flaps.down_ms,
        up_ms: flaps.up_ms,
    });
    let changed = line_named(&desk.control, &name).and_then(|line| {
        let outages = line.schedule.outages;
        desk.control.schedule(&name, Schedule { outages, flapping })
    });
    answer(&desk.control, &name, &headers, Ok(changed))
}

async fn capture(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    headers: HeaderMap,
    JsonBody(captures): JsonBody<Captures>,
) -> Response {
    // The name is one of a line before it is part of a path.
    let changed = line_named(&desk.control, &name).and_then(|_| {
        if !captures.on {
            return desk.control.end_capture(&name);
        }
        let path = desk.captures.join(format!("{name}.pcap"));
        desk.control.capture(&name, &path, captures.bytes_max)
    });
    answer(&desk.control, &name, &headers, Ok(changed))
}

/// A capture's length where nobody says another: some minutes of a busy line.
fn capture_bytes() -> u64 {
    64 << 20
}

async fn set(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    way: WayGiven,
    headers: HeaderMap,
    JsonBody(numbers): JsonBody<Numbers>,
) -> Response {
    let changed = direction(way, &headers).map(|direction| {
        desk.control
            .change(&name, direction, |old| numbers.over(old))
    });
    answer(&desk.control, &name, &headers, changed)
}

async fn up(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    way: WayGiven,
    headers: HeaderMap,
) -> Response {
    let changed = direction(way, &headers).map(|direction| desk.control.up(&name, direction));
    answer(&desk.control, &name, &headers, changed)
}

async fn down(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    way: WayGiven,
    headers: HeaderMap,
) -> Response {
    let changed = direction(way, &headers).map(|direction| desk.control.down(&name, direction));
    answer(&desk.control, &name, &headers, changed)
}

fn answer(
    control: &RelayControl,
    name: &str,
    headers: &HeaderMap,
    changed: Result<Result<(), ControlError>, Box<Problem>>,
) -> Response {
    let changed = match changed {
        Ok(changed) => changed,
        Err(problem) => return problem.into_response(),
    };
    match changed.and_then(|()| line_named(control, name)) {
        Ok(line) => Json(line).into_response(),
        Err(error) => problem(&error, accepted_lang(headers)).into_response(),
    }
}

fn direction(way: WayGiven, headers: &HeaderMap) -> Result<Option<Direction>, Box<Problem>> {
    way.map(|Query(way)| way.direction).map_err(|_| {
        let lang = accepted_lang(headers);
        let detail = match lang {
            Lang::Ja => "direction は upward か downward です",
            Lang::En => "direction is upward or downward",
        };
        Box::new(Problem::new(ErrorCode::ValueInvalid, lang).with_detail(detail))
    })
}

fn line_named(control: &RelayControl, name: &str) -> Result<LineStatus, ControlError> {
    let line = control.list().into_iter().find(|line| line.name == name);
    line.ok_or_else(|| ControlError::UnknownLine(name.to_owned()))
}

fn problem(error: &ControlError, lang: Lang) -> Problem {
    let status = match error {
        ControlError::UnknownLine(_) => 404,
        ControlError::Settings(_) | ControlError::Schedule(_) => 400,
        ControlError::Capture(_) => 500,
    };
    let detail = match (error, lang) {
        (ControlError::UnknownLine(_), Lang::Ja) => {
            "このアクセスポイントにその名前の回線はありません".to_owned()
        }
        (ControlError::Settings(reason), Lang::Ja) => {
            format!("{} の値が範囲外です（{reason}）", reason.key())
        }
        (ControlError::Schedule(_), Lang::Ja) => format!("この予定は実行できません（{error}）"),
        (ControlError::Capture(reason), Lang::Ja) => {
            format!("記録ファイルに書けません（{reason}）")
        }
        (_, Lang::En) => error.to_string(),
    };
    Problem::new(error.code(), lang)
        .with_status(status)
        .with_detail(detail)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use juki_admin::{AdminClient, ClientError};
    use juki_node::AdminTask;
    use juki_topology::NodeConfig;
    use serde_json::{Value, json};

    use super::*;
    use crate::AccessPoint;

    const CONFIG: &str = r#"
        [node]
        name = "ap-35-1"
        role = "access-point"
        network = "demo-1"
        [calendar]
        base = "2002-10-15"
        anchor_unix_s = 0
        version = 1
        [[relay]]
        name = "cs-352047"
        listen = "127.0.0.1:0"
        target = "file:target.addr"
        [[relay]]
        name = "cs-355011"
        listen = "127.0.0.1:0"
        target = "file:target.addr"
    "#;

    /// An access point with two lines behind a socket.
    struct Served {
        access_point: AccessPoint,
        admin: AdminTask,
        client: AdminClient,
        folder: tempfile::TempDir,
    }

    impl Served {
        async fn start() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let config = NodeConfig::parse(CONFIG, "node.toml").unwrap();
            let access_point = AccessPoint::start(&config, folder.path()).await.unwrap();
            let socket = folder.path().join("admin.sock");
            let routes = routes(access_point.control(), folder.path().to_owned());
            let admin = AdminTask::start(&socket, routes).await.unwrap();
            let client = AdminClient::new(socket);
            Self {
                access_point,
                admin,
                client,
                folder,
            }
        }

        async fn post(&self, path: &str, body: Value) -> Result<Value, ClientError> {
            self.client.post_json(path, &body).await
        }

        /// Which lines are up.
        async fn up(&self) -> BTreeMap<String, bool> {
            let lines: Vec<Value> = self.client.get_json("/lines").await.unwrap();
            let name = |line: &Value| line["name"].as_str().unwrap().to_owned();
            let one = |line: &Value| (name(line), line["up"].as_bool().unwrap());
            lines.iter().map(one).collect()
        }
    }

    fn ups(first: bool, second: bool) -> BTreeMap<String, bool> {
        let named = |(name, up): (&str, bool)| (name.to_owned(), up);
        BTreeMap::from([("cs-352047", first), ("cs-355011", second)].map(named))
    }

    #[tokio::test]
    async fn a_line_is_cut_and_mended_and_the_other_stays_up() {
        let served = Served::start().await;
        assert_eq!(served.up().await, ups(true, true));
        let cut = served.post("/lines/cs-352047/down", json!({})).await;
        assert_eq!(cut.unwrap()["up"], json!(false));
        assert_eq!(served.up().await, ups(false, true));
        served.post("/lines/cs-352047/up", json!({})).await.unwrap();
        assert_eq!(served.up().await, ups(true, true));
    }

    #[tokio::test]
    async fn a_line_gets_new_numbers_and_keeps_them_where_the_next_are_out_of_bounds() {
        let served = Served::start().await;
        let path = "/lines/cs-352047";
        let numbers = json!({"bandwidth_bps": 64_000, "delay_us": 15_000, "queue_bytes": 65_536});
        let set = served.post(path, numbers).await.unwrap();
        assert_eq!(set["upward"]["settings"]["bandwidth_bps"], json!(64_000));
        let lossy = served.post(path, json!({"loss": 0.25})).await.unwrap();
        assert_eq!(lossy["downward"]["settings"]["loss"], json!(0.25));
        let kept = &lossy["downward"]["settings"]["bandwidth_bps"];
        assert_eq!(kept, &json!(64_000));
        let refused = served.post(path, json!({"loss": 1.5})).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::ConfigBadValue);
        let unread = served.post(path, json!({"colour": 1})).await.unwrap_err();
        assert_eq!(unread.code(), ErrorCode::ValueInvalid);
        let lines = served.access_point.control().list();
        let delays = lines.iter().map(|line| line.upward.settings.delay_us);
        assert_eq!(delays.collect::<Vec<_>>(), [15_000, 0]);
    }

    #[tokio::test]
    async fn one_direction_is_changed_and_cut_and_the_other_stays_as_it_was() {
        let served = Served::start().await;
        let path = "/lines/cs-352047?direction=upward";
        let set = served.post(path, json!({"delay_us": 9_000})).await.unwrap();
        let delay = |line: &Value, way: &str| line[way]["settings"]["delay_us"].clone();
        assert_eq!(delay(&set, "upward"), json!(9_000));
        assert_eq!(delay(&set, "downward"), json!(0));
        let path = "/lines/cs-352047/down?direction=downward";
        let cut = served.post(path, json!({})).await.unwrap();
        let up = |line: &Value| (line["upward"]["up"].clone(), line["downward"]["up"].clone());
        assert_eq!(up(&cut), (json!(true), json!(false)));
        assert_eq!(cut["up"], json!(false));
        // New numbers of both directions keep what only one of them has.
        let path = "/lines/cs-352047";
        let lossy = served.post(path, json!({"loss": 0.5})).await.unwrap();
        assert_eq!(delay(&lossy, "upward"), json!(9_000));
        assert_eq!(delay(&lossy, "downward"), json!(0));
        let path = "/lines/cs-352047/up?direction=sideways";
        let refused = served.post(path, json!({})).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::ValueInvalid);
        let path = "/lines/cs-352047/up?direction=downward";
        assert_eq!(
            up(&served.post(path, json!({})).await.unwrap()),
            (json!(true), json!(true))
        );
    }

    #[tokio::test]
    async fn a_line_comes_and_goes_and_keeps_its_planned_outages() {
        let served = Served::start().await;
        let path = "/lines/cs-352047/schedule";
        let week = json!({"outages": [{"from_ms": 1, "until_ms": u64::MAX}]});
        let planned = served.post(path, week).await.unwrap();
        assert_eq!(planned["up"], json!(false));
        // Mended by hand, it stays down while its outage lasts.
        let mended = served.post("/lines/cs-352047/up", json!({})).await.unwrap();
        assert_eq!(mended["up"], json!(false));
        let flaps = json!({"down_ms": 10, "up_ms": 10, "for_ms": 60_000});
        let flapping = served.post("/lines/cs-352047/flap", flaps).await.unwrap();
        assert_eq!(flapping["schedule"]["outages"][0]["from_ms"], json!(1));
        assert_eq!(flapping["schedule"]["flapping"]["down_ms"], json!(10));
        let none = json!({"down_ms": 10, "up_ms": 0, "for_ms": 1});
        let refused = served
            .post("/lines/cs-352047/flap", none)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), ErrorCode::ConfigBadValue);
        let free = served.post(path, json!({})).await.unwrap();
        assert_eq!(free["up"], json!(true));
    }

    #[tokio::test]
    async fn a_bad_line_keeps_what_is_not_named_and_its_bursts_end_by_name() {
        let served = Served::start().await;
        let path = "/lines/cs-352047";
        let burst = json!({"disturbance": {"burst": {"enter": 0.1, "leave": 0.5}}});
        served.post(path, burst).await.unwrap();
        let twice = json!({"disturbance": {"duplicate": 0.25}});
        let line = served.post(path, twice).await.unwrap();
        let disturbance = &line["upward"]["settings"]["disturbance"];
        assert_eq!(disturbance["burst"]["enter"], json!(0.1));
        assert_eq!(disturbance["duplicate"], json!(0.25));
        let refused = json!({"disturbance": {"burst": {"enter": 0.1, "leave": 0.0}}});
        let error = served.post(path, refused).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ConfigBadValue);
        let none =
            json!({"disturbance": {"burst": {"enter": 0.0, "leave": 1.0}, "duplicate": 0.0}});
        let line = served.post(path, none).await.unwrap();
        assert!(line["upward"]["settings"].get("disturbance").is_none());
    }

    #[tokio::test]
    async fn what_passes_is_written_down_while_somebody_wants_it() {
        let served = Served::start().await;
        let path = "/lines/cs-352047/capture";
        let on = served.post(path, json!({"on": true})).await.unwrap();
        assert_eq!(on["capture"]["datagrams"], json!(0));
        let file = served.folder.path().join("cs-352047.pcap");
        assert_eq!(std::fs::metadata(&file).unwrap().len(), 24);
        let off = served.post(path, json!({"on": false})).await.unwrap();
        assert!(off.get("capture").is_none());
        let path = "/lines/..%2Fcs-352047/capture";
        let outside = served.post(path, json!({"on": true})).await.unwrap_err();
        assert_eq!(outside.code(), ErrorCode::ConfigBadValue);
    }

    #[tokio::test]
    async fn a_line_of_another_access_point_is_not_found() {
        let served = Served::start().await;
        for path in [
            "/lines/cs-355020",
            "/lines/cs-355020/down",
            "/lines/cs-355020/up",
        ] {
            let error = served.post(path, json!({})).await.unwrap_err();
            let ClientError::Refused(problem) = error else {
                panic!("{path}: {error}");
            };
            assert_eq!(problem.status, 404);
        }
    }

    #[tokio::test]
    async fn the_socket_is_gone_when_the_admin_api_has_ended() {
        let served = Served::start().await;
        served.admin.end().await;
        served.access_point.stop().await;
        assert!(!served.folder.path().join("admin.sock").exists());
    }
}
