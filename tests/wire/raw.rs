//! What nobody here understands survives a parse and a write.

use vidette::protocol::{Attachment, Envelope, EnvelopeHeaders, EnvelopeItem, Event, Uuid};

use super::{bytes, text};

const UNKNOWN: &[u8] = b"{\"event_id\":\"22d00b3f-d1b1-4b5d-8d20-49d138cd8a9c\", \"retention\":[90]}\n\
    {\"length\":9,\"type\":\"poem\",\"by\":{\"whom\":null}}\nline\n\nend\n\
    {\"type\":\"event\",\"new\":1}\n{\"message\" : \"m\", \"field\":{\"from\":\"2040\"}}\n";

#[test]
fn a_parsed_envelope_is_written_byte_for_byte() {
    let envelope = Envelope::from_slice(UNKNOWN).unwrap();
    let kinds: Vec<_> = envelope.items().collect();
    assert!(matches!(kinds[..], [EnvelopeItem::Raw, EnvelopeItem::Event(_)]));
    assert_eq!(bytes(&envelope), UNKNOWN);
    assert_eq!(envelope.clone(), envelope);
}

#[test]
fn unknown_headers_survive_a_change_of_the_others() {
    let envelope = Envelope::from_slice(UNKNOWN).unwrap();
    let headers = envelope.headers().clone().with_event_id(Uuid::nil());
    let envelope = envelope.with_headers(headers);
    let first = text(&envelope).lines().next().unwrap().to_owned();
    assert_eq!(first, r#"{"event_id":"00000000000000000000000000000000","retention":[90]}"#);
    let (_, items) = std::str::from_utf8(UNKNOWN).unwrap().split_once('\n').unwrap();
    assert!(text(&envelope).ends_with(items));
}

#[test]
fn an_item_added_later_stands_behind_the_read_ones() {
    let mut envelope = Envelope::from_slice(UNKNOWN).unwrap();
    envelope.add_item(Attachment { buffer: b"abc".into(), filename: "f".into(), ..Attachment::default() });
    let bytes = bytes(&envelope);
    assert!(bytes.starts_with(UNKNOWN));
    assert_eq!(Envelope::from_slice(&bytes).unwrap().items().count(), 3);
}

#[test]
fn a_raw_item_outside_its_envelope_holds_nothing() {
    let items = Envelope::from_slice(UNKNOWN).unwrap().into_items();
    let mut envelope = Envelope::new();
    items.for_each(|item| envelope.add_item(item));
    assert_eq!(envelope.items().count(), 1);
}

#[test]
fn raw_bytes_pass_through_unread() {
    for given in [&b"\x00 nothing an envelope could be"[..], b"", UNKNOWN] {
        let envelope = Envelope::from_bytes_raw(given.to_vec()).unwrap();
        assert_eq!(bytes(&envelope), given);
        assert_eq!(envelope.items().count(), 0);
        assert_eq!(envelope.uuid(), None);
    }
}

#[test]
fn raw_bytes_take_new_headers_and_items() {
    let mut envelope = Envelope::from_bytes_raw(b"{\"old\":1}\n{\"type\":\"x\"}\nabc".to_vec()).unwrap();
    envelope.add_item(Event {
        event_id: Uuid::nil(),
        timestamp: std::time::SystemTime::UNIX_EPOCH,
        ..Event::default()
    });
    assert_eq!(Envelope::from_slice(&bytes(&envelope)).unwrap().items().count(), 2);
    assert!(text(&envelope).starts_with("{\"old\":1}\n{\"type\":\"x\"}\nabc\n{\"type\":\"event\""));
    let envelope = envelope.with_headers(EnvelopeHeaders::new());
    assert!(text(&envelope).starts_with("{}\n{\"type\":\"x\"}\nabc\n{\"type\":\"event\""));
}

#[test]
fn envelopes_that_differ_in_unknown_bytes_differ() {
    let envelope =
        |payload: &str| Envelope::from_slice(format!("{{}}\n{{\"type\":\"x\"}}\n{payload}").as_bytes()).unwrap();
    assert_eq!(envelope("a"), envelope("a"));
    assert_ne!(envelope("a"), envelope("b"));
}
