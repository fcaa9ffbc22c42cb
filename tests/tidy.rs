//! The rules of this repository that no compiler checks; each failure names the file and the line.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy.toml allows in the tests themselves only"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the top down; a module uses those of its own row and of the rows below. `sync` has a rule of its own,
/// and modules that stand in no row (such as `transport`) are free.
const LAYERS: &[&[&str]] =
    &[&["api"], &["hub"], &["client"], &["scope"], &["trace", "session", "logs", "metrics"], &["wire"], &["protocol"]];

/// Upward uses that stay: (file, module used, why).
const UPWARD: &[(&str, &str, &str)] = &[
    ("src/client/sender.rs", "hub", "the sender thread runs under an empty hub"),
    ("src/logs/mod.rs", "hub", "a kind of telemetry brings its part of the hub along"),
    ("src/logs/mod.rs", "scope", "and of the scope"),
    ("src/metrics.rs", "hub", "a kind of telemetry brings its part of the hub along"),
    ("src/protocol/losses.rs", "wire", "what is lost with an envelope is what is lost with its items"),
    ("src/protocol/mod.rs", "wire", "the mirrored `protocol` re-exports the envelope types"),
];

/// The only files whose code may depend on a feature.
const FEATURE_FILES: &[&str] = &[
    "src/client/lane.rs",
    "src/diag.rs",
    "src/hub/bound.rs",
    "src/integration/mod.rs",
    "src/lib.rs",
    "src/transport/mod.rs",
];

const MAX_LINES: usize = 500;

#[test]
fn every_source_file_opens_with_what_it_holds() {
    let bare = all_sources().filter(|file| !file.text.starts_with("//! "));
    accuse("does not open with a `//!` line", bare.map(|file| file.name));
}

#[test]
fn no_source_file_is_longer_than_500_lines() {
    let lengths = all_sources().map(|file| (file.text.lines().count(), file.name));
    let long = lengths.filter(|(lines, _)| *lines > MAX_LINES);
    accuse("is too long", long.map(|(lines, name)| format!("{name} ({lines} lines)")));
}

#[test]
fn features_are_named_where_doors_are_and_nowhere_else() {
    let files = sources().into_iter().filter(|file| !FEATURE_FILES.contains(&&*file.name));
    let found = files.flat_map(|file| file.lines_with(concat!("feature", " = \"")));
    accuse("names a feature outside of the files that may", found);
}

#[test]
fn modules_use_only_the_layers_below_them() {
    let files = sources();
    let roots = root_names(&files);
    let mut upward = Vec::new();
    let mut excused = BTreeSet::new();
    for file in files.iter().filter(|file| !file.is_test()) {
        let Some(own) = rank(file.module()) else {
            continue;
        };
        for module in used_modules(file, &roots) {
            if rank(&module).is_none_or(|used| used >= own) {
                continue;
            }
            match UPWARD.iter().find(|(name, used, _)| *name == file.name && *used == module) {
                Some(exception) => drop(excused.insert(exception)),
                None => upward.push(format!("{} uses {module}", file.name)),
            }
        }
    }
    accuse("points up", upward.into_iter());
    let stale = UPWARD.iter().filter(|exception| !excused.contains(exception));
    accuse("is excused for nothing", stale.map(|(name, module, _)| format!("{name} -> {module}")));
}

#[test]
fn sync_has_never_heard_of_the_rest_of_the_crate() {
    let files = sources();
    let roots = root_names(&files);
    assert!(files.iter().any(|file| file.module() == "sync"), "no file in src/sync");
    let foreign = files.iter().filter(|file| file.module() == "sync").flat_map(|file| {
        let used = used_modules(file, &roots).into_iter().filter(|module| module != "sync");
        used.map(|module| format!("{} uses {module}", file.name))
    });
    accuse("leaves sync", foreign);
}

#[test]
fn paths_to_the_root_are_written_as_such() {
    // So that the tests above see them: `super` from a top-level module is the root under another name.
    let files = sources().into_iter().filter(|file| !file.is_test());
    let climbs = files.flat_map(|file| file.code_lines_with(&"super::".repeat(file.depth())));
    accuse("climbs to the root: write `crate::`", climbs.filter(|line| !line.contains("pub(in")));
}

