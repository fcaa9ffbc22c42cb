//! Transports that write each envelope to one buffer, where the transports of each crate do that.

pub mod ours;
pub mod peer;
