//! What a session makes of what happens to it.
