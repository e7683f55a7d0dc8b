//! The folder in which the register leaves its files and finds what became of them.
//!
//! A file in `in` that has been quiet for two looks is taken in, one after the other by name. Then
//! it lies in `done` or, refused whole, in `refused`; beside them `out` has its report, what was
//! refused of it, and the codes of its residents. A crash at any point leaves the file in `in`, to
//! be taken in again: its rows are known then, and its files are written anew.

mod place;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use juki_domain::{CivilDate, ErrorCode, Lang};
use juki_node::{Prepared, Stop};
use juki_runtime::{Clock as _, SystemClock};
use tokio::sync::oneshot;

use crate::import::{
    self, FileOutlet, Fingerprint, ImportFailure, ImportReport, Outlet, Plan, Source, SourceFile,
};
use crate::register::Register;

use place::{Place, Stay};

/// Files of one look; more wait for the next.
const FILES_MAX: usize = 1_000;
/// How long a file that this server could not take rests.
const REST: Duration = Duration::from_secs(10);

/// The folder that is looked at.
pub(crate) struct DropFolder {
    task: tokio::task::JoinHandle<()>,
}

impl DropFolder {
    /// Makes the folder and begins to look at it, where the configuration names one.
    pub(crate) fn start(
        prepared: &Prepared,
        register: Register,
        stop: Stop,
    ) -> io::Result<Option<Self>> {
        let section = prepared.config.register.as_ref();
        let Some((section, folder)) =
            section.and_then(|section| Some((section, section.drop.as_ref()?)))
        else {
            return Ok(None);
        };
        let watch = Watch {
            place: Place::open(prepared.folder.join(folder))?,
            register,
            lang: prepared.lang,
            seen: BTreeMap::new(),
        };
        let pause = Duration::from_millis(section.poll_ms);
        let task = tokio::spawn(async move {
            tokio::select! {
                biased;
                () = stop.asked() => {}
                () = watch.go_on(pause) => {}
            }
        });
        Ok(Some(Self { task }))
    }

    /// Looks no more; a file that is being taken in stays where it is.
    pub(crate) async fn stop(self) {
        self.task.abort();
        // An aborted task ends with an error that says only that.
        let _ = self.task.await;
    }
}

struct Watch {
    place: Place,
    register: Register,
    lang: Lang,
    /// The files of the last look.
    seen: BTreeMap<String, Fingerprint>,
}

impl Watch {
    async fn go_on(mut self, pause: Duration) {
        loop {
            tokio::time::sleep(pause).await;
            let place = self.place.clone();
            let looked = tokio::task::spawn_blocking(move || place.look(FILES_MAX)).await;
            let Ok(Ok(present)) = looked else {
                tracing::warn!(
                    event = "drop.unreadable",
                    code = ErrorCode::DiskFailed.code()
                );
                continue;
            };
            let quiet: Vec<(String, Fingerprint)> = present
                .iter()
                .filter(|(name, fingerprint)| self.seen.get(*name) == Some(fingerprint))
                .map(|(name, fingerprint)| (name.clone(), *fingerprint))
                .collect();
            self.seen = present;
            for (name, fingerprint) in quiet {
                if !self.take(&name, fingerprint).await {
                    // The ones behind it may rest on it.
                    tokio::time::sleep(REST).await;
                    break;
                }
            }
        }
    }

    /// Takes a file in; false where this server cannot take it now.
    async fn take(&mut self, name: &str, quiet: Fingerprint) -> bool {
        let turn = self.register.imports().turn().await;
        let began_ms = SystemClock.now_ms();
        let Ok(stay) = self.place.stay(name) else {
            return false;
        };
        let Ok(source) = SourceFile::open(self.place.incoming(name), quiet) else {
            tracing::warn!(
                event = "drop.unreadable",
                code = ErrorCode::DiskFailed.code()
            );
            return false;
        };
        let Ok(initial_date) = import::FIRST_PHASE_DAY.parse::<CivilDate>() else {
            return false;
        };
        let plan = Plan {
            initial_date,
            patient: true,
        };
        let outlet = Outlet::Files(Box::new(FileOutlet::new(stay.out(), self.lang)));
        // Nobody waits for the first way through.
        let (passed, _) = oneshot::channel();
        let register = self.register.clone();
        let running = import::start(register, turn, Source::File(source), plan, outlet, passed);
        let Ok(ended) = running.await else {
            return false;
        };
        if let Err(failure) = &ended
            && failure.is_passing()
        {
            tracing::warn!(event = "file.waits", code = failure.code.code());
            // It is quiet when it has been seen twice again.
            self.seen.remove(name);
            return failure.code == ErrorCode::FileChanged;
        }
        let times = (began_ms, SystemClock.now_ms());
        self.put_away(name, &stay, &ended, times)
    }

    fn put_away(
        &self,
        name: &str,
        stay: &Stay,
        ended: &Result<ImportReport, ImportFailure>,
        times: (u64, u64),
    ) -> bool {
        let put = stay
            .report(name, ended, self.lang, times)
            .and_then(|()| self.place.put_away(name, stay, ended.is_ok()));
        if let Err(error) = &put {
            tracing::error!(event = "drop.unwritable", code = ErrorCode::DiskFailed.code(), %error);
        }
        put.is_ok()
    }
}
