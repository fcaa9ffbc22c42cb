//! Every kind of telemetry that travels in batches in this build, as one table.
//!
//! A new kind is a line in each of the two parts of the table, and a file of its own beside this one.

#[cfg(feature = "logs")]
mod logs;
#[cfg(feature = "metrics")]
mod metrics;

#[cfg(any(feature = "logs", feature = "metrics"))]
use std::sync::OnceLock;

#[cfg(any(feature = "logs", feature = "metrics"))]
use super::batch::Batch;
use super::batch::Lane;
#[cfg(any(feature = "logs", feature = "metrics"))]
use crate::{
    attributes::Defaults,
    callback,
    protocol::{Context, Event, OsContext},
};

/// One lane for each kind.
#[derive(Debug)]
pub(crate) struct Lanes {
    #[cfg(feature = "logs")]
    pub(crate) logs: Batch<crate::logs::Record>,
    #[cfg(feature = "metrics")]
    pub(crate) metrics: Batch<crate::metrics::Record>,
    /// Made when they are first needed.
    #[cfg(any(feature = "logs", feature = "metrics"))]
    defaults: OnceLock<Defaults>,
}

impl Lanes {
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(feature = "logs")]
            logs: Batch::new(),
            #[cfg(feature = "metrics")]
            metrics: Batch::new(),
            #[cfg(any(feature = "logs", feature = "metrics"))]
            defaults: OnceLock::new(),
        }
    }

    pub(crate) fn all(&self) -> [&dyn Lane; LANES] {
        [
            #[cfg(feature = "logs")]
            &self.logs,
            #[cfg(feature = "metrics")]
            &self.metrics,
        ]
    }

    /// How many items wait, of all kinds.
    pub(crate) fn len(&self) -> usize {
        self.all().iter().map(|lane| lane.len()).sum()
    }
}

#[cfg(any(feature = "logs", feature = "metrics"))]
impl super::Core {
    /// What the client's logs and metrics say, unless they say otherwise.
    pub(crate) fn defaults(&self) -> &Defaults {
        match self.lanes.defaults.get() {
            Some(defaults) => defaults,
            // Made outside, because an integration is asked: nobody waits for its code.
            None => {
                let fresh = Defaults::new(&self.options, &self.sdk, self.operating_system().as_ref());
                self.lanes.defaults.get_or_init(|| fresh)
            }
        }
    }

    /// Asks the integration that knows, if it is there.
    fn operating_system(&self) -> Option<OsContext> {
        let mut integrations = self.options.integrations.iter();
        let contexts = integrations.find(|integration| super::name_of(&***integration) == "contexts")?;
        let filled = callback::guarded("integration", || contexts.process_event(Event::default(), &self.options));
        match filled.ok()??.contexts.remove("os") {
            Some(Context::Os(os)) => Some(*os),
            _ => None,
        }
    }
}

/// How many lanes there are.
pub(crate) const LANES: usize = cfg!(feature = "logs") as usize + cfg!(feature = "metrics") as usize;
