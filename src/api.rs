//! Free functions on the current hub.
//!
//! Each asks the process-wide gate first: while no client is open, it returns at once, and its closures do not run.

use std::error::Error;
use std::time::SystemTime;

use uuid::Uuid;

use crate::gate;
use crate::hub::current::with_current_if_active;
use crate::hub::{Hub, IntoBreadcrumbs, add_to_current, start_with_current};
use crate::integration::Integration;
use crate::protocol::{Event, Level};
use crate::scope::Scope;
use crate::trace::{Transaction, TransactionContext};

/// Captures an event with the current hub and returns its id; nil if it was dropped or no client is bound.
///
/// ```
/// use vidette::protocol::{Event, Level};
///
/// let id = vidette::capture_event(Event {
///     message: Some("the cache is cold".into()),
///     level: Level::Info,
///     ..Default::default()
/// });
/// assert!(id.is_nil(), "no client is bound");
/// ```
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn capture_event(event: Event<'static>) -> Uuid {
    if gate::is_open() { capture_event_by_current(event) } else { Uuid::nil() }
}

/// The rest of [`capture_event`], apart so that its first question is asked in line.
#[inline(never)]
fn capture_event_by_current(event: Event<'static>) -> Uuid {
    with_current_if_active(|hub| hub.capture_event(event))
}

/// Captures a message with the current hub.
///
/// ```
/// vidette::capture_message("the cache is cold", vidette::Level::Info);
/// ```
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn capture_message(message: &str, level: Level) -> Uuid {
    if gate::is_open() { capture_message_by_current(message, level) } else { Uuid::nil() }
}

/// The rest of [`capture_message`], apart so that its first question is asked in line. What it is given goes in registers: a
/// closure would be put together first.
#[inline(never)]
fn capture_message_by_current(message: &str, level: Level) -> Uuid {
    with_current_if_active(|hub| hub.capture_message(message, level))
}

/// Captures an error with the current hub: one exception for it and one for each of its sources.
///
/// ```
/// let error = "seven".parse::<i32>().unwrap_err();
/// vidette::capture_error(&error);
/// ```
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn capture_error<E: Error + ?Sized>(error: &E) -> Uuid {
    if gate::is_open() { capture_error_by_current(error) } else { Uuid::nil() }
}

/// The rest of [`capture_error`], apart so that its first question is asked in line.
#[inline(never)]
fn capture_error_by_current<E: Error + ?Sized>(error: &E) -> Uuid {
    with_current_if_active(|hub| hub.capture_error(error))
}

/// Adds breadcrumbs to the current hub; a closure runs only if a client is bound.
///
/// The [`breadcrumb!`](crate::breadcrumb!) macro does the same without allocating.
///
/// ```
/// use vidette::{Breadcrumb, add_breadcrumb};
///
/// add_breadcrumb(|| Breadcrumb { category: Some("cache".into()), message: Some("miss".into()), ..Default::default() });
/// ```
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn add_breadcrumb<B: IntoBreadcrumbs>(breadcrumbs: B) {
    add_to_current(breadcrumbs);
}

/// Changes the scope on top of the current hub. Without an open client the closure does not run.
///
/// ```
/// vidette::configure_scope(|scope| scope.set_tag("shard", 7));
/// ```
#[inline]
pub fn configure_scope<F, R>(change: F) -> R
where
    F: FnOnce(&mut Scope) -> R,
    R: Default,
{
    if gate::is_open() { configure_current(change) } else { R::default() }
}

/// The rest of [`configure_scope`], apart so that its first question is asked in line.
#[inline(never)]
fn configure_current<F, R>(change: F) -> R
where
    F: FnOnce(&mut Scope) -> R,
    R: Default,
{
    Hub::current().configure_if_active(change)
}

/// Runs `callback` under a scope of its own, which `configure` sets up. Without a client, only `callback` runs.
///
/// ```
/// let answer = vidette::with_scope(|scope| scope.set_tag("step", "parse"), || 42);
/// assert_eq!(answer, 42);
/// ```
#[inline]
pub fn with_scope<C, F, R>(configure: C, callback: F) -> R
where
    C: FnOnce(&mut Scope),
    F: FnOnce() -> R,
{
    if gate::is_open() {
        let hub = Hub::current();
        if hub.has_client() {
            return hub.with_scope_if_active(configure, callback);
        }
    }
    callback()
}

/// Calls `callback` with an integration of the current client, found by its type, and the current hub.
///
/// Without an open client, or without such an integration, the callback does not run and the default is returned.
///
/// ```
/// use vidette::{Integration, with_integration};
///
/// struct Part(usize);
/// impl Integration for Part {}
///
/// assert_eq!(with_integration(|part: &Part, _| part.0), 0, "no client is bound");
/// ```
#[inline]
pub fn with_integration<I, F, R>(callback: F) -> R
where
    I: Integration,
    F: FnOnce(&I, &Hub) -> R,
    R: Default,
{
    Hub::with_active(|hub| hub.with_integration(|integration| callback(integration, hub)))
}

/// The id of the last event that the current hub captured and did not drop.
#[must_use]
pub fn last_event_id() -> Option<Uuid> {
    Hub::with_active(|hub| hub.last_event_id())
}

/// Starts a transaction with the current hub. Without an open client nothing is recorded, but the trace is passed on.
///
/// ```
/// use vidette::{TransactionContext, configure_scope, start_transaction};
///
/// let transaction = start_transaction(TransactionContext::new("GET /cart", "http.server"));
/// // From here on, events belong to the transaction.
/// configure_scope(|scope| scope.set_span(Some(transaction.clone().into())));
/// transaction.finish();
/// ```
pub fn start_transaction(context: TransactionContext) -> Transaction {
    start_with_current(context, None)
}

/// Starts a transaction as [`start_transaction`] does, at the given time.
pub fn start_transaction_with_timestamp(context: TransactionContext, timestamp: SystemTime) -> Transaction {
    start_with_current(context, Some(timestamp))
}
