//! A Bugsink server of one test's own: send to its DSN, then ask what arrived.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{mem, thread};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::python;

/// How many events the server takes in five minutes; the next one gets 429.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Quota {
    Unlimited,
    Events(u32),
}

/// A running server. It ends, and all it wrote with it, when this value is dropped or the test's process dies.
#[derive(Debug)]
pub(crate) struct Bugsink {
    ready: Ready,
    pipe: Mutex<Pipe>,
    child: Child,
}

#[derive(Debug)]
struct Pipe {
    /// Taken out to end the server.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

#[derive(Debug, Deserialize)]
struct Ready {
    dsn: String,
    url: String,
    ca: Option<PathBuf>,
}

impl Bugsink {
    /// Starts a server that speaks HTTP; `None`, and a line on stderr, where the machine cannot run one.
    pub(crate) fn start(quota: Quota) -> Option<Bugsink> {
        match quota {
            Quota::Unlimited => Bugsink::start_with(&[]),
            Quota::Events(events) => Bugsink::start_with(&["--quota", &events.to_string()]),
        }
    }

    /// Starts a server that speaks HTTPS with a certificate signed by [`Bugsink::ca`], which nobody trusts.
    pub(crate) fn start_https() -> Option<Bugsink> {
        Bugsink::start_with(&["--https"])
    }

    /// Starts a server that speaks HTTPS with the given certificate and key, both PEM files.
    pub(crate) fn start_https_with(certificate: &Path, key: &Path) -> Option<Bugsink> {
        let [certificate, key] = [certificate, key].map(|path| path.to_str().unwrap());
        Bugsink::start_with(&["--certfile", certificate, "--keyfile", key])
    }

    fn start_with(arguments: &[&str]) -> Option<Bugsink> {
        let mut child = python::start(SCRIPT, arguments)?;
        let questions = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        if line.is_empty() {
            return python::ended(SCRIPT, child.wait().unwrap());
        }
        let ready = serde_json::from_str(&line).unwrap();
        Some(Bugsink { ready, pipe: Mutex::new(Pipe { questions, answers }), child })
    }

    /// Where to send to.
    pub(crate) fn dsn(&self) -> &str {
        &self.ready.dsn
    }

    /// The root of the server, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.ready.url
    }

    /// The certificate (PEM) to trust for this server, if it speaks HTTPS.
    pub(crate) fn ca(&self) -> Option<&Path> {
        self.ready.ca.as_deref()
    }

    /// The issues that the events were grouped into, oldest first.
    pub(crate) fn issues(&self) -> Vec<Value> {
        results(self.get("/api/canonical/0/issues/?project=1"))
    }

    /// The events of one issue, without their data, oldest first.
    pub(crate) fn events(&self, issue: &Value) -> Vec<Value> {
        let id = issue["id"].as_str().unwrap();
        results(self.get(&format!("/api/canonical/0/events/?issue={id}&order=asc")))
    }

    /// One event as the server stored it, by the `id` that [`Bugsink::events`] gives; `data` is what was sent.
    pub(crate) fn event(&self, id: &str) -> Value {
        self.get(&format!("/api/canonical/0/events/{id}/"))
    }

    /// The data of every stored event of every issue.
    pub(crate) fn all_events(&self) -> Vec<Value> {
        let events = self.issues().into_iter().flat_map(|issue| self.events(&issue));
        events.map(|event| self.event(event["id"].as_str().unwrap())["data"].take()).collect()
    }

    /// The stack trace of one event, rendered by the server as a person would read it.
    pub(crate) fn stacktrace(&self, id: &str) -> String {
        self.get(&format!("/api/canonical/0/events/{id}/stacktrace/")).as_str().unwrap().to_owned()
    }

    /// Every envelope that arrived, of any kind, unpacked but otherwise as received, oldest first.
    pub(crate) fn envelopes(&self) -> Vec<String> {
        serde_json::from_value(self.ask(&json!({ "envelopes": true }))["envelopes"].take()).unwrap()
    }

    fn get(&self, path: &str) -> Value {
        let mut answer = self.ask(&json!({ "get": path }));
        assert_eq!(answer["status"], 200, "GET {path} gave {answer}");
        answer["body"].take()
    }

    fn ask(&self, question: &Value) -> Value {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(pipe.questions.as_mut().unwrap(), "{question}").unwrap();
        let mut line = String::new();
        pipe.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).expect("the server's script answers in JSON");
        assert!(answer.get("error").is_none(), "{question} gave {answer}");
        answer
    }
}

impl Drop for Bugsink {
    fn drop(&mut self) {
        let pipe = self.pipe.get_mut().unwrap_or_else(PoisonError::into_inner);
        mem::drop(pipe.questions.take());
        let deadline = Instant::now() + Duration::from_secs(10);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                eprintln!("{SCRIPT} does not end by itself: killing it");
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The rows of a page; a test that fills more than one page would miss some, so that is refused.
fn results(mut page: Value) -> Vec<Value> {
    assert!(page["next"].is_null(), "more results than one page holds");
    serde_json::from_value(page["results"].take()).unwrap()
}

const SCRIPT: &str = "bugsink.py";
