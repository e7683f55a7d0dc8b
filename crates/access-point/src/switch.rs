//! Whether a line carries anything: as somebody switched it, and as its schedule says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use juki_line::{Direction, Schedule};
use tokio::sync::Notify;

use crate::relay::Line;

/// The switches of one line. A direction is up where nobody cut it and the schedule lets it be.
#[derive(Debug)]
pub(crate) struct Switch {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    is_cut: [bool; 2],
    schedule: Schedule,
}

impl Switch {
    pub(crate) fn new(schedule: Schedule) -> Self {
        Self {
            state: Mutex::new(State {
                is_cut: [false; 2],
                schedule,
            }),
            changed: Notify::new(),
        }
    }

    pub(crate) fn schedule(&self) -> Schedule {
        self.lock().schedule.clone()
    }

    /// Cuts a direction, or mends it as far as the schedule lets it.
    pub(crate) fn set_up(&self, line: &Line, direction: Direction, is_up: bool) {
        let place = usize::from(direction == Direction::Downward);
        if let Some(is_cut) = self.lock().is_cut.get_mut(place) {
            *is_cut = !is_up;
        }
        self.apply(line, now_ms());
    }

    pub(crate) fn set_schedule(&self, line: &Line, schedule: Schedule) {
        self.lock().schedule = schedule;
        self.apply(line, now_ms());
        self.changed.notify_one();
    }

    /// Keeps the schedule of a line; ends never.
    pub(crate) async fn keep(line: Arc<Line>) {
        let switch = line.switch();
        loop {
            let now_ms = now_ms();
            switch.apply(&line, now_ms);
            let next = switch.lock().schedule.next_change(now_ms);
            let wait = next.map(|next| Duration::from_millis(next.saturating_sub(now_ms)));
            tokio::select! {
                // Not longer, since the machine's clock may be set meanwhile.
                () = tokio::time::sleep(wait.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)) => {}
                () = switch.changed.notified() => {}
            }
        }
    }

    fn apply(&self, line: &Line, now_ms: u64) {
        let (is_cut, runs) = {
            let state = self.lock();
            (state.is_cut, state.schedule.is_up(now_ms))
        };
        for (pipe, is_cut) in [line.upward(), line.downward()].into_iter().zip(is_cut) {
            let is_up = runs && !is_cut;
            if pipe.is_up() != is_up {
                pipe.set_up(is_up);
                tracing::info!(
                    event = "line.switched",
                    line = line.name(),
                    is_up,
                    scheduled = !runs
                );
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The machine's clock, which the schedules of lines follow.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

const LOOK_EVERY: Duration = Duration::from_secs(1);
