//! Clones of a client: a queue each, one transport, one account.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vidette::protocol::client_report::Category;
use vidette::{Client, ClientOptions};

use crate::rig::{Gate, OpenAtEnd, PATIENCE, Probe, assert_settled, capture, client, hub};

#[test]
fn a_clone_goes_on_after_its_original_and_the_last_shuts_the_transport_down() {
    let deeds = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&deeds);
    let probe = Probe::doing(Gate::opened(), move |deed| told.lock().unwrap().push(deed));
    let original = client(ClientOptions::new().transport(Arc::clone(&probe)));
    let clone = Arc::new(Client::clone(&original));
    assert!(capture(&hub(&original), "one"));
    assert!(original.close(None));
    assert!(!deeds.lock().unwrap().contains(&"shutdown"), "the clone still sends");
    assert!(!original.is_enabled() && clone.is_enabled());
    assert!(capture(&hub(&clone), "two"));
    assert!(clone.close(None));
    assert_eq!(deeds.lock().unwrap().iter().filter(|deed| **deed == "shutdown").count(), 1);
    assert_eq!(probe.messages(), ["one", "two"]);
    assert_settled(&clone.stats());
}

#[test]
fn a_clone_has_a_queue_of_its_own_and_shares_the_counts() {
    let gate = Gate::closed();
    let _open = OpenAtEnd(&gate);
    let probe = Probe::new(gate.clone());
    let original = client(ClientOptions::new().transport_channel_capacity(1).transport(Arc::clone(&probe)));
    assert!(capture(&hub(&original), "in the transport"));
    gate.wait_for_arrival();
    assert!(capture(&hub(&original), "queued"));
    assert!(!capture(&hub(&original), "no room"));
    let clone = Arc::new(Client::clone(&original));
    assert!(capture(&hub(&clone), "room in the clone"));
    gate.open();
    assert!(original.flush(Some(PATIENCE)) && clone.flush(Some(PATIENCE)));
    assert_settled(&clone.stats());
    assert_eq!(original.stats(), clone.stats());
    assert_eq!((clone.stats().captured(Category::Error), clone.stats().discarded(Category::Error)), (4, 1));
}

#[test]
fn a_clone_of_a_closed_client_is_closed() {
    let shutdowns = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&shutdowns);
    let probe = Probe::doing(Gate::opened(), move |deed| {
        count.fetch_add(usize::from(deed == "shutdown"), Ordering::Relaxed);
    });
    let original = client(ClientOptions::new().transport(probe));
    assert!(original.close(Some(Duration::from_secs(5))));
    let clone = Client::clone(&original);
    assert!(!clone.is_enabled());
    assert!(clone.close(None));
    assert_eq!(shutdowns.load(Ordering::Relaxed), 1);
}
