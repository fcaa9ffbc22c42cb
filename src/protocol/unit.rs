//! Units of measurement.
