//! Envelopes over HTTP(S).
