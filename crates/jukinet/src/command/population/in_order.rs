//! Work on several threads whose results come back in order.

use std::num::NonZeroU16;
use std::sync::mpsc::sync_channel;
use std::thread;

use juki_domain::ErrorCode;

use crate::failure::Failure;

/// Makes something of each piece of work on several threads and hands the results over one after
/// the other, in the order of the work. Each thread is ahead by [`READY_MAX`] results and one more.
///
/// # Errors
/// The first failure of `take`; then nothing more is made.
pub(super) fn in_order<W: Sync, T: Send>(
    threads: NonZeroU16,
    work: &[W],
    make: impl Fn(&W) -> T + Sync,
    mut take: impl FnMut(&W, T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let step = usize::from(threads.get());
    let make = &make;
    thread::scope(|scope| {
        let mut lanes = Vec::with_capacity(step);
        for lane in 0..step.min(work.len()) {
            let (sender, receiver) = sync_channel(READY_MAX);
            scope.spawn(move || {
                for piece in work.iter().skip(lane).step_by(step) {
                    if sender.send(make(piece)).is_err() {
                        // Nobody takes any more.
                        return;
                    }
                }
            });
            lanes.push(receiver);
        }
        for (piece, lane) in work.iter().zip(lanes.iter().cycle()) {
            // A thread that panics closes its lane; the scope then passes the panic on.
            take(piece, lane.recv().map_err(|_| ended_early())?)?;
        }
        Ok(())
    })
}

fn ended_early() -> Failure {
    Failure::new(ErrorCode::CheckFailed, "a thread ended early")
}

/// Items that one thread may be ahead: enough to go on while a file is written.
const READY_MAX: usize = 2;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn threads(count: u16) -> NonZeroU16 {
        NonZeroU16::new(count).unwrap()
    }

    #[test]
    fn results_come_in_the_order_of_the_work_from_any_number_of_threads() {
        for (count, of) in [(0, 4), (1, 4), (3, 4), (100, 1), (100, 2), (101, 7)] {
            let work: Vec<u64> = (0..count).collect();
            let mut taken = Vec::new();
            in_order(
                threads(of),
                &work,
                |number| number * 3,
                |number, made| {
                    taken.push((*number, made));
                    Ok(())
                },
            )
            .unwrap();
            let all: Vec<(u64, u64)> = (0..count).map(|number| (number, number * 3)).collect();
            assert_eq!(taken, all, "{count} results of {of} threads");
        }
    }

    #[test]
    fn no_thread_is_ahead_of_the_taker_by_more_than_its_bound() {
        let made = AtomicU64::new(0);
        let mut taken = 0;
        in_order(
            threads(3),
            &[(); 600],
            |()| made.fetch_add(1, Ordering::SeqCst),
            |(), _| {
                taken += 1;
                let ahead = made.load(Ordering::SeqCst) - taken;
                assert!(ahead <= 3 * (READY_MAX as u64 + 1), "{ahead} ahead");
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(taken, 600);
    }

    #[test]
    fn after_a_failure_nothing_more_is_taken_and_little_more_is_made() {
        let made = AtomicU64::new(0);
        let mut taken = 0;
        let ended = in_order(
            threads(2),
            &[(); 100_000],
            |()| made.fetch_add(1, Ordering::SeqCst),
            |(), _| {
                taken += 1;
                if taken == 10 {
                    return Err(ended_early());
                }
                Ok(())
            },
        );
        assert_eq!((ended, taken), (Err(ended_early()), 10));
        assert!(made.into_inner() < 100);
    }
}
