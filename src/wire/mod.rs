//! An envelope: headers and items.
