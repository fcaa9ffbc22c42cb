//! The report: a Markdown table of medians, and what it was made on.

use std::fmt::Write;
use std::process::Command;

use crate::load::{Load, Round};
use crate::server::Watcher;

pub fn markdown(loads: &[Load], counts: &[Option<f64>; 4]) -> String {
    format!(
        "# What watching costs a service\n\n\
         A service on axum and tokio, under a load that saturates it, with the server on one core and the generator on another. \
         For each request: a forked hub bound to the future, a transaction with 5 spans, 10 breadcrumbs, 3 tags; one request in a \
         thousand ends in a captured error; one trace in ten is sampled, serialized and forgotten. Medians of {} rounds, each \
         compared with the bare service of the same round; `benches/service` has the source, and says more.\n\n\
         A server that saturates its core answers as many requests as its processor time allows, so `over bare` in percent is also \
         the throughput that watching costs on a machine that does nothing else. Wanted of vidette: at most 2 %; \
         `is 2 % of` says how long a request is for which that holds. The short request is all kernel, framework and JSON; the longer \
         one does some work of its own.\n\n\
         - processor: {}\n- compiler: {}\n- commit: {}\n- date: {}\n\
         - command: `cargo run --release --manifest-path benches/service/Cargo.toml`\n- load average at the end: {}\n\n{}## Instructions, a short request\n\n{}",
        loads.first().map_or(0, |load| load.rounds.len()),
        processor(),
        said("rustc", &["--version"]),
        said("git", &["rev-parse", "--short", "HEAD"]),
        said("date", &["-u", "+%F %H:%M UTC"]),
        std::fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next().unwrap_or_default(),
        self::loads(loads),
        instructions(counts),
    )
}

/// What the servers did under load.
pub fn loads(loads: &[Load]) -> String {
    loads.iter().map(table).collect()
}

fn table(Load { work, rounds }: &Load) -> String {
    let mut text = format!("## Under load, {} ({} products considered)\n\n{LOADS}", work.name, work.consider);
    for (place, watcher) in Watcher::ALL.into_iter().enumerate() {
        let of = |value: fn(&Round) -> f64| median(rounds.iter().map(|round| value(&round[place])));
        let to_bare = median(rounds.iter().map(|round| round[place].per_second / round[0].per_second));
        let over_bare = median(rounds.iter().map(|round| round[place].nanos - round[0].nanos));
        let percent = median(rounds.iter().map(|round| round[place].nanos / round[0].nanos - 1.0));
        _ = writeln!(
            text,
            "| {} | {:.0} | {:+.1} % | {:.1} | {:.1} | {:.2} | {:+.2} ({:+.1} %) | {} | {:.1} | {:.0} |",
            watcher.name(),
            of(|round| round.per_second),
            (to_bare - 1.0) * 100.0,
            of(|round| round.p50) / 1e3,
            of(|round| round.p99) / 1e3,
            of(|round| round.nanos) / 1e3,
            over_bare / 1e3,
            percent * 100.0,
            if over_bare > 0.0 { format!("{:.2} ms", over_bare / WANTED / 1e6) } else { "-".to_owned() },
            of(|round| round.envelopes),
            of(|round| round.bytes),
        );
    }
    text.push('\n');
    text
}

/// The instructions of the servers' own code, the kernel's not among them.
pub fn instructions(counts: &[Option<f64>; 4]) -> String {
    let mut text = "| service | instructions for each request | over bare |\n|---|---:|---:|\n".to_owned();
    let of = |count: Option<f64>| count.map_or_else(|| "not counted".to_owned(), |count| format!("{count:.0}"));
    for (watcher, count) in Watcher::ALL.into_iter().zip(counts) {
        let over = count.zip(counts[0]).map(|(count, bare)| count - bare);
        _ = writeln!(text, "| {} | {} | {} |", watcher.name(), of(*count), of(over));
    }
    text
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    // Not the cores of this process: it keeps to one.
    let threads = text.lines().filter(|line| line.starts_with("processor")).count();
    format!("{}, {threads} threads", model.trim_start_matches(['\t', ' ', ':']))
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(|_| "unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What watching may cost, of the whole.
const WANTED: f64 = 0.02;
const LOADS: &str = "\
| service | requests/s | to bare | p50 ms | p99 ms | processor µs | over bare | is 2 % of | envelopes for 1,000 requests | bytes for each |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
";
