//! The firewall between real links on loopback, with keys made for each test.

#[cfg(test)]
mod alerts;
#[cfg(test)]
mod office;
#[cfg(test)]
mod records;
#[cfg(test)]
mod reloads;
#[cfg(test)]
mod verdicts;
