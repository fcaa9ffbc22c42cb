//! Starting with one call, and ending with a guard.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::client::Client;
use crate::diag;
use crate::hub::bound::HAS_SESSIONS;
use crate::hub::{Hub, current};
use crate::integration;
use crate::into_dsn::IntoDsn;
use crate::options::{ClientOptions, EventSamplingStrategy, SessionMode, TracesSamplingStrategy};
use crate::protocol::{Level, SessionStatus};
use crate::transport;

/// Ends the session and closes the client when dropped, and waits up to its shutdown timeout for what is queued.
#[must_use = "the client is closed when the guard is dropped"]
pub struct ClientInitGuard(Arc<Client>);

impl ClientInitGuard {
    /// True if the client has a DSN and a transport.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.0.is_enabled()
    }
}

impl Deref for ClientInitGuard {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

impl Drop for ClientInitGuard {
    fn drop(&mut self) {
        for hub in [Hub::current(), Hub::main()] {
            if hub.client().is_some_and(|client| Arc::ptr_eq(&client, &self.0)) {
                hub.finish_session(SessionStatus::Exited);
            }
        }
        self.0.close(None);
    }
}

impl fmt::Debug for ClientInitGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientInitGuard").field(&self.0).finish()
    }
}

/// Makes a client, binds it to the current hub, and makes that the main one, from which new threads start.
///
/// What the options leave open is taken from the environment: `SENTRY_DSN`, `SENTRY_RELEASE`, `SENTRY_ENVIRONMENT`,
/// `SENTRY_SAMPLE_RATE` and `SENTRY_TRACES_SAMPLE_RATE`; a value that can't be read is ignored and said so in the diagnostics. Without a transport, the
/// HTTP transport is used, and unless [`default_integrations`](ClientOptions::default_integrations) is off, the
/// integrations of the enabled features are added. With [`auto_session_tracking`](ClientOptions::auto_session_tracking) and in
/// [`SessionMode::Application`], a session starts, which ends when the guard is dropped.
///
/// ```
/// let _guard = vidette::init(("https://key@sentry.example/1", vidette::ClientOptions::new().release("shop@1.0")));
/// vidette::configure_scope(|scope| scope.set_tag("shard", 7));
/// ```
///
/// # Panics
/// If the DSN given is text and malformed, as the mirrored API does. A malformed `SENTRY_DSN` only disables the client.
pub fn init<O: Into<ClientOptions>>(options: O) -> ClientInitGuard {
    let client = Arc::new(Client::with_options(with_defaults(options.into(), |name| std::env::var(name).ok())));
    let hub = current::make_current_main();
    hub.bind_client(Some(Arc::clone(&client)));
    let options = client.options();
    if HAS_SESSIONS && options.auto_session_tracking && options.session_mode == SessionMode::Application {
        hub.begin_session();
    }
    ClientInitGuard(client)
}

/// Fills in what the options leave open.
fn with_defaults(mut options: ClientOptions, env: impl Fn(&str) -> Option<String>) -> ClientOptions {
    if options.transport.is_none() {
        options.transport = transport::default_factory();
    }
    if options.dsn.is_none()
        && let Some(text) = env("SENTRY_DSN")
    {
        match text.into_dsn() {
            Ok(dsn) => options.dsn = dsn,
            Err(error) => diag::say(&options, Level::Error, format_args!("SENTRY_DSN is ignored: {error}")),
        }
    }
    if options.event_sampling_strategy == EventSamplingStrategy::default()
        && let Some(rate) = rate_from(&env, "SENTRY_SAMPLE_RATE", &options)
    {
        options.event_sampling_strategy = EventSamplingStrategy::FixedRate(rate);
    }
    if matches!(options.traces_sampling_strategy, TracesSamplingStrategy::Disabled)
        && let Some(rate) = rate_from(&env, "SENTRY_TRACES_SAMPLE_RATE", &options)
    {
        options.traces_sampling_strategy = TracesSamplingStrategy::FixedRate(rate);
    }
    if options.release.is_none() {
        options.release = env("SENTRY_RELEASE").map(Cow::Owned);
    }
    if options.environment.is_none() {
        let by_build = if cfg!(debug_assertions) { "development" } else { "production" };
        options.environment = Some(env("SENTRY_ENVIRONMENT").map_or(Cow::Borrowed(by_build), Cow::Owned));
    }
    if options.default_integrations {
        let own = std::mem::take(&mut options.integrations);
        options.integrations = integration::with_defaults(own);
    }
    options
}

/// A share that a variable gives, if it is one.
fn rate_from(env: impl Fn(&str) -> Option<String>, name: &str, options: &ClientOptions) -> Option<f32> {
    let text = env(name)?;
    match text.parse() {
        Ok(rate @ 0.0..=1.0) => Some(rate),
        _ => {
            diag::say(options, Level::Error, format_args!("{name} is not between 0.0 and 1.0: {text}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        let value = match name {
            "SENTRY_DSN" => "https://env@sentry.example/2",
            "SENTRY_RELEASE" => "env@1",
            "SENTRY_ENVIRONMENT" => "from-env",
            "SENTRY_SAMPLE_RATE" => "0.25",
            "SENTRY_TRACES_SAMPLE_RATE" => "0.125",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn the_environment_fills_what_the_options_leave_open() {
        let options = with_defaults(ClientOptions::new(), env);
        assert_eq!(options.dsn.unwrap().public_key(), "env");
        assert_eq!(options.release.as_deref(), Some("env@1"));
        assert_eq!(options.environment.as_deref(), Some("from-env"));
        assert_eq!(options.event_sampling_strategy, EventSamplingStrategy::FixedRate(0.25));
        assert!(matches!(options.traces_sampling_strategy, TracesSamplingStrategy::FixedRate(0.125)));
    }

    #[test]
    fn the_options_win_over_the_environment() {
        let options = ClientOptions::new()
            .dsn("https://own@sentry.example/1")
            .release("own@1")
            .environment("own")
            .sample_rate(0.5)
            .traces_sample_rate(0.0);
        let options = with_defaults(options, env);
        assert_eq!(options.dsn.unwrap().public_key(), "own");
        assert_eq!(options.release.as_deref(), Some("own@1"));
        assert_eq!(options.environment.as_deref(), Some("own"));
        assert_eq!(options.event_sampling_strategy, EventSamplingStrategy::FixedRate(0.5));
        assert!(matches!(options.traces_sampling_strategy, TracesSamplingStrategy::FixedRate(0.0)));
    }

    #[test]
    fn what_the_environment_says_wrongly_is_ignored_and_told() {
        let told = Arc::new(std::sync::Mutex::new(Vec::new()));
        let listener = Arc::clone(&told);
        let options = ClientOptions::new()
            .debug(true)
            .diagnostics(move |_, message| listener.lock().unwrap().push(message.to_string()));
        let options = with_defaults(options, |_| Some("wrong".to_owned()));
        assert!(options.dsn.is_none());
        assert_eq!(options.event_sampling_strategy, EventSamplingStrategy::default());
        let told = told.lock().unwrap();
        for (told, name) in told.iter().zip(["SENTRY_DSN", "SENTRY_SAMPLE_RATE", "SENTRY_TRACES_SAMPLE_RATE"]) {
            assert!(told.contains(name), "{told}");
        }
        assert_eq!(told.len(), 3);
    }
}
