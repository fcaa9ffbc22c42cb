//! The Markdown that is printed and kept.

use std::fmt::Write;

use crate::contention::{Outcome, PERCENTILES};
use crate::counts::{Counts, key};
use crate::machine;
use crate::measure::{Compared, Side};
use crate::rows::{CLOSED, HUBS, Row, SHARED, TABLES, Table};
use crate::run::{Measured, OTHER_THREADS};

/// A table with its rows, those of which something was measured.
type Section<'a> = (&'a Table, Vec<(&'a Row, &'a Compared)>);

/// All tables, with the machine they were measured on.
pub fn markdown(measured: &Measured, counts: Option<&Counts>, runs: usize) -> String {
    let mut text = format!("{INTRODUCTION}\n{}\n", machine::facts(runs).join("\n"));
    let sections: Vec<Section<'_>> = TABLES.iter().zip(&measured.tables).map(|(table, rows)| of(table, rows)).collect();
    let crowded = crowd_section(measured);
    verdicts(&mut text, measured, &sections, &crowded);
    closed(&mut text, &sections);
    for section in sections.iter().filter(|(table, rows)| !CLOSED.contains(&table.key) && !rows.is_empty()) {
        open(&mut text, section, counts);
    }
    crowd(&mut text, &crowded);
    contention(&mut text, &measured.outcomes);
    text
}

fn of<'a>(table: &'a Table, measured: &'a [Compared]) -> Section<'a> {
    let row = |result: &'a Compared| Some((table.rows.iter().find(|row| row.name == result.name)?, result));
    (table, measured.iter().filter_map(row).collect())
}

/// What is slower than the peer's, and what is not as it is wanted.
fn verdicts(text: &mut String, measured: &Measured, sections: &[Section<'_>], crowded: &[Crowded<'_>]) {
    let mut lost = Vec::new();
    let mut missed = Vec::new();
    for (table, rows) in sections {
        for (row, result) in rows {
            let closed = CLOSED.contains(&table.key);
            let name = if closed { format!("{}: {}", table.heading, row.name) } else { row.name.to_owned() };
            let is = format!(
                "{}, {} ns, {} allocs",
                times_if_any(result.ratio),
                nanos(result.ours.nanos.median),
                count(&result.ours)
            );
            if result.is_lost() {
                lost.push(format!(
                    "{name}: {} ns against {}",
                    nanos(result.ours.nanos.median),
                    nanos(result.peer.nanos.median)
                ));
            }
            if row.goal.verdict(result) == Some(false) {
                missed.push(format!("{name}: {is}; wanted {}", row.goal.text()));
            }
        }
    }
    for outcome in measured.outcomes.iter().filter(|outcome| outcome.is_lost()) {
        let each = |calls: f64| nanos(1e9 / calls);
        let is = format!("{} ns against {}", each(outcome.ours.calls), each(outcome.peer.calls));
        lost.push(format!("{}, {} threads: {is} for each call", outcome.name, outcome.threads));
    }
    missed.extend(shared(&measured.outcomes));
    missed.extend(crowded.iter().filter(|row| !row.holds()).map(|row| {
        format!(
            "with {OTHER_THREADS} other threads: {}: {} to itself alone; wanted 1.5x",
            row.now.name,
            times(row.ours())
        )
    }));
    if measured.threads[1] > 1 {
        missed.push(format!("{} background threads for a client; wanted 1", measured.threads[1]));
    }
    for (heading, rows) in [("Rows we lose, by 5 % or more", lost), ("Not as wanted", missed)] {
        _ = writeln!(text, "\n## {heading}\n");
        let rows = if rows.is_empty() { vec!["none".to_owned()] } else { rows };
        rows.iter().for_each(|row| _ = writeln!(text, "- {row}"));
    }
    let [peer, ours] = measured.threads;
    _ = writeln!(
        text,
        "\nBackground threads that a client has started after one event, log and metric: {peer} and {ours}."
    );
}

