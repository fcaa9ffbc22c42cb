//! Feeds bytes to the property `envelope`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vidette::fuzzing::envelope(bytes));
