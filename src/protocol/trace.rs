//! What services tell each other about a trace.

use std::error::Error;
use std::fmt;
use std::num::{ParseFloatError, ParseIntError};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::time::put_digits;
use super::{Map, TraceId, Value};

/// What all services in a trace must agree on, so that a server can keep or drop the trace as a whole.
///
/// On the wire every value is text; numbers and truth values are read too. Entries without a field here, such
/// as `replay_id`, are kept.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct DynamicSamplingContext {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<TraceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) public_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text")]
    pub(crate) sample_rate: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text")]
    pub(crate) sample_rand: Option<SampleRand>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text")]
    pub(crate) sampled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) release: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) environment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) transaction: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text")]
    pub(crate) org_id: Option<OrganizationId>,
    #[serde(flatten)]
    pub(crate) other: Map<String, Value>,
}

impl DynamicSamplingContext {
    /// Builds a context that says nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the id of the trace.
    #[must_use]
    pub fn with_trace_id(mut self, trace_id: TraceId) -> Self {
        self.trace_id = Some(trace_id);
        self
    }

    /// Sets the public key of the project that the trace started in.
    #[must_use]
    pub fn with_public_key(mut self, public_key: String) -> Self {
        self.public_key = Some(public_key);
        self
    }

    /// Sets the rate with which the trace was sampled, between 0 and 1.
    #[must_use]
    pub fn with_sample_rate(mut self, sample_rate: f32) -> Self {
        self.sample_rate = Some(sample_rate);
        self
    }

    /// Sets the number that was compared with the rate.
    #[must_use]
    pub fn with_sample_rand(mut self, sample_rand: SampleRand) -> Self {
        self.sample_rand = Some(sample_rand);
        self
    }

    /// Sets whether the trace is kept.
    #[must_use]
    pub fn with_sampled(mut self, sampled: bool) -> Self {
        self.sampled = Some(sampled);
        self
    }

    /// Sets the release of the service that the trace started in.
    #[must_use]
    pub fn with_release(mut self, release: String) -> Self {
        self.release = Some(release);
        self
    }

    /// Sets the environment of the service that the trace started in.
    #[must_use]
    pub fn with_environment(mut self, environment: String) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Sets the name of the transaction that the trace started with.
    #[must_use]
    pub fn with_transaction(mut self, transaction: String) -> Self {
        self.transaction = Some(transaction);
        self
    }

    /// Sets the organization of the service that the trace started in.
    #[must_use]
    pub fn with_org_id(mut self, org_id: OrganizationId) -> Self {
        self.org_id = Some(org_id);
        self
    }
}

/// The number of an organization at the server, which two services compare before one continues the other's trace.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct OrganizationId(u64);

impl From<u64> for OrganizationId {
    fn from(id: u64) -> Self {
        Self(id)
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for OrganizationId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

/// A number in `[0, 1)`, drawn once for each trace and compared with the sample rate by every service in it.
///
/// Six decimals travel, and no value rounds up to 1.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "f64")]
pub struct SampleRand(f64);

impl SampleRand {
    pub(crate) fn value(self) -> f64 {
        self.0
    }

    /// A number of six decimals; a million and more give the highest.
    pub(crate) fn from_millionths(millionths: u32) -> Self {
        Self(f64::from(millionths.min(999_999)) / 1_000_000.0)
    }
}

impl TryFrom<f64> for SampleRand {
    type Error = InvalidSampleRandError;

    fn try_from(value: f64) -> Result<Self, InvalidSampleRandError> {
        if (0.0..1.0).contains(&value) {
            // `abs` takes the sign off a negative zero.
            Ok(Self(value.abs()))
        } else {
            Err(InvalidSampleRandError::OutOfRange)
        }
    }
}

impl fmt::Display for SampleRand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Formatting rounds, and 0.9999999 must not become 1.
        let number = self.0.min(0.999_999);
        // Below a million, and the nearest one.
        let millionths = (number * 1_000_000.0 + 0.5) as u32;
        if Self::from_millionths(millionths).0 != number {
            return write!(f, "{number:.6}");
        }
        // What has six decimals needs no rounding, which takes ten times as long.
        let mut text = *b"0.000000";
        put_digits(&mut text[2..], millionths);
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

impl FromStr for SampleRand {
    type Err = InvalidSampleRandError;

    fn from_str(text: &str) -> Result<Self, InvalidSampleRandError> {
        text.parse::<f64>()?.try_into()
    }
}

/// Why a number or text is not a [`SampleRand`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum InvalidSampleRandError {
    /// The text is not a number.
    InvalidFloat(ParseFloatError),
    /// The number is not in `[0, 1)`.
    OutOfRange,
}

impl fmt::Display for InvalidSampleRandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidFloat(_) => "the sample rand is not a number",
            Self::OutOfRange => "the sample rand is not in [0, 1)",
        })
    }
}

