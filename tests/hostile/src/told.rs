//! What the adversary tells of an attack.

use network::Deployment;
use serde_json::Value;

/// An attack that the network held against.
#[derive(Debug)]
pub struct Attacked(Value);

/// Runs an attack of the adversary to its end.
///
/// # Panics
/// Where the network did not hold, with all that was tried.
#[must_use]
pub fn attack(net: &Deployment, words: &[&str]) -> Attacked {
    let printed = net.run("juki-adversary", &[&["--json"], words].concat());
    assert_eq!(printed.code(), Some(0), "{}", printed.text());
    Attacked(printed.json())
}

impl Attacked {
    /// Who refused an attempt, and with which code.
    ///
    /// # Panics
    /// Where it was not refused.
    #[must_use]
    pub fn refused(&self, what: &str) -> (&str, &str) {
        let attempt = self.attempt(what);
        assert_eq!(attempt["heard"], "refused", "{attempt:#}");
        (
            attempt["node"].as_str().unwrap(),
            attempt["code"].as_str().unwrap(),
        )
    }

    /// The code with which an attempt ended, however it ended.
    ///
    /// # Panics
    /// Where there was no such attempt.
    #[must_use]
    pub fn code(&self, what: &str) -> &str {
        self.attempt(what)["code"].as_str().unwrap()
    }

    /// What was heard to an attempt.
    ///
    /// # Panics
    /// Where there was no such attempt.
    #[must_use]
    pub fn heard(&self, what: &str) -> &str {
        self.attempt(what)["heard"].as_str().unwrap()
    }

    fn attempt(&self, what: &str) -> &Value {
        let attempts = self.0["attempts"].as_array().unwrap();
        attempts
            .iter()
            .find(|attempt| attempt["what"] == what)
            .unwrap_or_else(|| panic!("no attempt {what} in {:#}", self.0))
    }
}
