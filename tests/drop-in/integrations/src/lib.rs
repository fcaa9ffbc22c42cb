//! Every published integration, built on the drop-in with all its features.
