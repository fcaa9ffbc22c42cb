//! Which SDK sent this.
