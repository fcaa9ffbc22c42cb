//! Panics in callbacks while the panic hook is installed, each in a process of its own: a second panic would abort it.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that goes wrong says so by panicking")]

#[path = "support/rig.rs"]
mod rig;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::sync::Arc;

use vidette::integration::panic::PanicIntegration;
use vidette::protocol::Event;
use vidette::protocol::client_report::{Category, Reason};
use vidette::{ClientOptions, Hub, Level, breadcrumb};

use crate::rig::{Gate, PATIENCE, Probe, Rig, assert_settled, capture, client, discarded, hub};

/// Runs the test `name` of this file again, in a process where `CHILD` says so, and checks that it ends well.
fn in_a_process(name: &str, body: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        return body();
    }
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program);
    child.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(CHILD, "1").env("RUST_BACKTRACE", "0");
    let output = child.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{said}", output.status);
    assert!(said.contains("1 passed"), "the child ran another test:\n{said}");
}

const CHILD: &str = "VIDETTE_TEST_CHILD";

fn options() -> ClientOptions {
    ClientOptions::new().add_integration(PanicIntegration::new())
}

#[test]
fn a_panic_is_captured_with_its_breadcrumbs_and_unwinds_as_ever() {
    in_a_process("a_panic_is_captured_with_its_breadcrumbs_and_unwinds_as_ever", || {
        let rig = Rig::with(options());
        rig.run(|| {
            breadcrumb!("before");
            assert!(catch_unwind(|| panic!("at the host's")).is_err());
        });
        let event = rig.events().remove(0);
        assert_eq!((event.level, event.exception[0].value.as_deref()), (Level::Fatal, Some("at the host's")));
        assert_eq!(rig::crumbs(&event), ["before"]);
    });
}

#[test]
fn a_before_send_that_panics_does_not_abort_the_process() {
    in_a_process("a_before_send_that_panics_does_not_abort_the_process", || {
        let rig = Rig::with(options().before_send(|_| panic!("on purpose")));
        rig.run(|| {
            assert!((0..3).all(|_| vidette::capture_message("event", Level::Info).is_nil()));
        });
        let stats = rig.client.stats();
        assert_settled(&stats);
        // The panics themselves are not captured: that would call before_send again, inside the panic.
        assert_eq!((stats.captured(Category::Error), discarded(&stats, Reason::BeforeSend)), (3, 3));
    });
}

#[test]
fn every_callback_may_panic_and_the_process_goes_on() {
    in_a_process("every_callback_may_panic_and_the_process_goes_on", || {
        struct Panicking;
        impl vidette::Integration for Panicking {
            fn setup(&self, _: &mut ClientOptions) {
                panic!("in setup");
            }

            fn process_event(&self, event: Event<'static>, _: &ClientOptions) -> Option<Event<'static>> {
                assert_ne!(event.message.as_deref(), Some("integration"), "on purpose");
                Some(event)
            }
        }
        let rig = Rig::with(
            options()
                .add_integration(Panicking)
                .debug(true)
                .diagnostics(|_, _| panic!("in diagnostics"))
                .before_breadcrumb(|_| panic!("in before_breadcrumb")),
        );
        rig.hub.configure_scope(|scope| {
            scope.add_event_processor(|event| {
                assert_ne!(event.message.as_deref(), Some("processor"), "on purpose");
                Some(event)
            });
        });
        rig.run(|| breadcrumb!("dropped"));
        assert!(!rig.run(|| capture(&rig.hub, "integration")));
        assert!(!rig.run(|| capture(&rig.hub, "processor")));
        let stats = rig.client.stats();
        assert_eq!((stats.captured(Category::Error), discarded(&stats, Reason::EventProcessor)), (2, 2));
        let event = rig.event();
        assert!(event.exception.is_empty() && event.breadcrumbs.is_empty());
    });
}

#[test]
fn a_transport_that_panics_does_not_abort_the_process() {
    in_a_process("a_transport_that_panics_does_not_abort_the_process", || {
        let probe = Probe::doing(Gate::opened(), |method| assert_eq!(method, "drop", "on purpose"));
        let client = client(options().transport(probe));
        let hub = hub(&client);
        assert!(capture(&hub, "event"));
        assert!(!client.close(Some(PATIENCE)));
        let stats = client.stats();
        assert_settled(&stats);
        assert_eq!((stats.captured(Category::Error), discarded(&stats, Reason::InternalSdkError)), (1, 1));
    });
}

#[test]
fn a_callback_that_panics_while_the_host_unwinds_does_not_abort_the_process() {
    in_a_process("a_callback_that_panics_while_the_host_unwinds_does_not_abort_the_process", || {
        /// Captures while its thread unwinds.
        struct AtDrop(Arc<Hub>);
        impl Drop for AtDrop {
            fn drop(&mut self) {
                assert!(std::thread::panicking());
                assert!(!capture(&self.0, "unwinding"));
                self.0.configure_scope(|scope| scope.set_tag("unwinding", 1));
            }
        }
        let rig = Rig::with(ClientOptions::new().before_send(|event| {
            assert_ne!(event.message.as_deref(), Some("unwinding"), "on purpose");
            Some(event)
        }));
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _guard = rig.hub.push_scope();
            let _at_drop = AtDrop(Arc::clone(&rig.hub));
            panic!("at the host's");
        }));
        assert!(unwound.is_err());
        assert_eq!(discarded(&rig.client.stats(), Reason::BeforeSend), 1);
        assert!(!rig.event().tags.contains_key("unwinding"), "its scope was popped");
    });
}

#[test]
fn a_panic_inside_the_hook_of_another_panic_ends_the_process_as_std_has_it() {
    // Nobody can catch that one: std aborts. What our own code may do is never to cause it, which the tests above show.
    let name = "a_panic_inside_the_hook_of_another_panic_ends_the_process_as_std_has_it";
    if std::env::var_os(CHILD).is_some() {
        let rig = Rig::with(options().before_send(|_| panic!("inside the hook")));
        rig.run(|| _ = catch_unwind(|| panic!("at the host's")));
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(CHILD, "1").env("RUST_BACKTRACE", "0");
    let output = child.output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("inside the hook"));
}
