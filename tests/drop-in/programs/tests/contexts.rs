//! What is known of the machine.

use sentry::ClientOptions;
use sentry::integrations::contexts::ContextIntegration;
use sentry::protocol::OsContext;

fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned()
}

#[test]
fn an_event_knows_its_machine() {
    let run = program!().run(|| {
        let sentry = sentry::init(());
        assert_eq!(sentry.options().server_name.as_deref(), Some(&*hostname()));
        sentry::capture_message("here", sentry::Level::Info);
    });
    let Some(run) = run else { return };
    let event = run.event();
    assert_eq!(event["server_name"], hostname());
    let contexts = &event["contexts"];
    assert_eq!((&contexts["os"]["type"], &contexts["os"]["name"]), (&"os".into(), &"Linux".into()));
    assert!(contexts["os"]["version"].is_string() && contexts["os"]["kernel_version"].is_string());
    assert_eq!((&contexts["rust"]["type"], &contexts["rust"]["name"]), (&"runtime".into(), &"rustc".into()));
    assert!(contexts["rust"]["version"].as_str().unwrap().starts_with("1."));
    assert!(contexts["rust"]["channel"].is_string());
    assert_eq!(contexts["device"]["type"], "device");
    assert_eq!(contexts["device"]["arch"], std::env::consts::ARCH);
}

#[test]
fn what_the_program_says_of_the_machine_counts() {
    let run = program!().run(|| {
        let _sentry = sentry::init(ClientOptions::new().server_name("till-4"));
        let os = OsContext { name: Some("TillOS".into()), ..Default::default() };
        sentry::configure_scope(|scope| scope.set_context("os", os));
        sentry::capture_message("here", sentry::Level::Info);
    });
    let Some(run) = run else { return };
    let event = run.event();
    assert_eq!((&event["server_name"], &event["contexts"]["os"]["name"]), (&"till-4".into(), &"TillOS".into()));
    assert!(event["contexts"]["os"]["version"].is_null() && event["contexts"]["device"].is_object());
}

#[test]
fn single_contexts_can_be_left_out() {
    let run = program!().run(|| {
        let integration = ContextIntegration::new().add_os(false).add_device(false);
        let options = ClientOptions::new().default_integrations(false).add_integration(integration);
        let _sentry = sentry::init(options);
        sentry::capture_message("here", sentry::Level::Info);
    });
    let Some(run) = run else { return };
    let contexts = &run.event()["contexts"];
    assert!(contexts["os"].is_null() && contexts["device"].is_null() && contexts["rust"].is_object(), "{contexts}");
}
