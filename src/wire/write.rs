//! Envelope → bytes, into a buffer the caller reuses.

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::Error as _;

use super::envelope::{Envelope, Original, Slot, Verbatim};
use super::headers::{FixedHeaders, HeaderFields, OwnHeaders};
use super::item::{EnvelopeItem, ItemContainer, Kind, LOGS, METRICS};
use super::json;
use crate::protocol::{Attachment, ClientReport, Event, MonitorCheckIn, SessionAggregates, SessionUpdate, Transaction};

impl Envelope {
    /// Writes the envelope.
    ///
    /// # Errors
    ///
    /// When the writer fails, or as [`append_to`](Self::append_to).
    pub fn to_writer<W>(&self, mut writer: W) -> io::Result<()>
    where
        W: Write,
    {
        let items: usize = self.items().map(EnvelopeItem::usual_length).sum();
        // Items that were read stand in the source, at their length.
        let length = if self.source.is_empty() { items } else { self.source.len() };
        let mut buffer = Vec::with_capacity(length + HEADERS);
        self.append_to(&mut buffer)?;
        writer.write_all(&buffer)
    }

    /// Writes the envelope to the end of a buffer; one that is large enough does not allocate.
    ///
    /// # Errors
    ///
    /// When a value in an item refuses to become JSON. None of the types here does. The buffer is then as it was.
    pub fn append_to(&self, buffer: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let start = buffer.len();
        let written = self.append(buffer);
        if written.is_err() {
            buffer.truncate(start);
        }
        written
    }

    fn append(&self, buffer: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let mut writer = match self.verbatim {
            Verbatim::Items | Verbatim::Rest => EnvelopeWriter::new(buffer, &self.headers.fields())?,
            Verbatim::Headers(length) => EnvelopeWriter::after(buffer, &self.source[..length]),
            Verbatim::Whole => EnvelopeWriter { out: buffer },
        };
        if matches!(self.verbatim, Verbatim::Whole | Verbatim::Rest) {
            writer.out.extend_from_slice(&self.source);
            if !self.items.is_empty() && !self.source.is_empty() && !self.source.ends_with(b"\n") {
                writer.out.push(b'\n');
            }
        }
        for slot in &self.items {
            match slot {
                Slot { original: Some(original), .. } => writer.original(&self.source, original),
                Slot { typed, original: None } => writer.item(typed)?,
            }
        }
        Ok(())
    }
}

/// Writes items into a buffer, one after the other, without an envelope around them.
///
/// Each method leaves the buffer as it was when it fails.
pub(crate) struct EnvelopeWriter<'b> {
    out: &'b mut Vec<u8>,
}

impl<'b> EnvelopeWriter<'b> {
    /// Writes the headers to the end of `out`.
    pub(crate) fn new(out: &'b mut Vec<u8>, headers: &HeaderFields<'_>) -> Result<Self, serde_json::Error> {
        json::append(out, headers)?;
        out.push(b'\n');
        Ok(Self { out })
    }

    /// Writes the headers of a client's envelope to the end of `out`.
    pub(crate) fn of_client(
        out: &'b mut Vec<u8>,
        fixed: &FixedHeaders,
        own: &OwnHeaders<'_, impl Serialize>,
    ) -> Result<Self, serde_json::Error> {
        fixed.write_with(own, out)?;
        out.push(b'\n');
        Ok(Self { out })
    }

    /// Writes headers that are bytes already.
    fn after(out: &'b mut Vec<u8>, line: &[u8]) -> Self {
        out.extend_from_slice(line);
        out.push(b'\n');
        Self { out }
    }

