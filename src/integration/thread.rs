//! The thread an event comes from.

use std::thread;

use crate::protocol::{Thread, ThreadId};

/// Describes the calling thread, without a stack trace.
pub(super) fn current_thread(crashed: bool) -> Thread {
    let thread = thread::current();
    Thread {
        crashed,
        current: true,
        id: number(&format!("{:?}", thread.id())).map(ThreadId::Int),
        name: thread.name().map(str::to_owned),
        ..Default::default()
    }
}

/// Reads the number in `ThreadId(7)`, the only place where std shows it.
fn number(debug: &str) -> Option<u64> {
    let (_, digits) = debug.split_once('(')?;
    digits.strip_suffix(')')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_thread_has_its_name_and_a_number_of_its_own() {
        let named =
            thread::Builder::new().name("lookout".into()).spawn(|| current_thread(true)).unwrap().join().unwrap();
        assert_eq!(named.name.as_deref(), Some("lookout"));
        assert!(named.crashed && named.current);
        assert!(matches!(named.id, Some(ThreadId::Int(_))));
        assert_ne!(named.id, current_thread(false).id);
    }

    #[test]
    fn an_id_in_another_form_is_left_out() {
        assert_eq!(number("ThreadId(7)"), Some(7));
        assert_eq!(number("ThreadId"), None);
        assert_eq!(number("ThreadId { 7 }"), None);
        assert_eq!(number("ThreadId(main)"), None);
    }
}
