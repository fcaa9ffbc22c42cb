//! Replays what the fuzzer starts from, and what it found.

use std::fs;
use std::path::Path;

use vidette::protocol::Envelope;

fn replay(target: &str, property: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        property(&fs::read(&path).unwrap());
        count += 1;
    }
    count
}

#[test]
fn the_property_of_envelopes_holds_for_the_corpus() {
    assert!(replay("envelope", vidette::fuzzing::envelope) >= 50);
}

#[test]
fn the_property_of_json_holds_for_its_corpus_and_for_that_of_envelopes() {
    assert!(replay("json", vidette::fuzzing::json) >= 9);
    replay("envelope", |bytes| bytes.split(|byte| *byte == b'\n').for_each(vidette::fuzzing::json));
}

#[test]
fn the_property_of_dsns_holds_for_the_corpus() {
    assert!(replay("dsn", vidette::fuzzing::dsn) >= 30);
}

#[test]
fn the_property_of_headers_holds_for_the_corpus() {
    assert!(replay("headers", vidette::fuzzing::headers) >= 15);
}

#[test]
fn a_file_of_the_corpus_is_an_error_if_its_name_says_so() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/envelope");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with("crash") {
            continue;
        }
        let read = Envelope::from_path(&path);
        assert_eq!(read.is_err(), name.starts_with("error"), "{name}: {read:?}");
    }
}
