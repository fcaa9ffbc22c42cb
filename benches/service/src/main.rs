//! What watching costs a whole service: requests per second, latency, and processor time for each request.
//!
//! ```sh
//! cargo run --release --manifest-path benches/service/Cargo.toml                  # 7 rounds of 2 s for each kind of work; benches/SERVICE.md
//! cargo run --release --manifest-path benches/service/Cargo.toml -- rounds 3      # the load alone; writes nothing
//! cargo run --release --manifest-path benches/service/Cargo.toml -- count         # instructions alone; writes nothing
//! cargo run --release --manifest-path benches/service/Cargo.toml -- serve ours    # one server, for a profiler
//! ```
//! A server on axum and tokio takes carts as JSON, and answers with receipts ([`shop`]). The same source runs bare, watched
//! by `sentry-core`, by vidette in its place, and by vidette with its own breadcrumb macro ([`handlers`]). For each
//! request: a forked hub bound to the future, a transaction with 5 spans, 10 breadcrumbs, 3 tags; one in a thousand
//! ends in a captured error. One trace in ten is sampled: more than most services that handle thousands of requests
//! a second can afford to send, so what is sent shows, and still most requests go the way that most requests go.
//!
//! The transport is the same for both: it serializes each envelope into a buffer, and forgets it. What the network
//! costs is not the subject, and would hide it.
//!
//! `wrk` loads the server as fast as it answers, on another core. All servers live at once and are loaded in turn, round
//! after round. Requests per second and latency mean something on a machine that does nothing else: a scheduler that
//! shares cores between sessions favours servers that wake threads often. Processor time for each request depends on
//! that less; instructions (callgrind, in the server's own code) do not at all. Where they go:
//!
//! ```sh
//! callgrind_annotate --inclusive=yes --tree=none $TMPDIR/service-ours-6000.callgrind
//! ```

mod count;
mod handlers;
mod load;
mod report;
mod sent;
mod server;
mod shop;

use std::process::ExitCode;

use self::load::{Load, Servers, WORK};
use self::server::Watcher;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        [] => compare(),
        ["rounds", rounds] => load(rounds),
        ["count"] => count::all().map(|counts| print!("{}", report::instructions(&counts))),
        ["serve", watcher] => Watcher::of_word(watcher).ok_or("nobody of that name".into()).and_then(server::serve),
        _ => Err("it takes `rounds N`, `count`, `serve nobody|peer|dropin|ours`, or nothing".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("service: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Loads the servers, and writes nothing.
fn load(rounds: &str) -> Result<(), Failure> {
    print!("{}", report::loads(&loaded(rounds.parse()?)?));
    Ok(())
}

/// What the servers did with each kind of work.
fn loaded(rounds: usize) -> Result<Vec<Load>, Failure> {
    let servers = Servers::start()?;
    WORK.into_iter().map(|work| servers.rounds(rounds, work)).collect()
}

/// Loads the servers and counts instructions, for the report.
fn compare() -> Result<(), Failure> {
    let loads = loaded(ROUNDS)?;
    let counts = count::all()?;
    let text = report::markdown(&loads, &counts);
    print!("{text}");
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../SERVICE.md"), text)?;
    Ok(())
}

const ROUNDS: usize = 7;
