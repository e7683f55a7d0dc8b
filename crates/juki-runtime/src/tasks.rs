//! Where a node's work runs: its tasks, and what has a thread of its own.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinHandle};

/// Work that runs to its own end.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

tokio::task_local! {
    static GROUP: TaskGroup;
}

/// Starts a task beside the present one; in a [`TaskGroup`] it belongs to that group too.
///
/// # Panics
/// Outside a tokio runtime.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match GROUP.try_with(Clone::clone) {
        Ok(group) => group.spawn(future),
        Err(_) => tokio::spawn(future),
    }
}

/// All tasks of one run of a simulated node, so that a crash ends them together, each wherever it
/// waits.
#[derive(Clone, Debug, Default)]
pub struct TaskGroup(Arc<Mutex<Members>>);

#[derive(Debug, Default)]
struct Members {
    tasks: Vec<AbortHandle>,
    /// A task that is started later ends at once.
    is_killed: bool,
    /// Members above which those that have ended are forgotten.
    sweep_at: usize,
}

impl TaskGroup {
    /// Starts a task of this group.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = tokio::spawn(GROUP.scope(self.clone(), future));
        let mut members = self.lock();
        if members.is_killed {
            task.abort();
            return task;
        }
        members.tasks.push(task.abort_handle());
        if members.tasks.len() > members.sweep_at {
            members.tasks.retain(|task| !task.is_finished());
            members.sweep_at = members.tasks.len() * 2 + SWEEP_AT;
        }
        task
    }

    /// Ends all its tasks; none of them runs on.
    pub fn kill(&self) {
        let tasks = {
            let mut members = self.lock();
            members.is_killed = true;
            std::mem::take(&mut members.tasks)
        };
        for task in tasks {
            task.abort();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where work runs that has a thread of its own on a real machine.
#[derive(Clone, Debug, Default)]
pub enum Threads {
    /// A thread of the operating system for each.
    #[default]
    System,
    /// A task of that group for each, since virtual time knows one thread.
    Tasks(TaskGroup),
}

/// Work that has been started.
#[derive(Debug)]
pub struct Running {
    thread: Option<thread::JoinHandle<()>>,
    ended: oneshot::Receiver<()>,
}

impl Threads {
    /// Whether everything runs as tasks of one thread: nothing may block then.
    #[must_use]
    pub fn are_tasks(&self) -> bool {
        matches!(self, Self::Tasks(_))
    }

    /// Starts work under a name. On a thread it has a runtime of its own, with timers alone.
    ///
    /// # Errors
    /// Where the operating system gives no thread.
    ///
    /// # Panics
    /// As tasks: outside a tokio runtime.
    pub fn run(&self, name: &str, work: Work) -> io::Result<Running> {
        let (tell, ended) = oneshot::channel();
        let work = async move {
            work.await;
            let _ = tell.send(());
        };
        let thread = match self {
            Self::Tasks(group) => {
                group.spawn(work);
                None
            }
            Self::System => {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = runtime.enable_time().build()?;
                let thread = thread::Builder::new().name(name.to_owned());
                Some(thread.spawn(move || runtime.block_on(work))?)
            }
        };
        Ok(Running { thread, ended })
    }
}

impl Running {
    /// Waits until the work has ended; false where it panicked or was killed.
    pub async fn ended(self) -> bool {
        let ended = self.ended.await.is_ok();
        // It is about to be gone: what is left of it are its last steps.
        let joined = self.thread.is_none_or(|thread| thread.join().is_ok());
        ended && joined
    }

    /// Waits for a thread without a runtime; a task is left to itself. False where it panicked.
    pub fn join(&mut self) -> bool {
        self.thread
            .take()
            .is_none_or(|thread| thread.join().is_ok())
    }
}

/// Tasks a group has at least before it looks for those that have ended.
const SWEEP_AT: usize = 64;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_killed_group_ends_with_all_that_its_tasks_have_started() {
        let (group, ticks) = (TaskGroup::default(), Arc::new(AtomicU64::new(0)));
        let counted = Arc::clone(&ticks);
        group.spawn(async move {
            // Started by a task of the group, it is of the group.
            spawn(async move {
                loop {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            });
        });
        tokio::time::sleep(Duration::from_millis(3_500)).await;
        group.kill();
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(ticks.load(Ordering::Relaxed), 3);
        let late = group.spawn(async {});
        assert!(late.await.is_err(), "a dead machine starts nothing");
    }

    #[tokio::test]
    async fn a_thread_is_waited_for_and_its_panic_is_told() {
        let sound = Threads::System.run("sound", Box::pin(async {})).unwrap();
        assert!(sound.ended().await);
        let bad: Work = Box::pin(async { panic!("as planned") });
        let bad = Threads::System.run("bad", bad).unwrap();
        assert!(!bad.ended().await);
    }
}
