//! Structured logs: from a macro or a [`Log`] to a record on its way.
//!
//! ```text
//!  logger_*! ─► Writer ─► Record ─┐
//!  capture_log(Log) ────► Record ─┴─► client's lane ─► sender: defaults, JSON
//! ```
//! # Guarantees
//! Nothing of a macro's arguments is evaluated unless a client is bound to the current hub. A record borrows the text of
//! its call site, and takes from the scope only pointers.

mod macros;
pub(crate) mod record;

pub(crate) use self::record::Record;
pub use self::record::{Body, Site, Writer};
use crate::attributes::{Context, user_attributes};
use crate::gate;
use crate::hub::Hub;
use crate::hub::bound::{Backend, Bound};
use crate::hub::current::{current_has_client, look_at_current};
use crate::offer::Left;
use crate::protocol::Log;
use crate::protocol::log::PARENT_SPAN_ID;
use crate::scope::Scope;

impl Hub {
    /// Captures a structured log with the scope on top.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use vidette::Hub;
    /// use vidette::protocol::{Log, LogLevel};
    ///
    /// Hub::current().capture_log(Log {
    ///     level: LogLevel::Info,
    ///     body: "the cache is cold".into(),
    ///     trace_id: None,
    ///     timestamp: SystemTime::now(),
    ///     severity_number: None,
    ///     attributes: [("shard".to_owned(), 7.into())].into(),
    /// });
    /// ```
    pub fn capture_log(&self, log: Log) {
        let mut record = Some(Record::of_log(log));
        let left = self.look(|client, scope| offer(&mut record, client, Context::of(scope, client.options())));
        finish(&mut record, left.flatten());
    }
}

impl Scope {
    /// Fills a log with the trace, the active span and the user of this scope. What the log has itself stays.
    pub fn apply_to_log(&self, log: &mut Log) {
        let (trace_id, span_id) = self.active_trace();
        log.trace_id.get_or_insert(trace_id);
        if let Some(id) = span_id {
            log.attributes.entry(PARENT_SPAN_ID.to_owned()).or_insert_with(|| id.to_string().into());
        }
        for (name, value) in self.user().into_iter().flat_map(user_attributes) {
            log.attributes.entry(name.to_owned()).or_insert(value);
        }
    }
}

/// True if a log written now would be looked at: a client is bound to the current hub.
#[doc(hidden)]
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
#[must_use]
pub fn is_logging() -> bool {
    gate::is_open() && is_bound()
}

/// The rest of [`is_logging`], apart so that its first question is asked in line.
#[inline(never)]
fn is_bound() -> bool {
    current_has_client()
}

/// Sends a record that a macro has written on its way.
fn capture(record: &mut Option<Record>) {
    let left = look_at_current(|client, scope| offer(record, client, Context::of(scope, client.options())));
    finish(record, left.flatten());
}

/// Sends a record on its way, as far as that runs no code of the host.
#[inline]
fn offer(record: &mut Option<Record>, client: &Bound, context: Context) -> Option<(Left, Bound)> {
    if let Some(record) = record {
        record.take_along(context);
    }
    let left = client.offer_log(record)?;
    // Not `client.clone()`: where there are no clients, nothing could come after it.
    Some(client).cloned().map(|client| (left, client))
}

/// Does what was left.
fn finish(record: &mut Option<Record>, left: Option<(Left, Bound)>) {
    if let Some((left, client)) = left {
        client.finish_log(left, record.take());
    }
}
