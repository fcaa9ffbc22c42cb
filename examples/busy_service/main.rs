//! A busy service that leaves breadcrumbs on every request, and what that costs it.
//!
//! It serves the same requests twice, without and with vidette, on several threads; about one in a hundred fails and is
//! captured with its chain of causes and a stack trace. The events go over HTTP to a receiver in this process, or to
//! the server that `SENTRY_DSN` names. At the end stand the costs, the accounts of what was captured, and one event as it
//! was received. The exit code says whether the accounts agree.
//!
//! ```sh
//! cargo run --release --example busy_service
//! cargo run --release --example busy_service -- --requests 1000000 --threads 4
//! cargo run --release --example busy_service -- --stop-receiver-halfway
//! SENTRY_DSN=https://key@sentry.example/1 cargo run --release --example busy_service
//! ```
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "this is a program with something to say")]
#![allow(unreachable_pub, reason = "in a program, `pub` is what a module offers to the others")]

#[allow(unsafe_code, reason = "an allocator can't be written without; this one only counts and passes on")]
mod allocations;
mod args;
mod destination;
mod failure;
mod load;
mod measure;
#[path = "../../tests/support/receiver.rs"]
mod receiver;
mod report;
mod service;
mod tree;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use vidette::ClientOptions;

use crate::args::Args;
use crate::destination::{Destination, Watcher};
use crate::report::{Accounts, Shutdown};
use crate::service::Service;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() -> ExitCode {
    let args = match Args::parse(env::args().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            println!("{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => return refuse(&error),
    };
    match serve(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => refuse(error.as_ref()),
    }
}

fn refuse(error: &(impl std::fmt::Display + ?Sized)) -> ExitCode {
    eprintln!("busy_service: {error}");
    ExitCode::from(2)
}

/// Does everything. True: the accounts agree.
fn serve(args: &Args) -> Result<bool, Box<dyn Error>> {
    let destination = match env::var("SENTRY_DSN").unwrap_or_default().as_str() {
        "" => Destination::embedded()?,
        _ if args.stop_receiver_halfway => return Err("SENTRY_DSN is set: there is no receiver here to stop".into()),
        dsn => Destination::Server(dsn.parse().map_err(|error| format!("SENTRY_DSN: {error}"))?),
    };
    report::headline(args, &destination);

    let service = Service::new();
    let bar = |name, requests| Watcher::new(name, requests, None, false);
    // Each run has a warm-up, for caches and, with vidette, for the debug information that the first stack trace reads.
    let warm_up = Args { requests: args.requests.div_ceil(10), ..*args };
    load::run::<false>(&service, &warm_up, &bar("warming up", warm_up.requests));
    let plain = load::run::<false>(&service, args, &bar("without vidette", args.requests));

    let client = vidette::init(options(&destination));
    let costs = measure::all();
    let first = load::run::<true>(&service, &warm_up, &bar("warming up", warm_up.requests));
    let watcher = Watcher::new("with vidette", args.requests, Some(&destination), args.stop_receiver_halfway);
    let watched = load::run::<true>(&service, args, &watcher);
    drop(watcher);

    let waiting = client.stats().queued();
    let start = Instant::now();
    let complete = client.close(Some(CLOSES_WITHIN));
    let shutdown = Shutdown { waiting, took: start.elapsed(), limit: CLOSES_WITHIN, complete };

    let mut received = destination.look();
    let accounts = Accounts {
        calls: (first.captures.len() + watched.captures.len()) as u64,
        stats: client.stats(),
        received: received.as_ref().map(|tally| tally.events),
        refused: received.as_ref().map_or(0, |tally| tally.refused),
        stopped: args.stop_receiver_halfway,
    };
    report::speed(args.threads, &plain, &watched);
    report::operations(&costs);
    report::events(&accounts, &first, &watched, &shutdown);
    if let Some(event) = received.as_mut().and_then(|tally| tally.last.take()) {
        tree::print(&event);
    }
    Ok(report::verdict(&accounts, &shutdown))
}

fn options(destination: &Destination) -> ClientOptions {
    let mut options = ClientOptions::new()
        .release(concat!("busy_service@", env!("CARGO_PKG_VERSION")))
        .attach_stacktrace(true)
        .in_app_include(["busy_service"])
        // An hour of rare failures may come at once here: events wait for the one sender rather than being dropped.
        .transport_channel_capacity(16_384)
        .shutdown_timeout(CLOSES_WITHIN);
    options.dsn = Some(destination.dsn());
    if let Destination::Embedded(..) = destination {
        // Whatever proxy the environment names, it does not lead to this process.
        options = options.http_proxy("");
    }
    options
}

/// How long the client may take to send what is left.
const CLOSES_WITHIN: Duration = Duration::from_secs(10);
