//! Runs one application twice, once on each core, and compares what arrives, item by item.
//!
//! ```text
//! compare <built on the peer> <built on vidette>
//! ```
//!
//! Ids, times and addresses aside, every item has to be the same, but for the differences that `differences.rs` lists.
//! A difference that is listed and did not show is an error too.

mod differences;
mod normal;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, ExitCode};

use receiver::{Envelope, Receiver};

use self::differences::{DIFFERENCES, NOTHING};

/// Everything that arrived in one run, by kind of item; of each item its values by path.
type Run = BTreeMap<String, Vec<normal::Item>>;

fn main() -> ExitCode {
    let [peer, ours] = match std::env::args().skip(1).collect::<Vec<_>>().try_into() {
        Ok(programs) => programs,
        Err(arguments) => {
            eprintln!("two programs are wanted, not {arguments:?}");
            return ExitCode::FAILURE;
        }
    };
    let mut seen = BTreeSet::new();
    let mut unlisted = 0;
    for sessions in ["application", "request"] {
        let (peer, ours) = (run(&peer, sessions), run(&ours, sessions));
        let kinds: BTreeSet<_> = peer.keys().chain(ours.keys()).collect();
        for kind in kinds {
            let none = Vec::new();
            let (peer, ours) = (peer.get(kind).unwrap_or(&none), ours.get(kind).unwrap_or(&none));
            let found = compare(kind, peer, ours, &mut seen);
            println!("sessions by {sessions}: {} {kind}, {found} differences", peer.len());
            unlisted += found;
        }
    }
    for (place, difference) in DIFFERENCES.iter().enumerate() {
        if !seen.contains(&place) {
            println!("listed, and not seen: {difference:?}");
            unlisted += 1;
        }
    }
    if unlisted == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the program and returns what arrived.
fn run(program: &str, sessions: &str) -> Run {
    let receiver = Receiver::start();
    let mut command = Command::new(program);
    command.env("SENTRY_DSN", receiver.dsn()).env("SHOP_SESSIONS", sessions).env("RUST_BACKTRACE", "0");
    let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    let envelopes: Vec<Envelope> = receiver.take();
    assert!(!envelopes.is_empty(), "nothing arrived from {program}");
    normal::items(&envelopes)
}

/// Prints what differs and is not listed, and returns how much that is.
fn compare(kind: &str, peer: &[normal::Item], ours: &[normal::Item], seen: &mut BTreeSet<usize>) -> usize {
    let mut found = 0;
    if peer.len() != ours.len() {
        println!("{} {kind} of the peer, {} of ours", peer.len(), ours.len());
        found += 1;
    }
    for (place, (peer, ours)) in peer.iter().zip(ours).enumerate() {
        let paths: BTreeSet<_> = peer.keys().chain(ours.keys()).collect();
        for path in paths {
            let said = |item: &normal::Item| item.get(path).map_or(NOTHING, String::as_str).to_owned();
            let (peer, ours) = (said(peer), said(ours));
            if peer == ours {
                continue;
            }
            match DIFFERENCES.iter().position(|difference| difference.covers(kind, path, &peer, &ours)) {
                Some(listed) => _ = seen.insert(listed),
                None => {
                    println!("{kind} {place} {path}: {peer} / {ours}");
                    found += 1;
                }
            }
        }
    }
    found
}
