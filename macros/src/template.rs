//! Format strings: from a literal's source to pieces of text and places for values.

/// A piece of a message.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    /// A value, and its format if it has one.
    Value(Source, String),
}

/// Where a value comes from.
#[derive(Debug, PartialEq)]
pub(crate) enum Source {
    /// The argument in this place.
    At(usize),
    /// The argument of this name, or else what has the name where the format string stands.
    Named(String),
}

/// The text that a string literal stands for. `None`: it is no string, or has an escape that a message seldom has.
pub(crate) fn meaning(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        let quoted = raw.trim_start_matches('#');
        let hashes = raw.get(..raw.len() - quoted.len())?;
        return Some(quoted.strip_suffix(hashes)?.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    }
    let mut source = literal.strip_prefix('"')?.strip_suffix('"')?.chars().peekable();
    let mut text = String::with_capacity(literal.len());
    while let Some(character) = source.next() {
        text.push(match character {
            '\\' => match source.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                same @ ('\\' | '\'' | '"') => same,
                '\n' => {
                    while source.next_if(|next| matches!(next, ' ' | '\n' | '\r' | '\t')).is_some() {}
                    continue;
                }
                _ => return None,
            },
            character => character,
        });
    }
    Some(text)
}

/// Takes a format string apart. `None`: there is something in it that is not understood.
pub(crate) fn pieces(mut template: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut next = 0;
    while let Some(brace) = template.find(['{', '}']) {
        let (before, rest) = template.split_at(brace);
        text.push_str(before);
        if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
            text.extend(rest.chars().next());
            template = after;
            continue;
        }
        let (place, after) = rest.strip_prefix('{')?.split_once('}')?;
        let (source, format) = place.split_once(':').unwrap_or((place, ""));
        let source = if source.is_empty() {
            next += 1;
            Source::At(next - 1)
        } else if source.bytes().all(|byte| byte.is_ascii_digit()) {
            Source::At(source.parse().ok()?)
        } else {
            Source::Named(name(source)?.to_owned())
        };
        if !format.bytes().all(|byte| KNOWN.contains(&byte)) {
            return None;
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Value(source, format.to_owned()));
        template = after;
    }
    text.push_str(template);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Some(pieces)
}

/// A name that can be written as an identifier, whichever keyword it is.
fn name(text: &str) -> Option<&str> {
    let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && !["_", "Self", "crate", "self", "super"].contains(&text);
    is_name.then_some(text)
}

/// What formats are made of that speak of no other argument.
const KNOWN: &[u8] = b"0123456789#+-.<>?EXe^ox";

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn at(place: usize, format: &str) -> Piece {
        Piece::Value(Source::At(place), format.to_owned())
    }

    fn named(name: &str, format: &str) -> Piece {
        Piece::Value(Source::Named(name.to_owned()), format.to_owned())
    }

    #[test]
    fn literals_mean_what_the_compiler_takes_them_for() {
        for (literal, expected) in [
            (stringify!(""), ""),
            (stringify!("a \" \\ \n \t \r \0 \' ß"), "a \" \\ \n \t \r \0 ' ß"),
            ("\"a \\\n \t\n  b\\\n\"", "a b"),
            (stringify!(r"a \ b"), "a \\ b"),
            (stringify!(r##"a "# b"##), "a \"# b"),
        ] {
            assert_eq!(meaning(literal).as_deref(), Some(expected), "{literal}");
        }
    }

    #[test]
    fn other_literals_are_left_alone() {
        for literal in [
            "",
            "1",
            "'c'",
            "b\"b\"",
            "c\"c\"",
            "br\"b\"",
            "\"\\x41\"",
            "\"\\u{41}\"",
            "\"a\"u8",
            "r#\"a\"",
            "\"",
            "r\"",
        ] {
            assert_eq!(meaning(literal), None, "{literal}");
        }
    }

    #[test]
    fn format_strings_are_taken_apart() {
        for (template, expected) in [
            ("", vec![]),
            ("{{}} {{{{", vec![text("{} {{")]),
            ("{}{}", vec![at(0, ""), at(1, "")]),
            ("a{}b{0}c{n}{}", vec![text("a"), at(0, ""), text("b"), at(0, ""), text("c"), named("n", ""), at(1, "")]),
            ("{{{_n1}}}", vec![text("{"), named("_n1", ""), text("}")]),
            ("{:}{n:?}{:>+5.1}{1:#x?}", vec![at(0, ""), named("n", "?"), at(1, ">+5.1"), at(1, "#x?")]),
        ] {
            assert_eq!(pieces(template), Some(expected), "{template}");
        }
    }

    #[test]
    fn what_is_not_understood_is_left_alone() {
        for template in [
            "{",
            "}",
            "{{}",
            "{ }",
            "{ n}",
            "{n }",
            "{1n}",
            "{r#n}",
            "{self}",
            "{_}",
            "{n.m}",
            "{ä}",
            "{:w$}",
            "{:.*}",
            "{:{}}",
            "{:ä>5}",
            "{:p}",
            "{: }",
            "{99999999999999999999}",
            "{n",
        ] {
            assert_eq!(pieces(template), None, "{template}");
        }
    }
}
