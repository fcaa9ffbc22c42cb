//! What a client had to drop, and why.
