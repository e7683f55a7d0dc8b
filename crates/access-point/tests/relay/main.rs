//! Relays between real sockets on this machine.

mod forwarding;
mod shaping;
mod world;
