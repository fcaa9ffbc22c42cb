//! What services tell each other about a trace.
