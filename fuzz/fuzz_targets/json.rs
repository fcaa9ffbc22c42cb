//! Feeds bytes to the property `json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vidette::fuzzing::json(bytes));
