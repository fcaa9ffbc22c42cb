//! The end of a thread and of a process: what thread-locals do when they are dropped, with a hub or without one.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that goes wrong says so by panicking")]

#[path = "support/rig.rs"]
mod rig;

use std::cell::RefCell;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use vidette::protocol::client_report::Category;
use vidette::{Breadcrumb, Hub, HubSwitchGuard, Level, breadcrumb};

use crate::rig::{PATIENCE, Rig};

thread_local! {
    static FIRST: RefCell<Vec<AtExit>> = const { RefCell::new(Vec::new()) };
    static LAST: RefCell<Vec<AtExit>> = const { RefCell::new(Vec::new()) };
}

/// Runs when its thread ends.
struct AtExit(Option<Box<dyn FnOnce()>>);

impl Drop for AtExit {
    fn drop(&mut self) {
        if let Some(deed) = self.0.take() {
            deed();
        }
    }
}

fn at_exit(list: &'static thread::LocalKey<RefCell<Vec<AtExit>>>, deed: impl FnOnce() + 'static) {
    list.with_borrow_mut(|list| list.push(AtExit(Some(Box::new(deed)))));
}

/// What an application's destructor might do.
fn use_the_current_hub() {
    breadcrumb!(n = 1, "at the end of {}", "a thread");
    vidette::add_breadcrumb(Breadcrumb::default());
    vidette::configure_scope(|scope| scope.set_tag("late", 1));
    vidette::capture_message("late", Level::Info);
    vidette::with_scope(|scope| scope.set_tag("later", 1), || vidette::capture_message("later", Level::Info));
    let guard = HubSwitchGuard::new(Arc::new(Hub::new_from_top(Hub::current())));
    _ = vidette::last_event_id();
    drop(guard);
}

/// Binds the rig's client to the main hub, from which each thread starts.
fn main_hub_of(rig: &Rig) {
    Hub::main().bind_client(Some(Arc::clone(&rig.client)));
}

#[test]
fn the_current_hub_may_be_used_by_destructors_on_either_side_of_its_own() {
    let rig = Rig::new();
    main_hub_of(&rig);
    for hub_first in [true, false] {
        thread::spawn(move || {
            if hub_first {
                breadcrumb!("the thread has a hub");
            }
            at_exit(&FIRST, use_the_current_hub);
            breadcrumb!("now it has one");
            at_exit(&LAST, use_the_current_hub);
        })
        .join()
        .unwrap();
    }
    // What runs after the hub is gone may capture with a fresh one, or not at all; but it is counted.
    let captured = rig.client.stats().captured(Category::Error);
    assert!(captured >= 4, "{captured}");
    assert_eq!(rig.events().len() as u64, captured);
}

#[test]
fn guards_and_clients_may_die_with_their_thread() {
    let rig = Rig::new();
    main_hub_of(&rig);
    for hub_first in [true, false] {
        let (hub, client) = (Arc::clone(&rig.hub), Rig::new());
        thread::spawn(move || {
            if hub_first {
                breadcrumb!("the thread has a hub");
            }
            let own = Arc::new(Hub::new_from_top(&*client.hub));
            let scopes = (own.push_scope(), own.push_scope(), hub.push_scope());
            let switches = (HubSwitchGuard::new(Arc::clone(&own)), HubSwitchGuard::new(hub));
            at_exit(&FIRST, move || drop((own, scopes.0)));
            at_exit(&LAST, move || drop((switches.0, scopes.1, client)));
            at_exit(&LAST, move || drop((scopes.2, switches.1)));
        })
        .join()
        .unwrap();
    }
    rig.hub.configure_scope(|scope| scope.set_tag("still", 1));
    assert_eq!(rig.event().tags["still"], "1");
}

#[test]
fn a_client_may_be_flushed_and_closed_while_its_thread_ends() {
    let (done, result) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let probe = rig::Probe::new(rig::Gate::opened());
        let client = rig::client(vidette::ClientOptions::new().transport(Arc::clone(&probe)));
        at_exit(&FIRST, move || {
            let hub = rig::hub(&client);
            assert!(rig::capture(&hub, "late"));
            done.send((client.flush(Some(PATIENCE)), client.close(Some(PATIENCE)), probe.messages())).unwrap();
        });
    });
    assert_eq!(result.recv_timeout(2 * PATIENCE).unwrap(), (true, true, vec!["late".to_owned()]));
}

#[test]
fn a_process_whose_main_thread_ends_with_all_of_it_alive_ends_well() {
    let name = "a_process_whose_main_thread_ends_with_all_of_it_alive_ends_well";
    if std::env::var_os("VIDETTE_TEST_CHILD").is_some() {
        let rig = Rig::new();
        main_hub_of(&rig);
        at_exit(&FIRST, use_the_current_hub);
        breadcrumb!("on the way out");
        at_exit(&LAST, use_the_current_hub);
        std::mem::forget((HubSwitchGuard::new(Arc::clone(&rig.hub)), rig));
        std::process::exit(7);
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture", "--test-threads=1"]).env("VIDETTE_TEST_CHILD", "1");
    let output = child.output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
}
