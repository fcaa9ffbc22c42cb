//! Counters, gauges and distributions.
