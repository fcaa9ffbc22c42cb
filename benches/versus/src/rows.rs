//! The tables: what is measured, under which name, and what is wanted.

use crate::contention::Bout;
use crate::goal::{FREE, Goal};
use crate::measure::Run;
use crate::operations::{Host, field, ours, peer};

/// An operation of both sides.
pub struct Row {
    pub name: &'static str,
    pub goal: Goal,
    pub peer: fn() -> Run,
    pub ours: fn() -> Run,
}

/// Rows that belong together.
pub struct Table {
    /// Names the table where it is stored.
    pub key: &'static str,
    pub heading: &'static str,
    /// Who stands in the first column.
    pub rival: &'static str,
    pub rows: &'static [Row],
}

/// In the order in which they are measured.
pub const TABLES: &[Table] = &[
    table(CLOSED[0], "No client", PEER, UNBOUND),
    table("idle field", "Where nobody listens, beside `tracing`", "others", FIELD_IDLE),
    table(CLOSED[1], "A client without a DSN", PEER, DISABLED),
    table(HUBS, "Breadcrumbs, scopes, hubs and captures", PEER, ON_HUBS),
    table("captures", "Captures on all threads, and with an integration that processes them", PEER, CAPTURES),
    table("traces", "Traces", PEER, TRACES),
    table("telemetry", "Logs, metrics, check-ins and sessions", PEER, TELEMETRY),
    table("envelopes", "Envelopes", PEER, ON_ENVELOPES),
    table("field", "Beside `fastrace`", "others", FIELD),
];

/// The tables of hosts whose hubs capture nothing.
pub const CLOSED: [&str; 2] = ["unbound", "disabled"];
/// The contest about one hub that is wanted to scale.
pub const SHARED: &str = "`breadcrumb!`, one hub";
/// The table that is measured again among other threads.
pub const HUBS: &str = "hubs";
pub const PEER: &str = "peer";

const fn table(key: &'static str, heading: &'static str, rival: &'static str, rows: &'static [Row]) -> Table {
    Table { key, heading, rival, rows }
}

/// One row for each line: its name, the operation (or two of them, theirs and ours), and what is wanted.
macro_rules! rows {
    (@goal) => { Goal::NONE };
    (@goal $goal:expr) => { $goal };
    ($($name:literal: $($step:ident)::+($($argument:expr),*) $(=> $goal:expr)?;)*) => {
        &[$(Row {
            name: $name,
            goal: rows!(@goal $($goal)?),
            peer: || peer::$($step)::+($($argument),*),
            ours: || ours::$($step)::+($($argument),*),
        }),*]
    };
}

/// What a host calls without knowing whether anybody listens.
macro_rules! closed {
    ($host:expr) => {
        rows! {
            "`breadcrumb!`, 3 fields": hubs::breadcrumb($host) => FREE;
            "`breadcrumb!`, plain": hubs::plain_breadcrumb($host) => FREE;
            "`add_breadcrumb(|| ..)`": hubs::add_breadcrumb($host) => FREE;
            "`configure_scope(set_tag)`": hubs::configure_scope($host, 1) => FREE;
            "`capture_message`": captures::capture_free($host) => FREE;
            "`capture_error`, a chain of three": captures::capture_error_free($host) => FREE;
            "`logger_info!`, 1 attribute": telemetry::log($host) => FREE;
            "counter, 1 attribute": telemetry::counter($host) => FREE;
            "`with_scope` + 1 breadcrumb": hubs::with_scope($host);
            "`with_scope`, four deep": hubs::nested_scopes($host);
            "`push_scope` and pop": hubs::push_scope($host);
            "fork + 10 breadcrumbs + drop": hubs::fork($host);
            "hub switch": hubs::switch($host);
            "poll of a bound future": hubs::poll($host);
            "session of a request": telemetry::session($host);
            "transaction + 10 spans": traces::transaction($host, true, 10);
        }
    };
}

/// Measured before any client exists in the process: later ones would open the gate that these find closed.
const UNBOUND: &[Row] = closed!(Host::Unbound);

/// With a client that has nowhere to send to.
const DISABLED: &[Row] = closed!(Host::Disabled);

/// What is to hold with 256 other threads too.
pub const ON_HUBS: &[Row] = rows! {
    "`breadcrumb!`, 3 fields, formatted message": hubs::breadcrumb(Host::Enabled) => Goal::times(6.0).nanos(40.0).allocs(0.0);
    "`breadcrumb!`, plain": hubs::plain_breadcrumb(Host::Enabled) => Goal::allocs_only(0.0);
    "`add_breadcrumb(|| Breadcrumb { .. })`": hubs::add_breadcrumb(Host::Enabled);
    "its closure alone": hubs::closure();
    "`add_breadcrumb` without its closure": hubs::own_add_breadcrumb() => Goal::NONE.nanos(20.0).allocs(0.0);
    "`add_breadcrumb`, with `before_breadcrumb`": hubs::filtered_breadcrumb();
    "`configure_scope(set_tag)`, 1 tag there": hubs::configure_scope(Host::Enabled, 1) => Goal::times(1.5).allocs(2.0);
    "`configure_scope(set_tag)`, 20 tags there": hubs::configure_scope(Host::Enabled, 20);
    "`push_scope` and pop": hubs::push_scope(Host::Enabled);
    "`with_scope` + 1 breadcrumb, 100 in the parent": hubs::with_scope(Host::Enabled) => Goal::times(60.0).allocs(6.0);
    "`with_scope` + 1 `breadcrumb!`, 100 in the parent": hubs::with_scope_by_macro(Host::Enabled) => Goal::times(80.0).allocs(3.0);
    "`with_scope`, four deep, 100 in the parent": hubs::nested_scopes(Host::Enabled);
    "fork + 10 breadcrumbs + drop, 100 in the parent": hubs::fork(Host::Enabled) => Goal::times(30.0).allocs(33.0);
    "fork + 10 `breadcrumb!` + drop, 100 in the parent": hubs::fork_by_macro(Host::Enabled) => Goal::times(70.0).allocs(3.0);
    "hub switch": hubs::switch(Host::Enabled) => Goal::NONE.nanos(8.0).allocs(0.0);
    "poll of a bound future": hubs::poll(Host::Enabled) => Goal::NONE.nanos(8.0).allocs(0.0);
    "a bound future polled 18 times to its end": hubs::polls(Host::Enabled, 18);
    "capture, no breadcrumbs": captures::capture(Host::Enabled) => Goal::times(4.0).allocs(2.0);
    "capture, 100 breadcrumbs": captures::capture_full(Host::Enabled) => Goal::times(40.0).allocs(2.0);
    "`capture_error`, a chain of three": captures::capture_error(Host::Enabled);
};

