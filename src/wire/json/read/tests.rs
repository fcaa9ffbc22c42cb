//! One pass against `serde_json`, corner by corner.

use std::collections::BTreeMap;
use std::fmt::Debug;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::read;
use crate::protocol::Stacktrace;

/// Checks that bytes are read as `serde_json` reads them, or, where it does not, not at all.
#[track_caller]
fn same(json: &[u8]) {
    let ours = read::<Value>(json).map(|value| value.to_string());
    let theirs = serde_json::from_slice::<Value>(json).ok().map(|value| value.to_string());
    assert_eq!(ours, theirs, "{}", String::from_utf8_lossy(json));
}

#[test]
fn numbers_are_what_their_digits_say() {
    let whole =
        ["0", "7", "10", "00", "01", "9007199254740993", "18446744073709551615", "18446744073709551616", "1e", ""];
    let more = ["9223372036854775807", "9223372036854775808", "9223372036854775809", "123456789012345678901234567890"];
    for whole in
        whole.iter().chain(&more).map(|whole| whole.to_string()).chain([7, 18, 19, 20, 400].map(|n| "9".repeat(n)))
    {
        for fraction in ["", ".", ".0", ".5", ".296", ".0000000000000000000001", ".12345678901234567890", "..1", ".1.1"]
        {
            for exponent in ["", "e", "e5", "E+5", "e-5", "e-400", "e400", "e99999999999", "e-", "e00000000001", "ee1"]
            {
                for sign in ["", "-", "+", "--"] {
                    let number = format!("{sign}{whole}{fraction}{exponent}");
                    same(number.as_bytes());
                    same(format!("[{number}, {number} ]").as_bytes());
                }
            }
        }
    }
}

#[test]
fn a_float_is_the_nearest_to_its_digits() {
    let mut random = SmallRng::seed_from_u64(1);
    for _ in 0..20_000 {
        let digits = random.next_u64() >> (random.next_u32() % 64);
        let places = random.next_u32() as usize % 20;
        let text = format!("{digits:020}");
        let (whole, fraction) = text.split_at(text.len() - places);
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        same(format!("{whole}.{fraction}0").as_bytes());
        let bits = f64::from_bits(random.next_u64());
        if bits.is_finite() {
            let text = format!("{bits:?}");
            assert_eq!(read::<f64>(text.as_bytes()).map(f64::to_bits), Some(bits.to_bits()), "{text}");
            assert_eq!(read::<f32>(text.as_bytes()), serde_json::from_str(&text).ok(), "{text}");
        }
    }
}

#[test]
fn texts_end_where_they_end_and_escapes_become_letters() {
    let pieces = [
        "",
        "x",
        "\\n",
        "\\\"",
        "\\\\",
        "\\/",
        "\\u0041",
        "\\uD834\\uDD1E",
        "\\ud834",
        "\\udd1e",
        "\\ud834x",
        "\\u00g0",
        "\\x",
    ];
    let others =
        ["\\ud834\\n", "\\ud834\\u0041", "\\u12", "\\", "\n", "\u{7f}", "\u{1}", "ä", "𝄞", "\u{2028}", "{", "]"];
    for piece in pieces.iter().chain(&others) {
        for before in [0, 1, 6, 7, 8, 14, 15, 16, 17, 31, 32, 33, 80] {
            for after in [0, 1, 7, 8, 31, 40] {
                let text = format!("{}{piece}{}", "a".repeat(before), "b".repeat(after));
                same(format!("\"{text}\"").as_bytes());
                same(format!("{{\"{text}\" :\"{text}\"}}").as_bytes());
                same(format!("\"{text}").as_bytes());
            }
        }
    }
    same(b"\"\xff\"");
    same(b"\"\xc3");
    same(&[b'"', 0xed, 0xa0, 0x80, b'"']);
}

