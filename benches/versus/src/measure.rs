//! One operation of each side, run in alternating rounds.

use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::rows::Row;
use crate::spread::{Spread, median};

/// Does an operation so many times, and says what that cost.
type Batch = Box<dyn FnMut(u64) -> Cost>;

/// An operation that is ready to run.
pub struct Run {
    batch: Batch,
    /// What is taken off: what the operation contains but does not answer for.
    less: Option<Batch>,
    /// Looks, after a batch of so many calls, for what they did; panics when it is not there.
    proof: Box<dyn FnMut(u64)>,
    /// How many calls a batch can have.
    least: u64,
    most: u64,
}

/// What a batch cost, without what had to be set up or cleared away.
#[derive(Clone, Copy)]
pub struct Cost {
    pub time: Duration,
    /// Of the calling thread.
    pub allocations: u64,
}

/// What a call of one batch cost.
struct Each {
    nanos: f64,
    allocations: f64,
}

/// One row, measured.
#[derive(Clone, Deserialize, Serialize)]
pub struct Compared {
    pub name: String,
    pub peer: Side,
    pub ours: Side,
    /// The median over all rounds of one round's ratio; none of two differences, which may come out as nothing.
    pub ratio: Option<f64>,
}

/// One side of a row, for each call.
#[derive(Clone, Deserialize, Serialize)]
pub struct Side {
    pub nanos: Spread,
    pub allocations: f64,
}

impl Each {
    fn of(cost: Cost, calls: u64) -> Self {
        let each = |sum: f64| sum / calls as f64;
        Self { nanos: each(cost.time.as_nanos() as f64), allocations: each(cost.allocations as f64) }
    }
}

impl Run {
    pub fn new(batch: impl FnMut(u64) -> Cost + 'static, proof: impl FnMut(u64) + 'static) -> Self {
        Self { batch: Box::new(batch), less: None, proof: Box::new(proof), least: 16, most: u64::MAX }
    }

    pub fn at_most(self, most: u64) -> Self {
        Self { most, ..self }
    }

    /// Makes all batches of one size: what is done once for each batch then weighs the same in each run.
    pub fn always(self, calls: u64) -> Self {
        Self { least: calls, most: calls, ..self }
    }

    /// Takes off what these batches cost, in each round anew.
    pub fn less(self, part: impl FnMut(u64) -> Cost + 'static) -> Self {
        Self { less: Some(Box::new(part)), ..self }
    }

    /// How many calls make a batch of about `BATCH`.
    fn calibrate(&mut self) -> u64 {
        let mut calls = self.least.min(self.most);
        loop {
            let took = (self.batch)(calls).time;
            if took >= BATCH / 2 || calls == self.most {
                return calls;
            }
            let factor = BATCH.as_nanos() as f64 / took.as_nanos().max(1) as f64;
            calls = ((calls as f64 * factor.clamp(2.0, 16.0)) as u64).min(self.most);
        }
    }

    /// Runs one batch. If there is something to take off, both run in slices, by turns: the machine changes its pace
    /// within a round too, and a small difference would be made of that.
    fn round(&mut self, calls: u64) -> Each {
        let Some(less) = &mut self.less else { return Each::of((self.batch)(calls), calls) };
        let slice = calls.div_ceil(SLICES);
        let mut each = Each { nanos: 0.0, allocations: 0.0 };
        for _ in 0..SLICES {
            let (whole, part) = (Each::of((self.batch)(slice), slice), Each::of(less(slice), slice));
            each.nanos += (whole.nanos - part.nanos) / SLICES as f64;
            each.allocations += (whole.allocations - part.allocations) / SLICES as f64;
        }
        each
    }

    /// Runs a few calls, and checks that they did something.
    pub fn prove(&mut self, calls: u64) {
        let calls = calls.min(self.most);
        self.round(calls);
        (self.batch)(calls);
        (self.proof)(calls);
    }

