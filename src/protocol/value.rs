//! Small value types that several interfaces share.
