//! vidette beside `sentry-core`, in one process: time of the calling thread and its allocations.
//!
//! ```sh
//! cargo run --release --manifest-path benches/versus/Cargo.toml
//! ```
//! The same source is compiled against both ([`operations`]). Each row alternates between the two, round after round,
//! and shows medians, so that whatever else the machine does hits both. Prints a Markdown table and writes it to
//! `benches/RESULTS.md`. With arguments, measures only rows whose names contain one of them, and writes nothing.

mod measure;
mod operations;
mod report;

#[allow(dead_code, reason = "shared with others that use the rest")]
#[path = "../../support/counting.rs"]
mod counting;

use self::measure::{Row, Row::*, compare};
use self::operations::{ours, peer};

#[global_allocator]
static ALLOCATOR: counting::Counting<false> = counting::Counting;

macro_rules! rows {
    ($($name:literal: $operation:ident($($argument:expr),*);)*) => {
        &[$(Both($name, || peer::$operation($($argument),*), || ours::$operation($($argument),*))),*]
    };
}

/// Measured before any client exists in the process: later ones would open the gate that these find closed.
const WITHOUT_CLIENT: &[Row] = rows! {
    "no client: `add_breadcrumb`": idle_add_breadcrumb();
    "no client: `breadcrumb!`, 3 fields": idle_breadcrumb();
    "no client: `configure_scope(set_tag)`": idle_configure_scope();
    "no client: `capture_message`": idle_capture();
    "disabled client: `add_breadcrumb`": disabled_add_breadcrumb();
    "disabled client: `breadcrumb!`, 3 fields": disabled_breadcrumb();
};

const ON_HUBS: &[Row] = rows! {
    "`breadcrumb!`, 3 fields, formatted message": breadcrumb();
    "`breadcrumb!`, plain": plain_breadcrumb();
    "`add_breadcrumb(|| Breadcrumb { .. })`": add_breadcrumb();
    "`configure_scope(set_tag)`": configure_scope();
    "`push_scope` and pop": push_scope();
    "`with_scope` + 1 breadcrumb, 100 in the parent": with_scope();
    "the same with `breadcrumb!`": with_scope_by_macro();
    "fork + 10 breadcrumbs + drop, 100 in the parent": fork();
    "the same with `breadcrumb!` ": fork_by_macro();
    "hub switch": switch();
    "poll of a bound future": poll();
    "capture, no breadcrumbs": capture(0);
    "capture, 100 breadcrumbs": capture(100);
    "`capture_error`, a chain of three": capture_error();
};

const SHARED: &[Row] = rows! {
    "one hub, 1 thread, `breadcrumb!`": shared(1);
    "one hub, 4 threads, `breadcrumb!`": shared(4);
};

/// Each sent before the next burst, so that no queue is full.
const TELEMETRY: &[Row] = rows! {
    "transaction + 10 spans, sampled": transaction(1.0, 10);
    "transaction + 10 spans, not sampled": transaction(0.0, 10);
    "transaction alone, sampled": transaction(1.0, 0);
    "`logger_info!`, 1 attribute": log();
    "counter, 1 attribute": metric();
    "session of a request": session();
};

/// About bytes; no hub has a part in them.
const ON_ENVELOPES: &[Row] = rows! {
    "envelope: write 20 KB into a warm buffer": write();
    "envelope: write 20 KB with `to_writer` into a new buffer": write_anew();
    "envelope: parse 20 KB into types": parse();
    "envelope: raw view of 20 KB, where the peer parses": view();
};

fn main() -> std::io::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wants = |row: &&Row| wanted.is_empty() || wanted.iter().any(|part| row.name().contains(part.as_str()));
    let measure = |rows: &[Row]| rows.iter().filter(wants).map(compare).collect::<Vec<_>>();

    let idle = measure(WITHOUT_CLIENT);
    let alone = measure(ON_HUBS);
    let shared = measure(SHARED);
    let telemetry = measure(TELEMETRY);
    let envelopes = measure(ON_ENVELOPES);
    let crowd = measure::Crowd::gather(OTHER_THREADS, || {
        peer::touch();
        ours::touch();
    });
    let crowded = measure(ON_HUBS);
    drop(crowd);

    let report = report::markdown(
        &[&idle[..], &alone, &shared, &telemetry, &envelopes].concat(),
        &alone,
        &crowded,
        OTHER_THREADS,
    );
    print!("{report}");
    if wanted.is_empty() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../RESULTS.md"), report)?;
    }
    Ok(())
}

const OTHER_THREADS: usize = 256;
