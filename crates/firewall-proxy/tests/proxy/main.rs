//! The firewall between real links on loopback, with keys made for each test.

#[cfg(test)]
mod office;
#[cfg(test)]
mod records;
#[cfg(test)]
mod verdicts;
