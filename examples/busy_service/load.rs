//! Worker threads that serve requests as fast as they can.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use vidette::Hub;

use crate::allocations;
use crate::args::Args;
use crate::destination::Watcher;
use crate::service::Service;

/// What a run cost.
#[derive(Debug, Default)]
pub struct Run {
    pub requests: usize,
    pub failed: u64,
    /// Wall time of the whole run.
    pub elapsed: Duration,
    /// Processor time of all workers together; zero where the system does not tell.
    pub processor: Duration,
    pub allocations: u64,
    /// How long each capture call took, shortest first.
    pub captures: Vec<Duration>,
}

/// Serves `args.requests` requests on `args.threads` threads; `WATCHED`: each on a hub of its own.
pub fn run<const WATCHED: bool>(service: &Service, args: &Args, watch: &Watcher<'_>) -> Run {
    let next = AtomicUsize::new(0);
    let (done, results) = mpsc::channel();
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..args.threads {
            let (next, done) = (&next, done.clone());
            scope.spawn(move || done.send(work::<WATCHED>(service, args.requests, next, watch)));
        }
        drop(done);
        let mut all = Run { requests: args.requests, ..Run::default() };
        loop {
            match results.recv_timeout(BETWEEN_LOOKS) {
                Ok(part) => {
                    all.failed += part.failed;
                    all.processor += part.processor;
                    all.allocations += part.allocations;
                    all.captures.extend(part.captures);
                    all.elapsed = start.elapsed();
                }
                Err(RecvTimeoutError::Timeout) => watch.progress(next.load(Relaxed).min(args.requests)),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        all.captures.sort_unstable();
        all
    })
}

/// Serves requests until none is left.
fn work<const WATCHED: bool>(service: &Service, requests: usize, next: &AtomicUsize, watch: &Watcher<'_>) -> Run {
    let mut run = Run::default();
    let (processor, allocated) = (processor_time(), allocations::count());
    loop {
        // Relaxed: the number is all that is shared.
        let block = next.fetch_add(BLOCK, Relaxed);
        for number in block..requests.min(block + BLOCK) {
            if number == requests / 2 {
                watch.halfway();
            }
            let outcome = if WATCHED {
                let hub = Arc::new(Hub::new_from_top(Hub::current()));
                Hub::run(hub, || service.serve::<true>(number as u64))
            } else {
                service.serve::<false>(number as u64)
            };
            black_box(outcome.digest);
            run.failed += u64::from(outcome.failed);
            run.captures.extend(outcome.capture);
        }
        if block >= requests {
            break;
        }
    }
    run.processor = processor_time().saturating_sub(processor);
    run.allocations = allocations::count() - allocated;
    run
}

/// The processor time of this thread: unlike the wall time, it does not grow when others are busy. Zero where the system
/// does not tell.
#[cfg(unix)]
pub fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

#[cfg(not(unix))]
pub fn processor_time() -> Duration {
    Duration::ZERO
}

/// Requests that a worker takes at once.
const BLOCK: usize = 16;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
