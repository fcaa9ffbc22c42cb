//! The Markdown that is printed and kept.

use std::fmt::Write;
use std::process::Command;

use crate::measure::{Result, Side};

/// All tables, with the machine they were measured on.
pub fn markdown(all: &[Result], alone: &[Result], crowded: &[Result], others: usize) -> String {
    let mut text = String::new();
    heading(&mut text);
    table(&mut text, all);
    crowd(&mut text, alone, crowded, others);
    text
}

fn heading(text: &mut String) {
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    let lines = [
        "# Side by side with `sentry-core` 0.49.5".to_owned(),
        String::new(),
        "Processor time of the calling thread for each call in nanoseconds, medians with quartiles, both in one process in"
            .to_owned(),
        "alternating rounds; allocations are those of the calling thread. The ratio is the median of the rounds' own ratios."
            .to_owned(),
        "Rows about several threads on one hub show wall time over all calls instead.".to_owned(),
        "Where a row says `breadcrumb!`, the peer builds the same breadcrumb in a closure.".to_owned(),
        String::new(),
        format!("- processor: {}, {threads} threads", cpu()),
        format!("- compiler: {}", output("rustc", &["--version"])),
        format!("- commit: {}", output("git", &["describe", "--always", "--dirty"])),
        format!("- date: {}", output("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
        "- command: `cargo run --release --manifest-path benches/versus/Cargo.toml`".to_owned(),
        format!("- load average at the end: {}", load()),
        String::new(),
    ];
    text.push_str(&lines.join("\n"));
}

fn table(text: &mut String, results: &[Result]) {
    text.push_str(
        "\n| operation | peer ns | ours ns | ratio | peer allocs | our allocs |\n|---|---:|---:|---:|---:|---:|\n",
    );
    for result in results {
        let Result { name, peer, ours, ratio } = result;
        _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            name.trim_end(),
            time(peer),
            time(ours),
            times(*ratio),
            count(peer),
            count(ours)
        );
    }
}

fn crowd(text: &mut String, alone: &[Result], crowded: &[Result], others: usize) {
    _ = writeln!(text, "\n## With {others} other threads alive that each used a hub\n");
    text.push_str("Nothing of the peer's depends on the number of threads, so its column to itself shows what the machine did between\n");
    text.push_str("the two measurements; ours is to be read against it.\n\n");
    text.push_str("| operation | peer ns | ours ns | ratio | peer to itself alone | ours to itself alone |\n");
    text.push_str("|---|---:|---:|---:|---:|---:|\n");
    for (alone, crowded) in alone.iter().zip(crowded) {
        _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            crowded.name.trim_end(),
            time(&crowded.peer),
            time(&crowded.ours),
            times(crowded.ratio),
            times(crowded.peer.median / alone.peer.median),
            times(crowded.ours.median / alone.ours.median)
        );
    }
}

fn time(side: &Side) -> String {
    let (first, third) = side.quartiles;
    format!("{} ({}–{})", nanos(side.median), nanos(first), nanos(third))
}

fn nanos(nanos: f64) -> String {
    let decimals = if nanos < 10.0 { 1 } else { 0 };
    format!("{nanos:.decimals$}")
}

fn times(ratio: f64) -> String {
    let decimals = if ratio < 10.0 { 1 } else { 0 };
    format!("{ratio:.decimals$}x")
}

fn count(side: &Side) -> String {
    let rounded = (side.allocations * 10.0).round() / 10.0;
    format!("{rounded}")
}

fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| "unknown".to_owned(), |(_, model)| model.trim().to_owned())
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    output.map_or_else(|_| "unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
