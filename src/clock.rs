//! What time it is, as exactly as the caller needs it.

use std::time::SystemTime;

/// The time in steps of a few milliseconds: what a breadcrumb needs, for a tenth of the price.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn coarse() -> SystemTime {
    use rustix::time::{ClockId, clock_gettime};

    let now = clock_gettime(ClockId::RealtimeCoarse);
    match (u64::try_from(now.tv_sec), u32::try_from(now.tv_nsec)) {
        (Ok(seconds), Ok(nanos)) => SystemTime::UNIX_EPOCH + std::time::Duration::new(seconds, nanos),
        // A clock before 1970.
        _ => SystemTime::now(),
    }
}

/// The time, where the system has no cheaper clock.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn coarse() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_coarse_clock_tells_the_same_time_as_the_fine_one() {
        let apart = match SystemTime::now().duration_since(super::coarse()) {
            Ok(behind) => behind,
            Err(ahead) => ahead.duration(),
        };
        assert!(apart < Duration::from_secs(1), "{apart:?} apart");
    }
}
