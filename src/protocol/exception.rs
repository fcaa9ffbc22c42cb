//! What went wrong: exceptions and how they were caught.
