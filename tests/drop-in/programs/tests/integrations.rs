//! Programs with integrations of their own.

use sentry::protocol::Event;
use sentry::{ClientOptions, Hub, Integration, Level};

struct Branch(u32);

impl Integration for Branch {
    fn name(&self) -> &'static str {
        "branch"
    }

    fn setup(&self, options: &mut ClientOptions) {
        options.release.get_or_insert_with(|| "set@up".into());
        options.in_app_include.push("shop");
    }

    fn process_event(&self, mut event: Event<'static>, options: &ClientOptions) -> Option<Event<'static>> {
        assert_eq!(options.in_app_include, ["shop"]);
        event.extra.insert("branch".into(), self.0.into());
        Hub::with_active(|hub| hub.configure_scope(|scope| scope.set_tag("processed", "yes")));
        Some(event)
    }
}

struct Absent;

impl Integration for Absent {}

#[test]
fn an_integration_sets_up_options_and_sees_every_event() {
    let run = program!().run(|| {
        let sentry = sentry::init(ClientOptions::new().add_integration(Branch(4)));
        assert_eq!(sentry.options().release.as_deref(), Some("set@up"));
        assert_eq!(sentry_core::with_integration(|branch: &Branch, hub| (branch.0, hub.client().is_some())), (4, true));
        assert_eq!(Hub::current().with_integration(|branch: &Branch| branch.0), 4);
        assert_eq!(sentry_core::with_integration(|_: &Absent, _| 9), 0);
        sentry::capture_message("first", Level::Info);
        sentry::capture_message("second", Level::Info);
    });
    let Some(run) = run else { return };
    let events = run.events();
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event["extra"]["branch"] == 4 && event["release"] == "set@up"));
    assert!(events[0]["tags"]["processed"].is_null() && events[1]["tags"]["processed"] == "yes");
}
