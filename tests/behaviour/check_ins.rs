//! Check-ins: one envelope each, and what a run says of itself.

use std::panic::{AssertUnwindSafe, catch_unwind};

use vidette::protocol::client_report::Category;
use vidette::protocol::{
    MonitorCheckIn, MonitorCheckInStatus, MonitorConfig, MonitorIntervalUnit, MonitorSchedule, Uuid,
};
use vidette::wire::EnvelopeItem;
use vidette::{ClientOptions, Envelope, Monitor};

use crate::rig::{Rig, assert_settled};

fn check_ins(rig: &Rig) -> Vec<MonitorCheckIn> {
    let items = rig.transport.take_envelopes().into_iter().map(|envelope| {
        let mut items: Vec<_> = Envelope::into_items(envelope).collect();
        assert_eq!(items.len(), 1);
        items.remove(0)
    });
    items
        .map(|item| match item {
            EnvelopeItem::MonitorCheckIn(check_in) => check_in,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn config() -> MonitorConfig {
    MonitorConfig {
        schedule: MonitorSchedule::Interval { value: 1, unit: MonitorIntervalUnit::Day },
        checkin_margin: None,
        max_runtime: None,
        timezone: None,
        failure_issue_threshold: None,
        recovery_threshold: None,
    }
}

#[test]
fn a_check_in_travels_alone_and_its_environment_is_filled_in() {
    let rig = Rig::with(ClientOptions::new().environment("test"));
    let check_in = MonitorCheckIn {
        check_in_id: Uuid::from_u128(7),
        monitor_slug: "job".into(),
        status: MonitorCheckInStatus::Ok,
        environment: None,
        duration: Some(1.5),
        monitor_config: Some(config()),
    };
    let captured = check_in.clone();
    assert_eq!(rig.run(|| vidette::capture_check_in(captured)), Uuid::from_u128(7));
    let expected = MonitorCheckIn { environment: Some("test".into()), ..check_in };
    let own = MonitorCheckIn { environment: Some("own".into()), ..expected.clone() };
    assert_eq!(rig.hub.capture_check_in(own.clone()), own.check_in_id);
    assert_eq!(check_ins(&rig), [expected, own]);
    assert_eq!(rig.client.stats().handed_over(Category::Monitor), 2);
    assert_settled(&rig.client.stats());
}

#[test]
fn a_run_says_when_it_starts_and_how_it_ends() {
    let rig = Rig::new();
    let monitor = Monitor::new("job").config(config());
    rig.run(|| {
        assert_eq!(monitor.run(|| Ok::<_, ()>(7)), Ok(7));
        assert_eq!(monitor.run(|| Err::<(), _>("no")), Err("no"));
        assert!(catch_unwind(AssertUnwindSafe(|| monitor.run(|| -> Result<(), ()> { panic!("on purpose") }))).is_err());
        monitor.start().fail();
    });
    // Where it was started is where it ends.
    let run = rig.run(|| monitor.start());
    let id = run.id();
    run.succeed();
    let said = check_ins(&rig);
    use MonitorCheckInStatus::{Error, InProgress, Ok as Good};
    let expected = [InProgress, Good, InProgress, Error, InProgress, Error, InProgress, Error, InProgress, Good];
    assert!(said.iter().map(|check_in| check_in.status).eq(expected));
    for pair in said.chunks(2) {
        assert_eq!(pair[0].check_in_id, pair[1].check_in_id);
        assert_eq!((pair[0].duration, pair[1].monitor_config.as_ref()), (None, None));
        assert_eq!(pair[0].monitor_config, Some(config()));
        assert!(pair[1].duration.is_some_and(|duration| (0.0..60.0).contains(&duration)));
    }
    assert_eq!(said[9].check_in_id, id);
}

#[test]
fn without_a_client_a_job_runs_all_the_same() {
    assert_eq!(Monitor::new("job").run(|| Ok::<_, ()>(7)), Ok(7));
    assert!(
        vidette::Hub::new(None, Default::default())
            .capture_check_in(MonitorCheckIn {
                check_in_id: Uuid::from_u128(7),
                monitor_slug: "job".into(),
                status: MonitorCheckInStatus::Ok,
                environment: None,
                duration: None,
                monitor_config: None,
            })
            .is_nil()
    );
}