/// One hub for four threads: four times the peer's pace, and at most twice the time of one thread.
fn shared(outcomes: &[Outcome]) -> Option<String> {
    let at = |threads| outcomes.iter().find(|outcome| outcome.name == SHARED && outcome.threads == threads);
    let (one, four) = (at(1)?, at(4)?);
    let (ratio, slower) = (four.ratio, one.ours.calls / four.ours.calls);
    let is = format!("{} and {} one thread's time", times(ratio), times(slower));
    (ratio < 4.0 || slower > 2.0).then(|| format!("{SHARED}, 4 threads: {is}; wanted 4x and 2x"))
}

fn closed(text: &mut String, sections: &[Section<'_>]) {
    let [unbound, disabled] = CLOSED.map(|key| sections.iter().find(|(table, _)| table.key == key));
    let (Some((_, unbound)), Some((_, disabled))) = (unbound, disabled) else { return };
    if unbound.is_empty() {
        return;
    }
    text.push_str("\n## Where nobody listens\n\nThe client without a DSN is bound, and never captures.\n\n");
    text.push_str(
        "| operation | no client: peer ns | ours ns | ratio | no DSN: peer ns | ours ns | ratio | wanted |\n",
    );
    text.push_str("|---|---:|---:|---:|---:|---:|---:|---|\n");
    for ((row, unbound), (_, disabled)) in unbound.iter().zip(disabled) {
        let side = |of: &Compared| format!("{} | {} | {}", time(&of.peer), time(&of.ours), times_if_any(of.ratio));
        let both = [unbound, disabled].map(|result| row.goal.verdict(result));
        let verdict = both.into_iter().flatten().reduce(|one, other| one && other);
        _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            cell(row.name),
            side(unbound),
            side(disabled),
            wanted(row, verdict)
        );
    }
}

fn open(text: &mut String, (table, rows): &Section<'_>, counts: Option<&Counts>) {
    let rival = table.rival;
    _ = writeln!(text, "\n## {}\n", table.heading);
    _ = writeln!(text, "| operation | {rival} ns | ours ns | ratio | allocations | instructions | wanted |");
    text.push_str("|---|---:|---:|---:|---:|---:|---|\n");
    for (row, result) in rows {
        let instructions = match counts.map(|counts| counts.get(&key(table, row.name))) {
            Some(Some([peer, ours])) => format!("{peer:.0} / {ours:.0}"),
            Some(None) => "–".to_owned(),
            None => "not counted".to_owned(),
        };
        _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} / {} | {instructions} | {} |",
            cell(row.name),
            time(&result.peer),
            time(&result.ours),
            times_if_any(result.ratio),
            count(&result.peer),
            count(&result.ours),
            wanted(row, row.goal.verdict(result))
        );
    }
}

/// A row alone, and among other threads.
struct Crowded<'a> {
    alone: &'a Compared,
    now: &'a Compared,
}

impl Crowded<'_> {
    fn peer(&self) -> f64 {
        self.now.peer.nanos.median / self.alone.peer.nanos.median
    }

    fn ours(&self) -> f64 {
        self.now.ours.nanos.median / self.alone.ours.nanos.median
    }

    /// Nothing of the peer's depends on the number of threads: if it became slower too, that was the machine.
    fn holds(&self) -> bool {
        self.ours() <= 1.5 * self.peer().max(1.0)
    }
}

/// Without differences of two rows, which have no ratio to themselves either.
fn crowd_section(measured: &Measured) -> Vec<Crowded<'_>> {
    let at = TABLES.iter().position(|table| table.key == HUBS);
    let alone = at.map_or(&[][..], |at| &measured.tables[at]);
    let both = alone.iter().zip(&measured.crowded).filter(|(alone, _)| alone.ratio.is_some());
    both.map(|(alone, now)| Crowded { alone, now }).collect()
}

