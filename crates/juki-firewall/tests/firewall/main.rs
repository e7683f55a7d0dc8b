//! The firewall's judgement and its summaries, seen from outside.

#[cfg(test)]
mod demo_network;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod reference_model;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod summary;
#[cfg(test)]
mod watching;
