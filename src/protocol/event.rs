//! An error or message, as the server receives it.
