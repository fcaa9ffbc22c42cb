//! What is missing, item by item, and what is excused although nothing is missing.

use std::collections::BTreeSet;
use std::fs;

use crate::facts::{self, BUILDS, TYPES};
use crate::list::list;
use crate::rustdoc::{describe, root};
use crate::world::{Target, World};

/// An item that ours deliberately spells in another way, and what has to be there in its place.
#[derive(Debug, PartialEq)]
struct Exception {
    theirs: String,
    ours: Vec<String>,
}

/// Prints what is wrong, and returns how much.
pub fn check() -> Result<usize, String> {
    let file = facts::folder().join("exceptions.txt");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let exceptions = parse(&text)?;
    let mut used = BTreeSet::new();
    let mut found = 0;
    for build in BUILDS {
        let mut world = World::read(&[&describe(&root(), "vidette", build.arguments)?])?;
        let wanted: BTreeSet<String> = facts::read(TYPES)?.union(&facts::read(build.list)?).cloned().collect();
        let paths: BTreeSet<&str> = wanted.iter().flat_map(|line| paths(line)).collect();
        world.settle(|path| paths.contains(path));
        let here: BTreeSet<String> = list(&world).into_iter().map(|(_, line)| line).collect();

        let absent: Vec<&String> =
            wanted.iter().filter(|line| !here.contains(*line) && !is_alias(&world, line)).collect();
        let excused = |line: &str| {
            let exception = exceptions.iter().find(|exception| exception.theirs == line);
            exception.filter(|exception| exception.ours.iter().all(|ours| here.contains(ours)))
        };
        used.extend(absent.iter().filter_map(|line| excused(line)).map(|exception| exception.theirs.clone()));
        let missing: Vec<&&String> = absent.iter().filter(|line| excused(line).is_none()).collect();
        println!("{} build: {} facts, {} missing", build.name, wanted.len(), missing.len());
        found += missing.len();
        for line in missing {
            println!("  - {line}");
            let (head, _) = split(line);
            here.iter().filter(|own| split(own).0 == head).for_each(|own| println!("      here: {own}"));
        }
    }
    for exception in exceptions.iter().filter(|exception| !used.contains(&exception.theirs)) {
        println!("excused for nothing: {}", exception.theirs);
        found += 1;
    }
    Ok(found)
}

/// Whether a line gives a second path, and that leads to the same; or a module, and there is one.
fn is_alias(world: &World, line: &str) -> bool {
    if let Some(path) = line.strip_prefix("mod ") {
        return world.lookup(path).iter().any(|target| world.is_module(target));
    }
    let Some((path, home)) = line.strip_prefix("use ").and_then(|line| line.split_once(" = ")) else {
        return false;
    };
    let (there, known) = (world.lookup(path), world.lookup(home));
    !there.is_empty() && (there == known || there.contains(&Target::Elsewhere(home.to_owned())))
}

/// What a line is about, and what it says.
fn split(line: &str) -> (&str, &str) {
    let line = line.strip_prefix("#[deprecated] ").unwrap_or(line);
    if line.starts_with("impl ") {
        return line.split_at([" where ", " { "].iter().filter_map(|end| line.find(end)).min().unwrap_or(line.len()));
    }
    let start = line.find(' ').map_or(0, |at| at + 1);
    let end = line[start..].find(['<', '(', ' ', '=']).map_or(line.len(), |at| start + at);
    line.split_at(end)
}

/// The paths that a line names.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).map(|path| path.trim_matches(':'))
}

/// Reads the exceptions: a reason (`#`), what the peer has (`-`), what ours has instead (`+`).
fn parse(text: &str) -> Result<Vec<Exception>, String> {
    let mut exceptions: Vec<Exception> = Vec::new();
    let mut reason = false;
    for line in text.lines() {
        if let Some(theirs) = line.strip_prefix("- ") {
            if !reason {
                return Err(format!("no reason is given for this exception: {theirs}"));
            }
            exceptions.push(Exception { theirs: theirs.to_owned(), ours: Vec::new() });
        } else if let (Some(ours), Some(last)) = (line.strip_prefix("+ "), exceptions.last_mut()) {
            last.ours.push(ours.to_owned());
        } else {
            reason = line.starts_with("# ");
        }
    }
    Ok(exceptions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_has_a_reason() {
        let two = parse("# Because.\n- fn f()\n+ fn f(T0)\n- fn g()\n").unwrap();
        assert_eq!(two[0], Exception { theirs: "fn f()".to_owned(), ours: vec!["fn f(T0)".to_owned()] });
        assert_eq!(two[1], Exception { theirs: "fn g()".to_owned(), ours: Vec::new() });
        assert!(parse("# Because.\n\n- fn f()\n").is_err());
    }

    #[test]
    fn a_line_is_about_its_path() {
        assert_eq!(split("fn Hub::run<T0>(T0)"), ("fn Hub::run", "<T0>(T0)"));
        assert_eq!(split("#[deprecated] fn Hub::run(T0)"), ("fn Hub::run", "(T0)"));
        assert_eq!(split("impl A for B where T0: A"), ("impl A for B", " where T0: A"));
    }
}
