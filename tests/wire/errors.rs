//! Every error, with what it says and what caused it.

use std::error::Error;

use vidette::protocol::{Envelope, EnvelopeError};

fn error(bytes: impl AsRef<[u8]>) -> EnvelopeError {
    Envelope::from_slice(bytes.as_ref()).unwrap_err()
}

/// Says what went wrong, and why.
fn told(bytes: &str) -> String {
    let error = error(bytes);
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

#[test]
fn an_envelope_needs_headers() {
    assert!(matches!(error(""), EnvelopeError::MissingHeader));
    assert!(matches!(error("\n{\"type\":\"x\"}\n\n"), EnvelopeError::MissingHeader));
    assert!(matches!(error("{\n"), EnvelopeError::InvalidHeader(_)));
    assert_eq!(told("[]\n"), "the headers of the envelope are invalid: expected an object");
    assert_eq!(
        told("{\"sent_at\":1,\"sent_at\":2}\n"),
        "the headers of the envelope are invalid: duplicate field `sent_at` at line 1 column 22"
    );
}

#[test]
fn an_item_needs_a_header() {
    assert!(matches!(error("{}\n\n{}"), EnvelopeError::MissingItemHeader));
    assert!(matches!(error("{}\n{"), EnvelopeError::InvalidItemHeader(_)));
    assert_eq!(told("{}\n{}"), "the header of an item is invalid: missing field `type` at line 1 column 2");
    assert_eq!(told("{}\n[\"event\"]"), "the header of an item is invalid: expected an object");
}

#[test]
fn a_payload_has_its_declared_length() {
    assert!(matches!(error("{}\n{\"type\":\"x\",\"length\":3}\nab"), EnvelopeError::UnexpectedEof));
    assert!(matches!(error("{}\n{\"type\":\"x\",\"length\":18446744073709551615}\nab"), EnvelopeError::UnexpectedEof));
    assert!(matches!(error("{}\n{\"type\":\"x\",\"length\":1}\nab"), EnvelopeError::MissingNewline));
    assert!(matches!(error("{}\n{\"type\":\"x\",\"length\":2}\nab\r\n"), EnvelopeError::MissingNewline));
}

#[test]
fn a_payload_that_does_not_fit_says_where() {
    assert_eq!(
        told("{}\n{\"type\":\"session\"}\n{\"started\":true,\"attrs\":{\"release\":\"\"}}"),
        "the payload of an item is invalid: invalid type: boolean `true`, expected seconds since 1970 or an RFC \
         3339 timestamp, before the year 10000 at line 1 column 15"
    );
    assert_eq!(told("{}\n{\"type\":\"event\"}\n[]"), "the payload of an item is invalid: expected an object");
    assert_eq!(
        told("{}\n{\"type\":\"event\"}\n{\"extra\":"),
        "the payload of an item is invalid: EOF while parsing a value at line 1 column 9"
    );
}

#[test]
fn a_missing_file_is_not_a_broken_envelope() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/no such file");
    for result in [Envelope::from_path(&path), Envelope::from_path_raw(&path)] {
        let error = result.unwrap_err();
        assert!(matches!(&error, EnvelopeError::Io(cause) if cause.kind() == std::io::ErrorKind::NotFound));
        assert!(error.source().is_some());
    }
}

#[test]
fn a_writer_that_fails_is_heard() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = Envelope::new().to_writer(Full).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
}
