//! How severe an event or a breadcrumb is.