fn crowd(text: &mut String, rows: &[Crowded<'_>]) {
    if rows.is_empty() {
        return;
    }
    _ = writeln!(text, "\n## With {OTHER_THREADS} other threads alive that each used a hub\n");
    text.push_str("Nothing of the peer's depends on the number of threads, so its column to itself shows what the machine did between\n");
    text.push_str("the two measurements; ours is to be read against it. Wanted: at most 1.5 times the row alone.\n\n");
    text.push_str("| operation | peer ns | ours ns | ratio | peer to itself alone | ours to itself alone | |\n");
    text.push_str("|---|---:|---:|---:|---:|---:|---|\n");
    for row in rows {
        _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            cell(&row.now.name),
            time(&row.now.peer),
            time(&row.now.ours),
            times_if_any(row.now.ratio),
            times(row.peer()),
            times(row.ours()),
            mark(row.holds())
        );
    }
}

fn contention(text: &mut String, outcomes: &[Outcome]) {
    if outcomes.is_empty() {
        return;
    }
    text.push_str("\n## Several threads at once\n\n");
    text.push_str("Wall time over all calls of all threads, for each call, and what single calls take, the reading of the clock included\n");
    text.push_str("(about 50 ns). With more threads than processors, the last columns show how long a thread waits for its turn.\n");
    let mut name = "";
    for outcome in outcomes {
        if outcome.name != name {
            name = &outcome.name;
            _ = writeln!(text, "\n### {name}\n");
            text.push_str(
                "| threads | peer ns | ours ns | ratio | p50 | p99 | p99.9 |\n|---:|---:|---:|---:|---:|---:|---:|\n",
            );
        }
        let at = |percentile| {
            let at = PERCENTILES.iter().position(|other| *other == percentile);
            at.map_or_else(String::new, |at| {
                format!("{} / {}", span(outcome.peer.nanos[at]), span(outcome.ours.nanos[at]))
            })
        };
        _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            outcome.threads,
            nanos(1e9 / outcome.peer.calls),
            nanos(1e9 / outcome.ours.calls),
            times(outcome.ratio),
            at(50.0),
            at(99.0),
            at(99.9)
        );
    }
}

/// A name as it can stand in a table.
fn cell(name: &str) -> String {
    name.replace('|', "\\|")
}

fn wanted(row: &Row, verdict: Option<bool>) -> String {
    verdict.map_or_else(String::new, |met| format!("{} {}", mark(met), row.goal.text()))
}

fn mark(met: bool) -> &'static str {
    if met { "✓" } else { "✗" }
}

fn time(side: &Side) -> String {
    let spread = &side.nanos;
    format!("{} ({}–{})", nanos(spread.median), nanos(spread.first), nanos(spread.third))
}

fn nanos(nanos: f64) -> String {
    let decimals = if nanos < 10.0 { 1 } else { 0 };
    format!("{nanos:.decimals$}")
}

/// With its unit.
fn span(nanos: f64) -> String {
    match nanos {
        ..1e3 => format!("{nanos:.0} ns"),
        1e3..1e6 => format!("{:.1} µs", nanos / 1e3),
        _ => format!("{:.1} ms", nanos / 1e6),
    }
}

/// A ratio, where there is one.
pub fn times_if_any(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "–".to_owned(), times)
}

fn times(ratio: f64) -> String {
    let decimals = if ratio < 10.0 { 1 } else { 0 };
    format!("{ratio:.decimals$}x")
}

fn count(side: &Side) -> String {
    let rounded = (side.allocations * 10.0).round() / 10.0;
    format!("{rounded}")
}

const INTRODUCTION: &str = "\
# Side by side with `sentry-core` 0.49.5

Processor time of the calling thread for each call in nanoseconds, medians with quartiles, both in one process in
alternating rounds; the ratio is the median of the rounds' own ratios. Allocations and instructions are those of the
calling thread, theirs and ours; instructions are counted by callgrind, in a run of its own. Rows about all threads take
the processor time of the whole process until the last envelope is written to a buffer, where the transports of each crate
do that: the peer's on a thread of their own, ours on the sender. Where a row says `breadcrumb!`, the peer builds the same breadcrumb in a closure.
The peer's own integrations come in crates of their own; beside what our `init` adds, it has one that sets a field. The clock of the machine changes between runs by up to half, and both
sides with it: ratios and instructions are what to compare.

![operations](plots/operations.svg)
![threads](plots/threads.svg)
![latency](plots/latency.svg)
";
