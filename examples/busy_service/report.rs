//! The tables at the end, and whether the accounts agree.

use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use vidette::ClientStats;
use vidette::protocol::client_report::Category;

use crate::args::Args;
use crate::destination::Destination;
use crate::load::Run;
use crate::measure::{Cost, Costs};

/// Who counted what.
pub struct Accounts {
    /// How often the service called.
    pub calls: u64,
    pub stats: ClientStats,
    /// How many events arrived, if that is for us to know.
    pub received: Option<u64>,
    /// How many requests the receiver did not take.
    pub refused: u64,
    /// True if the receiver was stopped in the middle.
    pub stopped: bool,
}

/// How the client closed.
pub struct Shutdown {
    /// Events that waited when it began.
    pub waiting: usize,
    pub took: Duration,
    pub limit: Duration,
    pub complete: bool,
}

pub fn headline(args: &Args, destination: &Destination) {
    let dsn = destination.dsn();
    let whither = match destination {
        Destination::Embedded(..) => "the receiver in this process",
        Destination::Server(_) => "the server",
    };
    println!(
        "{} requests on {} thread{}; events go to {whither} at {}:{}",
        grouped(args.requests as u64),
        args.threads,
        if args.threads == 1 { "" } else { "s" },
        dsn.host(),
        dsn.port(),
    );
}

pub fn speed(threads: usize, plain: &Run, watched: &Run) {
    let per_request = |total: Duration, run: &Run| total.as_nanos() as f64 / run.requests as f64;
    let cost = |before: f64, after: f64| format!("{}, {}", signed(after - before), percent(after / before - 1.0));
    let rate = |run: &Run| grouped((run.requests as f64 / run.elapsed.as_secs_f64()) as u64);
    let mut table = table(["", "without", "with", "cost of each request"]);
    table.add_row(["requests per second".into(), rate(plain), rate(watched), String::new()]);
    let wall = |run: &Run| per_request(run.elapsed, run) * threads as f64;
    let (before, after) = (wall(plain), wall(watched));
    table.add_row(["time of a request".into(), nanos(before), nanos(after), cost(before, after)]);
    if !plain.processor.is_zero() {
        let before = per_request(plain.processor, plain);
        let after = per_request(watched.processor, watched);
        table.add_row(["processor time of its thread".into(), nanos(before), nanos(after), cost(before, after)]);
    }
    let allocations = |run: &Run| run.allocations as f64 / run.requests as f64;
    let (before, after) = (allocations(plain), allocations(watched));
    table.add_row([
        "allocations on its thread".into(),
        format!("{before:.1}"),
        format!("{after:.1}"),
        format!("{:+.1}", after - before),
    ]);
    println!("\n{table}");
}

pub fn operations(costs: &Costs) {
    let mut table = table(["one operation, in a loop", "time", "allocations"]);
    let mut row = |name: &str, cost: Cost| {
        table.add_row([name.to_owned(), format!("{:.1} ns", cost.nanoseconds), format!("{:.2}", cost.allocations)]);
    };
    row("breadcrumb, 3 fields and a message", costs.breadcrumb);
    row("three tags", costs.tags);
    row("fork and drop of a hub, 100 breadcrumbs above", costs.fork);
    row("all that a request does: fork, switch, tags, 10 breadcrumbs, drop", costs.request);
    println!("\n{table}");
}

