//! Who asks in a world, and what they are told.

use std::sync::Arc;
use std::time::Duration;

use juki_crypto::random_array;
use juki_domain::NodeRole;
use juki_runtime::Clock as _;
use juki_services::query::{LocalAnswer, Question, local_ask};
use rand::Rng as _;

use super::World;
use crate::model::Resident;
use crate::questions;
use crate::station::Station;

/// How long the terminal may leave a question without an answer: the asker's own limit for log-in
/// and question, and some seconds for its turns.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// About how many residents are asked about in the end.
const LAST_QUESTIONS: usize = 40;

/// What somebody who asked was told.
pub(super) enum Answer {
    Registered {
        town: usize,
        ticket: u64,
        body: Vec<u8>,
    },
    Told(Box<Told>),
}

/// What people at the terminal were told.
pub(super) struct Told {
    /// Whom the question was about, where the answer has to be what the model knows.
    about: Option<Resident>,
    /// Whether it asked by the code that is current.
    current: bool,
    answer: Option<LocalAnswer>,
    in_time: bool,
}

impl World {
    pub(super) fn let_registers_ask(&mut self) {
        let now_ms = self.now_ms();
        for asked in self.town_hall.due(now_ms) {
            let town = self.town_hall.towns().get(asked.town).copied();
            let station = self.stations.iter().find(|station| {
                let node = &station.place.config.node;
                station.place.role == NodeRole::MunicipalCs && node.municipality == town
            });
            let told = self.answers.0.clone();
            // A node that stops meanwhile is asked again.
            let _asking = station.and_then(|station| {
                station.ask(|handle| {
                    Box::pin(async move {
                        if let Ok(body) = handle.call("registration", asked.request).await {
                            let (town, ticket) = (asked.town, asked.ticket);
                            let _ = told.send(Answer::Registered { town, ticket, body }).await;
                        }
                    })
                })
            });
        }
    }

    pub(super) fn ask_about_somebody(&mut self) {
        let entered = &self.town_hall.acknowledged;
        if entered.is_empty() {
            return;
        }
        // Whoever has a code: people ask about those who are known.
        let at = self.rng.random_range(0..entered.len());
        let code = entered.get(at).map(|done| done.change.record.code);
        if let Some(code) = code {
            self.ask(questions::by_code(code.reveal()), None, false);
        }
    }

    /// Somebody at the terminal asks; with a resident, the answer has to be what the model knows.
    fn ask(&mut self, question: Question, about: Option<Resident>, current: bool) {
        let is_terminal = |station: &&Station| station.place.role == NodeRole::AgencyTerminal;
        let terminal = self.stations.iter().find(is_terminal);
        let Some(terminal) = terminal else {
            return;
        };
        let key = random_array(&self.session_keys);
        let now_ms = terminal.clock.now_ms();
        let login = local_ask::Kind::Login(self.deployment.card.authorisation(now_ms, key));
        let session = Arc::clone(&self.session);
        let asking = terminal.ask(|handle| {
            let asking = questions::ask(handle, login, session, question);
            Box::pin(tokio::time::timeout(SILENCE_MAX, asking))
        });
        let Some(asking) = asking else {
            return;
        };
        self.counts.questions += 1;
        self.questions_waiting += 1;
        let told = self.answers.0.clone();
        tokio::spawn(async move {
            // A terminal that stops meanwhile answers nobody.
            let answer = asking.await.unwrap_or(Ok(None));
            let in_time = answer.is_ok();
            let answer = Answer::Told(Box::new(Told {
                about,
                current,
                answer: answer.ok().flatten(),
                in_time,
            }));
            let _ = told.send(answer).await;
        });
    }

    pub(super) fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Registered { town, ticket, body } => {
                let now_ms = self.now_ms();
                self.town_hall.answer(now_ms, town, ticket, &body);
            }
            Answer::Told(told) => self.hear(*told),
        }
    }

    fn hear(&mut self, told: Told) {
        self.questions_waiting -= 1;
        if !told.in_time {
            self.violations
                .push("a question was answered by silence".to_owned());
        }
        let answered = told
            .answer
            .as_ref()
            .and_then(|answer| answer.answered.as_ref());
        let record = answered.and_then(|answered| answered.record.as_ref());
        if let (Some(_), Some(answer)) = (record, &told.answer) {
            self.counts.provided += 1;
            self.provided.insert(answer.message_id.clone());
        } else {
            self.counts.failed += 1;
        }
        let Some(resident) = &told.about else {
            return;
        };
        let (towns, current) = (self.town_hall.towns(), told.current);
        let wrong = match record {
            None => vec!["no record"],
            Some(shown) if current => questions::differences(shown, resident, towns),
            Some(shown) if !shown.ended => vec!["not ended"],
            Some(_) => Vec::new(),
        };
        if !wrong.is_empty() {
            let (number, wrong) = (resident.number, wrong.join(", "));
            let (failure, outcome, refusal) = match (&told.answer, answered) {
                (Some(answer), Some(answered)) => (
                    answer.failure.as_str(),
                    answered.outcome,
                    answered.refusal.as_str(),
                ),
                (Some(answer), None) => (answer.failure.as_str(), 0, ""),
                (None, _) => ("the terminal stopped", 0, ""),
            };
            self.violations.push(format!(
                "resident {number}, asked by the current code or items: {current}, is answered \
                 with {wrong} (failure {failure:?}, outcome {outcome}, refusal {refusal:?})"
            ));
        }
    }

    /// The center answers with what the model knows of everybody.
    pub(super) async fn ask_in_the_end(&mut self) {
        let residents = self.town_hall.residents.clone();
        let every = residents.len() / LAST_QUESTIONS + 1;
        for resident in residents.iter().step_by(every) {
            let Some(code) = resident.code else {
                continue;
            };
            let mut asked = vec![(questions::by_code(code.reveal()), true)];
            let former = resident.former_codes.iter();
            asked.extend(former.map(|code| (questions::by_code(code.reveal()), false)));
            if resident.number % 4 == 0 {
                asked.push((questions::by_items(resident), true));
            }
            for (question, current) in asked {
                // One after the other: a card that logs in anew ends its session before.
                self.ask(question, Some(resident.clone()), current);
                while self.questions_waiting > 0 {
                    self.step(self.since_ms() + 1_000).await;
                }
            }
        }
    }
}
