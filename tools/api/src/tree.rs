//! How many crates a build pulls in.

use std::collections::BTreeSet;
use std::process::Command;

use crate::rustdoc::{root, run};

/// The features of a build, and how many crates the peer's own build has.
const BUILDS: &[(&str, usize)] = &[("", 78), ("client,logs,metrics,release-health,test", 79)];

/// Prints what is wrong, and returns how much. Ours has to stay below the peer's.
pub fn check() -> Result<usize, String> {
    let mut found = 0;
    for (features, peer) in BUILDS {
        let mut command = Command::new("cargo");
        command.args([
            "tree",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--no-default-features",
            "--features",
            features,
        ]);
        let text = run(command.current_dir(root()))?;
        let crates: BTreeSet<&str> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        println!("crates with the features [{features}]: {}, the peer has {peer}", crates.len());
        found += usize::from(crates.len() >= *peer);
    }
    Ok(found)
}
