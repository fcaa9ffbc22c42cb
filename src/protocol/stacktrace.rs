//! Where it went wrong: frames, stack traces, threads.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Addr, RegVal, tolerant};

/// A call on the stack.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Frame {
    /// The name of the function, demangled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The name of the symbol, if it differs from the function's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// The module the function belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The package or library the function belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The source file, relative or shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// The source file with its full path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abs_path: Option<String>,
    /// The line in the source file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lineno: Option<u64>,
    /// The column in the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colno: Option<u64>,
    /// The source lines before.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "Vec::is_empty")]
    pub pre_context: Vec<String>,
    /// The source line itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_line: Option<String>,
    /// The source lines after.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "Vec::is_empty")]
    pub post_context: Vec<String>,
    /// Whether the function is the application's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_app: Option<bool>,
    /// The local variables.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<String, Value>,
    /// Where the image that holds the function was loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_addr: Option<Addr>,
    /// The address of the instruction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction_addr: Option<Addr>,
    /// Where the function starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol_addr: Option<Addr>,
    /// What the addresses are relative to: `abs`, or `rel:` and the index of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addr_mode: Option<String>,
}

/// The calls that were active, the outermost first.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Stacktrace {
    /// The calls, from the caller to the callee.
    #[serde(deserialize_with = "tolerant::items")]
    pub frames: Vec<Frame>,
    /// Which frames are missing: from this index up to that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames_omitted: Option<(u64, u64)>,
    /// The registers by name, as they were in the innermost call.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub registers: BTreeMap<String, RegVal>,
}

impl Stacktrace {
    /// Makes a stack trace from frames that start with the innermost call; `None` if there are no frames.
    pub fn from_frames_reversed(mut frames: Vec<Frame>) -> Option<Stacktrace> {
        if frames.is_empty() {
            return None;
        }
        frames.reverse();
        Some(Stacktrace { frames, ..Stacktrace::default() })
    }
}

/// A place in a template.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct TemplateInfo {
    /// The template file, relative or shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// The template file with its full path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abs_path: Option<String>,
    /// The line in the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lineno: Option<u64>,
    /// The column in the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colno: Option<u64>,
    /// The lines before.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "Vec::is_empty")]
    pub pre_context: Vec<String>,
    /// The line itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_line: Option<String>,
    /// The lines after.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "Vec::is_empty")]
    pub post_context: Vec<String>,
}

/// A thread of the program.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Thread {
    /// The thread's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ThreadId>,
    /// The thread's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the thread was doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stacktrace: Option<Stacktrace>,
    /// The stack trace before it was tidied up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_stacktrace: Option<Stacktrace>,
    /// Whether this thread made the program crash.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "is_false")]
    pub crashed: bool,
    /// Whether the event was captured on this thread.
    #[serde(deserialize_with = "tolerant::or_default", skip_serializing_if = "is_false")]
    pub current: bool,
}

/// What a thread is called by the system: a number or a text.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(untagged)]
pub enum ThreadId {
    /// A number.
    Int(u64),
    /// A text.
    String(String),
}

impl Default for ThreadId {
    fn default() -> ThreadId {
        ThreadId::Int(0)
    }
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ThreadId::Int(number) => number.fmt(f),
            ThreadId::String(text) => text.fmt(f),
        }
    }
}

impl<'a> From<&'a str> for ThreadId {
    fn from(text: &'a str) -> ThreadId {
        ThreadId::String(text.to_owned())
    }
}

impl From<String> for ThreadId {
    fn from(text: String) -> ThreadId {
        ThreadId::String(text)
    }
}

impl From<i64> for ThreadId {
    /// Keeps the bits of a negative number.
    fn from(number: i64) -> ThreadId {
        ThreadId::Int(number as u64)
    }
}

impl From<i32> for ThreadId {
    /// Keeps the bits of a negative number, sign-extended.
    fn from(number: i32) -> ThreadId {
        ThreadId::Int(number as u64)
    }
}

impl From<u32> for ThreadId {
    fn from(number: u32) -> ThreadId {
        ThreadId::Int(number.into())
    }
}

impl From<u16> for ThreadId {
    fn from(number: u16) -> ThreadId {
        ThreadId::Int(number.into())
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}
