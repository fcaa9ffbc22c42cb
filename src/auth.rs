//! The header that proves we may send events.
