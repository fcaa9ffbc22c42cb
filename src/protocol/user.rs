//! Who was affected.
