//! What logs and metrics say beyond what they were given: the trace and the user of the scope, the client's defaults.
//!
//! A capture takes a [`Context`] along, which is a few pointers. The rest is put together when the item is written, or
//! when a callback wants to see it.

use std::sync::Arc;

use crate::options::ClientOptions;
use crate::protocol::{ClientSdkInfo, LogAttribute, OsContext, SpanId, TraceId, User, Value};
use crate::scope::Scope;

/// What an item takes along from the scope it is captured under.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) span_id: Option<SpanId>,
    pub(crate) user: Option<Arc<User>>,
}

impl Context {
    /// Takes what a scope has; the user only if the options allow data about persons.
    #[inline]
    pub(crate) fn of(scope: &Scope, options: &ClientOptions) -> Self {
        let (trace_id, span_id) = scope.active_trace();
        let user = if options.send_default_pii { scope.shared_user() } else { None };
        Self { trace_id: Some(trace_id), span_id, user }
    }

    /// Shows the attributes that tell of the user.
    pub(crate) fn user_attributes(&self) -> impl Iterator<Item = (&'static str, LogAttribute)> + '_ {
        self.user.iter().flat_map(|user| user_attributes(user))
    }
}

/// The attributes that tell of a user.
pub(crate) fn user_attributes(user: &User) -> impl Iterator<Item = (&'static str, LogAttribute)> + '_ {
    let parts = [("user.id", &user.id), ("user.name", &user.username), ("user.email", &user.email)];
    parts.into_iter().filter_map(|(name, part)| Some((name, part.as_deref()?.into())))
}

/// What every log and metric of a client says, unless it says otherwise itself.
#[derive(Debug)]
pub(crate) struct Defaults {
    common: Vec<(&'static str, LogAttribute)>,
    system: Vec<(&'static str, LogAttribute)>,
}

impl Defaults {
    pub(crate) fn new(options: &ClientOptions, sdk: &ClientSdkInfo, os: Option<&OsContext>) -> Self {
        let common = [
            ("sentry.environment", options.environment.as_deref()),
            ("sentry.release", options.release.as_deref()),
            ("sentry.sdk.name", Some(&*sdk.name)),
            ("sentry.sdk.version", Some(&*sdk.version)),
            ("server.address", options.server_name.as_deref()),
        ];
        let system = [
            ("os.name", os.and_then(|os| os.name.as_deref())),
            ("os.version", os.and_then(|os| os.version.as_deref())),
        ];
        Self { common: known(&common), system: known(&system) }
    }

    /// What metrics say.
    pub(crate) fn of_metrics(&self) -> impl Iterator<Item = &(&'static str, LogAttribute)> {
        self.common.iter()
    }

    /// What logs say.
    pub(crate) fn of_logs(&self) -> impl Iterator<Item = &(&'static str, LogAttribute)> {
        self.common.iter().chain(&self.system)
    }
}

fn known(pairs: &[(&'static str, Option<&str>)]) -> Vec<(&'static str, LogAttribute)> {
    pairs.iter().filter_map(|(name, value)| Some((*name, (*value)?.into()))).collect()
}

/// Roughly how many bytes of heap a value keeps alive.
pub(crate) fn weight_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(|value| size_of::<Value>() + weight_of(value)).sum(),
        Value::Object(values) => values.iter().map(|(name, value)| 64 + name.len() + weight_of(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
