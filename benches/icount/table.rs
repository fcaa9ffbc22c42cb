//! The table of limits: a Markdown file that is written and read here.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

use crate::Failure;

/// Writes the table for these calls and their counts.
pub(crate) fn markdown<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    let mut text = format!(
        "# Instructions for each call\n\n\
         Of the calling thread, in the steady state, and what `.ci/run icount` allows: a tenth more, for the next compiler,\n\
         and three times as much where the sender gives memory back in the meantime, or has to be woken.\n\
         Made by `cargo bench --bench icount -- --set`, which is also how to change it; `benches/icount` says what is counted.\n\n\
         - compiler: {}\n- target: {}-{}\n\n\
         | call | instructions | limit |\n|---|---:|---:|\n",
        compiler(),
        std::env::consts::ARCH,
        std::env::consts::OS,
    );
    for (name, count) in counts {
        _ = writeln!(text, "| {name} | {count} | {} |", limit(name, count));
    }
    text
}

/// Reads the limits out of a table.
pub(crate) fn limits(text: &str) -> Result<BTreeMap<String, u64>, Failure> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")).skip(1);
    let limit = |row: &str| -> Result<_, Failure> {
        let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        match cells[..] {
            [name, _, limit] => Ok((name.to_owned(), limit.parse()?)),
            _ => Err(format!("not a row of three: {row}").into()),
        }
    };
    rows.map(limit).collect()
}

/// A tenth more, and at least two, as a loop's own handful may change. What a call finds that goes through the sender depends
/// on how far that has come: such a limit catches what is gross.
fn limit(name: &str, count: u64) -> u64 {
    if THROUGH_THE_SENDER.iter().any(|call| name.starts_with(call)) {
        return 3 * count;
    }
    (count + count.div_ceil(10)).max(count + 2)
}

/// How the names of calls begin whose items the sender takes.
const THROUGH_THE_SENDER: [&str; 7] =
    ["capture, ", "`capture_error`", "check-in", "transaction", "`logger_info!`", "counter", "session of a request"];

fn compiler() -> String {
    let version = Command::new("rustc").arg("--version").output();
    version.map_or_else(|_| "unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
