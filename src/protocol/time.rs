//! Timestamps on the wire.
//!
//! Each module here serves `#[serde(with = "…")]`: [`seconds`] writes seconds since the epoch as a number,
//! [`rfc3339`] writes text; the `_opt` twins do the same for an `Option`. All of them read both forms.
//!
//! # Invariants
//! - What is written has microseconds and lies between the years 1970 and 9999; an earlier or later time is
//!   written as the nearest of these, so that whatever we write, we can read.
//! - What lies outside these years, or is no number at all, is an error when read.

use std::fmt;
use std::time::{Duration, SystemTime};

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// Seconds since the epoch, as a number.
pub(crate) mod seconds {
    use super::*;
    use serde::Serializer;

    /// Writes the seconds since the epoch: an integer if they are whole, else a float with microseconds.
    pub(crate) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        let micros = micros_since_epoch(*time);
        if micros.is_multiple_of(MICROS) {
            serializer.serialize_u64(micros / MICROS)
        } else {
            // A float tells one microsecond from the next up to the year 2242.
            serializer.serialize_f64(micros as f64 / MICROS as f64)
        }
    }

    /// Reads a number of seconds since the epoch, or an RFC 3339 text.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        deserializer.deserialize_any(Timestamp)
    }
}

/// Seconds since the epoch, as a number, or nothing.
pub(crate) mod seconds_opt {
    use super::*;
    use serde::Serializer;

    /// Writes as [`seconds::serialize`] does, or null.
    pub(crate) fn serialize<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => seconds::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads as [`seconds::deserialize`] does, or null.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SystemTime>, D::Error> {
        deserializer.deserialize_option(OptionalTimestamp)
    }
}

/// RFC 3339 text, in UTC.
pub(crate) mod rfc3339 {
    use super::*;
    use serde::Serializer;

    pub(crate) use super::seconds::deserialize;

    /// Writes a text such as `2018-01-01T12:00:00.5Z`.
    pub(crate) fn serialize<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&AsRfc3339(*time))
    }
}

/// RFC 3339 text, in UTC, or nothing.
pub(crate) mod rfc3339_opt {
    use super::*;
    use serde::Serializer;

    pub(crate) use super::seconds_opt::deserialize;

    /// Writes as [`rfc3339::serialize`] does, or null.
    pub(crate) fn serialize<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => rfc3339::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }
}

/// Writes a time as RFC 3339 in UTC, such as `2018-01-01T12:00:00.5Z`.
pub(crate) fn format_rfc3339(time: SystemTime) -> String {
    AsRfc3339(time).to_string()
}

/// A time that displays as RFC 3339 in UTC, without an allocation.
struct AsRfc3339(SystemTime);

impl fmt::Display for AsRfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = micros_since_epoch(self.0);
        // The years 1970 to 9999 can always be written; the default stands in for a failure that cannot be.
        let time = i64::try_from(micros / MICROS)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (year, month, day) = time.to_calendar_date();
        let (hour, minute, second) = time.to_hms();
        // Digit by digit: the formatter with its widths and fills takes as long as all else in an envelope's headers.
        let mut text = *b"0000-00-00T00:00:00.000000";
        put_digits(&mut text[0..4], year.unsigned_abs());
        put_digits(&mut text[5..7], u8::from(month).into());
        put_digits(&mut text[8..10], day.into());
        put_digits(&mut text[11..13], hour.into());
        put_digits(&mut text[14..16], minute.into());
        put_digits(&mut text[17..19], second.into());
        // Less than a million.
        put_digits(&mut text[20..26], (micros % MICROS) as u32);
        let text = str::from_utf8(&text).unwrap_or_default();
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))?;
        f.write_str("Z")
    }
}

/// Writes the last decimal digits of a number; as many as there is room for, and an even number of them.
#[inline]
pub(crate) fn put_digits(digits: &mut [u8], mut number: u32) {
    for pair in digits.rchunks_exact_mut(2) {
        pair.copy_from_slice(&PAIRS[(number % 100) as usize]);
        number /= 100;
    }
}

/// The numbers below a hundred, in two digits each.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Reads RFC 3339; a text without a time zone is taken as UTC.
///
/// Gives `None` for any other text, and for times outside the years 1970 to 9999.
pub(crate) fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let time =
        OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339)).ok()?;
    let micros = u64::try_from(time.unix_timestamp_nanos() / 1000).ok()?;
    from_micros(micros)
}

/// Reads seconds since the epoch; `None` for what is no time between the years 1970 and 9999.
pub(crate) fn from_seconds(seconds: f64) -> Option<SystemTime> {
    let micros = (seconds * MICROS as f64).round();
    // Not a number fails both comparisons.
    if micros >= 0.0 && micros <= MAX_MICROS as f64 { from_micros(micros as u64) } else { None }
}

