//! The HTTP request in which an event happened.
