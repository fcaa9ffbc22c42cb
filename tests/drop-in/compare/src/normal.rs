//! What arrived, in a form in which two runs of the same program are the same.
//!
//! Ids become the places where they first appear, so that what refers to what is still compared. Times and addresses
//! become words. Of stack traces the frames of the application stay: what is between them is the cores' own.

use std::collections::{BTreeMap, HashMap};

use receiver::Envelope;
use serde_json::Value;

/// An item: each value in it, written as JSON, by its path.
pub(crate) type Item = BTreeMap<String, String>;

/// Returns all items by kind, each kind in the order in which it arrived.
///
/// Items that carry several entries of one kind count as their entries, and the counts of several session items are
/// added up: how many travel together is a matter of time.
pub(crate) fn items(envelopes: &[Envelope]) -> BTreeMap<String, Vec<Item>> {
    let mut by_kind: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    let mut names = Names::default();
    // The order in which kinds come is a matter of time; the order within a kind is not.
    let mut found: Vec<(String, Value)> = Vec::new();
    for envelope in envelopes {
        for item in &envelope.items {
            let kind = item.kind().to_owned();
            if is_news_of_a_session(&kind, &item.json()) {
                continue;
            }
            let mut headers = envelope.headers.clone();
            if is_counted(&kind) {
                // It travels with what happens to be sent.
                headers = Value::Null;
            }
            let mut about = serde_json::Map::from_iter([("envelope".to_owned(), headers)]);
            about.insert("header".to_owned(), item.headers.clone());
            match item.json() {
                Value::Object(mut container) if container.contains_key("items") => {
                    for entry in container["items"].take().as_array_mut().into_iter().flatten() {
                        about.insert("payload".to_owned(), entry.take());
                        found.push((kind.clone(), about.clone().into()));
                    }
                }
                Value::Null => {
                    about.insert("payload".to_owned(), String::from_utf8_lossy(&item.payload).into());
                    found.push((kind, about.into()));
                }
                payload => {
                    about.insert("payload".to_owned(), payload);
                    found.push((kind, about.into()));
                }
            }
        }
    }
    // Events and transactions name the ids: in what else they stand, the cores may differ.
    found.sort_by_key(|(kind, _)| (!matches!(kind.as_str(), "event" | "transaction"), kind.clone()));
    let mut of_kind: HashMap<String, usize> = HashMap::new();
    for (kind, value) in &mut found {
        tally(&mut value["payload"]);
        let place = of_kind.entry(kind.clone()).or_default();
        *place += 1;
        // Headers may repeat ids of payloads, in one core or in both: the payloads name them.
        names.place = format!("{kind} {place}");
        flatten(String::new(), &value["payload"], &mut names, &mut Item::new());
    }
    for (kind, value) in found {
        let mut item = Item::new();
        flatten(String::new(), &value, &mut names, &mut item);
        match by_kind.get_mut(&kind).and_then(|items| items.last_mut()) {
            Some(last) if is_counted(&kind) => add(last, item),
            _ => by_kind.entry(kind).or_default().push(item),
        }
    }
    by_kind
}

/// An update of a session that goes on. The peer sends one with each error, where the specification wants the first.
fn is_news_of_a_session(kind: &str, payload: &Value) -> bool {
    kind == "session" && payload["init"] != true && payload["status"] == "ok"
}

/// How many items of such a kind there are, and what is counted in which, is a matter of time.
fn is_counted(kind: &str) -> bool {
    matches!(kind, "sessions" | "client_report")
}

/// Counts the sessions of all minutes as one, and what was discarded by category and reason.
fn tally(payload: &mut Value) {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for entry in payload["discarded_events"].as_array().into_iter().flatten() {
        let what = format!("{} {}", entry["category"].as_str().unwrap_or(""), entry["reason"].as_str().unwrap_or(""));
        *sums.entry(what).or_default() += entry["quantity"].as_u64().unwrap_or(0);
    }
    for entry in payload["aggregates"].as_array().into_iter().flatten() {
        for (what, count) in entry.as_object().into_iter().flatten() {
            *sums.entry(what.clone()).or_default() += count.as_u64().unwrap_or(0);
        }
    }
    if let (Value::Object(payload), false) = (payload, sums.is_empty()) {
        payload.remove("discarded_events");
        payload.remove("aggregates");
        payload.insert("sums".to_owned(), serde_json::json!(sums));
    }
}

/// Adds the numbers of one item up with those of another.
fn add(sum: &mut Item, item: Item) {
    for (path, value) in item {
        let known = sum.get(&path).and_then(|known| known.parse::<u64>().ok()).unwrap_or(0);
        let value = value.parse::<u64>().map_or(value, |count| (known + count).to_string());
        sum.insert(path, value);
    }
}

fn flatten(path: String, value: &Value, names: &mut Names, item: &mut Item) {
    let key = path.rsplit('.').next().unwrap_or_default();
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(format!("{path}.{key}"), value, names, item);
            }
        }
        Value::Array(values) => {
            let own = |frame: &Value| frame["abs_path"].as_str().is_some_and(|path| path.contains("/shop/src/"));
            let kept = values.iter().filter(|value| key != "frames" || own(value));
            for (place, value) in kept.enumerate() {
                flatten(format!("{path}.{place}"), value, names, item);
            }
        }
        _ => {
            let text = match key {
                "timestamp" | "start_timestamp" | "sent_at" | "started" | "duration" => "a time".to_owned(),
                "thread_id" => "a number".to_owned(),
                "id" if path.contains(".threads.") => "a number".to_owned(),
                "abs_path" | "dsn" => "an address".to_owned(),
                "instruction_addr" | "image_addr" | "symbol_addr" | "length" => "a number".to_owned(),
                _ => names.replace(&path, value),
            };
            item.insert(path, text);
        }
    }
}

/// The names that ids are given.
#[derive(Default)]
struct Names {
    /// By id.
    known: HashMap<String, String>,
    /// Which item is looked at.
    place: String,
}

impl Names {
    /// Writes a value, with a name in place of each id in it.
    fn replace(&mut self, path: &str, value: &Value) -> String {
        let Value::String(text) = value else {
            return value.to_string();
        };
        let mut written = String::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            if let Some(uuid) = rest.get(..36).filter(|uuid| is_uuid(uuid)) {
                written.push_str(&self.name(path, &uuid.replace('-', "")));
                rest = &rest[36..];
                continue;
            }
            let (word, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len()));
            let is_id = matches!(word.len(), 16 | 32) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            written.push_str(&if is_id { self.name(path, word) } else { word.to_owned() });
            let (separator, after) = after.split_at(after.chars().next().map_or(0, char::len_utf8));
            written.push_str(separator);
            rest = after;
        }
        format!("{written:?}")
    }

    fn name(&mut self, path: &str, id: &str) -> String {
        let name = || format!("<{}{path}>", self.place);
        self.known.entry(id.to_owned()).or_insert_with(name).clone()
    }
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}
