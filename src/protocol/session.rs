//! The health of a release.
