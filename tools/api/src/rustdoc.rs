//! Running cargo and rustdoc.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Lets rustdoc describe a package, and returns the file it wrote.
///
/// Needs a nightly toolchain: `nightly`, or what the environment variable `API_TOOLCHAIN` names.
pub fn describe(folder: &Path, package: &str, arguments: &[&str]) -> Result<PathBuf, String> {
    let target = root().join("target/api");
    // Under `cargo run`, `cargo` itself may be one that takes no toolchain.
    let mut command = Command::new("rustup");
    let toolchain = std::env::var("API_TOOLCHAIN").unwrap_or("nightly".to_owned());
    command.args(["run", &toolchain, "cargo", "rustdoc", "--quiet", "--lib", "--package", package]);
    command.arg("--target-dir").arg(&target).args(arguments);
    command.args(["--", "-Zunstable-options", "--output-format", "json", "--cap-lints", "allow"]);
    run(command.current_dir(folder).env_remove("RUSTC").env_remove("RUSTDOC"))?;
    Ok(target.join("doc").join(format!("{}.json", package.replace('-', "_"))))
}

/// Runs a command and returns what it wrote.
pub fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
