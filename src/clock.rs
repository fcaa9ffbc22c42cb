//! What time it is, as exactly as the caller needs it.
//!
//! Spans ask twice each, and exactly. Where the system itself takes its time from the processor's cycle counter (Linux on
//! x86-64 says so), a thread looks at the system clock once in a tenth of a second, and counts cycles from there. How long a
//! cycle takes is measured from one look to the next, so that a clock which is slewed is followed, and one that is set too.
//! Elsewhere the system is asked each time.
//!
//! # Guarantees
//! Never sleeps or waits. What a thread is told never goes back, but where the system's clock is set back, and is as far from
//! that clock as two readings of it are from each other: less than a microsecond, if nothing interrupts them.

use std::cell::Cell;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::time::{Duration, Instant, SystemTime};

use crate::sync::cycles;

/// Nanoseconds since the epoch, until 2554. Zero before 1970.
#[inline]
pub(crate) fn now() -> u64 {
    // Nothing is dropped with it, so it is there for as long as the thread is.
    ANCHOR.with(|anchor| {
        let Anchor { ticks, nanos, pace, valid, .. } = anchor.get();
        if valid != 0
            && let Some(since) = cycles::now().map(|now| now.wrapping_sub(ticks))
            && since < valid
        {
            return nanos + times(since, pace);
        }
        look(anchor)
    })
}

/// A time as [`now`] tells it.
pub(crate) fn nanos_of(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The time that [`now`] told.
pub(crate) fn time_of(nanos: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)
}

/// Nanoseconds since the epoch, in steps of a few milliseconds: what a breadcrumb needs, for a tenth of the price. Zero
/// before 1970.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[inline]
pub(crate) fn coarse() -> u64 {
    use rustix::time::{ClockId, clock_gettime};

    let now = clock_gettime(ClockId::RealtimeCoarse);
    match (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec)) {
        (Ok(seconds), Ok(nanos)) => seconds.saturating_mul(1_000_000_000).saturating_add(nanos),
        _ => 0,
    }
}

/// Nanoseconds since the epoch, where the system has no cheaper clock. Zero before 1970.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn coarse() -> u64 {
    now()
}

/// The same in microseconds.
pub(crate) fn coarse_micros() -> u64 {
    coarse() / 1_000
}

/// Where a thread counts cycles from, and how.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    ticks: u64,
    nanos: u64,
    /// Nanoseconds for each cycle, in 2⁻³²; zero while nobody knows.
    pace: u64,
    /// For so many cycles. Zero: there is no anchor yet, or none to be trusted.
    valid: u64,
    sample: Option<Sample>,
}

/// Both clocks and the counter, read at the same moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    ticks: u64,
    nanos: u64,
    /// A clock that is not set, to tell when the other one is.
    steady: Instant,
}

/// Looks at the system clock, and finds out from where to count.
#[cold]
#[inline(never)]
fn look(anchor: &Cell<Anchor>) -> u64 {
    let system = || nanos_of(SystemTime::now());
    let Some(ticks) = cycles::now().filter(|_| is_counter_trusted()) else { return system() };
    let before = anchor.get();
    if before.valid == 0 && before.sample.is_some_and(|sample| ticks.wrapping_sub(sample.ticks) < SHORTEST_MEASURE) {
        return system();
    }
    let Some(sample) = Sample::take() else { return system() };
    let measured = before.sample.and_then(|before| sample.pace_since(before));
    // Relaxed, here and below: the pace tells of itself alone.
    let pace = match measured {
        Some(pace) => {
            PACE.store(pace, Relaxed);
            pace
        }
        None => PACE.load(Relaxed),
    };
    let next = before.moved_to(sample, pace);
    anchor.set(next);
    next.nanos
}

impl Anchor {
    const NONE: Self = Self { ticks: 0, nanos: 0, pace: 0, valid: 0, sample: None };

    /// The anchor that comes after this one.
    fn moved_to(self, sample: Sample, pace: u64) -> Self {
        let Sample { ticks, nanos, .. } = sample;
        let valid = (WINDOW << 32).checked_div(pace).unwrap_or(0);
        let since = ticks.wrapping_sub(self.ticks);
        if since < 2 * self.valid {
            // What was told already, at most.
            let told = self.nanos + times(since, self.pace);
            let ahead = told.saturating_sub(nanos);
            if ahead <= MOST_AHEAD {
                // A little ahead: go on from there, and be as much slower.
                let pace = pace - pace.saturating_mul(ahead) / WINDOW;
                return Self { ticks, nanos: nanos + ahead, pace, valid, sample: Some(sample) };
            }
        }
        Self { ticks, nanos, pace, valid, sample: Some(sample) }
    }
}

impl Sample {
    /// `None`: something always came between.
    fn take() -> Option<Self> {
        (0..3).find_map(|_| {
            let before = cycles::now()?;
            let nanos = nanos_of(SystemTime::now());
            let took = cycles::now()?.wrapping_sub(before);
            let sample = Self { ticks: before.wrapping_add(took / 2), nanos, steady: Instant::now() };
            (took < LONGEST_SAMPLE).then_some(sample)
        })
    }

    /// How long a cycle took since an earlier sample. `None`: that can't be told.
    fn pace_since(self, before: Self) -> Option<u64> {
        let ticks = self.ticks.wrapping_sub(before.ticks);
        let nanos = self.nanos.checked_sub(before.nanos)?;
        let steady = u64::try_from(self.steady.checked_duration_since(before.steady)?.as_nanos()).ok()?;
        // Was the clock set, or the machine asleep, or did something come between the readings?
        if nanos.abs_diff(steady) > steady / 4_096 || ticks < SHORTEST_MEASURE {
            return None;
        }
        let pace = (u128::from(nanos) << 32) / u128::from(ticks);
        u64::try_from(pace).ok().filter(|pace| PLAUSIBLE.contains(pace))
    }
}

