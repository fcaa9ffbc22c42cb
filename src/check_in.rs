//! Check-ins: what scheduled jobs say when they start and when they end.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use crate::gate;
use crate::hub::Hub;
use crate::hub::bound::{Backend, Bound};
use crate::hub::current::look_at_current;
use crate::protocol::ids::random_uuid;
use crate::protocol::{MonitorCheckIn, MonitorCheckInStatus, MonitorConfig};

/// Captures a check-in with the current hub, and returns the id of the run; nil if it was dropped or no client is bound.
///
/// [`Monitor`] makes and captures the check-ins of a run itself.
#[cfg_attr(debug_assertions, inline)]
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn capture_check_in(check_in: MonitorCheckIn) -> Uuid {
    if gate::is_open() { capture_by_current(check_in) } else { Uuid::nil() }
}

/// The rest of [`capture_check_in`], apart so that its first question is asked in line.
#[inline(never)]
fn capture_by_current(check_in: MonitorCheckIn) -> Uuid {
    capture(look_at_current(|client, _| client.clone()), check_in)
}

#[inline]
fn capture(client: Option<Bound>, check_in: MonitorCheckIn) -> Uuid {
    match client {
        Some(client) => client.capture_check_in(check_in),
        None => Uuid::nil(),
    }
}

impl Hub {
    /// Captures a check-in in an envelope of its own, and returns the id of the run; nil if it was dropped.
    pub fn capture_check_in(&self, check_in: MonitorCheckIn) -> Uuid {
        capture(self.look(|client, _| client.clone()), check_in)
    }
}

/// A scheduled job, as the server knows it.
///
/// ```
/// use vidette::Monitor;
/// use vidette::protocol::{MonitorConfig, MonitorSchedule};
///
/// let monitor = Monitor::new("nightly-report").config(MonitorConfig {
///     schedule: MonitorSchedule::from_crontab("0 3 * * *")?,
///     checkin_margin: Some(5),
///     max_runtime: Some(30),
///     timezone: Some("Europe/Vienna".to_owned()),
///     failure_issue_threshold: None,
///     recovery_threshold: None,
/// });
///
/// // A check-in before, and one after, with how it went and how long it took.
/// let rows = monitor.run(|| "42".parse::<u32>())?;
///
/// // The same by hand, for work that is no closure.
/// let run = monitor.start();
/// run.succeed();
/// # assert_eq!(rows, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Monitor {
    slug: String,
    config: Option<MonitorConfig>,
}

impl Monitor {
    /// Names the job.
    pub fn new<S: Into<String>>(slug: S) -> Self {
        Self { slug: slug.into(), config: None }
    }

    /// Sets what the server should know about the job. It is sent with the first check-in of each run.
    #[must_use]
    pub fn config(mut self, config: MonitorConfig) -> Self {
        self.config = Some(config);
        self
    }

    /// Runs the job between two check-ins: in progress, and then `ok`, or `error` if it returns an error or panics.
    ///
    /// # Errors
    /// What the job returns.
    pub fn run<T, E, F: FnOnce() -> Result<T, E>>(&self, job: F) -> Result<T, E> {
        let run = self.start();
        let result = job();
        run.finish(result.is_ok());
        result
    }

    /// Says that a run has started.
    pub fn start(&self) -> MonitorRun {
        let id = random_uuid();
        let hub = Hub::current();
        hub.capture_check_in(MonitorCheckIn {
            check_in_id: id,
            monitor_slug: self.slug.clone(),
            status: MonitorCheckInStatus::InProgress,
            environment: None,
            duration: None,
            monitor_config: self.config.clone(),
        });
        MonitorRun { id, hub, slug: self.slug.clone(), started: Instant::now(), is_over: false }
    }
}

/// One run of a [`Monitor`]. One that is dropped without a word, by a panic or an early return, has failed.
#[must_use = "a run that is dropped has failed"]
pub struct MonitorRun {
    id: Uuid,
    /// Where the run was started, and is ended.
    hub: Arc<Hub>,
    slug: String,
    started: Instant,
    is_over: bool,
}

impl MonitorRun {
    /// The id of the run.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Says that the job is done, and well.
    pub fn succeed(self) {
        self.finish(true);
    }

    /// Says that the job failed.
    pub fn fail(self) {
        self.finish(false);
    }

    fn finish(mut self, is_ok: bool) {
        self.end(if is_ok { MonitorCheckInStatus::Ok } else { MonitorCheckInStatus::Error });
    }

    fn end(&mut self, status: MonitorCheckInStatus) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        self.hub.capture_check_in(MonitorCheckIn {
            check_in_id: self.id,
            monitor_slug: std::mem::take(&mut self.slug),
            status,
            environment: None,
            duration: Some(self.started.elapsed().as_secs_f64()),
            monitor_config: None,
        });
    }
}

impl Drop for MonitorRun {
    fn drop(&mut self) {
        self.end(MonitorCheckInStatus::Error);
    }
}

impl fmt::Debug for MonitorRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitorRun").field("id", &self.id).field("slug", &self.slug).finish_non_exhaustive()
    }
}
