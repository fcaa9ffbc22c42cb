//! Units of measurement.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! units {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal,)*) => {
        /// What a metric's value is measured in.
        #[derive(Clone, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum Unit {
            $($(#[doc = $doc])* $name,)*
            /// A unit the protocol has no name for.
            Other(Cow<'static, str>),
        }

        impl Unit {
            /// Returns the name on the wire.
            fn name(&self) -> &str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other(name) => name,
                }
            }

            fn known(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

units! {
    /// 10⁻⁹ seconds.
    Nanosecond = "nanosecond",
    /// 10⁻⁶ seconds.
    Microsecond = "microsecond",
    /// 10⁻³ seconds.
    Millisecond = "millisecond",
    /// One second.
    Second = "second",
    /// 60 seconds.
    Minute = "minute",
    /// 60 minutes.
    Hour = "hour",
    /// 24 hours.
    Day = "day",
    /// 7 days.
    Week = "week",
    /// One bit.
    Bit = "bit",
    /// 8 bits.
    Byte = "byte",
    /// 10³ bytes.
    Kilobyte = "kilobyte",
    /// 2¹⁰ bytes.
    Kibibyte = "kibibyte",
    /// 10⁶ bytes.
    Megabyte = "megabyte",
    /// 2²⁰ bytes.
    Mebibyte = "mebibyte",
    /// 10⁹ bytes.
    Gigabyte = "gigabyte",
    /// 2³⁰ bytes.
    Gibibyte = "gibibyte",
    /// 10¹² bytes.
    Terabyte = "terabyte",
    /// 2⁴⁰ bytes.
    Tebibyte = "tebibyte",
    /// 10¹⁵ bytes.
    Petabyte = "petabyte",
    /// 2⁵⁰ bytes.
    Pebibyte = "pebibyte",
    /// 10¹⁸ bytes.
    Exabyte = "exabyte",
    /// 2⁶⁰ bytes.
    Exbibyte = "exbibyte",
    /// A part of a whole, 1 being all of it.
    Ratio = "ratio",
    /// A part of a whole, 100 being all of it.
    Percent = "percent",
}

impl From<Cow<'static, str>> for Unit {
    fn from(name: Cow<'static, str>) -> Self {
        Self::known(&name).unwrap_or(Self::Other(name))
    }
}

impl From<&'static str> for Unit {
    fn from(name: &'static str) -> Self {
        Cow::Borrowed(name).into()
    }
}

impl From<String> for Unit {
    fn from(name: String) -> Self {
        Cow::<'static, str>::Owned(name).into()
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn a_known_name_is_a_unit_of_its_own() {
        assert_eq!(Unit::from("millisecond"), Unit::Millisecond);
        assert_eq!(Unit::from(String::from("exbibyte")), Unit::Exbibyte);
        assert_eq!(serde_json::to_string(&Unit::Percent).unwrap(), "\"percent\"");
    }

    #[test]
    fn an_unknown_name_is_kept() {
        let unit: Unit = serde_json::from_str("\"furlong\"").unwrap();
        assert_eq!(unit, Unit::Other("furlong".into()));
        assert_eq!(serde_json::to_string(&unit).unwrap(), "\"furlong\"");
    }
}