fn from_micros(micros: u64) -> Option<SystemTime> {
    if micros > MAX_MICROS {
        return None;
    }
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(micros))
}

pub(crate) fn micros_since_epoch(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let micros = since.as_secs().saturating_mul(MICROS).saturating_add(since.subsec_micros().into());
    micros.min(MAX_MICROS)
}

struct Timestamp;

impl Visitor<'_> for Timestamp {
    type Value = SystemTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds since 1970 or an RFC 3339 timestamp, before the year 10000")
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<SystemTime, E> {
        seconds
            .checked_mul(MICROS)
            .and_then(from_micros)
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(seconds), &self))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<SystemTime, E> {
        match u64::try_from(seconds) {
            Ok(seconds) => self.visit_u64(seconds),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(seconds), &self)),
        }
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<SystemTime, E> {
        from_seconds(seconds).ok_or_else(|| E::invalid_value(Unexpected::Float(seconds), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SystemTime, E> {
        parse_rfc3339(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

struct OptionalTimestamp;

impl<'de> Visitor<'de> for OptionalTimestamp {
    type Value = Option<SystemTime>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Timestamp.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(Timestamp).map(Some)
    }
}

pub(crate) const MICROS: u64 = 1_000_000;

/// The last second of the year 9999, the last year RFC 3339 can write. A whole one, which no float rounds up.
const MAX_MICROS: u64 = 253_402_300_799 * MICROS;

/// The longest text worth a try: RFC 3339 with nanoseconds has 35 bytes.
const MAX_TEXT: usize = 64;

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Both {
        #[serde(with = "seconds")]
        number: SystemTime,
        #[serde(default, with = "rfc3339_opt")]
        text: Option<SystemTime>,
    }

    fn at(seconds: u64, micros: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_micros(seconds * MICROS + micros)
    }

    fn read(value: serde_json::Value) -> Result<SystemTime, serde_json::Error> {
        seconds::deserialize(value)
    }

    #[test]
    fn both_forms_read_back_what_they_write_to_the_microsecond() {
        for micros in [0, 1, 500_000, 999_999, 123_456] {
            for second in [0, 1, 1_514_103_120, 4_102_444_800] {
                let time = at(second, micros);
                let both = Both { number: time, text: Some(time) };
                let json = serde_json::to_string(&both).unwrap();
                assert_eq!(serde_json::from_str::<Both>(&json).unwrap(), both, "{json}");
            }
        }
    }

    #[test]
    fn a_whole_second_is_written_as_an_integer() {
        let both = Both { number: at(1_514_103_120, 0), text: Some(at(1_514_103_120, 500_000)) };
        let json = serde_json::to_string(&both).unwrap();
        assert_eq!(json, r#"{"number":1514103120,"text":"2017-12-24T08:12:00.5Z"}"#);
    }

    #[test]
    fn floats_integers_and_texts_are_read() {
        let time = at(1_514_103_120, 0);
        assert_eq!(read(json!(1_514_103_120)).unwrap(), time);
        assert_eq!(read(json!(1_514_103_120.0)).unwrap(), time);
        assert_eq!(read(json!("2017-12-24T08:12:00Z")).unwrap(), time);
        assert_eq!(read(json!("2017-12-24T09:12:00+01:00")).unwrap(), time);
        assert_eq!(read(json!("2017-12-24T08:12:00")).unwrap(), time);
    }

    #[test]
    fn hostile_values_are_errors() {
        for value in [
            json!(-1),
            json!(-0.5),
            json!(1e300),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(253_402_300_800_u64),
            json!(""),
            json!("9999-99-99T99:99:99Z"),
            json!("1969-12-31T23:59:59Z"),
            json!("x".repeat(1000)),
            json!([]),
            json!(true),
        ] {
            assert!(read(value.clone()).is_err(), "{value}");
        }
        assert_eq!(from_seconds(f64::NAN), None);
        assert_eq!(from_seconds(f64::INFINITY), None);
        assert_eq!(from_seconds(f64::NEG_INFINITY), None);
    }

    #[test]
    fn times_nobody_can_read_are_written_as_the_nearest_readable_ones() {
        let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(format_rfc3339(early), "1970-01-01T00:00:00Z");
        let late = SystemTime::UNIX_EPOCH + Duration::from_secs(300_000_000_000);
        assert_eq!(format_rfc3339(late), "9999-12-31T23:59:59Z");
        let json = seconds::serialize(&early, serde_json::value::Serializer).unwrap();
        assert_eq!(json, json!(0));
        let json = seconds::serialize(&late, serde_json::value::Serializer).unwrap();
        assert!(read(json).is_ok());
    }

    #[test]
    fn null_is_no_time() {
        let both: Both = serde_json::from_value(json!({ "number": 1, "text": null })).unwrap();
        assert_eq!(both.text, None);
    }
}
