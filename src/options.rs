//! What a client is configured with.

mod choices;

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use self::choices::{EventSamplingStrategy, MaxRequestBodySize, SessionMode, TracesSamplingStrategy};
use crate::diag::Diagnostics;
use crate::integration::Integration;
use crate::into_dsn::IntoDsn;
use crate::protocol::{Breadcrumb, Event, Log, Metric, OrganizationId};
use crate::trace::TransactionContext;
use crate::transport::TransportFactory;
use crate::types::Dsn;

/// A callback that may change an item or, with `None`, drop it.
///
/// It runs on the thread that captures, while nothing of the SDK is held: it may use hubs, scopes and clients freely. A
/// panic in it is caught; the item is dropped and counted.
pub type BeforeCallback<T> = Arc<dyn Fn(T) -> Option<T> + Send + Sync>;

/// The configuration of a client: plain fields, with a builder method for each.
///
/// ```
/// let options = vidette::ClientOptions::new()
///     .release("checkout@1.4.2")
///     .environment("staging")
///     .max_breadcrumbs(50);
/// assert_eq!(options.max_breadcrumbs, 50);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientOptions {
    /// Where events go. `None`: nothing is sent, and the client is disabled.
    pub dsn: Option<Dsn>,
    /// Whether the SDK says what it does, to [`diagnostics`](Self::diagnostics) or else to the standard error stream.
    pub debug: bool,
    /// Who is told what the SDK says about itself when [`debug`](Self::debug) is on.
    pub diagnostics: Option<Diagnostics>,
    /// The version of the application, such as `checkout@1.4.2`.
    pub release: Option<Cow<'static, str>>,
    /// Where the application runs, such as `production`.
    pub environment: Option<Cow<'static, str>>,
    /// Which share of events is kept.
    pub event_sampling_strategy: EventSamplingStrategy,
    /// Which share of transactions is sampled.
    pub traces_sampling_strategy: TracesSamplingStrategy,
    /// The organization, if it is not the one that the DSN's host names.
    pub org_id: Option<OrganizationId>,
    /// Whether a trace is continued only if the caller belongs to the same organization.
    ///
    /// Traces of a caller that names another organization are never continued; this is about those that name none.
    pub strict_trace_continuation: bool,
    /// How many breadcrumbs a scope remembers at most; 100 by default.
    pub max_breadcrumbs: usize,
    /// Whether events without a stack trace get the one of the capturing thread.
    pub attach_stacktrace: bool,
    /// Whether integrations may add data about persons, such as addresses of clients.
    pub send_default_pii: bool,
    /// The name of the machine.
    pub server_name: Option<Cow<'static, str>>,
    /// Module prefixes of frames that belong to the application.
    pub in_app_include: Vec<&'static str>,
    /// Module prefixes of frames that do not belong to the application.
    pub in_app_exclude: Vec<&'static str>,
    /// What adds to events or changes them, in the order in which it runs.
    pub integrations: Vec<Arc<dyn Integration>>,
    /// Whether [`init`](crate::init()) puts the integrations of the enabled features before those given.
    pub default_integrations: bool,
    /// Sees each event last, and may change or drop it.
    pub before_send: Option<BeforeCallback<Event<'static>>>,
    /// Sees each breadcrumb first, and may change or drop it.
    pub before_breadcrumb: Option<BeforeCallback<Breadcrumb>>,
    /// Sees each log last, and may change or drop it.
    pub before_send_log: Option<BeforeCallback<Log>>,
    /// Sees each metric last, and may change or drop it.
    pub before_send_metric: Option<BeforeCallback<Metric>>,
    /// What makes the transport. `None`: nothing is sent, and the client is disabled. [`init`](crate::init()) fills it in.
    pub transport: Option<Arc<dyn TransportFactory>>,
    /// How many items may wait for the sender; 1,000 if `None`. What comes while it is full is dropped and counted.
    pub transport_channel_capacity: Option<NonZeroUsize>,
    /// A proxy for `http` endpoints.
    pub http_proxy: Option<Cow<'static, str>>,
    /// A proxy for `https` endpoints.
    pub https_proxy: Option<Cow<'static, str>>,
    /// Whether any certificate of the server will do. For tests alone: whoever is on the way can read everything.
    pub accept_invalid_certs: bool,
    /// A PEM file with certificates of authorities to trust beside the usual ones.
    pub ca_certs: Option<PathBuf>,
    /// How large a request's body may be for integrations to add it to events; [`Medium`](MaxRequestBodySize::Medium) by default.
    pub max_request_body_size: MaxRequestBodySize,
    /// Whether integrations turn what they see into logs. Logs that are captured by hand are always sent.
    #[deprecated = "set what an integration turns into logs at the integration"]
    pub enable_logs: bool,
    /// Has no effect: metrics that are captured are sent.
    #[deprecated = "has no effect"]
    pub enable_metrics: bool,
    /// Whether [`init`](crate::init()) starts a session, and ends it when its guard is dropped. Only in
    /// [`SessionMode::Application`].
    pub auto_session_tracking: bool,
    /// What one session stands for; [`Application`](SessionMode::Application) by default.
    pub session_mode: SessionMode,
    /// How long `close` without a time, and dropping the last client, wait for what is queued; 2 seconds by default.
    pub shutdown_timeout: Duration,
    /// What the client calls itself towards the server.
    pub user_agent: Cow<'static, str>,
}

