//! A trace's entry point with its spans.
