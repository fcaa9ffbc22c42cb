//! Timestamps on the wire.
