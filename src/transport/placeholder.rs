//! Stands in for the envelope until the wire format is merged.

/// An envelope.
pub struct Envelope(());

impl Envelope {
    /// Returns an empty envelope.
    pub fn new() -> Self {
        Self(())
    }
}
