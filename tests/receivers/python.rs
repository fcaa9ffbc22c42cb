//! Starting the Python side: one script, its input and its output as pipes.

use std::env;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// Starts a script of this folder, or says why this machine cannot.
pub(crate) fn start(script: &str, arguments: &[&str]) -> Option<Child> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receivers");
    let started = Command::new("python3")
        .arg("-B")
        .arg(folder.join(script))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    match started {
        Ok(child) => Some(child),
        Err(error) if error.kind() == ErrorKind::NotFound => unavailable("python3 is not installed"),
        Err(error) => panic!("cannot start python3: {error}"),
    }
}

/// Tells a machine that cannot run the receivers (`None`) from a receiver that failed (a panic).
pub(crate) fn ended<T>(script: &str, status: ExitStatus) -> Option<T> {
    match status.code() {
        Some(UNAVAILABLE) => unavailable("the receivers cannot be installed, see the line above"),
        _ => panic!("{script} ended too early: {status}"),
    }
}

fn unavailable<T>(why: &str) -> Option<T> {
    assert!(env::var_os("CI").is_none_or(|value| value.is_empty()), "the receivers must run where CI is set: {why}");
    eprintln!("skipped: {why}");
    None
}

/// The exit code of the scripts for a machine that cannot run them; `environment.py` has the other end.
const UNAVAILABLE: i32 = 3;
