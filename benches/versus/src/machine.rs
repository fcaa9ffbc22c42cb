//! What was measured, on what, and when.

use std::process::Command;

pub fn facts(runs: usize) -> Vec<String> {
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    vec![
        format!("- processor: {}, {threads} threads", cpu()),
        format!("- compiler: {}", output("rustc", &["--version"])),
        format!("- commit: {}", output("git", &["describe", "--always", "--dirty"])),
        format!("- date: {}", output("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
        format!("- command: `cargo run --release --manifest-path benches/versus/Cargo.toml`, the median of {runs}"),
        format!("- load average at the end: {}", load()),
    ]
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
