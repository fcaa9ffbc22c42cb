//! What happened before.
