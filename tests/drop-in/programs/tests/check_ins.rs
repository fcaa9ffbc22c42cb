//! Programs that tell a monitor that they ran.

use sentry::protocol::{
    Envelope, MonitorCheckIn, MonitorCheckInStatus, MonitorConfig, MonitorIntervalUnit, MonitorSchedule,
};
use sentry::types::Uuid;

use crate::stage::each;

fn check_in(id: Uuid, status: MonitorCheckInStatus) -> MonitorCheckIn {
    MonitorCheckIn {
        check_in_id: id,
        monitor_slug: "nightly-books".into(),
        status,
        environment: Some("tests".into()),
        duration: None,
        monitor_config: None,
    }
}

#[test]
fn a_job_checks_in_when_it_starts_and_when_it_ends() {
    let run = program!().run(|| {
        let sentry = sentry::init(());
        let id = Uuid::from_u128(7);
        let mut started = check_in(id, MonitorCheckInStatus::InProgress);
        started.monitor_config = Some(MonitorConfig {
            schedule: MonitorSchedule::from_crontab("5 0 * * *").unwrap(),
            checkin_margin: Some(5),
            max_runtime: Some(30),
            timezone: Some("UTC".into()),
            failure_issue_threshold: None,
            recovery_threshold: Some(2),
        });
        let mut envelope = Envelope::new();
        envelope.add_item(started);
        sentry.send_envelope(envelope);
        let mut ended = check_in(id, MonitorCheckInStatus::Ok);
        ended.duration = Some(12.5);
        sentry.send_envelope(sentry::protocol::EnvelopeItem::from(ended).into());
    });
    let Some(run) = run else { return };
    let check_ins = run.payloads("check_in");
    assert_eq!(each(&check_ins, "status"), ["in_progress", "ok"]);
    assert_eq!(each(&check_ins, "monitor_slug"), ["nightly-books"; 2]);
    assert_eq!(each(&check_ins, "environment"), ["tests"; 2]);
    assert_eq!(each(&check_ins, "check_in_id"), [&Uuid::from_u128(7).simple().to_string(); 2]);
    assert_eq!(check_ins[1]["duration"], 12.5);
    let config = &check_ins[0]["monitor_config"];
    assert_eq!((&config["schedule"]["type"], &config["schedule"]["value"]), (&"crontab".into(), &"5 0 * * *".into()));
    assert_eq!((&config["checkin_margin"], &config["max_runtime"]), (&5.into(), &30.into()));
    assert_eq!((&config["timezone"], &config["recovery_threshold"]), (&"UTC".into(), &2.into()));
    assert!(config.get("failure_issue_threshold").is_none() && check_ins[1].get("monitor_config").is_none());
}

#[test]
fn a_schedule_may_be_an_interval_and_a_crontab_is_checked() {
    let run = program!().run(|| {
        let sentry = sentry::init(());
        assert!(MonitorSchedule::from_crontab("five past midnight").is_err());
        let mut missed = check_in(Uuid::nil(), MonitorCheckInStatus::Error);
        let schedule = MonitorSchedule::Interval { value: 2, unit: MonitorIntervalUnit::Hour };
        missed.monitor_config = Some(MonitorConfig {
            schedule,
            checkin_margin: None,
            max_runtime: None,
            timezone: None,
            failure_issue_threshold: None,
            recovery_threshold: None,
        });
        let mut envelope = Envelope::new();
        envelope.add_item(missed);
        sentry.send_envelope(envelope);
    });
    let Some(run) = run else { return };
    let check_ins = run.payloads("check_in");
    let schedule = &check_ins[0]["monitor_config"]["schedule"];
    assert_eq!(schedule, &serde_json::json!({ "type": "interval", "value": 2, "unit": "hour" }));
    assert_eq!(check_ins[0]["status"], "error");
}
