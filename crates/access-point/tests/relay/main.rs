//! Relays between real sockets on this machine.

mod forwarding;
mod laboratory;
mod shaping;
mod world;