#[test]
fn every_ordering_label_stands_in_the_orderings_chapter_and_in_one_file() {
    let chapter = fs::read_to_string(root().join("src/docs/orderings.md")).expect("src/docs/orderings.md");
    let explained: BTreeSet<&str> = chapter.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let mut homes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources().into_iter().filter(|file| file.module() == "sync") {
        for label in file.text.lines().flat_map(labels) {
            homes.entry(label.to_owned()).or_default().insert(file.name.clone());
        }
    }
    assert!(!homes.is_empty(), "no label in src/sync, or this test no longer knows how they look");
    let secret = homes.iter().filter(|(label, _)| !explained.contains(label.as_str()));
    accuse("is missing in src/docs/orderings.md", secret.map(|(label, files)| format!("{label} of {files:?}")));
    let shared = homes.iter().filter(|(_, files)| files.len() > 1);
    accuse("names several orderings", shared.map(|(label, files)| format!("{label} of {files:?}")));
}

#[test]
fn the_changelog_says_nothing_twice() {
    let text = fs::read_to_string(root().join("CHANGELOG.md")).expect("CHANGELOG.md");
    let bullets = bullets(&text);
    assert!(!bullets.is_empty(), "CHANGELOG.md has no bullets");
    let mut seen = BTreeSet::new();
    let twins = bullets.iter().filter(|bullet| !seen.insert(*bullet));
    accuse("stands twice in CHANGELOG.md", twins.cloned());
}

#[test]
fn no_file_speaks_of_a_machine_it_was_written_on() {
    let places = ["farm", "root", "tmp", "work"].map(|name| format!("/{name}/").into_bytes());
    let mut found = Vec::new();
    for path in repository_files() {
        let bytes = fs::read(&path).unwrap();
        for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if places.iter().any(|place| holds_absolute(line, place)) {
                found.push(format!("{}:{}: {}", name_of(&path), number + 1, String::from_utf8_lossy(line)));
            }
        }
    }
    accuse("names a place on somebody's machine", found.into_iter());
}

#[test]
fn these_rules_catch_what_they_are_for() {
    let file = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    let lib = file("src/lib.rs", "pub use crate::hub::{Hub, HubSwitchGuard as Guard};\npub use dsn::Dsn;");
    let roots = root_names(&[lib]);
    let wire = file(
        "src/wire/mod.rs",
        "//! Not crate::api.\nuse crate::{Guard,\n scope::{Scope, client}, protocol::Event};\n\
         fn f() { crate::trace::x() } // crate::metrics\n#[cfg(test)]\nmod tests { use crate::client::Client; }",
    );
    let used: Vec<String> = used_modules(&wire, &roots).into_iter().collect();
    assert_eq!(used, ["hub", "protocol", "scope", "trace"]);
    assert_eq!((wire.depth(), file("src/wire/parse.rs", "").depth(), file("src/dsn.rs", "").depth()), (1, 2, 1));

    assert_eq!(labels("    // W1, Acquire: pairs with R2.").collect::<Vec<_>>(), ["W1"]);
    assert_eq!(labels("// PK1, PK2, Release: two.").collect::<Vec<_>>(), ["PK1", "PK2"]);
    assert_eq!(labels("// I1, and so on").count(), 0);

    assert_eq!(bullets("# A\n- one\n  more\n- two\n\n- one more\n"), ["one more", "two", "one more"]);

    let place = concat!("/wo", "rk/");
    assert!(holds_absolute(format!("in {place}me").as_bytes(), place.as_bytes()));
    assert!(!holds_absolute(format!("https://example.com{place}me").as_bytes(), place.as_bytes()));
}

/// Fails with every accused at once.
fn accuse(of: &str, accused: impl Iterator<Item = String>) {
    let accused: Vec<String> = accused.collect();
    assert!(accused.is_empty(), "{of}:\n  {}", accused.join("\n  "));
}

/// A Rust file of the library, named as seen from the root of the repository.
struct Source {
    name: String,
    text: String,
}

