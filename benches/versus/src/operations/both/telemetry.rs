//! Logs, metrics, check-ins and sessions.

use std::hint::black_box;

use super::sdk::protocol::{MonitorCheckIn, MonitorCheckInStatus, SessionStatus};
use super::sdk::{self, ClientOptions, SessionMode, metrics};
use super::stage::Stage;
use crate::measure::Run;
use crate::operations::{Host, opaque};

pub fn log(host: Host) -> Run {
    Stage::new(host).burst(1, |_, n| sdk::logger_info!(rows = n, "loaded the cart"))
}

pub fn counter(host: Host) -> Run {
    Stage::new(host).burst(1, |_, n| metrics::counter("carts", n as u32).attribute("cold", false).capture())
}

pub fn gauge(host: Host) -> Run {
    Stage::new(host).burst(1, |_, n| metrics::gauge("open", n as u32).attribute("cold", false).capture())
}

pub fn distribution(host: Host) -> Run {
    Stage::new(host).burst(1, |_, n| metrics::distribution("rows", n as u32).attribute("cold", false).capture())
}

pub fn check_in(host: Host) -> Run {
    Stage::new(host).burst(1, |hub, n| {
        let check_in = MonitorCheckIn {
            check_in_id: sdk::types::Uuid::from_u128(u128::from(n) + 1),
            monitor_slug: (opaque(&"nightly")).into(),
            status: MonitorCheckInStatus::Ok,
            environment: Some("production".into()),
            duration: Some(2.5),
            monitor_config: None,
        };
        super::check_in(hub, check_in);
    })
}

/// Of a request, without a user.
pub fn session(host: Host) -> Run {
    let options = ClientOptions::new().session_mode(SessionMode::Request);
    Stage::with(host, options).burst(1, |hub, _| {
        hub.start_session();
        hub.end_session_with_status(black_box(SessionStatus::Exited));
    })
}