impl Error for InvalidSampleRandError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::InvalidFloat(cause) => Some(cause),
            Self::OutOfRange => None,
        }
    }
}

impl From<ParseFloatError> for InvalidSampleRandError {
    fn from(cause: ParseFloatError) -> Self {
        Self::InvalidFloat(cause)
    }
}

/// Values as text: written as text, read as text, number or truth value.
mod text {
    use std::fmt::{self, Display};
    use std::marker::PhantomData;
    use std::str::FromStr;

    use serde::{Deserializer, Serializer, de};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        deserializer.deserialize_any(Loose(PhantomData))
    }

    struct Loose<T>(PhantomData<T>);

    impl<T: FromStr<Err: Display>> Loose<T> {
        fn parse<E: de::Error>(text: &str) -> Result<Option<T>, E> {
            text.parse().map(Some).map_err(E::custom)
        }
    }

    impl<T: FromStr<Err: Display>> de::Visitor<'_> for Loose<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("text, a number or a truth value")
        }

        fn visit_str<E: de::Error>(self, value: &str) -> Result<Option<T>, E> {
            Self::parse(value)
        }

        fn visit_bool<E: de::Error>(self, value: bool) -> Result<Option<T>, E> {
            Self::parse(if value { "true" } else { "false" })
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<Option<T>, E> {
            Self::parse(&value.to_string())
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<Option<T>, E> {
            Self::parse(&value.to_string())
        }

        fn visit_f64<E: de::Error>(self, value: f64) -> Result<Option<T>, E> {
            Self::parse(&value.to_string())
        }

        fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DynamicSamplingContext, InvalidSampleRandError, SampleRand};

    #[test]
    fn a_sample_rand_is_below_one_and_stays_there() {
        assert_eq!(SampleRand::try_from(0.5).unwrap().to_string(), "0.500000");
        assert_eq!(SampleRand::try_from(0.999_999_9).unwrap().to_string(), "0.999999");
        assert_eq!(SampleRand::try_from(-0.0).unwrap().to_string(), "0.000000");
        for millionths in (0..1_000_000).step_by(37).chain([999_999]) {
            let rand = SampleRand::from_millionths(millionths);
            assert_eq!(rand.to_string(), format!("{:.6}", rand.0));
            let rand = SampleRand(rand.0.next_up());
            assert_eq!(rand.to_string(), format!("{:.6}", rand.0.min(0.999_999)));
        }
        for value in [1.0, -0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(SampleRand::try_from(value), Err(InvalidSampleRandError::OutOfRange));
        }
        assert!(matches!("half".parse::<SampleRand>(), Err(InvalidSampleRandError::InvalidFloat(_))));
    }

    #[test]
    fn a_context_is_text_on_the_wire() {
        let context = DynamicSamplingContext::new()
            .with_sample_rate(0.25)
            .with_sample_rand(0.5.try_into().unwrap())
            .with_sampled(false)
            .with_org_id(7.into());
        let json = r#"{"sample_rate":"0.25","sample_rand":"0.500000","sampled":"false","org_id":"7"}"#;
        assert_eq!(serde_json::to_string(&context).unwrap(), json);
        assert_eq!(serde_json::from_str::<DynamicSamplingContext>(json).unwrap(), context);
    }

    #[test]
    fn numbers_and_unknown_entries_are_read_too() {
        let json = r#"{"sample_rate":0.25,"sampled":true,"org_id":7,"sample_rand":null,"replay_id":"x"}"#;
        let context: DynamicSamplingContext = serde_json::from_str(json).unwrap();
        assert_eq!((context.sample_rate, context.sampled, context.org_id), (Some(0.25), Some(true), Some(7.into())));
        assert_eq!(context.sample_rand, None);
        assert_eq!(context.other["replay_id"], "x");
        assert!(serde_json::from_str::<DynamicSamplingContext>(r#"{"sampled":"maybe"}"#).is_err());
    }
}
