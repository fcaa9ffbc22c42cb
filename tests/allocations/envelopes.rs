//! What an event takes that goes to a transport as an envelope.

use std::sync::Arc;

use vidette::transport::Delivery;
use vidette::{ClientOptions, Envelope, Hub, Level, Transport};

use super::{alone, client, each};

/// Takes envelopes on the thread that captures, where they are counted, and forgets them.
struct Inline;

impl Transport for Inline {
    fn send_envelope(&self, _: Envelope) {}

    fn delivery(&self) -> Delivery<'_> {
        Delivery::Inline
    }
}

#[test]
fn an_event_that_goes_as_an_envelope_takes_little_beyond_what_its_types_ask_for() {
    let _alone = alone();
    let client = client(ClientOptions::new().release("app@1").transport(Arc::new(Inline)));
    let hub = Hub::new(Some(client), Arc::default());
    // The message, the event, the list of items; and of the trace its context, with its key and the map's node.
    let types = 1 + 1 + 1 + 3;
    // What the envelope says of the trace: the project, the release, and what they stand in. The sender makes it once.
    let trace = 3;
    assert_eq!(each(|| _ = hub.capture_message("the cache is cold", Level::Info)), types + trace);
}
