//! What is off allocates nothing: no client, one that is disabled, and one that is on another hub.

use std::sync::Arc;

use vidette::protocol::{MonitorCheckIn, MonitorCheckInStatus};
use vidette::{Breadcrumb, Client, ClientOptions, Hub, HubSwitchGuard, Level, Scope};

use crate::{Keeper, alone, client, each, three_fields, transaction};

/// The hubs of nobody: without a client, and with one that has nowhere to send to.
fn hubs() -> [Arc<Hub>; 2] {
    let disabled = Arc::new(Client::with_options(ClientOptions::new()));
    [None, Some(disabled)].map(|client| Arc::new(Hub::new(client, Arc::default())))
}

/// Asserts of the free functions with arguments to evaluate that they allocate nothing.
fn assert_evaluates_nothing(why: &str) {
    #[cfg(feature = "logs")]
    {
        let log = || vidette::logger_info!(text = "x".repeat(99), "{} is nobody", "x".repeat(99));
        assert_eq!(each(log), 0, "logger_info!: {why}");
    }
    assert_eq!(each(|| three_fields(1)), 0, "breadcrumb!: {why}");
    assert_eq!(each(|| vidette::add_breadcrumb(built)), 0, "add_breadcrumb: {why}");
}

/// Asserts of everything else that records, through the free functions and through the hub, that it allocates nothing.
fn assert_silent(hub: &Hub, why: &str) {
    let calls: &[(&str, &dyn Fn())] = &[
        ("Hub::add_breadcrumb", &|| hub.add_breadcrumb(built)),
        ("capture_message", &|| _ = vidette::capture_message("nobody", Level::Info)),
        ("Hub::capture_message", &|| _ = hub.capture_message("nobody", Level::Info)),
        ("capture_error", &|| _ = vidette::capture_error(&std::fmt::Error)),
        ("capture_check_in", &|| _ = vidette::capture_check_in(check_in())),
        ("with_integration", &|| vidette::with_integration(|_: &Silent, _| ())),
        ("last_event_id", &|| _ = vidette::last_event_id()),
        ("Hub::current", &|| _ = (Hub::current(), Hub::main())),
        ("Hub::with_active", &|| Hub::with_active(|_| ())),
        #[cfg(feature = "release-health")]
        ("start_session", &vidette::start_session),
        #[cfg(feature = "release-health")]
        ("end_session", &vidette::end_session),
        #[cfg(feature = "metrics")]
        ("counter", &|| vidette::metrics::counter("nobody", 1).attribute("n", 1).capture()),
    ];
    for (name, call) in calls {
        assert_eq!(each(call), 0, "{name}: {why}");
    }
}

fn built() -> Breadcrumb {
    Breadcrumb { message: Some("x".repeat(99)), ..Breadcrumb::default() }
}

fn check_in() -> MonitorCheckIn {
    MonitorCheckIn {
        check_in_id: vidette::types::Uuid::nil(),
        monitor_slug: String::new(),
        status: MonitorCheckInStatus::Ok,
        environment: None,
        duration: None,
        monitor_config: None,
    }
}

#[derive(Default)]
struct Silent;

impl vidette::Integration for Silent {}

#[test]
fn recording_on_a_hub_of_nobody_allocates_nothing() {
    let _alone = alone();
    let other = client(ClientOptions::new().transport(Keeper::new()));
    let hubs = hubs();
    let assert_all = |why| {
        for hub in &hubs {
            Hub::run(Arc::clone(hub), || {
                assert_silent(hub, why);
                assert_evaluates_nothing(why);
            });
        }
    };
    assert_all("another client is open");
    drop(other);
    assert_all("no client is open");
}

#[cfg(feature = "metrics")]
#[test]
fn a_metric_that_was_made_while_no_client_was_open_stays_nothing() {
    use vidette::metrics::counter;
    use vidette::protocol::client_report::Category;

    let _alone = alone();
    let early = counter("early", 1);
    let client = client(ClientOptions::new().transport(Keeper::new()));
    Hub::run(Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default())), || {
        early.clone().attribute("n", 1).capture();
        Hub::current().capture_metric(early);
        counter("late", 1).capture();
    });
    assert_eq!(client.stats().captured(Category::TraceMetric), 1);
}

#[test]
fn changing_scopes_without_a_client_allocates_nothing() {
    let _alone = alone();
    let [unbound, _] = hubs();
    let _guard = HubSwitchGuard::new(unbound);
    let calls = || {
        vidette::configure_scope(|scope| scope.set_tag("tag", "x".repeat(99)));
        vidette::with_scope(|scope| scope.set_tag("tag", "x".repeat(99)), || ());
        vidette::with_scope(|_: &mut Scope| (), || three_fields(1));
    };
    assert_eq!(each(calls), 0);
}

#[test]
fn a_transaction_of_nobody_allocates_nothing_and_neither_do_its_spans() {
    let _alone = alone();
    for hub in hubs() {
        let whole = || {
            let transaction = transaction(&hub);
            transaction.start_child("db.query", "SELECT a, b, c FROM tables").finish();
            transaction.finish();
        };
        assert_eq!(each(whole), 0);
    }
}
