//! Instructions for each request: the server under callgrind, once with few requests and once with many.

use std::process::{Command, Stdio};

use crate::Failure;
use crate::load::{Server, WORK, ask};
use crate::server::Watcher;

/// Instructions for each request, in the order of [`Watcher::ALL`]; `None` where valgrind is missing.
pub fn all() -> Result<[Option<f64>; 4], Failure> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("valgrind is missing: no instructions are counted");
        return Ok([None; 4]);
    }
    let mut counts = [None; 4];
    for (count, watcher) in counts.iter_mut().zip(Watcher::ALL) {
        eprintln!("instructions: {}", watcher.name());
        let (few, many) = (collected(watcher, FEW)?, collected(watcher, MANY)?);
        *count = Some((many - few) / (MANY - FEW) as f64);
    }
    Ok(counts)
}

/// Runs a server under callgrind for that many requests; what it wrote stays, for `callgrind_annotate`.
fn collected(watcher: Watcher, requests: u64) -> Result<f64, Failure> {
    let file = std::env::temp_dir().join(format!("service-{}-{requests}.callgrind", watcher.word()));
    let mut command = Command::new("valgrind");
    command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", file.display()));
    command.arg(std::env::current_exe()?).args(["serve", &watcher.word()]).stderr(Stdio::null());
    let server = Server::start(&mut command)?;
    let mut connection = server.connect()?;
    let consider = WORK[0].consider;
    for number in 0..requests {
        let coupon = if number % 1_000 == 999 { "\"expired\"" } else { "\"spring\"" };
        let lines: Vec<String> = (0..12)
            .map(|line| {
                format!(
                    "{{\"sku\":{},\"quantity\":{},\"note\":null}}",
                    (number * 131 + line * 17) % 10_000,
                    1 + line % 3
                )
            })
            .collect();
        let cart = format!(
            "{{\"customer\":{number},\"tier\":\"gold\",\"coupon\":{coupon},\"consider\":{consider},\"lines\":[{}]}}",
            lines.join(",")
        );
        ask(&mut connection, "POST", "/checkout", &cart)?;
    }
    drop(connection);
    server.stop()?;
    let written = std::fs::read_to_string(&file)?;
    let line = written.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    Ok(line.ok_or("callgrind wrote no totals")?.trim().parse()?)
}

const FEW: u64 = 1_000;
const MANY: u64 = 6_000;
