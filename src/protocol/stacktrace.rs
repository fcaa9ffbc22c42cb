//! Where it went wrong: frames, stack traces, threads.
