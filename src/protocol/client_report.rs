//! What a client had to drop, and why.

use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::time::seconds;
use crate::types::IndexedEnum;

pub use super::losses::LossSource;

macro_rules! named {
    ($(#[$meta:meta])* $enum:ident { $($(#[doc = $doc:literal])* $name:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum $enum {
            $($(#[doc = $doc])* $name,)*
        }

        impl IndexedEnum for $enum {
            const VARIANTS: &'static [Self] = &[$(Self::$name),*];

            fn as_index(&self) -> usize {
                *self as usize
            }
        }

        impl crate::types::indexed_enum::Sealed for $enum {}

        impl Name for $enum {
            fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            fn known(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$name),)*
                    _ => None,
                }
            }
        }

        impl Serialize for $enum {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> Deserialize<'de> for $enum {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::known(&name).ok_or_else(|| serde::de::Error::unknown_variant(&name, &[$($text),*]))
            }
        }
    };
}

named! {
    /// What was lost: the category under which the server counts it.
    Category {
        /// Error events, and messages.
        Error = "error",
        /// Updates and counts of sessions.
        Session = "session",
        /// Transactions.
        Transaction = "transaction",
        /// Attachments, counted in bytes.
        Attachment = "attachment",
        /// Check-ins.
        Monitor = "monitor",
        /// Spans, those inside transactions included.
        Span = "span",
        /// Logs.
        LogItem = "log_item",
        /// Logs, counted in bytes.
        LogByte = "log_byte",
        /// Metrics.
        TraceMetric = "trace_metric",
        /// Metrics, counted in bytes.
        TraceMetricByte = "trace_metric_byte",
    }
}

named! {
    /// Why it was lost.
    Reason {
        /// A queue was full.
        QueueOverflow = "queue_overflow",
        /// The cache on disk was full.
        CacheOverflow = "cache_overflow",
        /// A buffer was full.
        BufferOverflow = "buffer_overflow",
        /// The server had asked for a pause.
        RatelimitBackoff = "ratelimit_backoff",
        /// The server could not be reached.
        NetworkError = "network_error",
        /// Sampling chose so.
        SampleRate = "sample_rate",
        /// A `before_send` callback chose so, or panicked.
        BeforeSend = "before_send",
        /// An event processor chose so, or panicked.
        EventProcessor = "event_processor",
        /// The server refused it.
        SendError = "send_error",
        /// This crate failed.
        InternalSdkError = "internal_sdk_error",
        /// Too little was known for it to be of use.
        InsufficientData = "insufficient_data",
        /// The rate was lowered because the client could not keep up.
        Backpressure = "backpressure",
        /// An option says it is of no interest.
        Ignored = "ignored",
        /// It was not as the protocol wants it.
        Invalid = "invalid",
    }
}

/// How much of one category was lost for one reason.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Item {
    reason: Reason,
    category: Category,
    quantity: u64,
}

impl Item {
    /// Builds an entry.
    pub fn new(category: Category, reason: Reason, quantity: u64) -> Self {
        Self { reason, category, quantity }
    }
}

/// An entry of a report. One whose category or reason has no name here keeps the text and is written as it was read.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Entry {
    reason: Named<Reason>,
    category: Named<Category>,
    quantity: u64,
}

impl Entry {
    /// Returns the loss, unless its category has no name here.
    fn loss(&self) -> Option<ItemLoss> {
        let Named::Known(category) = self.category else {
            return None;
        };
        let reason = match self.reason {
            Named::Known(reason) => Some(reason),
            Named::Other(_) => None,
        };
        Some(ItemLoss { category, quantity: self.quantity, reason })
    }
}

impl From<Item> for Entry {
    fn from(item: Item) -> Self {
        Self { reason: Named::Known(item.reason), category: Named::Known(item.category), quantity: item.quantity }
    }
}

/// What a client had to drop since its last report.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Report {
    #[serde(with = "seconds")]
    timestamp: SystemTime,
    #[serde(default)]
    discarded_events: Vec<Entry>,
}

impl Report {
    /// Builds a report of now.
    ///
    /// # Examples
    ///
    /// ```
    /// use vidette::protocol::ClientReport;
    /// use vidette::protocol::client_report::{Category, Item, Reason};
    ///
    /// let report = ClientReport::new([Item::new(Category::Error, Reason::QueueOverflow, 3)]);
    /// assert!(serde_json::to_string(&report).unwrap().contains("queue_overflow"));
    /// ```
    pub fn new<I>(items: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Item>,
    {
        let entries = items.into_iter().map(|item| Entry::from(item.into()));
        Self { timestamp: SystemTime::now(), discarded_events: entries.collect() }
    }

    /// Returns what was lost, as far as its category has a name here.
    pub(crate) fn known_losses(&self) -> impl Iterator<Item = ItemLoss> {
        self.discarded_events.iter().filter_map(Entry::loss)
    }
}

/// What is lost when something is dropped.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct ItemLoss {
    /// The category under which it counts.
    pub category: Category,
    /// How much: bytes for the categories that count bytes, else pieces.
    pub quantity: u64,
    /// Why, when that is known already: a client report that is lost tells of older losses.
    pub reason: Option<Reason>,
}

impl ItemLoss {
    /// Builds a loss whose reason the one who drops knows.
    pub(crate) fn new(category: Category, quantity: u64) -> Self {
        Self { category, quantity, reason: None }
    }
}

impl From<Item> for ItemLoss {
    fn from(item: Item) -> Self {
        Self { category: item.category, quantity: item.quantity, reason: Some(item.reason) }
    }
}

/// A closed set of names.
trait Name: Copy {
    fn name(self) -> &'static str;
    fn known(name: &str) -> Option<Self>;
}

/// A name of the set, or another.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Named<T> {
    Known(T),
    Other(Box<str>),
}

impl<'de, T: Name> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(T::known(&name).map_or_else(|| Self::Other(name.into()), Self::Known))
    }
}

impl<T: Name> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Known(name) => name.name(),
            Self::Other(name) => name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Category, Item, ItemLoss, LossSource, Reason, Report};
    use crate::types::IndexedEnum;

    #[test]
    fn every_variant_stands_at_its_index() {
        for (index, category) in Category::VARIANTS.iter().enumerate() {
            assert_eq!(category.as_index(), index);
        }
        for (index, reason) in Reason::VARIANTS.iter().enumerate() {
            assert_eq!(reason.as_index(), index);
        }
    }

    #[test]
    fn an_unknown_name_is_kept_and_counts_for_nothing() {
        let json = r#"{"timestamp":1.5,"discarded_events":[{"reason":"boredom","category":"error","quantity":2},{"reason":"send_error","category":"poem","quantity":3}]}"#;
        let report: Report = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_value(&report).unwrap(), serde_json::from_str::<serde_json::Value>(json).unwrap());
        let losses: Vec<_> = report.losses().collect();
        assert_eq!(losses, [ItemLoss::new(Category::Error, 2)]);
    }

    #[test]
    fn a_lost_report_gives_its_losses_back_with_their_reasons() {
        let report = Report::new([Item::new(Category::LogByte, Reason::BeforeSend, 9)]);
        let loss = report.losses().next().unwrap();
        assert_eq!((loss.category, loss.quantity, loss.reason), (Category::LogByte, 9, Some(Reason::BeforeSend)));
    }
}