/// What a capture costs altogether, and with code of the host in its way.
const CAPTURES: &[Row] = rows! {
    "all threads: capture, no breadcrumbs": captures::in_all() => Goal::times(1.2);
    "all threads: capture, 100 breadcrumbs": captures::in_all_full() => Goal::times(2.0);
    "all threads: capture, 100 of `breadcrumb!`": captures::in_all_full_by_macro() => Goal::times(2.0);
    "processed: capture, 100 breadcrumbs": captures::capture_processed() => Goal::times(1.5);
    "processed by what our `init` adds: capture, 100 breadcrumbs": captures::capture_init() => Goal::times(5.0);
    "processed, all threads: capture, 100 breadcrumbs": captures::in_all_processed() => Goal::times(1.5);
};

/// Each sent before the next burst, so that no queue is full.
const TRACES: &[Row] = rows! {
    "transaction + 10 spans, sampled": traces::transaction(Host::Enabled, true, 10) => Goal::times(4.0).allocs(22.0);
    "transaction + 10 spans, not sampled": traces::transaction(Host::Enabled, false, 10) => Goal::times(15.0).allocs(1.0);
    "transaction alone, sampled": traces::transaction(Host::Enabled, true, 0);
    "transaction alone, not sampled": traces::transaction(Host::Enabled, false, 0);
    "trace headers, collected": traces::collected_headers();
    "trace headers, written into a buffer": traces::written_headers() => Goal::allocs_only(0.0);
};

const TELEMETRY: &[Row] = rows! {
    "`logger_info!`, 1 attribute": telemetry::log(Host::Enabled) => Goal::times(5.0).allocs(1.0);
    "counter, 1 attribute": telemetry::counter(Host::Enabled);
    "gauge, 1 attribute": telemetry::gauge(Host::Enabled);
    "distribution, 1 attribute": telemetry::distribution(Host::Enabled);
    "check-in": telemetry::check_in(Host::Enabled);
    "session of a request": telemetry::session(Host::Enabled);
};

const ON_ENVELOPES: &[Row] = rows! {
    "write 23 KB into a warm buffer": envelopes::write() => Goal::times(2.0).allocs(0.0);
    "write 23 KB with `to_writer` into a new buffer": envelopes::write_anew();
    "parse 23 KB into types": envelopes::parse() => Goal::times(1.5);
    "raw view of 23 KB, where the peer parses": envelopes::view() => Goal::times(20.0).allocs(4.0);
};

/// Where nobody listens; measured before any client exists.
const FIELD_IDLE: &[Row] = &[Row {
    name: "`tracing::info!`, no subscriber / `breadcrumb!`, no client",
    goal: Goal::times(1.0),
    peer: field::tracing,
    ours: || ours::hubs::breadcrumb(Host::Unbound),
}];

const FIELD: &[Row] = &[
    Row {
        name: "`fastrace` root + 10 spans / transaction + 10 spans, sampled",
        goal: Goal::NONE,
        peer: || field::fastrace(10),
        ours: || ours::traces::transaction(Host::Enabled, true, 10),
    },
    Row {
        name: "`fastrace` root + 10 spans / transaction + 10 spans, not sampled",
        goal: Goal::NONE,
        peer: || field::fastrace(10),
        ours: || ours::traces::transaction(Host::Enabled, false, 10),
    },
];

macro_rules! bouts {
    ($($name:literal: $operation:ident, $threads:expr;)*) => {
        &[$(Bout {
            name: $name,
            peer: peer::contended::$operation,
            ours: ours::contended::$operation,
            threads: $threads,
        }),*]
    };
}

pub const BOUTS: &[Bout] = bouts! {
    "`breadcrumb!`, one hub": one_hub, THREADS;
    "`breadcrumb!`, a hub each": own_hub, THREADS;
    "`configure_scope(set_tag)`, one hub": writers, THREADS;
    "`configure_scope(set_tag)`, a hub each": own_scope, THREADS;
    "forks of a hub that another thread writes": readers, THREADS;
    "captures into one queue, until sent": captures, THREADS;
    "captures into one queue, until written": written_captures, THREADS;
    "a span of a sampled transaction, one each": spans, THREADS;
};

const THREADS: &[usize] = &[1, 2, 4, 8, 16];
