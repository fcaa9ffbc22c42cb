//! What went wrong: exceptions and how they were caught.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{Stacktrace, ThreadId, tolerant};

/// An error, and where it happened.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Exception {
    /// The type of the error.
    #[serde(rename = "type", deserialize_with = "tolerant::or_default")]
    pub ty: String,
    /// What the error says.
    #[serde(deserialize_with = "tolerant::text", skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The module the error's type lives in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Where it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stacktrace: Option<Stacktrace>,
    /// The stack trace before it was tidied up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_stacktrace: Option<Stacktrace>,
    /// The thread on which it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<ThreadId>,
    /// How it was noticed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<Mechanism>,
}

/// How an exception was noticed.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Mechanism {
    /// The name of what noticed it, such as `panic` or `generic`.
    #[serde(rename = "type", deserialize_with = "tolerant::or_default")]
    pub ty: String,
    /// What the mechanism has to say, for humans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where to read about this kind of error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_link: Option<Url>,
    /// Whether the program dealt with the error; `false` if it crashed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handled: Option<bool>,
    /// Whether the exception was made up for the report, so that its type and value say little.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synthetic: Option<bool>,
    /// Whatever else is known.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, Value>,
    /// What the operating system said.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "MechanismMeta::is_empty")]
    pub meta: MechanismMeta,
}

/// What the operating system said about an exception.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct MechanismMeta {
    /// The code that the C library left behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errno: Option<CError>,
    /// The signal that was raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<PosixSignal>,
    /// The exception that the Mach kernel raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mach_exception: Option<MachException>,
}

impl MechanismMeta {
    fn is_empty(&self) -> bool {
        self.errno.is_none() && self.signal.is_none() && self.mach_exception.is_none()
    }
}

/// An error code of the C library.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct CError {
    /// The code.
    pub number: i32,
    /// Its name, such as `ENOENT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl From<i32> for CError {
    fn from(number: i32) -> CError {
        CError { number, name: None }
    }
}

impl From<CError> for i32 {
    fn from(error: CError) -> Self {
        error.number
    }
}

/// An exception of the Mach kernel.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct MachException {
    /// The number of the exception.
    pub exception: i32,
    /// The code, which depends on the exception.
    pub code: u64,
    /// The subcode, which depends on the code.
    pub subcode: u64,
    /// The exception's name, such as `EXC_BAD_ACCESS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A POSIX signal.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct PosixSignal {
    /// The number of the signal.
    pub number: i32,
    /// The signal's code, which says more about its cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal's name, such as `SIGSEGV`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The code's name, such as `SEGV_MAPERR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_name: Option<String>,
}

impl From<i32> for PosixSignal {
    fn from(number: i32) -> PosixSignal {
        PosixSignal { number, ..PosixSignal::default() }
    }
}

impl From<(i32, i32)> for PosixSignal {
    /// Takes the signal's number and its code.
    fn from((number, code): (i32, i32)) -> PosixSignal {
        PosixSignal { number, code: Some(code), ..PosixSignal::default() }
    }
}

impl From<PosixSignal> for i32 {
    fn from(signal: PosixSignal) -> Self {
        signal.number
    }
}