macro_rules! setters {
    ($( $(#[$doc:meta])* $name:ident: $ty:ty = |$value:ident| $make:expr; )*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $value: $ty) -> Self {
                self.$name = $make;
                self
            }
        )*
    };
}

macro_rules! text_setters {
    ($( $(#[$doc:meta])* $name:ident; )*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name<T: Into<Cow<'static, str>>>(mut self, $name: T) -> Self {
                self.$name = Some($name.into());
                self
            }
        )*
    };
}

impl ClientOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets where events go.
    ///
    /// # Panics
    /// If `dsn` is not a DSN, as the mirrored API does. Parse a [`Dsn`] and set the field to handle that as an error.
    #[must_use]
    #[expect(clippy::panic, reason = "the mirrored API promises it, and says so")]
    pub fn dsn(mut self, dsn: &str) -> Self {
        match dsn.into_dsn() {
            Ok(dsn) => self.dsn = dsn,
            Err(error) => panic!("invalid dsn: {error}"),
        }
        self
    }

    setters! {
        /// Sets whether the SDK says what it does.
        debug: bool = |debug| debug;
        /// Sets the organization.
        org_id: OrganizationId = |org_id| Some(org_id);
        /// Sets whether a trace is continued only if the caller belongs to the same organization.
        strict_trace_continuation: bool = |strict| strict;
        /// Sets how large a request's body may be for integrations to add it.
        max_request_body_size: MaxRequestBodySize = |size| size;
        /// Sets whether [`init`](crate::init()) starts a session.
        auto_session_tracking: bool = |track| track;
        /// Sets what one session stands for.
        session_mode: SessionMode = |mode| mode;
        /// Sets how many breadcrumbs a scope remembers.
        max_breadcrumbs: usize = |max_breadcrumbs| max_breadcrumbs;
        /// Sets whether events without a stack trace get one.
        attach_stacktrace: bool = |attach| attach;
        /// Sets whether integrations may add data about persons.
        send_default_pii: bool = |send| send;
        /// Sets whether [`init`](crate::init()) adds the integrations of the enabled features.
        default_integrations: bool = |default| default;
        /// Sets whether any certificate of the server will do.
        accept_invalid_certs: bool = |accept| accept;
        /// Sets how long closing waits for what is queued.
        shutdown_timeout: Duration = |timeout| timeout;
        /// Sets how many items may wait for the sender; zero means one.
        transport_channel_capacity: usize = |capacity| Some(NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN));
        /// Sets a PEM file with further authorities to trust.
        ca_certs: impl Into<PathBuf> = |path| Some(path.into());
    }

    text_setters! {
        /// Sets the version of the application.
        release;
        /// Sets where the application runs.
        environment;
        /// Sets the name of the machine.
        server_name;
        /// Sets a proxy for `http` endpoints.
        http_proxy;
        /// Sets a proxy for `https` endpoints.
        https_proxy;
    }

    /// Sets the version of the application, if there is one.
    #[must_use]
    pub fn maybe_release<T: Into<Cow<'static, str>>>(mut self, release: Option<T>) -> Self {
        self.release = release.map(Into::into);
        self
    }

    /// Sets what the client calls itself towards the server.
    #[must_use]
    pub fn user_agent<T: Into<Cow<'static, str>>>(mut self, user_agent: T) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Sets the share of events that is kept, from `0.0` to `1.0`.
    ///
    /// # Panics
    /// If `rate` lies outside, as the mirrored API does. Set
    /// [`event_sampling_strategy`](Self::event_sampling_strategy) to take any number: it is clamped, and NaN keeps all.
    #[must_use]
    #[expect(clippy::panic, reason = "the mirrored API promises it, and says so")]
    pub fn sample_rate(mut self, rate: f32) -> Self {
        if !(0.0..=1.0).contains(&rate) {
            panic!("sample rate {rate} is not between 0.0 and 1.0");
        }
        self.event_sampling_strategy = EventSamplingStrategy::FixedRate(rate);
        self
    }

    /// Sets the share of transactions that is sampled, from `0.0` to `1.0`.
    ///
    /// # Panics
    /// If `rate` lies outside, as the mirrored API does. Set
    /// [`traces_sampling_strategy`](Self::traces_sampling_strategy) to take any number: it is clamped, and NaN samples none.
    #[must_use]
    #[expect(clippy::panic, reason = "the mirrored API promises it, and says so")]
    pub fn traces_sample_rate(mut self, rate: f32) -> Self {
        if !(0.0..=1.0).contains(&rate) {
            panic!("traces sample rate {rate} is not between 0.0 and 1.0");
        }
        self.traces_sampling_strategy = TracesSamplingStrategy::FixedRate(rate);
        self
    }

    /// Sets a function that says with which probability a transaction is sampled.
    #[must_use]
    pub fn traces_sampler<F>(mut self, sampler: F) -> Self
    where
        F: Fn(&TransactionContext) -> f32 + Send + Sync + 'static,
    {
        self.traces_sampling_strategy = TracesSamplingStrategy::Function(Arc::new(sampler));
        self
    }

    /// Sets whether integrations turn what they see into logs.
    #[must_use]
    #[deprecated = "set what an integration turns into logs at the integration"]
    pub fn enable_logs(mut self, enable: bool) -> Self {
        #[expect(deprecated, reason = "its setter")]
        {
            self.enable_logs = enable;
        }
        self
    }

    /// Has no effect.
    #[must_use]
    #[deprecated = "has no effect"]
    pub fn enable_metrics(mut self, enable: bool) -> Self {
        #[expect(deprecated, reason = "its setter")]
        {
            self.enable_metrics = enable;
        }
        self
    }

    /// Adds an integration after those that are there.
    #[must_use]
    pub fn add_integration<I: Integration>(mut self, integration: I) -> Self {
        self.integrations.push(Arc::new(integration));
        self
    }

    /// Adds integrations after those that are there.
    #[must_use]
    pub fn integrations<I>(mut self, integrations: I) -> Self
    where
        I: IntoIterator<Item = Arc<dyn Integration>>,
    {
        self.integrations.extend(integrations);
        self
    }

    /// Adds module prefixes of frames that belong to the application.
    #[must_use]
    pub fn in_app_include<I: IntoIterator<Item = &'static str>>(mut self, prefixes: I) -> Self {
        self.in_app_include.extend(prefixes);
        self
    }

    /// Adds module prefixes of frames that do not belong to the application.
    #[must_use]
    pub fn in_app_exclude<I: IntoIterator<Item = &'static str>>(mut self, prefixes: I) -> Self {
        self.in_app_exclude.extend(prefixes);
        self
    }

    /// Sets what sees each event last.
    #[must_use]
    pub fn before_send<F>(mut self, callback: F) -> Self
    where
        F: Fn(Event<'static>) -> Option<Event<'static>> + Send + Sync + 'static,
    {
        self.before_send = Some(Arc::new(callback));
        self
    }

    /// Sets what sees each breadcrumb first.
    #[must_use]
    pub fn before_breadcrumb<F>(mut self, callback: F) -> Self
    where
        F: Fn(Breadcrumb) -> Option<Breadcrumb> + Send + Sync + 'static,
    {
        self.before_breadcrumb = Some(Arc::new(callback));
        self
    }

    /// Sets what sees each log last.
    #[must_use]
    pub fn before_send_log<F>(mut self, callback: F) -> Self
    where
        F: Fn(Log) -> Option<Log> + Send + Sync + 'static,
    {
        self.before_send_log = Some(Arc::new(callback));
        self
    }

    /// Sets what sees each metric last.
    #[must_use]
    pub fn before_send_metric<F>(mut self, callback: F) -> Self
    where
        F: Fn(Metric) -> Option<Metric> + Send + Sync + 'static,
    {
        self.before_send_metric = Some(Arc::new(callback));
        self
    }

    /// Sets what makes the transport.
    #[must_use]
    pub fn transport<T: TransportFactory + 'static>(mut self, factory: T) -> Self {
        self.transport = Some(Arc::new(factory));
        self
    }

    /// Sets who is told what the SDK says about itself when [`debug`](Self::debug) is on.
    ///
    /// The callback runs wherever there is something to say, even inside other callbacks. What it captures itself is
    /// ignored while it runs, so it can't call itself.
    #[must_use]
    pub fn diagnostics<F>(mut self, callback: F) -> Self
    where
        F: Fn(crate::Level, fmt::Arguments<'_>) + Send + Sync + 'static,
    {
        self.diagnostics = Some(Arc::new(callback));
        self
    }
}

