//! Feeds bytes to the property `headers`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vidette::fuzzing::headers(bytes));
