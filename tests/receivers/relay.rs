//! Sentry's own normalizer as a judge of events and transactions.

use std::io::Write;
use std::thread;

use serde::Deserialize;
use serde_json::Value;

use crate::python;

/// What the normalizer made of one event.
#[derive(Debug, Deserialize, Eq, PartialEq)]
pub(crate) struct Verdict {
    /// What it objects to, each with its path; empty for a good event.
    pub(crate) errors: Vec<String>,
    /// The paths of the keys it threw away; empty for a good event.
    pub(crate) dropped: Vec<String>,
}

/// Judges events and transactions; `None`, and a line on stderr, where the machine cannot run the normalizer.
pub(crate) fn check(events: &[Value]) -> Option<Vec<Verdict>> {
    check_lines(&events.iter().map(Value::to_string).collect::<Vec<_>>())
}

/// The same for bytes that need not be JSON; each text must be one line.
pub(crate) fn check_lines(lines: &[String]) -> Option<Vec<Verdict>> {
    let mut child = python::start(SCRIPT, &[])?;
    let mut input = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        // A script that ends early closes its input; its exit code tells more than this error.
        scope.spawn(move || lines.iter().try_for_each(|line| writeln!(input, "{line}")));
        child.wait_with_output().unwrap()
    });
    if !output.status.success() {
        return python::ended(SCRIPT, output.status);
    }
    let verdicts: Result<Vec<Verdict>, _> = serde_json::Deserializer::from_slice(&output.stdout).into_iter().collect();
    let verdicts = verdicts.unwrap();
    assert_eq!(verdicts.len(), lines.len(), "one verdict for each event");
    Some(verdicts)
}

const SCRIPT: &str = "relay_check.py";
