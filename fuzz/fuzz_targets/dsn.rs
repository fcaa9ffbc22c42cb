//! Feeds bytes to the property `dsn`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vidette::fuzzing::dsn(bytes));
