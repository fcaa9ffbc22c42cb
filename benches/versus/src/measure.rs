//! Alternating rounds, medians, and a crowd of other threads.

use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Does an operation so many times.
pub struct Run {
    /// Returns how long the calls took, without what had to be set up or cleared away.
    pub batch: Box<dyn FnMut(u64) -> Duration>,
    /// How many calls a batch can have at most.
    pub most: u64,
}

/// One line of the table.
pub enum Row {
    /// An operation of both: the peer's, and ours.
    Both(&'static str, fn() -> Run, fn() -> Run),
}

impl Row {
    pub fn name(&self) -> &'static str {
        let Self::Both(name, ..) = self;
        name
    }
}

/// What was measured.
#[derive(Clone)]
pub struct Result {
    pub name: &'static str,
    pub peer: Side,
    pub ours: Side,
    /// The median over all rounds of one round's ratio.
    pub ratio: f64,
}

/// One of the two in one row.
#[derive(Clone)]
pub struct Side {
    pub median: f64,
    /// The first and the third quartile.
    pub quartiles: (f64, f64),
    pub allocations: f64,
}

impl Run {
    pub fn new(batch: impl FnMut(u64) -> Duration + 'static) -> Self {
        Self { batch: Box::new(batch), most: u64::MAX }
    }

    pub fn at_most(self, most: u64) -> Self {
        Self { most, ..self }
    }

    /// How many calls make a batch of about `BATCH`.
    fn calibrate(&mut self) -> u64 {
        let mut calls = 16.min(self.most);
        loop {
            let took = (self.batch)(calls);
            if took >= BATCH / 2 || calls == self.most {
                return calls;
            }
            let factor = BATCH.as_nanos() as f64 / took.as_nanos().max(1) as f64;
            calls = ((calls as f64 * factor.clamp(2.0, 16.0)) as u64).min(self.most);
        }
    }
}

/// Runs `call` so many times, and returns the processor time of this thread: what else the machine does is not in it.
#[inline]
pub fn timed(calls: u64, mut call: impl FnMut(u64)) -> Duration {
    let start = thread_time();
    for n in 0..calls {
        call(n);
    }
    thread_time() - start
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Measures a row.
pub fn compare(row: &Row) -> Result {
    let Row::Both(name, peer, ours) = row;
    let (mut peer, mut ours) = (peer(), ours());
    let calls = (peer.calibrate(), ours.calibrate());
    let mut times = (Vec::new(), Vec::new());
    let mut allocations = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        measure(&mut peer, calls.0, &mut times.0, &mut allocations.0);
        measure(&mut ours, calls.1, &mut times.1, &mut allocations.1);
    }
    let ratios = times.0.iter().zip(&times.1).map(|(peer, ours)| peer / ours).collect();
    Result { name, peer: side(times.0, allocations.0), ours: side(times.1, allocations.1), ratio: quartiles(ratios)[1] }
}

fn measure(run: &mut Run, calls: u64, times: &mut Vec<f64>, allocations: &mut Vec<f64>) {
    let before = crate::counting::allocations();
    let took = (run.batch)(calls);
    allocations.push((crate::counting::allocations() - before) as f64 / calls as f64);
    times.push(took.as_nanos() as f64 / calls as f64);
}

fn side(times: Vec<f64>, allocations: Vec<f64>) -> Side {
    let [first, median, third] = quartiles(times);
    Side { median, quartiles: (first, third), allocations: quartiles(allocations)[1] }
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[values.len() * quarter / 4])
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
/// How long a batch should take.
const BATCH: Duration = Duration::from_millis(1);
