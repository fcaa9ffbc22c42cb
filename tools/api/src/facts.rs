//! The lists of the peer's public items: one for its types, one for its full build, one for its minimal build.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::list::list;
use crate::rustdoc::{describe, root};
use crate::world::World;

/// The list of what is in `types` and `protocol`, in every build.
pub const TYPES: &str = "types.txt";

/// A list, what to build for it, and the features of the peer in that build.
pub struct Build {
    pub name: &'static str,
    pub list: &'static str,
    /// For cargo, to build ours.
    pub arguments: &'static [&'static str],
    peer_features: &'static str,
}

pub const BUILDS: &[Build] = &[
    Build {
        name: "full",
        list: "full.txt",
        arguments: &["--all-features"],
        peer_features: r#""client", "logs", "metrics", "release-health", "test""#,
    },
    Build { name: "minimal", list: "minimal.txt", arguments: &["--no-default-features"], peer_features: "" },
];

pub fn folder() -> PathBuf {
    root().join("compat/api")
}

/// Reads a list.
pub fn read(name: &str) -> Result<BTreeSet<String>, String> {
    let file = folder().join(name);
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// Writes the lists, from a build of the peer.
pub fn write() -> Result<(), String> {
    for build in BUILDS {
        let package = root().join("target/api/peer").join(build.name);
        let manifest = format!(
            "[package]\nname = \"peer\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             sentry-core = {{ version = \"=0.49.5\", default-features = false, features = [{}] }}\n\
             sentry-types = \"=0.49.5\"\n",
            build.peer_features
        );
        let put = |name: &str, text: &str| fs::write(package.join(name), text).map_err(|error| error.to_string());
        fs::create_dir_all(package.join("src")).map_err(|error| error.to_string())?;
        put("Cargo.toml", &manifest)?;
        put("src/lib.rs", "")?;
        let core = describe(&package, "sentry-core", &[])?;
        let types = describe(&package, "sentry-types", &[])?;
        let lines = list(&World::read(&[&core, &types])?);
        for (place, name) in [(0, build.list), (1, TYPES)] {
            let text: String =
                lines.iter().filter(|line| line.0 == place).map(|(_, line)| format!("{line}\n")).collect();
            fs::write(folder().join(name), text).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