    /// Writes an item of any type.
    pub(crate) fn item(&mut self, item: &EnvelopeItem) -> Result<(), serde_json::Error> {
        match item {
            EnvelopeItem::Event(event) => self.event(event),
            EnvelopeItem::SessionUpdate(session) => self.session(session),
            EnvelopeItem::SessionAggregates(sessions) => self.sessions(sessions),
            EnvelopeItem::Transaction(transaction) => self.transaction(transaction),
            EnvelopeItem::Attachment(attachment) => self.attachment(attachment),
            EnvelopeItem::MonitorCheckIn(check_in) => self.check_in(check_in),
            EnvelopeItem::ItemContainer(ItemContainer::Logs(logs)) => self.logs(logs),
            EnvelopeItem::ItemContainer(ItemContainer::Metrics(metrics)) => self.metrics(metrics),
            EnvelopeItem::ClientReport(report) => self.client_report(report),
            EnvelopeItem::Raw => Ok(()),
        }
    }

    /// Writes an event.
    pub(crate) fn event(&mut self, event: &Event<'_>) -> Result<(), serde_json::Error> {
        self.json("event", event)
    }

    /// Writes an event with breadcrumbs that are not in it.
    pub(crate) fn event_with_breadcrumbs(
        &mut self,
        event: &Event<'_>,
        breadcrumbs: &impl Serialize,
    ) -> Result<(), serde_json::Error> {
        debug_assert!(event.breadcrumbs.is_empty(), "they would come twice");
        self.with_length(
            |out| write!(out, r#"{{"type":"event""#),
            |out| {
                json::append(out, event)?;
                // An event has an id at least: this opens the object again, after one of its fields.
                out.pop();
                out.extend_from_slice(br#","breadcrumbs":{"values":"#);
                json::append(out, breadcrumbs)?;
                out.extend_from_slice(b"}}");
                Ok(())
            },
        )
    }

    /// Writes a transaction.
    pub(crate) fn transaction(&mut self, transaction: &Transaction<'_>) -> Result<(), serde_json::Error> {
        self.json("transaction", transaction)
    }

    /// Writes a transaction of which `payload` writes the JSON.
    pub(crate) fn transaction_by(
        &mut self,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<(), serde_json::Error>,
    ) -> Result<(), serde_json::Error> {
        self.with_length(|out| write!(out, r#"{{"type":"transaction""#), payload)
    }

    /// Writes how one session stands.
    pub(crate) fn session(&mut self, session: &SessionUpdate<'_>) -> Result<(), serde_json::Error> {
        self.json("session", session)
    }

    /// Writes counts of sessions.
    pub(crate) fn sessions(&mut self, sessions: &SessionAggregates<'_>) -> Result<(), serde_json::Error> {
        self.json("sessions", sessions)
    }

    /// Writes a check-in.
    pub(crate) fn check_in(&mut self, check_in: &MonitorCheckIn) -> Result<(), serde_json::Error> {
        self.json("check_in", check_in)
    }

    /// Writes a client report.
    pub(crate) fn client_report(&mut self, report: &ClientReport) -> Result<(), serde_json::Error> {
        self.json("client_report", report)
    }

    /// Writes [`Log`](crate::protocol::Log)s, or what is written as they are, as one item.
    pub(crate) fn logs(&mut self, logs: &[impl Serialize]) -> Result<(), serde_json::Error> {
        self.container(&LOGS, logs)
    }

    /// Writes [`Metric`](crate::protocol::Metric)s, or what is written as they are, as one item.
    pub(crate) fn metrics(&mut self, metrics: &[impl Serialize]) -> Result<(), serde_json::Error> {
        self.container(&METRICS, metrics)
    }

    /// Writes an attachment.
    pub(crate) fn attachment(&mut self, attachment: &Attachment) -> Result<(), serde_json::Error> {
        self.whole(|out| {
            attachment.to_writer(out).map_err(serde_json::Error::custom)?;
            out.push(b'\n');
            Ok(())
        })
    }

    /// Writes an item as it was read.
    fn original(&mut self, source: &[u8], Original { header, payload }: &Original) {
        for line in [header, payload] {
            self.out.extend_from_slice(&source[line.clone()]);
            self.out.push(b'\n');
        }
    }

    fn json(&mut self, ty: &str, payload: &impl Serialize) -> Result<(), serde_json::Error> {
        self.with_length(|out| write!(out, r#"{{"type":"{ty}""#), |out| json::append(out, payload))
    }

    fn container(&mut self, kind: &Kind, items: &[impl Serialize]) -> Result<(), serde_json::Error> {
        let Kind { ty, content_type } = kind;
        let count = items.len();
        self.with_length(
            |out| write!(out, r#"{{"type":"{ty}","item_count":{count},"content_type":"{content_type}""#),
            |out| json::append(out, &Items { items }),
        )
    }

    /// Writes an item whose length is known only when it is written: the header leaves room for it.
    fn with_length(
        &mut self,
        header: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<(), serde_json::Error>,
    ) -> Result<(), serde_json::Error> {
        self.whole(|out| {
            header(out).map_err(serde_json::Error::custom)?;
            out.extend_from_slice(br#","length":"#);
            let room = out.len();
            out.extend_from_slice(ROOM);
            out.extend_from_slice(b"}\n");
            let start = out.len();
            payload(out)?;
            let length = Digits::of(out.len() - start);
            // Moves the payload when its length has not the usual number of digits.
            out.splice(room..room + ROOM.len(), length.as_bytes().iter().copied());
            out.push(b'\n');
            Ok(())
        })
    }

    /// Runs a step that writes all of an item or nothing.
    fn whole(
        &mut self,
        step: impl FnOnce(&mut Vec<u8>) -> Result<(), serde_json::Error>,
    ) -> Result<(), serde_json::Error> {
        let start = self.out.len();
        let written = step(self.out);
        if written.is_err() {
            self.out.truncate(start);
        }
        written
    }
}

/// The payload of a container.
#[derive(Serialize)]
struct Items<'a, T> {
    items: &'a [T],
}

/// A number in decimal digits, on the stack.
struct Digits {
    text: [u8; 20],
    start: usize,
}

impl Digits {
    fn of(mut number: usize) -> Self {
        let mut digits = Self { text: [b'0'; 20], start: 20 };
        for place in digits.text.iter_mut().rev() {
            digits.start -= 1;
            // A remainder of 10 fits every type.
            *place = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        digits
    }

    fn as_bytes(&self) -> &[u8] {
        &self.text[self.start..]
    }
}

/// The bytes of most headers.
const HEADERS: usize = 1 << 10;

/// Holds the place of a payload's length: events with breadcrumbs have five digits.
const ROOM: &[u8] = b"00000";

#[cfg(test)]
mod tests {
    use serde::ser::Error as _;
    use serde::{Serialize, Serializer};

    use super::EnvelopeWriter;
    use crate::wire::EnvelopeView;
    use crate::wire::headers::HeaderFields;

    struct Refuses;

    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("no"))
        }
    }

    #[test]
    fn an_item_that_fails_leaves_nothing_behind() {
        let mut buffer = Vec::new();
        let mut writer = EnvelopeWriter::new(&mut buffer, &HeaderFields::default()).unwrap();
        writer.json("a", &1).unwrap();
        assert!(writer.json("b", &("begun", Refuses)).is_err());
        writer.json("c", &2).unwrap();
        let expected = "{}\n{\"type\":\"a\",\"length\":1}\n1\n{\"type\":\"c\",\"length\":1}\n2\n";
        assert_eq!(String::from_utf8(buffer).unwrap(), expected);
    }

    #[test]
    fn a_length_of_any_number_of_digits_finds_room() {
        for length in [1, 7, 42, 9_999, 10_000, 99_999, 100_000, 1_234_567] {
            // The quotation marks count too.
            let payload = "x".repeat(length);
            let mut buffer = Vec::new();
            let mut writer = EnvelopeWriter::new(&mut buffer, &HeaderFields::default()).unwrap();
            writer.json("a", &payload).unwrap();
            writer.json("b", &1).unwrap();
            let items = EnvelopeView::new(&buffer).unwrap().items();
            let lengths: Vec<usize> = items.map(|item| item.unwrap().payload().len()).collect();
            assert_eq!(lengths, [length + 2, 1]);
        }
    }
}
