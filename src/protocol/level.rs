//! How severe an event or a breadcrumb is.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::tolerant;

/// How severe an event or a breadcrumb is, from harmless to deadly.
///
/// Levels are ordered: `Level::Debug < Level::Fatal`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// Noise that helps while debugging.
    Debug,
    /// Something worth knowing.
    #[default]
    Info,
    /// Something odd that did no harm.
    Warning,
    /// Something failed. The level of an event that names none.
    Error,
    /// The program could not go on.
    Fatal,
}

impl Level {
    /// Tells whether this is [`Level::Debug`].
    pub fn is_debug(&self) -> bool {
        *self == Level::Debug
    }

    /// Tells whether this is [`Level::Info`].
    pub fn is_info(&self) -> bool {
        *self == Level::Info
    }

    /// Tells whether this is [`Level::Warning`].
    pub fn is_warning(&self) -> bool {
        *self == Level::Warning
    }

    /// Tells whether this is [`Level::Error`].
    pub fn is_error(&self) -> bool {
        *self == Level::Error
    }

    /// Tells whether this is [`Level::Fatal`].
    pub fn is_fatal(&self) -> bool {
        *self == Level::Fatal
    }

    fn as_str(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Fatal => "fatal",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = ParseLevelError;

    /// Reads a level's name in any case, or a name that other SDKs use for it: `trace`, `log`, `warn`, `critical`.
    fn from_str(text: &str) -> Result<Level, ParseLevelError> {
        NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|&(_, level)| level).ok_or(ParseLevelError)
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
        tolerant::parsed(deserializer)
    }
}

/// A text that is not the name of a [`Level`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ParseLevelError;

impl fmt::Display for ParseLevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid level")
    }
}

impl Error for ParseLevelError {}

const NAMES: [(&str, Level); 9] = [
    ("debug", Level::Debug),
    ("info", Level::Info),
    ("warning", Level::Warning),
    ("error", Level::Error),
    ("fatal", Level::Fatal),
    ("trace", Level::Debug),
    ("log", Level::Info),
    ("warn", Level::Warning),
    ("critical", Level::Fatal),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_reads_back_what_it_writes() {
        for level in [Level::Debug, Level::Info, Level::Warning, Level::Error, Level::Fatal] {
            let json = serde_json::to_string(&level).unwrap();
            assert_eq!(json, format!("\"{level}\""));
            assert_eq!(serde_json::from_str::<Level>(&json).unwrap(), level);
        }
    }

    #[test]
    fn names_of_other_sdks_are_understood_in_any_case() {
        assert_eq!("log".parse(), Ok(Level::Info));
        assert_eq!("warn".parse(), Ok(Level::Warning));
        assert_eq!("CRITICAL".parse(), Ok(Level::Fatal));
        assert_eq!("Error".parse(), Ok(Level::Error));
        assert_eq!("".parse::<Level>(), Err(ParseLevelError));
        assert_eq!("loud".parse::<Level>(), Err(ParseLevelError));
    }

    #[test]
    fn levels_are_ordered_by_severity() {
        assert!(Level::Debug < Level::Info && Level::Warning < Level::Error);
        assert!(Level::Error < Level::Fatal);
    }
}
