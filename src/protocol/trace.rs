//! What services tell each other about a trace.

use std::error::Error;
use std::fmt;
use std::num::{ParseFloatError, ParseIntError};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
/// Six decimals travel; more are cut off, so that no value rounds up to 1.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "f64")]
pub struct SampleRand(f64);

impl TryFrom<f64> for SampleRand {
    type Error = InvalidSampleRandError;

    fn try_from(value: f64) -> Result<Self, InvalidSampleRandError> {
        if (0.0..1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(InvalidSampleRandError::OutOfRange)
        }
    }
}

impl fmt::Display for SampleRand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Formatting rounds, and 0.9999999 must not become 1.
        write!(f, "{:.6}", self.0.min(0.999_999))
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