/// So many cycles, in nanoseconds. For no more than two windows of them.
#[inline]
fn times(ticks: u64, pace: u64) -> u64 {
    (ticks * pace) >> 32
}

/// True if the system itself tells the time by the counter: then it runs evenly, and alike on all processors.
fn is_counter_trusted() -> bool {
    static TRUST: AtomicU8 = AtomicU8::new(0);

    // Relaxed: the answer tells of itself alone. Whoever comes before it is there finds it, too.
    match TRUST.load(Relaxed) {
        0 => {
            let source = std::fs::read("/sys/devices/system/clocksource/clocksource0/current_clocksource");
            let is_trusted = source.is_ok_and(|source| source.trim_ascii() == b"tsc");
            TRUST.store(1 + u8::from(is_trusted), Relaxed);
            is_trusted
        }
        known => known == 2,
    }
}

thread_local! {
    static ANCHOR: Cell<Anchor> = const { Cell::new(Anchor::NONE) };
}

/// The pace that a thread measured last: for those that have just begun.
static PACE: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds until a thread looks at the system clock again.
const WINDOW: u64 = 100_000_000;
/// Nanoseconds by which a thread may be ahead of the system clock and go on from there, but more slowly.
const MOST_AHEAD: u64 = 10_000;
/// Cycles over which the pace can be measured: some ten milliseconds.
const SHORTEST_MEASURE: u64 = 50_000_000;
/// Cycles that reading both clocks takes, if nothing comes between.
const LONGEST_SAMPLE: u64 = 3_000;
/// From a sixteenth of a nanosecond to sixteen for a cycle.
const PLAUSIBLE: std::ops::Range<u64> = 1 << 28..1 << 36;

#[cfg(test)]
mod tests {
    use super::*;

    const GIGAHERTZ: u64 = 1 << 32;

    fn apart(one: SystemTime, other: SystemTime) -> Duration {
        one.duration_since(other).unwrap_or_else(|ahead| ahead.duration())
    }

    /// A sample at a time in microseconds, on a machine whose cycles take a nanosecond.
    fn sample(start: Instant, micros: u64) -> Sample {
        Sample { ticks: 7 + micros * 1_000, nanos: micros * 1_000, steady: start + Duration::from_micros(micros) }
    }

    #[test]
    fn the_coarse_clock_tells_the_same_time_as_the_fine_one() {
        let coarse = time_of(coarse());
        assert!(apart(SystemTime::now(), coarse) < Duration::from_secs(1));
    }

    #[test]
    fn the_clock_tells_the_time_of_the_system_and_never_goes_back() {
        let beginning = Instant::now();
        let (mut last, mut nearest) = (0, Duration::MAX);
        // Long enough for several anchors.
        while beginning.elapsed() < Duration::from_millis(500) {
            let told = now();
            assert!(told >= last, "{last} {told}");
            last = told;
            nearest = nearest.min(apart(time_of(told), SystemTime::now()));
            assert!(apart(time_of(told), SystemTime::now()) < Duration::from_secs(1));
        }
        assert!(nearest < Duration::from_micros(50), "{nearest:?}");
        let there = std::thread::spawn(now).join().unwrap();
        assert!((last..last + 1_000_000_000).contains(&(there + 10_000)), "{last} {there}");
    }

    #[test]
    fn a_pace_is_measured_where_both_clocks_agree() {
        let start = Instant::now();
        let first = sample(start, 0);
        assert_eq!(sample(start, 100_000).pace_since(first), Some(GIGAHERTZ));
        assert_eq!(sample(start, 10_000).pace_since(first), None, "too short");
        assert_eq!(first.pace_since(sample(start, 100_000)), None, "backwards");
        let set = Sample { nanos: 150_000_000, ..sample(start, 100_000) };
        assert_eq!(set.pace_since(first), None, "the clock was set");
        let other = Sample { ticks: 7 + 50_000_000, ..sample(start, 100_000) };
        assert_eq!(other.pace_since(first), Some(2 * GIGAHERTZ));
    }

    #[test]
    fn a_thread_that_is_ahead_slows_down_and_one_whose_clock_is_set_follows() {
        let start = Instant::now();
        let first = Anchor::NONE.moved_to(sample(start, 0), GIGAHERTZ);
        assert_eq!((first.nanos, first.valid), (0, WINDOW));
        let late = Sample { nanos: 99_999_000, ..sample(start, 100_000) };
        let ahead = first.moved_to(late, GIGAHERTZ);
        assert_eq!(ahead.nanos, 100_000_000, "it does not go back");
        // At the end of the window it is where the system clock is.
        assert!((199_999_000..199_999_002).contains(&(ahead.nanos + times(WINDOW, ahead.pace))));
        for set in [50_000_000, 500_000_000] {
            let set = Sample { nanos: set, ..sample(start, 100_000) };
            assert_eq!(first.moved_to(set, GIGAHERTZ).nanos, set.nanos);
        }
        assert_eq!(first.moved_to(late, 0).valid, 0, "nobody knows the pace");
    }

    #[test]
    fn times_are_told_as_nanoseconds_and_back() {
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_595_256_674, 296_123_456);
        assert_eq!(time_of(nanos_of(time)), time);
        assert_eq!(nanos_of(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), 0);
        assert_eq!(nanos_of(SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40)), u64::MAX);
    }
}
