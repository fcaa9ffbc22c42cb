//! The example `busy_service`, run as a user runs it, with few requests.
#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail in that way too")]

use std::path::PathBuf;
use std::process::{Command, Output};

/// Finds the example beside this test, where `cargo test` puts it.
fn example() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let built = this.parent().and_then(|deps| deps.parent()).unwrap();
    let path = built.join("examples").join(format!("busy_service{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is missing: `cargo build --example busy_service` makes it", path.display());
    path
}

fn run(args: &[&str]) -> (Output, String) {
    let output = Command::new(example()).args(args).env_remove("SENTRY_DSN").output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

/// The number in the row of a table that begins with `name`.
fn count(text: &str, name: &str) -> u64 {
    let row = text.lines().find(|line| line.trim_start_matches(['│', ' ']).starts_with(name));
    let row = row.unwrap_or_else(|| panic!("no row {name} in:\n{text}"));
    row.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

#[test]
fn all_events_of_a_whole_run_are_received_and_one_is_shown() {
    let (output, text) = run(&["--requests", "3000", "--threads", "2"]);
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("The accounts agree"), "{text}");
    let captured = count(&text, "captured");
    assert!((10..100).contains(&captured), "{text}");
    assert_eq!((count(&text, "delivered"), count(&text, "received")), (captured, captured), "{text}");
    assert!(!text.contains("│ discarded, "), "{text}");
    for part in ["ParseIntError: invalid digit", "CheckoutError: order", "serve", "service.rs:", "db.query"] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
}

#[test]
fn a_receiver_that_stops_leaves_discarded_events_and_accounts_that_agree() {
    let (output, text) = run(&["--requests", "3000", "--threads", "2", "--stop-receiver-halfway"]);
    assert!(output.status.success(), "{output:?}");
    let discarded = count(&text, "discarded, network_error");
    assert!(discarded > 0, "{text}");
    assert_eq!(count(&text, "captured"), count(&text, "delivered") + discarded, "{text}");
    assert!(text.contains("The accounts agree"), "{text}");
}

#[test]
fn nothing_but_text_is_written_where_no_terminal_is() {
    let (output, text) = run(&["--requests", "500", "--threads", "1"]);
    assert!(output.stderr.is_empty(), "{output:?}");
    assert!(!text.contains(['\u{1b}', '\r']), "{text:?}");
}

#[test]
fn arguments_that_make_no_sense_are_refused_with_the_reason() {
    let (output, _) = run(&["--requests", "many"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--requests many"), "{output:?}");
}