    /// Has `observe` look on while batches of so many calls run, the whole first and then what is taken off.
    pub fn observed(&mut self, calls: u64, mut observe: impl FnMut(&mut dyn FnMut()) -> Option<u64>) -> Option<f64> {
        let calls = calls.min(self.most);
        let mut look = |batch: &mut Batch| {
            batch(calls);
            observe(&mut || _ = batch(calls))
        };
        let whole = look(&mut self.batch)?;
        let part = self.less.as_mut().map_or(Some(0), look)?;
        Some((whole as f64 - part as f64) / calls as f64)
    }
}

/// Runs `call` so many times and takes the processor time of this thread: what else the machine does is not in it.
pub fn timed(calls: u64, call: impl FnMut(u64)) -> Cost {
    let (allocated, start) = (crate::counting::allocations(), clock(ClockId::ThreadCPUTime));
    repeat(calls, call);
    let time = clock(ClockId::ThreadCPUTime) - start;
    Cost { time, allocations: crate::counting::allocations() - allocated }
}

/// The same with the processor time of all threads, until `finish` says that there is nothing left to do.
pub fn timed_in_all(calls: u64, call: impl FnMut(u64), finish: impl FnOnce()) -> Cost {
    let (allocated, start) = (crate::counting::allocations(), clock(ClockId::ProcessCPUTime));
    repeat(calls, call);
    finish();
    let time = clock(ClockId::ProcessCPUTime) - start;
    Cost { time, allocations: crate::counting::allocations() - allocated }
}

/// The loop that is measured, and nothing else: instructions are counted from its entry to its return.
#[inline(never)]
fn repeat(calls: u64, mut call: impl FnMut(u64)) {
    for n in 0..calls {
        call(n);
    }
}

fn clock(id: ClockId) -> Duration {
    let time = clock_gettime(id);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Measures a row.
pub fn compare(row: &Row) -> Compared {
    let (mut peer, mut ours) = ((row.peer)(), (row.ours)());
    let calls = (peer.calibrate(), ours.calibrate());
    let rounds: Vec<_> = (0..ROUNDS).map(|_| [peer.round(calls.0), ours.round(calls.1)]).collect();
    let side = |at: usize| Side {
        nanos: Spread::of(rounds.iter().map(|round| round[at].nanos)),
        allocations: median(rounds.iter().map(|round| round[at].allocations)),
    };
    let is_whole = ours.less.is_none();
    let ratio = is_whole.then(|| median(rounds.iter().map(|[peer, ours]| peer.nanos / ours.nanos)));
    Compared { name: row.name.to_owned(), peer: side(0), ours: side(1), ratio }
}

impl Compared {
    /// Joins those of several runs: the median of each number.
    pub fn joined(runs: &[Self]) -> Self {
        let side = |of: fn(&Self) -> &Side| Side {
            nanos: Spread::joined(&runs.iter().map(|run| of(run).nanos).collect::<Vec<_>>()),
            allocations: median(runs.iter().map(|run| of(run).allocations)),
        };
        Self {
            name: runs[0].name.clone(),
            peer: side(|run| &run.peer),
            ours: side(|run| &run.ours),
            ratio: runs[0].ratio.map(|_| median(runs.iter().filter_map(|run| run.ratio))),
        }
    }
}

/// Threads that are alive and do nothing.
pub struct Crowd {
    threads: Vec<JoinHandle<()>>,
    leave: Arc<Barrier>,
}

impl Crowd {
    /// Starts `size` threads that each do `first` and then wait to be dropped.
    pub fn gather(size: usize, first: fn()) -> Self {
        let ready = Arc::new(Barrier::new(size + 1));
        let leave = Arc::new(Barrier::new(size + 1));
        let start = |_| {
            let (ready, leave) = (Arc::clone(&ready), Arc::clone(&leave));
            std::thread::spawn(move || {
                first();
                ready.wait();
                leave.wait();
            })
        };
        let threads = (0..size).map(start).collect();
        ready.wait();
        Self { threads, leave }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.leave.wait();
        for thread in self.threads.drain(..) {
            thread.join().expect("a thread that only waits");
        }
    }
}

/// Rounds for each row; odd, so that the median is one of them.
const ROUNDS: usize = 61;
/// Into how many parts a batch is cut that something is taken off from.
const SLICES: u64 = 16;
/// How long a batch should take.
const BATCH: Duration = Duration::from_millis(1);
