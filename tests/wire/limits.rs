//! Hostile bytes: depth, size, odd line ends.

use vidette::protocol::{Envelope, EnvelopeError, EnvelopeItem};

use super::bytes;

fn nested(levels: usize) -> String {
    format!("{{}}\n{{\"type\":\"event\"}}\n{{\"extra\":{{\"a\":{}{}}}}}\n", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn payloads_may_be_127_levels_deep() {
    // Two objects stand around the lists.
    assert!(Envelope::from_slice(nested(125).as_bytes()).is_ok());
    for levels in [126, 200, 1_000_000] {
        let error = Envelope::from_slice(nested(levels).as_bytes()).unwrap_err();
        let EnvelopeError::InvalidItemPayload(cause) = error else { panic!("{error}") };
        assert!(cause.to_string().starts_with("recursion limit exceeded"), "{cause}");
    }
}

#[test]
fn brackets_in_text_are_not_levels() {
    let text = "[{".repeat(10_000);
    let envelope = format!("{{}}\n{{\"type\":\"event\"}}\n{{\"message\":\"{text}\"}}\n");
    let envelope = Envelope::from_slice(envelope.as_bytes()).unwrap();
    assert_eq!(envelope.event().unwrap().message.as_ref(), Some(&text));
}

#[test]
fn headers_that_are_kept_may_not_be_deep() {
    let header = format!("{{\"a\":{}{}}}\n", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(Envelope::from_slice(header.as_bytes()), Err(EnvelopeError::InvalidHeader(_))));
}

#[test]
fn what_is_skipped_may_be_deep() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let given = format!("{{}}\n{{\"type\":\"event\",\"a\":{deep}}}\n{{\"a\":{deep}}}\n");
    let envelope = Envelope::from_slice(given.as_bytes()).unwrap();
    assert_eq!(bytes(&envelope), given.as_bytes());
}

#[test]
fn carriage_returns_belong_to_the_payload() {
    let bytes = b"{}\r\n{\"type\":\"attachment\"}\r\nabc\r\n";
    let envelope = Envelope::from_slice(bytes).unwrap();
    let Some(EnvelopeItem::Attachment(attachment)) = envelope.items().next() else { panic!() };
    assert_eq!(attachment.buffer, b"abc\r");
}

#[test]
fn newlines_at_the_end_are_no_items() {
    for end in ["", "\n", "\n\n\n"] {
        let envelope = Envelope::from_slice(format!("{{}}\n{{\"type\":\"x\"}}\npayload{end}").as_bytes()).unwrap();
        assert_eq!(envelope.items().count(), 1);
        assert_eq!(bytes(&envelope), b"{}\n{\"type\":\"x\"}\npayload\n");
    }
}

#[test]
fn numbers_that_only_the_slow_parser_takes_are_read() {
    let json = r#"{"extra":{"a":123456789012345678901234567890}}"#;
    let envelope = Envelope::from_slice(format!("{{}}\n{{\"type\":\"event\"}}\n{json}").as_bytes()).unwrap();
    assert_eq!(envelope.event().unwrap().extra["a"], 123_456_789_012_345_678_901_234_567_890.0);
}

#[test]
fn an_envelope_is_as_small_as_in_the_mirrored_api() {
    assert!(size_of::<Envelope>() <= 456, "{}", size_of::<Envelope>());
    assert!(size_of::<EnvelopeItem>() <= 216, "{}", size_of::<EnvelopeItem>());
}
