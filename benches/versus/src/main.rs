//! vidette beside `sentry-core`, in one process: time, allocations and instructions of each call, alone and among threads.
//!
//! ```sh
//! cargo run --release --manifest-path benches/versus/Cargo.toml                     # three runs, benches/RESULTS.md, plots
//! cargo run --release --manifest-path benches/versus/Cargo.toml -- breadcrumb fork  # one run of rows with such names
//! cargo run --manifest-path benches/versus/Cargo.toml -- --test                     # does each row do something?
//! ```
//! `--runs N` says how often, `--no-counts` leaves out valgrind.
//!
//! The same source is compiled against both ([`operations`]). Each row alternates between the two, round after round,
//! and shows medians, so that whatever else the machine does hits both. Each run is a process of its own, so that what
//! the linker and the loader chose is not measured alone; of several runs, the median of their medians is shown.

mod contention;
mod counts;
mod goal;
mod machine;
mod measure;
mod operations;
mod plots;
mod report;
mod rows;
mod run;
mod spread;

#[allow(dead_code, reason = "shared with others that use the rest")]
#[path = "../../support/counting.rs"]
mod counting;

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use self::counts::Counts;
use self::run::{Measured, Wanted};

#[global_allocator]
static ALLOCATOR: counting::Counting<false> = counting::Counting;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let wanted = |parts: &[&str]| Wanted(parts.iter().map(|part| (*part).to_owned()).collect());
    match arguments.as_slice() {
        ["--test"] => run::smoke(),
        ["--once", results, parts @ ..] => run::once(&wanted(parts)).write(results.as_ref())?,
        ["--count", results, directory, parts @ ..] => {
            counts::counted(&wanted(parts), results.as_ref(), directory.as_ref())?;
        }
        parts => {
            let (mut parts, mut runs, mut count) = (parts, None, true);
            loop {
                match parts {
                    ["--runs", number, rest @ ..] => {
                        runs = Some(number.parse().map_err(|_| io::Error::other("--runs wants a number"))?);
                        parts = rest;
                    }
                    ["--no-counts", rest @ ..] => {
                        count = false;
                        parts = rest;
                    }
                    _ => break,
                }
            }
            let runs: usize = runs.unwrap_or(if parts.is_empty() { 3 } else { 1 });
            measure(&wanted(parts), runs.max(1), count)?;
        }
    }
    Ok(())
}

/// Has other processes measure, and tells what they found.
fn measure(wanted: &Wanted, runs: usize, count: bool) -> io::Result<()> {
    let directory = Scratch::new()?;
    let mut all = Vec::new();
    for number in 1..=runs {
        eprintln!("run {number} of {runs}");
        let results = directory.0.join(format!("run-{number}"));
        let status = Command::new(std::env::current_exe()?).arg("--once").arg(&results).args(&wanted.0).status()?;
        if !status.success() {
            return Err(io::Error::other(format!("run {number} failed: {status}")));
        }
        all.push(Measured::read(&results)?);
    }
    let counts: Option<Counts> = if count { counts::count(wanted, &directory.0) } else { None };
    let measured = Measured::joined(&all);
    let report = report::markdown(&measured, counts.as_ref(), runs);
    print!("{report}");
    if wanted.0.is_empty() {
        let benches = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        std::fs::write(benches.join("RESULTS.md"), report)?;
        plots::draw(&measured, &benches.join("plots")).map_err(io::Error::other)?;
    }
    Ok(())
}

/// A directory that goes with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("versus-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}
