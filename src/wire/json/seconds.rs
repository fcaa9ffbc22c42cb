//! Times as JSON numbers: seconds since the epoch, to the microsecond.
//!
//! An event with a hundred breadcrumbs has as many of them, and what finds the shortest text of any float takes five times as
//! long as writing the digits of a number of microseconds.

use serde_json::Error;

use super::Json;
use crate::clock;
use crate::message::digits::{self, EIGHT};
use crate::protocol::time::{MICROS, seconds};

/// Writes a float that says when something was, in this century and to the microsecond. False: it is another float.
///
/// The text is the shortest that reads back as the same float. No other text with as few digits does: below 2³² seconds, floats
/// are four times as close as microseconds.
#[inline]
pub(super) fn write_seconds(out: &mut Vec<u8>, value: f64) -> bool {
    if !(FIRST..LAST).contains(&value) {
        return false;
    }
    let micros = (value * MICROS as f64 + 0.5) as u64;
    if micros.is_multiple_of(MICROS) || micros as f64 / MICROS as f64 != value {
        return false;
    }
    write_micros(out, micros);
    true
}

/// Writes a time in nanoseconds since the epoch, as [`seconds`] does.
#[inline]
pub(super) fn write_time(out: &mut Vec<u8>, nanos: u64) -> Result<(), Error> {
    let micros = nanos / 1_000;
    if micros.is_multiple_of(MICROS) || !(FIRST_MICROS..LAST_MICROS).contains(&micros) {
        return seconds::serialize(&clock::time_of(nanos), Json { out });
    }
    write_micros(out, micros);
    Ok(())
}

/// Writes microseconds of this century, as seconds that are not whole.
fn write_micros(out: &mut Vec<u8>, micros: u64) {
    // Sixteen digits, eight at once. The second eight begin with the last two of the seconds; the point goes behind these. All
    // of it stays in registers: what is written in parts and read as a whole is waited for.
    let (first, last) = (digits::eight(micros / EIGHT), digits::eight(micros % EIGHT));
    let word = u64::from_le_bytes(last);
    let point = (word & 0xFFFF) | u64::from(b'.') << 16 | (word >> 16) << 24;
    out.extend_from_slice(&first);
    out.extend_from_slice(&point.to_le_bytes());
    out.extend_from_slice(&last[7..]);
    // A digit of the fraction is no zero, so one of the last six is none.
    let zeros = (word ^ u64::from_le_bytes([b'0'; 8])).leading_zeros() / 8;
    out.truncate(out.len() - zeros as usize);
}

/// September 2001: from here on, seconds have ten digits.
const FIRST: f64 = 1e9;
/// February 2106, when seconds no longer fit 32 bits.
const LAST: f64 = (1_u64 << 32) as f64;
const FIRST_MICROS: u64 = 1_000_000_000 * MICROS;
const LAST_MICROS: u64 = (1 << 32) * MICROS;

#[cfg(test)]
mod tests {
    use super::write_seconds;

    #[test]
    fn a_time_is_written_as_serde_json_writes_it() {
        let mut number = 7_u64;
        for _ in 0..20_000 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let micros = 900_000_000_000_000 + (number >> 11) % 3_500_000_000_000_000;
            for coarse in [1, 10, 1_000, 100_000, 1_000_000] {
                let value = (micros - micros % coarse) as f64 / 1e6;
                check(value);
                check(value.next_up());
                check(value.next_down());
            }
        }
    }

    #[test]
    fn the_ends_are_written_as_serde_json_writes_them() {
        for value in [0.0, -0.0, 0.1, 1e9, 4_294_967_296.0, 1e300, -1_700_000_000.5, f64::MIN_POSITIVE] {
            [value, value.next_up(), value.next_down(), value + 1e-6, value - 1e-6].into_iter().for_each(check);
        }
        let mut out = Vec::new();
        assert!(!write_seconds(&mut out, f64::NAN) && !write_seconds(&mut out, f64::INFINITY));
        assert!(write_seconds(&mut out, 1_700_000_000.25));
        assert_eq!(out, b"1700000000.25");
    }

    fn check(value: f64) {
        let mut out = Vec::new();
        if write_seconds(&mut out, value) {
            assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&value).unwrap());
        } else {
            assert!(out.is_empty());
        }
    }
}