#[test]
fn structure_is_checked_to_the_last_byte() {
    for json in [
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[]]",
        "[ ]",
        "[ 1 , 2 ]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 , \"b\":2}",
        "{,\"a\":1}",
        "{\"a\":1\"b\":2}",
        "{\"a\" 1}",
        "{1:2}",
        "{null:1}",
        "{\"a\":1}x",
        "{\"a\":1}\n\t\r ",
        "\u{c}1",
        "null",
        "nul",
        "nullx",
        "true",
        "tr",
        "false",
        "[truefalse]",
        "n",
        "t",
        "f",
        "'a'",
        "\u{feff}1",
        "{\"a\":1,\"a\":2}",
        "{\"a\":[{\"b\":[{}]}]}",
        "/**/1",
        "1 1",
        "[1]1",
        "-",
        "+1",
        ".5",
        "NaN",
        "Infinity",
        "{\"a\":1,,\"b\":2}",
    ] {
        same(json.as_bytes());
    }
}

#[test]
fn lists_and_objects_may_be_127_levels_deep() {
    for levels in [1, 126, 127, 128, 129, 10_000] {
        same(("[".repeat(levels) + &"]".repeat(levels)).as_bytes());
        same(("{\"a\":".repeat(levels) + "1" + &"}".repeat(levels)).as_bytes());
    }
    // Those that are closed again do not count.
    same(("[".to_owned() + &"[],".repeat(1000) + "{}]").as_bytes());
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Name {
    First,
    Second,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Newtype(u8);

#[derive(Debug, Deserialize, PartialEq)]
struct Fields<'a> {
    text: Option<&'a str>,
    name: Name,
    newtype: Newtype,
    pair: (i8, f32),
    unit: (),
    flag: bool,
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

#[test]
fn types_are_read_as_they_are_described() {
    let json = br#"{"name":"second","text":"x","newtype":7,"pair":[-1,0.1],"unit":null,"flag":true,"else":[1]}"#;
    let fields: Fields<'_> = read(json).unwrap();
    assert_eq!(fields, serde_json::from_slice(json).unwrap());
    assert_eq!((fields.text, fields.name), (Some("x"), Name::Second));
    assert_eq!(read::<Name>(b"\"fir\\u0073t\""), Some(Name::First));
}

#[test]
fn what_does_not_fit_its_type_is_refused() {
    fn refused<T: Debug + DeserializeOwned + PartialEq>(json: &str) {
        assert_eq!(read::<T>(json.as_bytes()), None, "{json}");
    }
    refused::<u8>("256");
    refused::<u8>("-1");
    refused::<u64>("1.0");
    refused::<u64>("\"1\"");
    refused::<bool>("1");
    refused::<String>("1");
    refused::<Name>("\"third\"");
    refused::<(u8, u8)>("[1,2,3]");
    refused::<(u8, u8)>("[1]");
    refused::<Vec<u8>>("{}");
    refused::<()>("0");
    refused::<f32>("1e39");
    assert!(read::<Fields<'_>>(br#"{"name":"first","name":"first"}"#).is_none());
}

/// Makes a value of any shape.
fn any(random: &mut SmallRng, levels: u32) -> Value {
    let text = |random: &mut SmallRng| -> String {
        let length = random.next_u32() % 40;
        let letters = ["a", "b", " ", "\"", "\\", "\n", "\u{0}", "é", "€", "𝄞", "/", "\u{7f}"];
        (0..length)
            .map(|_| letters[random.next_u32() as usize % if length.is_multiple_of(2) { 3 } else { letters.len() }])
            .collect()
    };
    match random.next_u32() % if levels == 0 { 6 } else { 8 } {
        0 => Value::Null,
        1 => random.next_u32().is_multiple_of(2).into(),
        2 => (random.next_u64() >> (random.next_u32() % 64)).into(),
        3 => ((random.next_u64() as i64) >> (random.next_u32() % 64)).into(),
        4 => f64::from_bits(random.next_u64()).into(),
        5 => text(random).into(),
        6 => (0..random.next_u32() % 6).map(|_| any(random, levels - 1)).collect(),
        _ => Value::Object((0..random.next_u32() % 6).map(|_| (text(random), any(random, levels - 1))).collect()),
    }
}

#[test]
fn any_value_is_read_as_it_was_written_and_broken_ones_as_serde_json_reads_them() {
    let mut random = SmallRng::seed_from_u64(2);
    for _ in 0..2_000 {
        let value = any(&mut random, 4);
        for mut json in [serde_json::to_vec(&value).unwrap(), serde_json::to_vec_pretty(&value).unwrap()] {
            same(&json);
            assert_eq!(read::<Value>(&json), Some(value.clone()));
            for _ in 0..4 {
                let place = random.next_u32() as usize % json.len();
                let bytes = b"\"\\,:{}[]0-.e \nnu\x01\x80";
                json[place] = bytes[random.next_u32() as usize % bytes.len()];
                same(&json);
            }
            json.truncate(random.next_u32() as usize % json.len());
            same(&json);
        }
    }
    assert_eq!(read(b"{}"), Some(json!({})));
}

#[test]
fn keys_in_the_order_of_the_last_object_or_in_another_are_those_that_stand_there() {
    let mut random = SmallRng::seed_from_u64(3);
    let names =
        ["a", "ab", "b", "type", "data", "span_id", "a\\u0062", "start_timestamp", "a_name_of_20_letters", "é", ""];
    let longest = "a_name_that_is_longer_than_what_is_expected";
    for _ in 0..500 {
        let mut names = names.to_vec();
        names.push(longest);
        let mut objects = Vec::new();
        for _ in 0..8 {
            // Mostly as before.
            if random.next_u32().is_multiple_of(4) {
                let (one, other) = (random.next_u32() as usize % names.len(), random.next_u32() as usize % names.len());
                names.swap(one, other);
            }
            let (comma, colon) = [(",", ":"), (", ", ": "), (",\n  ", " :")][random.next_u32() as usize % 3];
            let count = random.next_u32() as usize % names.len();
            let fields: Vec<_> = names[..count].iter().map(|name| format!("\"{name}\"{colon}{}", name.len())).collect();
            objects.push(format!("{{{}}}", fields.join(comma)));
        }
        let mut json = format!("[{}]", objects.join(",")).into_bytes();
        same(&json);
        for _ in 0..8 {
            let place = random.next_u32() as usize % json.len();
            let before = json[place];
            json[place] = b"\"\\,:{}[]0a \n"[random.next_u32() as usize % 12];
            same(&json);
            json[place] = before;
        }
    }
}

#[test]
fn keys_are_expected_at_their_own_depth() {
    for levels in [1, 5, 6, 7, 8, 9, 60] {
        let object = format!("{}1{}", "{\"a\":{\"b\":1,\"a\":".repeat(levels), "}}".repeat(levels));
        same(format!("[{object},{object},{{\"b\":{object}}},{object}]").as_bytes());
    }
    let many = (0..30).map(|number| format!("\"k{number}\":{number}")).collect::<Vec<_>>().join(",");
    same(format!("[{{{many}}},{{{many}}},{{{many},}},{{{many}}}]").as_bytes());
    same(format!("[{{{many}}},{{{many}}},{{}},{{,{many}}}]").as_bytes());
    same(format!("[{{{many}}},{{{many} }},{{ {many}}},{{{many}").as_bytes());
}

#[test]
fn a_list_holds_no_more_memory_than_its_items_need() {
    let frames: Vec<_> = (0..1000).map(|number| format!("{{\"lineno\":{number}}}")).collect();
    for count in [0, 1, 2, 3, 40, 1000] {
        let json = format!("{{\"frames\":[{}],\"registers\":{{}}}}", frames[..count].join(","));
        let stacktrace: Stacktrace = read(json.as_bytes()).unwrap();
        let lines: Vec<_> = stacktrace.frames.iter().filter_map(|frame| frame.lineno).collect();
        assert_eq!(lines, (0..count as u64).collect::<Vec<_>>());
        assert_eq!(stacktrace.frames.capacity(), count);
    }
}
