//! Links between real sockets on the loopback, with certificates made for each run.

#[cfg(test)]
mod certificates;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod greetings;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod office;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod renewals;
#[cfg(test)]
mod restarts;
mod revocations;
