//! Programs that run beside a test, each with an output of its own.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};

use network::{Deployment, until};
use rustix::process::{Pid, Signal, kill_process};

/// A program that runs; it ends with this value.
pub struct Background<'a> {
    child: Child,
    out: PathBuf,
    errors: PathBuf,
    _deployment: &'a Deployment,
}

impl<'a> Background<'a> {
    /// Starts it.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn start(deployment: &'a Deployment, program: &str, arguments: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let file = |ending: &str| {
            deployment
                .folder()
                .join(format!("{program}-{number}.{ending}"))
        };
        let (out, errors) = (file("out"), file("err"));
        let child = deployment
            .command(program, arguments)
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        Self {
            child,
            out,
            errors,
            _deployment: deployment,
        }
    }

    /// The same, when it has printed `ready`.
    ///
    /// # Panics
    /// Where it does not.
    #[must_use]
    pub fn ready(self) -> Self {
        until("a program that is ready", || {
            let out = fs::read_to_string(&self.out).unwrap();
            out.lines().any(|line| line == "ready").then_some(())
        });
        self
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to stop.
    pub fn stop(&self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _gone = kill_process(pid, Signal::TERM);
        }
    }

    /// Waits for its end, and gives the last line that it printed.
    ///
    /// # Panics
    /// Where it does not end, or ends badly, with what it says of that.
    #[must_use]
    pub fn ended(mut self) -> String {
        let status = until("the end of a program", || self.child.try_wait().unwrap());
        let out = fs::read_to_string(&self.out).unwrap();
        let errors = fs::read_to_string(&self.errors).unwrap();
        assert!(status.success(), "{out}{errors}");
        out.lines().last().unwrap_or_default().to_owned()
    }
}

impl Drop for Background<'_> {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
