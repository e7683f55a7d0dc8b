//! What happens in the demo: a birth, a move, a death, two questions.

use std::time::{Duration, Instant};

use juki_domain::{ChangeReason, ErrorCode};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::live_network::{LiveNetwork, Sample};
use crate::screen::Screen;
use crate::text;

const HAGI: &str = "cs-352047";
const KAWAKAMI: &str = "cs-355011";
const ABU: &str = "cs-355020";
/// An affair of the demo's agency that has begun, and one of another body.
const LAWFUL: &str = "war-bereaved-pension";
const UNLAWFUL: &str = "radio-station-licence";
const CERTIFICATE: &str = "355011-DEMO-1";
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Story<'a> {
    network: &'a LiveNetwork,
    screen: Screen,
}

impl<'a> Story<'a> {
    pub(super) fn new(network: &'a LiveNetwork, screen: Screen) -> Self {
        Self { network, screen }
    }

    /// A birth, a move between two towns, a death; each is followed to the national center.
    pub(super) async fn changes(&self) -> Result<(), Failure> {
        let lang = self.screen.lang;
        let date = self.network.civil_date()?;
        let birth = json!({
            "key": "demo-birth", "resident": "DEMO-NEWBORN", "reason": ChangeReason::Birth.name(), "event_date": date,
            "name": "試験　花子", "birth": date, "sex": "female", "address": "山口県萩市大字江向510番地",
        });
        self.follow(&[(HAGI, birth)], &text::demo_birth(lang))
            .await?;
        let mover = self.network.sample(KAWAKAMI)?;
        let leaves = json!({
            "key": "demo-move-out", "resident": mover.resident, "reason": ChangeReason::MoveOut.name(), "event_date": date,
            "certificate": CERTIFICATE, "counterpart": "352047",
        });
        let arrives = json!({
            "key": "demo-move-in", "resident": "DEMO-NEWCOMER", "reason": ChangeReason::MoveIn.name(), "event_date": date,
            "name": mover.name, "birth": mover.birth, "sex": mover.sex, "address": "山口県萩市大字平安古町209番地",
            "certificate": CERTIFICATE, "counterpart": "355011",
        });
        self.follow(
            &[(KAWAKAMI, leaves), (HAGI, arrives)],
            &text::demo_move(lang),
        )
        .await?;
        let dead = self.network.sample(ABU)?;
        let death = json!({"key": "demo-death", "resident": dead.resident, "reason": ChangeReason::Death.name(), "event_date": date});
        self.follow(&[(ABU, death)], &text::demo_death(lang)).await
    }

    /// One lawful question and one without legal basis: how many were answered and refused.
    pub(super) async fn provision(&self) -> Result<(u32, u32), Failure> {
        self.network.log_in(self.screen).await?;
        let mover: Sample = self.network.sample(KAWAKAMI)?;
        let by_items = |affair: &str| json!({"affair": affair, "name": mover.name, "birth": mover.birth, "sex": mover.sex, "address": "山口県萩市大字平安古町209番地"});
        let lawful: Value = self.network.ask(&by_items(LAWFUL), self.screen).await?;
        let answered = u32::from(is(&lawful, "outcome", "match"));
        if answered == 1 {
            self.screen
                .line(text::demo_answered(self.screen.lang, LAWFUL));
        }
        let unlawful: Value = self.network.ask(&by_items(UNLAWFUL), self.screen).await?;
        let refused = u32::from(
            is(&unlawful, "outcome", "refused")
                && is(&unlawful, "code", ErrorCode::NoLegalBasis.code()),
        );
        if refused == 1 {
            let what = unlawful
                .get("what")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let code = ErrorCode::NoLegalBasis.code();
            self.screen
                .line(text::demo_refused(self.screen.lang, UNLAWFUL, code, what));
        }
        Ok((answered, refused))
    }

    async fn follow(&self, changes: &[(&str, Value)], what: &str) -> Result<(), Failure> {
        let began = Instant::now();
        for (node, change) in changes {
            let _state: Value = self.network.submit(node, change, self.screen).await?;
        }
        for (node, change) in changes {
            let key = change
                .get("key")
                .and_then(Value::as_str)
                .unwrap_or_default();
            while self.network.state(node, key, self.screen).await? != "at-national" {
                if began.elapsed() > PATIENCE {
                    return Err(Failure::new(
                        ErrorCode::CheckFailed,
                        text::demo_late(self.screen.lang, what),
                    ));
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        self.screen.line(text::demo_change_done(
            self.screen.lang,
            what,
            began.elapsed().as_millis(),
        ));
        Ok(())
    }
}

fn is(answer: &Value, member: &str, value: &str) -> bool {
    answer.get(member).and_then(Value::as_str) == Some(value)
}
