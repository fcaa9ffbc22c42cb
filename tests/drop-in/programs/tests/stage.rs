//! Runs a test again as a process of its own, with a receiver to send to.

use std::process::{Command, Output};

use receiver::{Envelope, Item, Receiver};
use serde_json::Value;

/// The program of the test it is called in.
macro_rules! program {
    () => {{
        fn here() {}
        $crate::stage::Program::of_test(std::any::type_name_of_val(&here))
    }};
}

/// A program that stands inside a test.
pub(crate) struct Program {
    test: String,
    env: Vec<(&'static str, String)>,
    receiver: Receiver,
}

impl Program {
    pub(crate) fn of_test(here: &str) -> Self {
        let test = here.trim_start_matches("programs::").trim_end_matches("::here").to_owned();
        Self { test, env: Vec::new(), receiver: Receiver::start() }
    }

    /// Sets a variable of its environment.
    pub(crate) fn env(mut self, name: &'static str, value: &str) -> Self {
        self.env.push((name, value.to_owned()));
        self
    }

    /// Has the receiver answer so.
    pub(crate) fn answered(self, status: u16, headers: &[(&str, &str)]) -> Self {
        self.receiver.answer(status, headers);
        self
    }

    /// Runs it: in the process that is the program, `body`, and nothing comes back; in the other, that process.
    ///
    /// `SENTRY_DSN` leads to the receiver unless it was set.
    pub(crate) fn run(self, body: impl FnOnce()) -> Option<Run> {
        if std::env::var_os(CHILD).is_some() {
            body();
            return None;
        }
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", &self.test, "--nocapture", "--test-threads=1"]).env(CHILD, "1");
        let run = self.run_as(child);
        assert!(run.output.status.success(), "{}\n{}", run.output.status, run.said());
        assert!(run.said().contains("1 passed"), "no such test: {}", run.said());
        Some(run)
    }

    /// Runs another executable in its place.
    pub(crate) fn run_as(self, mut child: Command) -> Run {
        for (name, _) in std::env::vars() {
            if name.starts_with("SENTRY_") || name.to_ascii_lowercase().ends_with("_proxy") {
                child.env_remove(name);
            }
        }
        child.env("SENTRY_DSN", self.receiver.dsn()).env("RUST_BACKTRACE", "0").envs(self.env);
        let output = child.output().unwrap();
        Run { envelopes: self.receiver.take(), output }
    }
}

/// A program that has ended, and what arrived of it.
pub(crate) struct Run {
    pub(crate) output: Output,
    pub(crate) envelopes: Vec<Envelope>,
}

impl Run {
    /// What it wrote to its terminal.
    pub(crate) fn said(&self) -> String {
        let (out, err) = (&self.output.stdout, &self.output.stderr);
        String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(err)
    }

    /// The items of a type in the order of their arrival.
    pub(crate) fn items(&self, kind: &str) -> Vec<&Item> {
        let items = self.envelopes.iter().flat_map(|envelope| &envelope.items);
        items.filter(|item| item.kind() == kind).collect()
    }

    /// Their payloads.
    pub(crate) fn payloads(&self, kind: &str) -> Vec<Value> {
        self.items(kind).into_iter().map(Item::json).collect()
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        self.payloads("event")
    }

    /// The one event that arrived.
    pub(crate) fn event(&self) -> Value {
        let mut events = self.events();
        assert_eq!(events.len(), 1, "{events:#?}\n{}", self.said());
        events.remove(0)
    }

    /// The logs or metrics out of their batches.
    pub(crate) fn batched(&self, kind: &str) -> Vec<Value> {
        let batches = self.payloads(kind);
        batches.iter().flat_map(|batch| batch["items"].as_array().unwrap()).cloned().collect()
    }

    /// What the client reports say was lost, summed up.
    pub(crate) fn lost(&self, category: &str, reason: &str) -> u64 {
        let reports = self.payloads("client_report");
        let losses = reports.iter().flat_map(|report| report["discarded_events"].as_array().unwrap());
        let matching = losses.filter(|loss| loss["category"] == category && loss["reason"] == reason);
        matching.map(|loss| loss["quantity"].as_u64().unwrap()).sum()
    }
}

/// The list in a field that is either that list or an object with `values`, which the protocol holds for the same.
pub(crate) fn values(field: &Value) -> &[Value] {
    let list = if field.is_object() { &field["values"] } else { field };
    list.as_array().map_or(&[], Vec::as_slice)
}

/// A member of every object in a list.
pub(crate) fn each<'a>(list: &'a [Value], member: &str) -> Vec<&'a Value> {
    list.iter().map(|object| &object[member]).collect()
}

/// The level of an event, which need not be written where it is the usual one.
pub(crate) fn level(event: &Value) -> &str {
    event["level"].as_str().unwrap_or("error")
}

/// Whether `sentry-core` is what it says it is, and not what stands in for it.
pub(crate) fn on_the_peer() -> bool {
    std::any::type_name::<sentry::Hub>().starts_with("sentry_core")
}

const CHILD: &str = "PROGRAM_OF_TEST";
