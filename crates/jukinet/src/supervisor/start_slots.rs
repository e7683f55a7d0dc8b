//! A few nodes start at a time: who is dialled comes up before who dials.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

/// The leave to be among those that start. Dropped when the node is ready or gone.
#[derive(Debug)]
pub(super) struct StartSlot {
    _permit: OwnedSemaphorePermit,
    until: Instant,
}

/// Gives each its turn in this order, as slots become free.
pub(super) async fn give_turns(turns: Vec<oneshot::Sender<StartSlot>>) {
    let slots = Arc::new(Semaphore::new(STARTS_AT_ONCE));
    for turn in turns {
        let Ok(permit) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        // A node that was stopped before its turn gives the slot back.
        let _stopped = turn.send(StartSlot {
            _permit: permit,
            until: Instant::now() + SLOT_MAX,
        });
    }
}

/// Resolves when a slot has been held as long as it may; never without a slot.
pub(super) async fn held_long_enough(slot: Option<&mut StartSlot>) {
    match slot {
        Some(slot) => tokio::time::sleep_until(slot.until).await,
        None => std::future::pending().await,
    }
}

/// Enough to keep the processors busy while some wait for the disk or a peer; with more, handshakes
/// wait for processors and are sent again.
const STARTS_AT_ONCE: usize = 8;

/// A node that waits for a peer which never comes must not keep the others from starting.
const SLOT_MAX: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_are_given_in_order_and_only_as_many_as_there_are_slots() {
        let (turns, mut waiting): (Vec<_>, Vec<_>) =
            (0..STARTS_AT_ONCE + 2).map(|_| oneshot::channel()).unzip();
        let given = tokio::spawn(give_turns(turns));
        let mut held = Vec::new();
        for turn in waiting.drain(..STARTS_AT_ONCE) {
            held.push(turn.await.unwrap());
        }
        tokio::task::yield_now().await;
        assert!(waiting.iter_mut().all(|turn| turn.try_recv().is_err()));
        drop(held.pop());
        let _next = waiting.remove(0).await.unwrap();
        assert!(waiting[0].try_recv().is_err());
        drop(held);
        waiting.remove(0).await.unwrap();
        given.await.unwrap();
    }
}
