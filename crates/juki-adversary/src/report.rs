//! What was tried, what came back, and whether the network held.

use juki_domain::NodeId;
use serde::Serialize;

use crate::Ended;

/// What came back to one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The attempt was taken: it was answered as an honest one.
    Taken,
    /// It was refused by a node under a rule with a code.
    Refused {
        /// Who refused.
        node: String,
        /// Under which rule, or by which service.
        rule: String,
        /// The stable code.
        code: String,
    },
    /// The destination does not know the session.
    Reset,
    /// The connection was ended.
    Ended(Ended),
    /// Nothing came in time.
    Silence,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// What was tried.
    pub what: String,
    /// Whether it is honest, and has to be taken: it shows that only the attack is refused.
    pub honest: bool,
    /// `taken`, `refused`, `reset`, `ended` or `silence`.
    pub heard: &'static str,
    /// Who refused; empty where nobody did.
    pub node: String,
    /// Under which rule.
    pub rule: String,
    /// With which code.
    pub code: String,
    /// Whether it ended as it had to.
    pub held: bool,
}

/// Everything that one attack tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The attack.
    pub attack: &'static str,
    /// In whose place it was made.
    pub node: String,
    /// The attempts in order.
    pub attempts: Vec<Attempt>,
    /// Whether all of them ended as they had to.
    pub held: bool,
}

impl Report {
    /// No attempt yet.
    #[must_use]
    pub fn new(attack: &'static str, node: &NodeId) -> Self {
        Self {
            attack,
            node: node.to_string(),
            attempts: Vec::new(),
            held: true,
        }
    }

    /// What an honest node could have done too: it has to be taken.
    pub fn honest(&mut self, what: &str, heard: Heard) {
        let held = heard == Heard::Taken;
        self.note(what, true, heard, held);
    }

    /// An attack: it has to be refused, and not by silence.
    pub fn hostile(&mut self, what: &str, heard: Heard) {
        let held = !matches!(heard, Heard::Taken | Heard::Silence);
        self.note(what, false, heard, held);
    }

    /// The attempt of this name.
    #[must_use]
    pub fn attempt(&self, what: &str) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.what == what)
    }

    fn note(&mut self, what: &str, honest: bool, heard: Heard, held: bool) {
        let (name, node, rule, code) = match heard {
            Heard::Taken => ("taken", String::new(), String::new(), String::new()),
            Heard::Refused { node, rule, code } => ("refused", node, rule, code),
            Heard::Reset => ("reset", String::new(), String::new(), String::new()),
            Heard::Ended(ended) => {
                let code = ended.code.map_or("", |code| code.code()).to_owned();
                ("ended", String::new(), ended.how, code)
            }
            Heard::Silence => ("silence", String::new(), String::new(), String::new()),
        };
        self.held &= held;
        self.attempts.push(Attempt {
            what: what.to_owned(),
            honest,
            heard: name,
            node,
            rule,
            code,
            held,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_attack_an_unanswered_one_and_a_refused_honest_word_do_not_hold() {
        let node = "cs-352047".parse().unwrap();
        let refused = || Heard::Refused {
            node: "fw-cs-352047".to_owned(),
            rule: "speaks-for".to_owned(),
            code: "JKP-1002".to_owned(),
        };
        let held = |tell: &dyn Fn(&mut Report)| {
            let mut report = Report::new("test", &node);
            tell(&mut report);
            report.held
        };
        assert!(held(&|report| report.honest("a", Heard::Taken)));
        assert!(held(&|report| report.hostile("a", refused())));
        assert!(held(&|report| report.hostile("a", Heard::Reset)));
        assert!(!held(&|report| report.honest("a", refused())));
        assert!(!held(&|report| report.hostile("a", Heard::Taken)));
        assert!(!held(&|report| report.hostile("a", Heard::Silence)));
    }
}
