//! Several threads that do the same at once: how much they get done together, and how long single calls take.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::spread::median;

/// What a thread does, by its number, until its meter has enough.
type Body = Box<dyn Fn(usize, &mut Meter<'_>) + Sync>;

/// A call that threads make at once.
pub struct Contest {
    body: Body,
    /// One more thread does this over and over.
    beside: Option<Box<dyn Fn() + Sync>>,
    bursts: Option<Bursts>,
}

/// What is done after each burst of calls.
struct Bursts {
    /// Waits until everything arrived; that is timed.
    settle: Box<dyn Fn() + Sync>,
    /// Clears away what arrived, and says how much it was.
    clear: Box<dyn Fn() -> u64 + Sync>,
}

/// A contest of both sides, at several numbers of threads.
pub struct Bout {
    pub name: &'static str,
    pub peer: fn() -> Contest,
    pub ours: fn() -> Contest,
    pub threads: &'static [usize],
}

/// How both did with so many threads.
#[derive(Clone, Deserialize, Serialize)]
pub struct Outcome {
    pub name: String,
    pub threads: usize,
    pub peer: Pace,
    pub ours: Pace,
    /// How many calls ours makes for each of the peer's: the median over all rounds.
    pub ratio: f64,
}

/// How one side did.
#[derive(Clone, Deserialize, Serialize)]
pub struct Pace {
    /// Calls of all threads in a second.
    pub calls: f64,
    /// Nanoseconds that single calls take at most, at each of [`PERCENTILES`].
    pub nanos: Vec<f64>,
}

/// Counts the calls of one thread, and times each of them if asked to.
pub struct Meter<'a> {
    stop: &'a AtomicBool,
    most: u64,
    done: u64,
    /// What single calls took; without it, calls are not timed.
    nanos: Option<Histogram<u64>>,
}

impl Contest {
    pub fn new(body: impl Fn(usize, &mut Meter<'_>) + Sync + 'static) -> Self {
        Self { body: Box::new(body), beside: None, bursts: None }
    }

    /// Has one more thread do something all the while.
    pub fn beside(self, beside: impl Fn() + Sync + 'static) -> Self {
        Self { beside: Some(Box::new(beside)), ..self }
    }

    /// Makes bursts of calls, each settled before the next, and timed until then.
    pub fn in_bursts(self, settle: impl Fn() + Sync + 'static, clear: impl Fn() -> u64 + Sync + 'static) -> Self {
        Self { bursts: Some(Bursts { settle: Box::new(settle), clear: Box::new(clear) }), ..self }
    }

    /// Calls in a second, and what each took if they are `timed`.
    fn race(&self, threads: usize, window: Duration, timed: bool) -> (f64, Histogram<u64>) {
        let (stop, over, time) = &(AtomicBool::new(false), AtomicBool::new(false), Stopwatch::new());
        let gate = Barrier::new(threads + 1);
        let most = self.bursts.as_ref().map_or(u64::MAX, |_| BURST / threads as u64);
        let runner = &|number| {
            let mut meter = Meter { stop, most, done: 0, nanos: timed.then(histogram) };
            let mut done = 0;
            loop {
                gate.wait();
                if over.load(Ordering::Relaxed) {
                    return (done, meter.nanos);
                }
                meter.done = 0;
                time.start();
                (self.body)(number, &mut meter);
                done += meter.done;
                if time.is_last()
                    && let Some(bursts) = &self.bursts
                {
                    (bursts.settle)();
                }
                time.stop();
                gate.wait();
            }
        };
        std::thread::scope(|scope| {
            let runners: Vec<_> = (0..threads).map(|number| scope.spawn(move || runner(number))).collect();
            let beside = self.beside.as_ref().map(|beside| {
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        beside();
                    }
                })
            });
            let (mut took, mut arrived) = (Duration::ZERO, 0);
            while took < window {
                time.reset(threads);
                gate.wait();
                if self.bursts.is_none() {
                    std::thread::sleep(window);
                    stop.store(true, Ordering::Relaxed);
                }
                gate.wait();
                took += time.took();
                arrived += self.bursts.as_ref().map_or(0, |bursts| (bursts.clear)());
            }
            over.store(true, Ordering::Relaxed);
            gate.wait();
            let (mut calls, mut all) = (0, histogram());
            for runner in runners {
                let (done, nanos) = runner.join().expect("a call does not panic");
                calls += done;
                nanos.into_iter().for_each(|nanos| all.add(nanos).expect("they have the same bounds"));
            }
            beside.into_iter().for_each(|beside| beside.join().expect("a call does not panic"));
            assert!(self.bursts.is_none() || arrived == calls, "{calls} calls, of which {arrived} arrived");
            (calls as f64 / took.as_secs_f64(), all)
        })
    }
}

