//! Code that adds events or changes them.
