//! The admin API's routes for the lines.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use juki_admin::{JsonBody, Problem, accepted_lang};
use juki_domain::{ErrorCode, Lang};
use juki_line::{Direction, LineSettings};
use serde::Deserialize;

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
/// `POST /lines/{name}/up` and `POST /lines/{name}/down`. Each changes both directions, or the one
/// named by `?direction=upward` or `?direction=downward`, and is answered with the line as it is
/// then.
pub(crate) fn routes(control: RelayControl) -> Router {
    Router::new()
        .route("/lines", get(list))
        .route("/lines/{name}", post(set))
        .route("/lines/{name}/up", post(up))
        .route("/lines/{name}/down", post(down))
        .with_state(control)
}

async fn list(State(control): State<RelayControl>) -> Json<Vec<LineStatus>> {
    Json(control.list())
}

async fn set(
    State(control): State<RelayControl>,
    Path(name): Path<String>,
    way: WayGiven,
    headers: HeaderMap,
    JsonBody(numbers): JsonBody<Numbers>,
) -> Response {
    let changed = direction(way, &headers)
        .map(|direction| control.change(&name, direction, |old| numbers.over(old)));
    answer(&control, &name, &headers, changed)
}

async fn up(
    State(control): State<RelayControl>,
    Path(name): Path<String>,
    way: WayGiven,
    headers: HeaderMap,
) -> Response {
    let changed = direction(way, &headers).map(|direction| control.up(&name, direction));
    answer(&control, &name, &headers, changed)
}

async fn down(
    State(control): State<RelayControl>,
    Path(name): Path<String>,
    way: WayGiven,
    headers: HeaderMap,
) -> Response {
    let changed = direction(way, &headers).map(|direction| control.down(&name, direction));
    answer(&control, &name, &headers, changed)
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
        ControlError::Settings(_) => 400,
    };
    let detail = match (error, lang) {
        (ControlError::UnknownLine(_), Lang::Ja) => {
            "このアクセスポイントにその名前の回線はありません".to_owned()
        }
        (ControlError::Settings(reason), Lang::Ja) => {
            format!("{} の値が範囲外です（{reason}）", reason.key())
        }
        (ControlError::UnknownLine(_) | ControlError::Settings(_), Lang::En) => error.to_string(),
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
            let routes = routes(access_point.control());
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