/// Runs from the first start to the last stop of several threads. They tell it themselves: whoever waits for them may wake up
/// when all is over.
struct Stopwatch {
    base: Instant,
    /// In nanoseconds since the base.
    first: AtomicU64,
    last: AtomicU64,
    running: AtomicUsize,
}

impl Stopwatch {
    fn new() -> Self {
        Self { base: Instant::now(), first: AtomicU64::new(0), last: AtomicU64::new(0), running: AtomicUsize::new(0) }
    }

    fn reset(&self, threads: usize) {
        self.first.store(u64::MAX, Ordering::Relaxed);
        self.last.store(0, Ordering::Relaxed);
        self.running.store(threads, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.base.elapsed().as_nanos() as u64
    }

    fn start(&self) {
        self.first.fetch_min(self.now(), Ordering::Relaxed);
    }

    /// Asked once by each thread when it is done: are all others?
    fn is_last(&self) -> bool {
        self.running.fetch_sub(1, Ordering::AcqRel) == 1
    }

    fn stop(&self) {
        self.last.fetch_max(self.now(), Ordering::Relaxed);
    }

    fn took(&self) -> Duration {
        Duration::from_nanos(self.last.load(Ordering::Relaxed) - self.first.load(Ordering::Relaxed))
    }
}

impl Meter<'_> {
    /// Makes calls until there are enough.
    pub fn run(&mut self, call: impl FnMut(u64)) {
        self.run_some(u64::MAX, call);
    }

    /// The same, but at most so many.
    pub fn run_some(&mut self, most: u64, mut call: impl FnMut(u64)) {
        let most = self.done.saturating_add(most);
        while self.done < most && self.wants_more() {
            match &mut self.nanos {
                None => call(self.done),
                Some(nanos) => {
                    let start = Instant::now();
                    call(self.done);
                    nanos.saturating_record(start.elapsed().as_nanos() as u64);
                }
            }
            self.done += 1;
        }
    }

    pub fn wants_more(&self) -> bool {
        self.done < self.most && !self.stop.load(Ordering::Relaxed)
    }
}

impl Bout {
    /// Lets both sides race in turn, with each number of threads, for `window` each time.
    pub fn fight(&self, window: Duration) -> Vec<Outcome> {
        self.threads.iter().map(|threads| self.outcome(*threads, window)).collect()
    }

    fn outcome(&self, threads: usize, window: Duration) -> Outcome {
        let sides = [(self.peer)(), (self.ours)()];
        let mut calls = [const { Vec::new() }; 2];
        let mut nanos = [histogram(), histogram()];
        for _ in 0..ROUNDS {
            for (side, contest) in sides.iter().enumerate() {
                calls[side].push(contest.race(threads, window, false).0);
                nanos[side].add(contest.race(threads, window, true).1).expect("they have the same bounds");
            }
        }
        let ratio = median(calls[0].iter().zip(&calls[1]).map(|(peer, ours)| ours / peer));
        let pace = |side: usize| Pace {
            calls: median(calls[side].iter().copied()),
            nanos: PERCENTILES.map(|percentile| nanos[side].value_at_percentile(percentile) as f64).to_vec(),
        };
        Outcome { name: self.name.to_owned(), threads, peer: pace(0), ours: pace(1), ratio }
    }
}

impl Outcome {
    /// Joins those of several runs: the median of each number.
    pub fn joined(runs: &[Self]) -> Self {
        let pace = |of: fn(&Self) -> &Pace| Pace {
            calls: median(runs.iter().map(|run| of(run).calls)),
            nanos: (0..PERCENTILES.len()).map(|at| median(runs.iter().map(|run| of(run).nanos[at]))).collect(),
        };
        let ratio = median(runs.iter().map(|run| run.ratio));
        Self { peer: pace(|run| &run.peer), ours: pace(|run| &run.ours), ratio, ..runs[0].clone() }
    }
}

/// Small enough to stay in the cache: steps of one percent, up to ten seconds.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 10_000_000_000, 2).expect("the bounds are in order")
}

/// Of single calls.
pub const PERCENTILES: [f64; 6] = [50.0, 75.0, 90.0, 99.0, 99.9, 99.99];
/// Calls that all threads together may make before the next is settled; fits our queue.
const BURST: u64 = 960;
/// Races of each side with each number of threads; odd, so that the median is one of them.
const ROUNDS: usize = 5;
