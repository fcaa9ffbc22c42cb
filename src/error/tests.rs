//! Errors of all kinds, and what becomes of them.

use super::*;

#[test]
fn types_are_read_from_what_derive_debug_writes() {
    for (debug, name) in [
        ("Foo { code: 3 }", "Foo"),
        ("Foo(3)", "Foo"),
        ("Foo", "Foo"),
        ("Foo {\n    code: 3,\n}", "Foo"),
        ("Foo(\n    3,\n)", "Foo"),
        ("  Foo\n", "Foo"),
        ("Foo<Bar> { code: 3 }", "Foo"),
        ("reqwest::Error { kind: Request }", "reqwest::Error"),
        ("a::b::C(D { e: 1 })", "a::b::C"),
        ("errno_t(2)", "errno_t"),
        ("ENOENT", "ENOENT"),
        ("Ärger(1)", "Ärger"),
        ("_Private { x: 1 }", "_Private"),
        ("DbError: connection closed", "DbError"),
    ] {
        assert_eq!(parse_type_from_debug(debug), name, "{debug:?}");
    }
}

#[test]
fn prose_names_no_type() {
    for debug in [
        "",
        "   ",
        "\"a quoted message\"",
        "failed to open the file\n\nCaused by:\n    No such file",
        "oops",
        "Connection refused",
        "bad input (code 3)",
        "error: out of luck",
        "::",
        "foo::",
        "foo:::bar",
        "42",
        "{}",
        "(1, 2)",
        "[1]",
        "é́",
    ] {
        assert_eq!(parse_type_from_debug(debug), "Error", "{debug:?}");
    }
}

/// An error whose texts and source are whatever a test wants.
struct Made<'a> {
    debug: &'a dyn Fn(&mut fmt::Formatter<'_>) -> fmt::Result,
    display: &'a dyn Fn(&mut fmt::Formatter<'_>) -> fmt::Result,
    source: Option<&'a (dyn Error + 'static)>,
}

impl Debug for Made<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.debug)(f)
    }
}

impl Display for Made<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.display)(f)
    }
}

impl Error for Made<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
    }
}

#[derive(Debug)]
struct Layer(Option<Box<Layer>>, usize);

impl Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "layer {}", self.1)
    }
}

impl Error for Layer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().map(|inner| inner as _)
    }
}

#[derive(Debug)]
struct Circle;

impl Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("round and round")
    }
}

impl Error for Circle {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

fn values(event: &Event<'_>) -> Vec<String> {
    event.exception.iter().map(|exception| exception.value.clone().unwrap_or_default()).collect()
}

#[test]
fn the_root_cause_comes_first_and_the_error_itself_last() {
    let error = Layer(Some(Box::new(Layer(Some(Box::new(Layer(None, 3))), 2))), 1);
    let event = event_from_error(&error);
    assert_eq!(values(&event), ["layer 3", "layer 2", "layer 1"]);
    assert!(event.exception.iter().all(|exception| exception.ty == "Layer"));
    assert_eq!(event.level, Level::Error);
}

#[test]
fn only_the_outermost_exception_says_how_it_was_caught() {
    let event = event_from_error(&Layer(Some(Box::new(Layer(None, 2))), 1));
    assert_eq!(event.exception[0].mechanism, None);
    let mechanism = event.exception[1].mechanism.as_ref().unwrap();
    assert_eq!(mechanism.ty, "generic");
    assert_eq!(mechanism.handled, Some(true));
}

#[test]
fn trait_objects_are_errors_too() {
    let error: Box<dyn Error> = "just a message".into();
    let event = event_from_error(error.as_ref());
    assert_eq!(event.exception[0].ty, "Error");
    assert_eq!(values(&event), ["just a message"]);
}

#[test]
fn a_circle_of_sources_ends() {
    let event = event_from_error(&Circle);
    assert_eq!(event.exception.len(), 50);
}

#[test]
fn of_a_long_chain_the_outermost_errors_stay() {
    let mut error = Layer(None, 99);
    for depth in (0..99).rev() {
        error = Layer(Some(Box::new(error)), depth);
    }
    let values = values(&event_from_error(&error));
    assert_eq!(values.len(), 50);
    assert_eq!(values[0], "layer 49");
    assert_eq!(values[49], "layer 0");
}

#[test]
fn a_panicking_display_leaves_what_it_wrote_and_a_note() {
    let event = event_from_error(&Made {
        debug: &|f| f.write_str("Made"),
        display: &|f| {
            f.write_str("half a mess")?;
            panic!("no more");
        },
        source: Some(&Circle),
    });
    let outermost = event.exception.last().unwrap();
    assert_eq!(outermost.ty, "Made");
    assert_eq!(outermost.value.as_deref(), Some("half a mess… (its Display panicked)"));
    assert_eq!(event.exception.len(), 50);
}

#[test]
fn a_panicking_debug_leaves_a_note_unless_the_name_was_out_already() {
    let display = |f: &mut fmt::Formatter<'_>| f.write_str("fine");
    let silent = event_from_error(&Made { debug: &|_| panic!("no more"), display: &display, source: None });
    assert_eq!(silent.exception[0].ty, "Error (its Debug panicked)");
    assert_eq!(silent.exception[0].value.as_deref(), Some("fine"));

    let late = event_from_error(&Made {
        debug: &|f| {
            f.write_str("Made { field: ")?;
            panic!("no more");
        },
        display: &display,
        source: None,
    });
    assert_eq!(late.exception[0].ty, "Made");
}

#[test]
fn a_payload_that_panics_when_dropped_stays_ours_to_bear() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any("boom");
        }
    }
    let event = event_from_error(&Made {
        debug: &|f| f.write_str("Made"),
        display: &|_| std::panic::panic_any(Bomb),
        source: None,
    });
    assert_eq!(values(&event), ["… (its Display panicked)"]);
}

#[test]
fn a_huge_display_is_cut_at_a_character() {
    let event = event_from_error(&Made {
        debug: &|f| f.write_str("Made"),
        display: &|f| f.write_str(&"€".repeat(1 << 20)),
        source: None,
    });
    let value = event.exception[0].value.as_deref().unwrap();
    assert!(value.len() <= (8 << 10) + '…'.len_utf8());
    assert!(value.len() > (8 << 10) - '€'.len_utf8());
    assert!(value.starts_with('€') && value.ends_with("€…"));
}

#[test]
fn an_endless_debug_is_left_as_soon_as_the_buffer_is_full() {
    let parts = std::cell::Cell::new(0);
    let event = event_from_error(&Made {
        debug: &|f| {
            f.write_str("Made(")?;
            loop {
                parts.set(parts.get() + 1);
                f.write_str("0123456789")?;
            }
        },
        display: &|f| f.write_str("fine"),
        source: None,
    });
    assert_eq!(event.exception[0].ty, "Made");
    assert!(parts.get() < 100, "{} parts were written", parts.get());
}

#[test]
fn a_full_buffer_takes_nothing_more_even_from_those_who_ignore_its_refusal() {
    let stubborn = Made {
        debug: &|f| f.write_str("Made"),
        display: &|f| {
            let _ = f.write_str("1234€");
            let _ = f.write_str("5");
            Ok(())
        },
        source: None,
    };
    let mut text = "before ".to_owned();
    assert_eq!(bounded(&mut text, 5, "", format_args!("{stubborn}")), (true, false));
    assert_eq!(text, "before 1234");
}
