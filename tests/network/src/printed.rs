//! What a command printed, and waiting for something to come true.

use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::PATIENCE;

/// A command that has ended.
pub struct Printed(Output);

impl Printed {
    /// What a command printed.
    #[must_use]
    pub fn new(output: Output) -> Self {
        Self(output)
    }

    /// The exit code; `None` where a signal ended it.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    /// The same, having exited with 0.
    ///
    /// # Panics
    /// Where it has not.
    #[must_use]
    pub fn held(self) -> Self {
        assert_eq!(self.code(), Some(0), "{}", self.text());
        self
    }

    /// Both outputs.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "{}{}",
            String::from_utf8_lossy(&self.0.stdout),
            String::from_utf8_lossy(&self.0.stderr)
        )
    }

    /// The one JSON document on standard output.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.0.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// Looks again and again until something is there.
///
/// # Panics
/// Where it is not there in time, saying what was waited for.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "{what}: not within {} s",
            PATIENCE.as_secs()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
