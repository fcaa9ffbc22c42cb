//! What time it is, as exactly as the caller needs it.

/// Microseconds since the epoch, in steps of a few milliseconds: what a breadcrumb needs, for a tenth of the price. Zero
/// before 1970.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn coarse_micros() -> u64 {
    use rustix::time::{ClockId, clock_gettime};

    let now = clock_gettime(ClockId::RealtimeCoarse);
    match (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec)) {
        (Ok(seconds), Ok(nanos)) => seconds.saturating_mul(1_000_000).saturating_add(nanos / 1_000),
        _ => 0,
    }
}

/// Microseconds since the epoch, where the system has no cheaper clock. Zero before 1970.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn coarse_micros() -> u64 {
    use std::time::SystemTime;

    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_micros() as u64)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_coarse_clock_tells_the_same_time_as_the_fine_one() {
        let coarse = SystemTime::UNIX_EPOCH + Duration::from_micros(super::coarse_micros());
        let apart = match SystemTime::now().duration_since(coarse) {
            Ok(behind) => behind,
            Err(ahead) => ahead.duration(),
        };
        assert!(apart < Duration::from_secs(1), "{apart:?} apart");
    }
}
