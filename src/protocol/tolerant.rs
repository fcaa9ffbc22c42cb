//! Reading what the protocol lets a sender write in more than one way.
//!
//! Each function here serves `#[serde(deserialize_with = "…")]`.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use url::form_urlencoded;

/// Reads a text that [`FromStr`] understands, without copying it.
pub(crate) fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    struct Parse<T>(PhantomData<T>);

    impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Parse<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Parse(PhantomData))
}

/// Reads null as the default.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a list of large items; null is an empty list.
pub(crate) fn items<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_option(Items(PhantomData))
}

/// Makes room for an item, and for as many as may follow.
pub(crate) fn make_room<T>(items: &mut Vec<T>, following: Option<usize>) {
    if items.is_empty() {
        // Often the only one.
        items.reserve_exact(1);
    } else if items.len() == items.capacity() {
        // What the input claims is believed up to a point.
        let most = MOST_RESERVED / size_of::<T>().max(1);
        items.reserve(following.unwrap_or_default().min(most).saturating_add(1));
    }
}

/// Reads a text, or the JSON of anything else.
pub(crate) fn text<'de, D>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: Deserializer<'de>,
{
    Value::deserialize(deserializer).map(into_text)
}

/// Reads a text, or an object or a list of pairs, as the query of a URL.
pub(crate) fn query<'de, D>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: Deserializer<'de>,
{
    Value::deserialize(deserializer).map(|value| match into_pairs(value) {
        Ok(pairs) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(pairs);
            Some(query.finish())
        }
        Err(value) => into_text(value),
    })
}

/// Reads a text, or an object or a list of pairs, as the header `Cookie`.
pub(crate) fn cookies<'de, D>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: Deserializer<'de>,
{
    Value::deserialize(deserializer).map(|value| match into_pairs(value) {
        Ok(pairs) => Some(pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("; ")),
        Err(value) => into_text(value),
    })
}

/// Reads an object or a list of pairs; values that are no texts become their JSON, and null is left out.
pub(crate) fn text_map<'de, D>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(TextMap)
}

/// Reads a list of texts; what is no text becomes its JSON, and null is left out.
pub(crate) fn texts<'de, D>(deserializer: D) -> Result<Vec<String>, D::Error>
where
    D: Deserializer<'de>,
{
    list(deserializer).map(|values| values.into_iter().filter_map(into_text).collect())
}

/// Reads a list; a single value is a list of one, and null an empty list.
pub(crate) fn list<'de, D>(deserializer: D) -> Result<Vec<Value>, D::Error>
where
    D: Deserializer<'de>,
{
    Value::deserialize(deserializer).map(|value| match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values,
        single => vec![single],
    })
}

struct Items<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_none<E: Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_unit<E: Error>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            make_room(&mut items, seq.size_hint());
            items.push(item);
        }
        items.shrink_to_fit();
        Ok(items)
    }
}

struct TextMap;

impl<'de> Visitor<'de> for TextMap {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of pairs")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut texts = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            if let Some(value) = into_text(value) {
                texts.insert(key, value);
            }
        }
        Ok(texts)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut texts = BTreeMap::new();
        while let Some(pair) = seq.next_element::<Option<(Value, Value)>>()? {
            if let Some((key, value)) = pair
                && let (Some(key), Some(value)) = (into_text(key), into_text(value))
            {
                texts.insert(key, value);
            }
        }
        Ok(texts)
    }
}

fn into_text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// Takes an object or a list of pairs apart, or gives the value back.
fn into_pairs(value: Value) -> Result<Vec<(String, String)>, Value> {
    match value {
        Value::Object(map) => Ok(map.into_iter().filter_map(|(key, value)| Some((key, into_text(value)?))).collect()),
        Value::Array(items) if items.iter().all(is_pair) => Ok(items
            .into_iter()
            .filter_map(|item| match item {
                Value::Array(pair) => {
                    let mut pair = pair.into_iter().map(into_text);
                    Some((pair.next()??, pair.next()??))
                }
                _ => None,
            })
            .collect()),
        other => Err(other),
    }
}

fn is_pair(value: &Value) -> bool {
    value.as_array().is_some_and(|pair| pair.len() == 2)
}

/// How many bytes a list may ask for before its items are there.
const MOST_RESERVED: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pairs_and_objects_of_scalars_become_texts() {
        let wanted = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".into(), "x".into())]);
        assert_eq!(text_map(json!({"a": 1, "b": "x", "c": null})).unwrap(), wanted);
        assert_eq!(text_map(json!([["a", 1], null, ["b", "x"]])).unwrap(), wanted);
        assert!(text_map(json!(null)).unwrap().is_empty());
        assert!(text_map(json!("a=1")).is_err());
        assert!(text_map(json!([["a"]])).is_err());
    }

    #[test]
    fn a_query_may_be_text_object_or_pairs() {
        let wanted = Some("a=1&b=x+y".to_owned());
        assert_eq!(query(json!("a=1&b=x+y")).unwrap(), wanted);
        assert_eq!(query(json!({"a": 1, "b": "x y"})).unwrap(), wanted);
        assert_eq!(query(json!([["a", "1"], ["b", "x y"]])).unwrap(), wanted);
        assert_eq!(query(json!(null)).unwrap(), None);
    }

    #[test]
    fn cookies_may_be_text_object_or_pairs() {
        let wanted = Some("a=1; b=x".to_owned());
        assert_eq!(cookies(json!({"a": 1, "b": "x"})).unwrap(), wanted);
        assert_eq!(cookies(json!([["a", "1"], ["b", "x"]])).unwrap(), wanted);
        assert_eq!(cookies(json!("a=1; b=x")).unwrap(), wanted);
    }

    #[test]
    fn a_text_may_be_any_json() {
        assert_eq!(text(json!(42)).unwrap().as_deref(), Some("42"));
        assert_eq!(text(json!({"a": []})).unwrap().as_deref(), Some("{\"a\":[]}"));
        assert_eq!(text(json!(null)).unwrap(), None);
    }
}
