//! Where the two cores differ on purpose.

/// One difference, wherever it shows.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The kind of item, or any.
    kind: &'static str,
    /// How the path begins.
    path: &'static str,
    #[expect(dead_code, reason = "it is there to be read, and printed when the difference does not show")]
    reason: &'static str,
}

impl Difference {
    pub(crate) fn covers(&self, kind: &str, path: &str, _peer: Option<&String>, _ours: Option<&String>) -> bool {
        (self.kind == "any" || self.kind == kind) && path.starts_with(self.path)
    }
}

pub(crate) const DIFFERENCES: &[Difference] =
    &[Difference { kind: "any", path: ".envelope.sent_at", reason: "the specification wants it on every envelope" }];