impl Source {
    /// The top-level module that the file belongs to.
    fn module(&self) -> &str {
        let inside = self.name.strip_prefix("src/").unwrap();
        inside.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// How many modules deep the file's own items are.
    fn depth(&self) -> usize {
        let inside = self.name.strip_prefix("src/").unwrap();
        inside.split('/').filter(|part| !["lib.rs", "mod.rs"].contains(part)).count()
    }

    fn is_test(&self) -> bool {
        self.name.split('/').any(|part| part == "tests" || part.ends_with("tests.rs"))
    }

    /// The text without comments and without the tests at its end.
    fn code(&self) -> String {
        let text = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let lines = text.lines().map(|line| match line.find("//") {
            Some(at) if !line[..at].ends_with(':') => &line[..at],
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn lines_with(&self, what: &str) -> Vec<String> {
        numbered(&self.name, &self.text, what)
    }

    fn code_lines_with(&self, what: &str) -> Vec<String> {
        if what.is_empty() { Vec::new() } else { numbered(&self.name, &self.code(), what) }
    }
}

fn numbered(name: &str, text: &str, what: &str) -> Vec<String> {
    let found = text.lines().enumerate().filter(|(_, line)| line.contains(what));
    found.map(|(number, line)| format!("{name}:{}: {}", number + 1, line.trim())).collect()
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

/// What the root re-exports, and from which module: `crate::Hub` is a use of `hub`.
fn root_names(files: &[Source]) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let lib = files.iter().find(|file| file.name == "src/lib.rs").expect("src/lib.rs").code();
    for statement in lib.split("pub use ").skip(1) {
        let path = statement.split(';').next().unwrap();
        let path = path.trim_start_matches("crate::").trim_start_matches("self::");
        let Some((module, items)) = path.split_once("::") else {
            continue;
        };
        for item in items.split([',', '{', '}']) {
            let name = item.rsplit("::").next().unwrap().rsplit(" as ").next().unwrap().trim();
            names.insert(name.to_owned(), module.to_owned());
        }
    }
    names
}

/// The top-level modules that a file's code names by a path from the root.
fn used_modules(file: &Source, roots: &BTreeMap<String, String>) -> BTreeSet<String> {
    let code = file.code();
    let heads = code.split("crate::").skip(1).flat_map(heads);
    heads.map(|head| roots.get(&head).cloned().unwrap_or(head)).collect()
}

/// The first name of the path, or of each path of the group, that a text begins with.
fn heads(text: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = text.strip_prefix('{') else {
        return vec![word(text)];
    };
    let (mut depth, mut heads, mut start) = (1, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => start = true,
            c if c.is_whitespace() => {}
            _ if start && depth == 1 => {
                heads.push(word(&group[at..]));
                start = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

/// The labels of a comment such as `// W1, Acquire: …`.
fn labels(line: &str) -> impl Iterator<Item = &str> {
    let comment = line.trim_start().strip_prefix("// ").unwrap_or_default();
    let (marks, _) = comment.split_once(':').unwrap_or_default();
    let mut parts: Vec<&str> = marks.split(", ").collect();
    let last = parts.pop().unwrap_or_default();
    let ordering = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"].iter().any(|name| last.starts_with(name));
    if !(ordering && parts.iter().all(|part| is_label(part))) {
        parts.clear();
    }
    parts.into_iter()
}

/// Capital letters, then digits.
fn is_label(text: &str) -> bool {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_uppercase());
    digits.len() < text.len() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The bullets of a Markdown text, each on one line.
fn bullets(text: &str) -> Vec<String> {
    let mut bullets: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if let Some(bullet) = line.trim_start().strip_prefix("- ") {
            bullets.push(bullet.trim().to_owned());
            open = true;
        } else if open && line.starts_with(' ') {
            let bullet = bullets.last_mut().unwrap();
            bullet.push(' ');
            bullet.push_str(line.trim());
        } else {
            open = false;
        }
    }
    bullets
}

/// Whether the line has the folder as the start of a path, not in the middle of a longer one or of an address.
fn holds_absolute(line: &[u8], folder: &[u8]) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"._-~}>)*".contains(&byte);
    let mut hits = (0..line.len()).filter(|at| line[*at..].starts_with(folder));
    hits.any(|at| at == 0 || !inside(line[at - 1]))
}

/// Those of the library.
fn sources() -> Vec<Source> {
    sources_in("src")
}

/// Those of the library and of its macros.
fn all_sources() -> impl Iterator<Item = Source> {
    ["src", "macros/src"].into_iter().flat_map(sources_in)
}

fn sources_in(folder: &str) -> Vec<Source> {
    let paths = walk(&root().join(folder));
    let rust = paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let sources: Vec<Source> =
        rust.map(|path| Source { name: name_of(&path), text: fs::read_to_string(&path).unwrap() }).collect();
    assert!(!sources.is_empty(), "no sources found");
    sources
}

/// Everything a reader of the repository sees: no build output, no inputs that a fuzzer found.
fn repository_files() -> Vec<PathBuf> {
    let files = walk(&root());
    assert!(files.len() > 20, "found only {files:?}");
    files
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        match path.is_dir() {
            true if ["target", ".git", "corpus", "artifacts", "__pycache__"].contains(&name) => {}
            true => files.extend(walk(&path)),
            // A worktree has a file in place of the folder `.git`.
            false if name == ".git" => {}
            false => files.push(path),
        }
    }
    files.sort();
    files
}

/// The path from the root of the repository, with slashes on every system.
fn name_of(path: &Path) -> String {
    let parts = path.strip_prefix(root()).unwrap().iter().map(|part| part.to_str().unwrap());
    parts.collect::<Vec<_>>().join("/")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
