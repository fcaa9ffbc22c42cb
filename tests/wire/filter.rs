//! Keeping some items.

use vidette::protocol::{Attachment, Envelope, EnvelopeFilterCallbacks, EnvelopeHeaders, EnvelopeItem, Event, Uuid};

use super::{bytes, text};

fn envelope() -> Envelope {
    let mut envelope = Envelope::from(Event::default());
    envelope.add_item(Attachment::default());
    envelope.add_item(Vec::<vidette::protocol::Log>::new());
    envelope
}

fn is_event(item: &EnvelopeItem) -> bool {
    matches!(item, EnvelopeItem::Event(_))
}

#[test]
fn an_event_takes_its_attachments_and_its_id_along() {
    let mut gone = Vec::new();
    let filter = EnvelopeFilterCallbacks::new(|item: &EnvelopeItem| !is_event(item), |item| gone.push(item));
    let left = envelope().filter(filter).unwrap();
    assert_eq!(left.items().count(), 1);
    assert_eq!(left.uuid(), None);
    assert!(matches!(gone[..], [EnvelopeItem::Event(_), EnvelopeItem::Attachment(_)]));
}

#[test]
fn an_event_that_stays_keeps_attachments_id_and_headers() {
    let headers = EnvelopeHeaders::new().with_event_id(Uuid::nil()).with_trace(Default::default());
    let left = envelope().with_headers(headers.clone());
    let left = left.filter(|item: &EnvelopeItem| !matches!(item, EnvelopeItem::ItemContainer(_))).unwrap();
    assert_eq!(left.items().count(), 2);
    assert_eq!(left.headers(), &headers);
}

#[test]
fn attachments_of_an_event_elsewhere_stay() {
    let alone = Envelope::new().with_headers(EnvelopeHeaders::new().with_event_id(Uuid::nil()));
    let mut alone = alone;
    alone.add_item(Attachment::default());
    assert!(alone.filter(|_: &EnvelopeItem| true).is_some());
    assert!(Envelope::from(Attachment::default()).filter(|_: &EnvelopeItem| true).is_none());
}

#[test]
fn nothing_left_is_no_envelope() {
    assert!(envelope().filter(|_: &EnvelopeItem| false).is_none());
    assert!(Envelope::new().filter(|_: &EnvelopeItem| true).is_none());
}

#[test]
fn bytes_that_were_never_parsed_count_as_one_raw_item() {
    let raw = Envelope::from_bytes_raw(b"{}\n".to_vec()).unwrap();
    let mut seen = Vec::new();
    let kept = raw.clone().filter(|item: &EnvelopeItem| {
        seen.push(item.clone());
        true
    });
    assert_eq!(seen, [EnvelopeItem::Raw]);
    assert_eq!(bytes(&kept.unwrap()), b"{}\n");
    assert!(raw.filter(|_: &EnvelopeItem| false).is_none());
}

#[test]
fn unknown_items_keep_their_bytes() {
    let given = b"{\"event_id\":\"22d00b3fd1b14b5d8d2049d138cd8a9c\"}\n{\"type\":\"event\"}\n{}\n{\"type\":\"profile\",\"x\":1}\nabc\n";
    let left = Envelope::from_slice(given).unwrap().filter(|item: &EnvelopeItem| !is_event(item)).unwrap();
    assert_eq!(
        text(&left),
        "{\"event_id\":\"22d00b3fd1b14b5d8d2049d138cd8a9c\"}\n{\"type\":\"profile\",\"x\":1}\nabc\n"
    );
}
