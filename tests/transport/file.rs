//! Envelopes into a file and out of it.

use std::thread;

use vidette::transport::{EnvelopeFile, FileTransport, SendBytes, SendError, Transport};
use vidette::wire::Envelope;

use crate::event;
use crate::tls::Scratch;

fn read(file: &Scratch) -> Vec<Vec<u8>> {
    EnvelopeFile::open(&file.0).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn envelopes_are_appended_and_come_back_in_order() {
    let file = Scratch::new("envelopes");
    for round in 0..2 {
        let transport = FileTransport::open(&file.0).unwrap();
        for length in [10, 20_000] {
            let reply = transport.send_bytes(&event(length + round), None).unwrap();
            assert_eq!(reply.status, 200);
        }
    }
    assert_eq!(read(&file), [event(10), event(20_000), event(11), event(20_001)]);
}

#[test]
fn threads_and_handles_do_not_mix_their_envelopes() {
    let file = Scratch::new("shared");
    thread::scope(|scope| {
        for length in [10, 500, 5_000, 50_000] {
            let transport = FileTransport::open(&file.0).unwrap();
            scope.spawn(move || {
                for _ in 0..25 {
                    transport.send_bytes(&event(length), None).unwrap();
                }
            });
        }
    });
    let envelopes = read(&file);
    assert_eq!(envelopes.len(), 100);
    for length in [10, 500, 5_000, 50_000] {
        let same = envelopes.iter().filter(|envelope| **envelope == event(length));
        assert_eq!(same.count(), 25);
    }
}

#[test]
fn a_typed_envelope_comes_back_as_it_was() {
    let file = Scratch::new("typed");
    let transport = FileTransport::open(&file.0).unwrap();
    transport.send_envelope(Envelope::from_slice(&event(100)).unwrap());
    let envelopes = read(&file);
    let envelope = Envelope::from_slice(&envelopes[0]).unwrap();
    assert_eq!((envelopes.len(), envelope.items().count()), (1, 1));
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error() {
    let missing = Scratch::new("nowhere").0.join("envelopes");
    assert!(FileTransport::open(&missing).is_err());
    assert!(EnvelopeFile::open(&missing).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let transport = FileTransport::open("/dev/full").unwrap();
    let error = transport.send_bytes(&event(10), None).unwrap_err();
    assert!(matches!(error, SendError::Io(_)), "{error:?}");
}
