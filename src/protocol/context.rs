//! The surroundings of an event.
