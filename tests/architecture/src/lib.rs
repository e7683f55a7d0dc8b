//! Tests of the house: which crate may depend on which.
