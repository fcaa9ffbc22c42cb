//! One timed operation.
