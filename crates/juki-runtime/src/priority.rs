//! How threads share cores with others.

/// Lets other processes of the machine go first: this thread and all that it starts from now on run
/// at a niceness of `steps` (0 to 19) more. It cannot be taken back without privileges. Where the
/// system refuses, nothing changes: the order of threads is a matter of comfort.
pub fn give_way(steps: i32) {
    let niceness = rustix::process::getpriority_process(None).unwrap_or(0);
    let _unchanged = rustix::process::setpriority_process(None, niceness.saturating_add(steps));
}
