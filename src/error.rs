//! Turning chains of `std::error::Error` into events.
