//! What the machine says about itself.

use std::env::consts;

use super::linux;
use crate::protocol::{Context, DeviceContext, OsContext};

/// The machine's name in the network.
#[cfg(unix)]
pub(super) fn name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Some(name).filter(|name| !name.is_empty())
}

/// The machine's name in the network.
#[cfg(not(unix))]
pub(super) fn name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok().filter(|name| !name.is_empty())
}

/// The operating system; its kernel's version where there is one to ask.
#[cfg(unix)]
pub(super) fn os() -> Option<Context> {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    let (version, build) = split_release(&release);
    let mut context = OsContext {
        build: build.map(str::to_owned),
        kernel_version: Some(release.to_string()),
        name: Some(uname.sysname().to_string_lossy().into_owned()),
        version: Some(version.to_owned()),
        ..Default::default()
    };
    for (key, value) in linux::distribution() {
        context.other.insert(key.to_owned(), value.into());
    }
    Some(context.into())
}

/// The operating system, as the compiler names it.
#[cfg(not(unix))]
pub(super) fn os() -> Option<Context> {
    Some(Context::from(OsContext { name: Some(consts::OS.into()), ..Default::default() }))
}

/// The machine: its architecture, and what its firmware calls it.
pub(super) fn device() -> Option<Context> {
    Some(Context::from(DeviceContext {
        arch: Some(consts::ARCH.into()),
        family: linux::device_family(),
        model: linux::device_model(),
        ..Default::default()
    }))
}

/// Splits a kernel's release into its number and what its builder added: `6.1.0-18-amd64` is build `18-amd64` of 6.1.0.
#[cfg(unix)]
fn split_release(release: &str) -> (&str, Option<&str>) {
    let end = release.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(release.len());
    let (version, build) = release.split_at(end);
    let build = build.trim_start_matches(['-', '+', '_']);
    (version.trim_end_matches('.'), Some(build).filter(|it| !it.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_release_is_a_number_and_a_build() {
        for (release, expected) in [
            ("6.1.0-18-amd64", ("6.1.0", Some("18-amd64"))),
            ("5.15.167.4-microsoft-standard-WSL2", ("5.15.167.4", Some("microsoft-standard-WSL2"))),
            ("6.6.0", ("6.6.0", None)),
            ("6.6.0+", ("6.6.0", None)),
            ("14.1-RELEASE", ("14.1", Some("RELEASE"))),
            ("rolling", ("", Some("rolling"))),
            ("", ("", None)),
        ] {
            assert_eq!(split_release(release), expected, "{release:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_says_who_it_is() {
        let Some(Context::Os(os)) = os() else {
            panic!("no os context");
        };
        assert_eq!(os.name.as_deref(), Some("Linux"));
        let (version, kernel) = (os.version.unwrap(), os.kernel_version.unwrap());
        assert!(version.starts_with(|first: char| first.is_ascii_digit()));
        assert!(kernel.starts_with(&version), "{kernel} of {version}");
    }

    #[test]
    fn the_device_has_the_architecture_this_was_compiled_for() {
        let Some(Context::Device(device)) = device() else {
            panic!("no device context");
        };
        assert_eq!(device.arch.as_deref(), Some(consts::ARCH));
    }
}