pub fn events(accounts: &Accounts, first: &Run, watched: &Run, shutdown: &Shutdown) {
    let mut table = table(["events", ""]);
    let mut row = |name: String, value: String| {
        table.add_row([name, value]);
    };
    let stats = &accounts.stats;
    row("captured".into(), grouped(stats.captured(ERRORS)));
    row("delivered".into(), grouped(stats.delivered(ERRORS)));
    match accounts.received {
        Some(received) => row("received".into(), grouped(received)),
        None => row("received".into(), "the server knows".into()),
    }
    for discarded in stats.discards().iter().filter(|discarded| discarded.category == ERRORS) {
        row(format!("discarded, {}", name(discarded.reason)), grouped(discarded.quantity));
    }
    row("still held".into(), grouped(stats.held(ERRORS)));
    // The longest call of the warm-up is the first: whoever comes meanwhile waits for the same.
    for (name, duration) in [
        ("first capture call, reads the debug information", first.captures.last()),
        ("median capture call", watched.captures.get(watched.captures.len() / 2)),
        ("longest capture call", watched.captures.last()),
    ] {
        if let Some(duration) = duration {
            row(name.into(), micros(*duration));
        }
    }
    let left = if shutdown.complete { "" } else { ", and gave up" };
    row("waiting when the client closed".into(), grouped(shutdown.waiting as u64));
    row(
        "closing took".into(),
        format!("{} ms of {} s{left}", grouped(shutdown.took.as_millis() as u64), shutdown.limit.as_secs()),
    );
    println!("\n{table}");
}

/// Says whether the accounts agree, and if not, where.
pub fn verdict(accounts: &Accounts, shutdown: &Shutdown) -> bool {
    let wrong = disagreements(accounts, shutdown);
    println!();
    for line in &wrong {
        println!("DISAGREES: {line}");
    }
    if wrong.is_empty() {
        let received = match (accounts.received, accounts.stopped) {
            (None, _) => "",
            (Some(_), false) => ", delivered = received",
            (Some(received), true) if received == accounts.stats.delivered(ERRORS) => ", delivered = received",
            // The one sender sends one envelope at a time, so there is one answer at most to lose.
            (Some(_), true) => ", delivered = received but for 1 event whose answer was lost when the receiver stopped",
        };
        println!("The accounts agree: captured = delivered + discarded, held = 0{received}.");
    }
    wrong.is_empty()
}

fn disagreements(accounts: &Accounts, shutdown: &Shutdown) -> Vec<String> {
    let stats = &accounts.stats;
    let (captured, delivered) = (stats.captured(ERRORS), stats.delivered(ERRORS));
    let (discarded, held) = (stats.discarded(ERRORS), stats.held(ERRORS));
    let mut wrong = Vec::new();
    let mut check = |agrees: bool, line: String| {
        if !agrees {
            wrong.push(line);
        }
    };
    check(captured == accounts.calls, format!("{} calls, but {captured} captured", accounts.calls));
    check(held == 0, format!("{held} events are held after closing"));
    check(
        captured == delivered + discarded + held,
        format!("{captured} captured, but {delivered} delivered, {discarded} discarded, {held} held"),
    );
    if let Some(received) = accounts.received {
        let answers_lost = if accounts.stopped { SENDERS } else { 0 };
        check(
            (delivered..=delivered + answers_lost).contains(&received),
            format!("{delivered} delivered, but {received} received"),
        );
        check(accounts.refused == 0, format!("the receiver refused {} requests", accounts.refused));
    }
    check(
        shutdown.took <= shutdown.limit + SLACK,
        format!("closing took {:?} instead of {:?} at most", shutdown.took, shutdown.limit),
    );
    wrong
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header);
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn name(reason: impl serde::Serialize) -> String {
    let name = serde_json::to_value(reason).ok();
    name.and_then(|name| Some(name.as_str()?.to_owned())).unwrap_or_default()
}

/// Writes a number with commas between the thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

fn nanos(nanoseconds: f64) -> String {
    format!("{} ns", grouped(nanoseconds as u64))
}

fn micros(duration: Duration) -> String {
    format!("{} µs", grouped(duration.as_micros() as u64))
}

fn signed(nanoseconds: f64) -> String {
    let sign = if nanoseconds < 0.0 { "−" } else { "+" };
    format!("{sign}{}", nanos(nanoseconds.abs()))
}

fn percent(share: f64) -> String {
    format!("{}{:.1} %", if share < 0.0 { "−" } else { "+" }, share.abs() * 100.0)
}

const ERRORS: Category = Category::Error;
/// Threads that send.
const SENDERS: u64 = 1;
/// How much longer than its limit closing may take on a machine that is busy with other things.
const SLACK: Duration = Duration::from_secs(1);
