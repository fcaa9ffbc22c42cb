//! Envelopes as bytes.

use vidette::Envelope;
use vidette::wire::EnvelopeView;

use crate::each;
use crate::large_event::event;

#[test]
fn an_envelope_is_written_into_a_warm_buffer_without_allocating() {
    let envelope = Envelope::from(event());
    let mut buffer = Vec::new();
    let write = || {
        buffer.clear();
        envelope.append_to(&mut buffer).unwrap();
    };
    assert_eq!(each(write), 0);
    assert!(buffer.len() > 20_000, "it was all written");
}

#[test]
fn a_raw_view_allocates_at_most_four_times() {
    let mut bytes = Vec::new();
    Envelope::from(event()).append_to(&mut bytes).unwrap();
    let view = || assert_eq!(EnvelopeView::new(&bytes).unwrap().items().filter(Result::is_ok).count(), 1);
    assert!(each(view) <= 4);
}

#[test]
fn reading_an_envelope_into_types_allocates_no_more_than_its_values_need() {
    let mut bytes = Vec::new();
    Envelope::from(event()).append_to(&mut bytes).unwrap();
    let read = each(|| drop(Envelope::from_slice(&bytes).unwrap()));
    // A copy allocates each value once; reading may not know how many there are, and grow a list.
    let values = each(|| drop(event()));
    assert!(read <= values + values / 2, "{read} allocations for values that take {values}");
}
