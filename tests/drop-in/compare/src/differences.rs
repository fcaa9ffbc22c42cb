//! Where the two cores differ on purpose.

/// One difference, wherever it shows.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The kind of item, or any.
    kind: &'static str,
    /// How the path begins; a star stands for any one part of it.
    path: &'static str,
    /// What the peer says there, or anything.
    peer: &'static str,
    /// What ours says there, or anything.
    ours: &'static str,
    #[expect(dead_code, reason = "read by people, in this file and where the difference does not show")]
    reason: &'static str,
}

impl Difference {
    pub(crate) fn covers(&self, kind: &str, path: &str, peer: &str, ours: &str) -> bool {
        let fits = |wanted: &str, said: &str| wanted == ANYTHING || wanted == said;
        let mut parts = path.split('.');
        let begins = self.path.split('.').all(|wanted| parts.next().is_some_and(|part| fits(wanted, part)));
        begins && fits(self.kind, kind) && fits(self.peer, peer) && fits(self.ours, ours)
    }
}

const ANYTHING: &str = "*";
/// What is said where there is no such value.
pub(crate) const NOTHING: &str = "nothing";

pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        kind: "*",
        path: ".envelope.sent_at",
        peer: NOTHING,
        ours: "*",
        reason: "the specification wants the time on every envelope",
    },
    Difference {
        kind: "*",
        path: ".envelope.sdk",
        peer: NOTHING,
        ours: "*",
        reason: "the specification wants the SDK on every envelope",
    },
    Difference {
        kind: "*",
        path: ".envelope.dsn",
        peer: NOTHING,
        ours: "*",
        reason: "the specification wants the DSN on every envelope",
    },
    Difference {
        kind: "*",
        path: ".envelope.trace",
        peer: NOTHING,
        ours: "*",
        reason: "the specification wants the sampling context on envelopes of events and transactions; the peer loses it",
    },
    Difference { kind: "*", path: ".payload.sdk.name", peer: "*", ours: "*", reason: "it is another SDK" },
    Difference { kind: "*", path: ".payload.sdk.version", peer: "*", ours: "*", reason: "it is another SDK" },
    Difference { kind: "*", path: ".payload.sdk.packages", peer: "*", ours: "*", reason: "it is another SDK" },
    Difference {
        kind: "transaction",
        path: ".payload.type",
        peer: NOTHING,
        ours: "\"transaction\"",
        reason: "the specification requires the type",
    },
    Difference {
        kind: "transaction",
        path: ".payload.platform",
        peer: NOTHING,
        ours: "\"native\"",
        reason: "the specification requires the platform",
    },
    Difference {
        kind: "*",
        path: ".payload.contexts.*.type",
        peer: "\"unknown\"",
        ours: NOTHING,
        reason: "a context of the application's own has no type but its name",
    },
    Difference {
        kind: "event",
        path: ".payload.exception.values.*.mechanism",
        peer: NOTHING,
        ours: "*",
        reason: "the specification wants a mechanism on what was captured by hand",
    },
    Difference {
        kind: "session",
        path: ".payload.did",
        peer: "null",
        ours: NOTHING,
        reason: "what is not known is left out",
    },
    Difference {
        kind: "session",
        path: ".payload.init",
        peer: NOTHING,
        ours: "false",
        reason: "the specification wants it said of an update too",
    },
    Difference {
        kind: "session",
        path: ".payload.seq",
        peer: NOTHING,
        ours: "*",
        reason: "the specification orders the updates of a session by it",
    },
    Difference {
        kind: "session",
        path: ".payload.timestamp",
        peer: NOTHING,
        ours: "*",
        reason: "the specification wants the time of each update",
    },
    Difference {
        kind: "session",
        path: ".payload.duration",
        peer: NOTHING,
        ours: "*",
        reason: "the specification wants the duration of a session that has ended",
    },
    Difference {
        kind: "log",
        path: ".header.length",
        peer: NOTHING,
        ours: "*",
        reason: "the specification wants the length of all but tiny items",
    },
    Difference {
        kind: "trace_metric",
        path: ".header.length",
        peer: NOTHING,
        ours: "*",
        reason: "the specification wants the length of all but tiny items",
    },
    Difference {
        kind: "*",
        path: ".payload.attributes.sentry.sdk.name.value",
        peer: "*",
        ours: "*",
        reason: "it is another SDK",
    },
    Difference {
        kind: "*",
        path: ".payload.attributes.sentry.sdk.version.value",
        peer: "*",
        ours: "*",
        reason: "it is another SDK",
    },
    Difference {
        kind: "log",
        path: ".payload.attributes.parent_span_id",
        peer: "*",
        ours: NOTHING,
        reason: "the specification wants the span in a field of its own",
    },
    Difference {
        kind: "log",
        path: ".payload.span_id",
        peer: NOTHING,
        ours: "*",
        reason: "the specification wants the span in a field of its own",
    },
    Difference {
        kind: "log",
        path: ".payload.severity_number",
        peer: NOTHING,
        ours: "*",
        reason: "the specification gives each level its number",
    },
    Difference {
        kind: "log",
        path: ".payload.attributes.user.email",
        peer: "*",
        ours: NOTHING,
        reason: "who the user is stays here, unless `send_default_pii` is on",
    },
    Difference {
        kind: "log",
        path: ".payload.attributes.error",
        peer: "*",
        ours: "*",
        reason: "an attribute that is an array travels as one, not as the text of one",
    },
    Difference {
        kind: "client_report",
        path: ".payload.sums.error before_send",
        peer: NOTHING,
        ours: "1",
        reason: "what was discarded last is reported when the client closes",
    },
];
