//! What a receiver was sent, looked up by kind.

use receiver::{Envelope, Receiver};
use serde_json::Value;

/// Everything that arrived.
pub struct Arrived(Vec<Envelope>);

impl Arrived {
    /// Takes all that has arrived so far.
    pub fn at(receiver: &Receiver) -> Self {
        Self(receiver.take())
    }

    pub fn envelopes(&self) -> &[Envelope] {
        &self.0
    }

    /// The payloads of all items of a type.
    pub fn items(&self, kind: &str) -> Vec<Value> {
        let items = self.0.iter().flat_map(|envelope| &envelope.items);
        items.filter(|item| item.kind() == kind).map(receiver::Item::json).collect()
    }

    pub fn events(&self) -> Vec<Value> {
        self.items("event")
    }

    pub fn transactions(&self) -> Vec<Value> {
        self.items("transaction")
    }

    /// The entries of all items of a type that carry several, such as logs.
    pub fn entries(&self, kind: &str) -> Vec<Value> {
        let items = self.items(kind);
        items.iter().flat_map(|item| item["items"].as_array().into_iter().flatten().cloned()).collect()
    }

    /// The one transaction of that name.
    ///
    /// # Panics
    ///
    /// Panics when there is none or several.
    pub fn transaction(&self, name: &str) -> Value {
        let mut named = self.transactions();
        named.retain(|transaction| transaction["transaction"] == name);
        assert_eq!(named.len(), 1, "transactions named {name} of {:#?}", self.transactions());
        named.remove(0)
    }

    /// The one event whose message, or else the value of whose last exception, is this.
    ///
    /// # Panics
    ///
    /// Panics when there is none or several.
    pub fn event(&self, said: &str) -> Value {
        let mut found = self.events();
        found.retain(|event| says(event) == said);
        assert_eq!(found.len(), 1, "events that say {said} of {:#?}", self.events());
        found.remove(0)
    }
}

/// What an event says: its message, or else the value of its last exception.
fn says(event: &Value) -> &str {
    let exceptions = event["exception"]["values"].as_array();
    let exception = exceptions.and_then(|values| values.last()).map_or(&Value::Null, |last| &last["value"]);
    event["message"].as_str().or_else(|| exception.as_str()).unwrap_or_default()
}
