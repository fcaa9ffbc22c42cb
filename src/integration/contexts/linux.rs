//! What Linux shows in files. On other systems the files are not there, and so neither are the answers.

use std::fs::File;
use std::io::Read;

/// The distribution, under the names that the protocol gives its parts in the context `os`.
pub(super) fn distribution() -> Vec<(&'static str, String)> {
    let files = ["/etc/os-release", "/usr/lib/os-release"];
    let text = files.into_iter().find_map(start_of).unwrap_or_default();
    parse_os_release(&text)
}

/// The family of machines this one belongs to, by its firmware.
pub(super) fn device_family() -> Option<String> {
    telling(&start_of("/sys/class/dmi/id/product_family")?)
}

/// The model of this machine, by its firmware.
pub(super) fn device_model() -> Option<String> {
    let files = ["/sys/class/dmi/id/product_name", "/sys/firmware/devicetree/base/model"];
    files.into_iter().find_map(|file| telling(&start_of(file)?))
}

/// Reads `KEY=value` lines as os-release(5) defines them: values may be quoted as in a shell.
fn parse_os_release(text: &str) -> Vec<(&'static str, String)> {
    let parts = text.lines().filter_map(|line| {
        let (key, value) = line.trim().split_once('=')?;
        let name = match key {
            "ID" => "distribution_name",
            "PRETTY_NAME" => "distribution_pretty_name",
            "VERSION_ID" => "distribution_version",
            _ => return None,
        };
        Some((name, unquoted(value)?))
    });
    parts.collect()
}

/// Reads a shell's word: bare, or in single or double quotes. `None` when nothing is in it.
fn unquoted(value: &str) -> Option<String> {
    let quoted = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let mut word = String::new();
    let mut escaped = false;
    for c in quoted.unwrap_or(value).chars() {
        if c == '\\' && !escaped && !value.starts_with('\'') {
            escaped = true;
        } else {
            escaped = false;
            word.push(c);
        }
    }
    (!word.is_empty()).then_some(word)
}

/// What firmware says, unless it is one of the ways to say nothing.
fn telling(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    let says_nothing = ["", "default string", "none", "not specified", "system product name", "to be filled by o.e.m."];
    (!says_nothing.contains(&text.to_lowercase().as_str())).then(|| text.to_owned())
}

/// The start of a small text file, up to [`MAX_FILE`] bytes.
fn start_of(file: &str) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(MAX_FILE).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Bytes read of a file that has a few hundred.
const MAX_FILE: u64 = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_has_a_name_a_version_and_a_pretty_name() {
        let text = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n\
            VERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nID=debian\n# comment\nHOME_URL='https://www.debian.org/'\n";
        assert_eq!(
            parse_os_release(text),
            [
                ("distribution_pretty_name", "Debian GNU/Linux 12 (bookworm)".to_owned()),
                ("distribution_version", "12".to_owned()),
                ("distribution_name", "debian".to_owned()),
            ]
        );
    }

    #[test]
    fn odd_lines_of_os_release_are_read_or_left_out() {
        for (text, expected) in [
            ("ID='alpine'", Some("alpine")),
            ("  ID=arch  ", Some("arch")),
            (r#"ID="a\"b\\c\$d""#, Some(r#"a"b\c$d"#)),
            (r"ID='a\b'", Some(r"a\b")),
            ("ID=\"half", Some("\"half")),
            ("ID=\"", Some("\"")),
            ("ID=", None),
            ("ID=\"\"", None),
            ("ID", None),
            ("IDS=x", None),
            ("", None),
        ] {
            let parsed = parse_os_release(text);
            assert_eq!(parsed.first().map(|(_, value)| value.as_str()), expected, "{text:?}");
        }
    }

    #[test]
    fn placeholders_of_firmware_say_nothing() {
        assert_eq!(telling("Google Compute Engine\n").as_deref(), Some("Google Compute Engine"));
        assert_eq!(telling("Raspberry Pi 4 Model B\0").as_deref(), Some("Raspberry Pi 4 Model B"));
        for text in ["", " \n", "To Be Filled By O.E.M.\n", "Default string", "None"] {
            assert_eq!(telling(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_or_too_long_is_no_problem() {
        assert_eq!(start_of("/no/such/file"), None);
        if let Some(text) = start_of("/dev/zero") {
            assert_eq!(text.len() as u64, MAX_FILE);
        }
    }
}