impl Default for ClientOptions {
    #[expect(deprecated, reason = "a deprecated option has its default too")]
    fn default() -> Self {
        Self {
            dsn: None,
            debug: false,
            diagnostics: None,
            release: None,
            environment: None,
            event_sampling_strategy: EventSamplingStrategy::default(),
            traces_sampling_strategy: TracesSamplingStrategy::default(),
            org_id: None,
            strict_trace_continuation: false,
            max_breadcrumbs: 100,
            attach_stacktrace: false,
            send_default_pii: false,
            server_name: None,
            in_app_include: Vec::new(),
            in_app_exclude: Vec::new(),
            integrations: Vec::new(),
            default_integrations: true,
            before_send: None,
            before_breadcrumb: None,
            before_send_log: None,
            before_send_metric: None,
            transport: None,
            transport_channel_capacity: None,
            http_proxy: None,
            https_proxy: None,
            accept_invalid_certs: false,
            ca_certs: None,
            max_request_body_size: MaxRequestBodySize::Medium,
            enable_logs: true,
            enable_metrics: true,
            auto_session_tracking: false,
            session_mode: SessionMode::Application,
            shutdown_timeout: Duration::from_secs(2),
            user_agent: Cow::Borrowed(USER_AGENT),
        }
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let integrations: Vec<&str> = self.integrations.iter().map(|integration| integration.name()).collect();
        f.debug_struct("ClientOptions")
            .field("dsn", &self.dsn)
            .field("debug", &self.debug)
            .field("diagnostics", &self.diagnostics.is_some())
            .field("release", &self.release)
            .field("environment", &self.environment)
            .field("event_sampling_strategy", &self.event_sampling_strategy)
            .field("traces_sampling_strategy", &self.traces_sampling_strategy)
            .field("org_id", &self.org_id)
            .field("strict_trace_continuation", &self.strict_trace_continuation)
            .field("max_breadcrumbs", &self.max_breadcrumbs)
            .field("attach_stacktrace", &self.attach_stacktrace)
            .field("send_default_pii", &self.send_default_pii)
            .field("server_name", &self.server_name)
            .field("in_app_include", &self.in_app_include)
            .field("in_app_exclude", &self.in_app_exclude)
            .field("integrations", &integrations)
            .field("default_integrations", &self.default_integrations)
            .field("before_send", &self.before_send.is_some())
            .field("before_breadcrumb", &self.before_breadcrumb.is_some())
            .field("before_send_log", &self.before_send_log.is_some())
            .field("before_send_metric", &self.before_send_metric.is_some())
            .field("transport", &self.transport.is_some())
            .field("transport_channel_capacity", &self.transport_channel_capacity)
            .field("http_proxy", &self.http_proxy)
            .field("https_proxy", &self.https_proxy)
            .field("accept_invalid_certs", &self.accept_invalid_certs)
            .field("ca_certs", &self.ca_certs)
            .field("max_request_body_size", &self.max_request_body_size)
            .field("auto_session_tracking", &self.auto_session_tracking)
            .field("session_mode", &self.session_mode)
            .field("shutdown_timeout", &self.shutdown_timeout)
            .field("user_agent", &self.user_agent)
            .finish()
    }
}

impl<T: IntoDsn> From<(T, ClientOptions)> for ClientOptions {
    /// # Panics
    /// If the DSN is malformed, as the mirrored API does.
    #[expect(clippy::panic, reason = "the mirrored API promises it, and says so")]
    fn from((dsn, mut options): (T, ClientOptions)) -> Self {
        match dsn.into_dsn() {
            Ok(dsn) => options.dsn = dsn,
            Err(error) => panic!("invalid dsn: {error}"),
        }
        options
    }
}

impl<T: IntoDsn> From<T> for ClientOptions {
    /// # Panics
    /// If the DSN is malformed, as the mirrored API does.
    fn from(dsn: T) -> Self {
        (dsn, Self::default()).into()
    }
}

/// The name and version that this SDK gives itself.
const USER_AGENT: &str = concat!("vidette/", env!("CARGO_PKG_VERSION"));
