//! Programs that attach files to what they capture.

use sentry::protocol::{Attachment, AttachmentType};

#[test]
fn an_event_takes_the_attachments_of_its_scope_along() {
    let run = program!().run(|| {
        let _sentry = sentry::init(());
        let binary = Attachment { buffer: vec![0, 10, 255, 10], filename: "till.bin".into(), ..Default::default() };
        sentry::configure_scope(|scope| scope.add_attachment(binary));
        let dump = Attachment {
            buffer: b"not really".to_vec(),
            filename: "crash.dmp".into(),
            content_type: Some("application/x-dmp".into()),
            ty: Some(AttachmentType::Minidump),
        };
        sentry::with_scope(
            |scope| scope.add_attachment(dump),
            || sentry::capture_message("two attachments", sentry::Level::Error),
        );
        sentry::capture_message("one attachment", sentry::Level::Error);
        sentry::configure_scope(|scope| scope.clear_attachments());
        sentry::capture_message("none", sentry::Level::Error);
    });
    let Some(run) = run else { return };
    let attached: Vec<_> = run.envelopes.iter().map(|envelope| &envelope.items[1..]).collect();
    assert_eq!(attached.iter().map(|items| items.len()).collect::<Vec<_>>(), [2, 1, 0]);
    let (first, second) = (&attached[0][0], &attached[0][1]);
    assert_eq!((first.kind(), &first.headers["filename"]), ("attachment", &"till.bin".into()));
    assert_eq!(first.payload, [0, 10, 255, 10]);
    assert_eq!((&second.headers["filename"], &second.payload[..]), (&"crash.dmp".into(), &b"not really"[..]));
    assert_eq!(second.headers["attachment_type"], "event.minidump");
    assert_eq!(second.headers["content_type"], "application/x-dmp");
}

#[test]
fn what_drops_an_event_drops_its_attachments() {
    let run = program!().run(|| {
        let _sentry = sentry::init(sentry::ClientOptions::new().before_send(|event| {
            let wanted = event.message.as_deref() == Some("wanted");
            wanted.then_some(event)
        }));
        let note = Attachment { buffer: b"0123456789".to_vec(), filename: "note.txt".into(), ..Default::default() };
        sentry::configure_scope(|scope| scope.add_attachment(note));
        assert!(sentry::capture_message("unwanted", sentry::Level::Error).is_nil());
        sentry::capture_message("wanted", sentry::Level::Error);
    });
    let Some(run) = run else { return };
    assert_eq!((run.event()["message"].as_str(), run.items("attachment").len()), (Some("wanted"), 1));
}
