//! Instructions of a call, counted by callgrind in a process of its own.
//!
//! Only the loop over the calls is counted, and only on the thread that runs it. The counter is read by having callgrind
//! write down what it has so far before each call of [`mark`].

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::measure::Run;
use crate::rows::{Row, TABLES, Table};
use crate::run::Wanted;

/// By table and row: those of the peer, and ours.
pub type Counts = HashMap<String, [f64; 2]>;

pub fn key(table: &Table, row: &str) -> String {
    format!("{}: {row}", table.key)
}

/// Counts all that is wanted. None where there is no valgrind.
pub fn count(wanted: &Wanted, directory: &Path) -> Option<Counts> {
    let results = directory.join("counts");
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=versus::measure::repeat*", "--dump-before=versus::counts::mark*"])
        .arg(format!("--callgrind-out-file={}", directory.join(DUMP).display()))
        .arg(std::env::current_exe().ok()?)
        .args(["--count".as_ref(), results.as_os_str(), directory.as_os_str()])
        .args(&wanted.0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !status.ok()?.success() {
        return None;
    }
    serde_json::from_slice(&std::fs::read(results).ok()?).ok()
}

/// What the process under callgrind does.
pub fn counted(wanted: &Wanted, results: &Path, directory: &Path) -> std::io::Result<()> {
    let mut dumps = Dumps { directory, seen: 0 };
    let mut counts = Counts::new();
    for table in TABLES {
        for row in table.rows.iter().filter(|row| wanted.has(row.name)) {
            if let Some(both) = both(row, &mut dumps) {
                counts.insert(key(table, row.name), both);
            }
        }
    }
    std::fs::write(results, serde_json::to_vec(&counts)?)
}

fn both(row: &Row, dumps: &mut Dumps<'_>) -> Option<[f64; 2]> {
    let mut side = |run: fn() -> Run| run().observed(CALLS, |batch| dumps.around(batch));
    Some([side(row.peer)?, side(row.ours)?])
}

/// The files that callgrind writes, one after the other.
struct Dumps<'a> {
    directory: &'a Path,
    seen: usize,
}

impl Dumps<'_> {
    /// How many instructions were counted while `batch` ran.
    fn around(&mut self, batch: &mut dyn FnMut()) -> Option<u64> {
        self.next();
        batch();
        self.next()
    }

    fn next(&mut self) -> Option<u64> {
        mark(self.seen);
        self.seen += 1;
        let path = self.directory.join(format!("{DUMP}.{}", self.seen));
        let text = std::fs::read_to_string(&path).ok()?;
        std::fs::remove_file(&path).ok()?;
        text.lines().find_map(|line| line.strip_prefix("totals:"))?.trim().parse().ok()
    }
}

#[inline(never)]
fn mark(number: usize) {
    black_box(number);
}

/// Calls over which instructions are averaged, after as many that are not counted.
const CALLS: u64 = 200;
const DUMP: &str = "callgrind";
