//! The loaded images a stack trace points into.
