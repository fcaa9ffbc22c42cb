//! Identifiers of traces and spans.
