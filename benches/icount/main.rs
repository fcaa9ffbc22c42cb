//! How many instructions each call costs the calling thread, held against a limit.
//!
//! ```sh
//! cargo bench --bench icount                  # fails when a call costs more than its limit; `.ci/run icount`
//! cargo bench --bench icount -- --set         # measures anew, and writes the limits: the counts and some more
//! cargo bench --bench icount -- breadcrumb    # only calls whose names contain one of these
//! ```
//! Each call runs in a process of its own under valgrind's callgrind, so that no other call's client opens the gate or
//! warms a pool. Counted is the one function [`counted`], on the thread that runs it: warm, over many calls, the loop
//! included. But for calls through the sender, counts do not depend on what else the machine does; they do on compiler and C library, for
//! which a tenth leaves room. The limits stand in `benches/ICOUNT.md`; what callgrind wrote stands in `target/tmp/icount`,
//! for `callgrind_annotate`.
//!
//! **Not here**: what instructions do not show. An atomic addition takes 5 ns, freeing the memory of another thread
//! 50 ns; `benches/versus` measures time.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark speaks to its user")]

mod calls;
#[path = "../support/large_event.rs"]
mod large_event;
mod table;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;

use self::calls::CALLS;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A call that is counted: its row's name, and what makes it ready and counts it.
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) run: fn(),
}

/// Counts a call in the steady state.
pub(crate) fn steady(mut call: impl FnMut(u64)) {
    (0..WARM).for_each(&mut call);
    counted(call);
}

/// Counts a call, in bursts that any queue holds; `settle` empties it between them.
pub(crate) fn bursts(mut call: impl FnMut(u64), settle: impl Fn()) {
    for _ in 0..WARM / COUNTED {
        (0..COUNTED).for_each(&mut call);
        settle();
    }
    counted(call);
    settle();
}

/// What callgrind is told to collect: nothing else has this name.
#[inline(never)]
fn counted(mut call: impl FnMut(u64)) {
    // A plain loop: a closure of this function would have its name.
    for n in 0..COUNTED {
        call(black_box(n));
    }
}

fn main() -> ExitCode {
    // Cargo says `--bench` to every benchmark.
    let mut arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some(ONE) => run(&arguments[1]),
        Some("--set") => set(),
        _ => check(&std::mem::take(&mut arguments)),
    };
    outcome.unwrap_or_else(|failure| {
        eprintln!("icount: {failure}");
        ExitCode::FAILURE
    })
}

/// Runs one call; under callgrind, where its instructions are counted.
fn run(name: &str) -> Result<ExitCode, Failure> {
    let call = CALLS.iter().find(|call| call.name == name).ok_or("there is no such call")?;
    (call.run)();
    Ok(ExitCode::SUCCESS)
}

/// Measures everything, and makes that the limits.
fn set() -> Result<ExitCode, Failure> {
    let counts = measure(&[])?;
    let text = table::markdown(CALLS.iter().map(|call| (call.name, counts[call.name])));
    print!("{text}");
    std::fs::write(TABLE, text)?;
    Ok(ExitCode::SUCCESS)
}

/// Measures the calls that are wanted, and compares each with its limit.
fn check(wanted: &[String]) -> Result<ExitCode, Failure> {
    let limits = table::limits(&std::fs::read_to_string(TABLE)?)?;
    let stale: Vec<&String> = limits.keys().filter(|name| CALLS.iter().all(|call| call.name != *name)).collect();
    let mut wrong = stale.len();
    stale.iter().for_each(|name| println!("NO SUCH CALL, but a limit: {name}"));
    let counts = measure(wanted)?;
    for (name, count) in CALLS.iter().filter_map(|call| counts.get_key_value(call.name)) {
        let limit = limits.get(*name);
        let verdict = match limit {
            Some(limit) if count <= limit => "ok",
            Some(_) => "TOO MUCH",
            None => "NO LIMIT",
        };
        wrong += usize::from(verdict != "ok");
        println!("{verdict:8} {count:>9} of {:>9}  {name}", limit.copied().unwrap_or_default());
    }
    if wrong == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    println!("{wrong} of {} wrong; `cargo bench --bench icount -- --set` sets the limits anew", counts.len());
    Ok(ExitCode::FAILURE)
}

/// Instructions for each of the calls whose names contain a part of what is wanted; all, when nothing is.
fn measure(wanted: &[String]) -> Result<BTreeMap<&'static str, u64>, Failure> {
    let wants = |call: &&Call| wanted.is_empty() || wanted.iter().any(|part| call.name.contains(part.as_str()));
    let calls: Vec<&Call> = CALLS.iter().filter(wants).collect();
    let (next, counts) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || -> Result<(), Failure> {
        while let Some(call) = calls.get(next.fetch_add(1, Relaxed)) {
            let count = count(call.name).map_err(|failure| format!("{}: {failure}", call.name))?;
            counts.lock().unwrap_or_else(PoisonError::into_inner).insert(call.name, count);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..thread::available_parallelism()?.get()).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| Err("a thread panicked".into())))
    })?;
    Ok(counts.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Runs this program under callgrind for one call, and reads what it collected.
fn count(name: &str) -> Result<u64, Failure> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("icount");
    std::fs::create_dir_all(&folder)?;
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let file = folder.join(name.chars().map(plain).collect::<String>()).with_extension("out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*icount*counted*"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(std::env::current_exe()?)
        .args([ONE, name])
        .output()
        .map_err(|error| format!("valgrind does not run ({error}); it is a package of that name"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(said.into());
    }
    let collected =
        said.lines().find_map(|line| line.split_once("Collected :")).ok_or("callgrind collected nothing")?;
    Ok(collected.1.trim().parse::<u64>()?.div_ceil(COUNTED))
}

/// The option that runs one call.
const ONE: &str = "--one";
/// Calls that are counted; many, so that a new chunk now and then does not pass for none.
const COUNTED: u64 = 200;
/// Calls before that.
const WARM: u64 = 1_000;
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/ICOUNT.md");
