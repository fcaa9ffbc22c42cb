//! Files sent along with an event.
