//! Taking a stack trace.

use std::sync::Arc;

use super::symbols::{self, Symbol};
use super::trim;
use crate::protocol::Stacktrace;

/// Captures the stack trace of the caller.
///
/// The frames stand from the outermost caller to the innermost callee. Functions that were inlined have frames of
/// their own. Frames of this crate and of the panic machinery are left out at the inner end. Of a deeper stack, the
/// middle is left out too, so that at most 50 frames remain. `None` where the platform shows no stack.
///
/// # Examples
/// ```
/// use vidette::integration::backtrace::current_stacktrace;
///
/// fn look_out() -> vidette::protocol::Stacktrace {
///     current_stacktrace().unwrap()
/// }
///
/// let stacktrace = look_out();
/// let innermost = stacktrace.frames.last().unwrap();
/// assert!(innermost.function.as_deref().unwrap().ends_with("look_out"));
/// ```
// Not inlined, so that a caller's frame is never taken for one of ours.
#[inline(never)]
pub fn current_stacktrace() -> Option<Stacktrace> {
    let mut addresses = Vec::with_capacity(64);
    ::backtrace::trace(|frame| {
        addresses.push(frame.ip().addr());
        addresses.len() < MAX_WALKED
    });
    stacktrace(&addresses)
}

/// Converts a stack trace of the `backtrace` crate; it need not be resolved.
///
/// Order, trimming and length are those of [`current_stacktrace`]. `None` where it has no frames.
///
/// # Examples
/// ```
/// use vidette::integration::backtrace::backtrace_to_stacktrace;
///
/// let nothing = backtrace::Backtrace::from(vec![]);
/// assert_eq!(backtrace_to_stacktrace(&nothing), None);
/// ```
pub fn backtrace_to_stacktrace(backtrace: &::backtrace::Backtrace) -> Option<Stacktrace> {
    let frames = backtrace.frames().iter().take(MAX_WALKED);
    let addresses: Vec<_> = frames.map(|frame| frame.ip().addr()).collect();
    stacktrace(&addresses)
}

/// Builds a stack trace from return addresses, the innermost first.
fn stacktrace(addresses: &[usize]) -> Option<Stacktrace> {
    let mut calls = calls(addresses);
    let functions = calls.iter().map(|(_, symbol)| symbol.function.as_deref());
    calls.truncate(calls.len() - trim::capturing(functions));
    let frames_omitted = trim::middle(&mut calls);
    if calls.is_empty() {
        return None;
    }
    let frames = calls.iter().map(|(address, symbol)| symbols::frame(*address, symbol));
    Some(Stacktrace { frames: frames.collect(), frames_omitted, ..Default::default() })
}

/// The calls at `addresses`, those that were inlined included, from the outermost to the innermost.
fn calls(addresses: &[usize]) -> Vec<(usize, Arc<Symbol>)> {
    let mut calls = Vec::with_capacity(2 * addresses.len());
    let resolved = symbols::resolve(addresses);
    for (&address, symbols) in addresses.iter().zip(&resolved).rev() {
        // The outermost frame of some platforms.
        if address == 0 {
            continue;
        }
        if symbols.is_empty() {
            calls.push((address, Arc::default()));
        }
        calls.extend(symbols.iter().rev().map(|it| (address, it.clone())));
    }
    calls
}

/// Frames looked at, from the innermost out; deeper stacks are those of endless recursions.
const MAX_WALKED: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> Vec<usize> {
        let mut addresses = Vec::new();
        ::backtrace::trace(|frame| {
            addresses.push(frame.ip().addr());
            true
        });
        addresses
    }

    #[inline(never)]
    fn outer() -> Vec<(usize, Arc<Symbol>)> {
        let calls = std::hint::black_box(inner());
        assert!(!calls.is_empty());
        calls
    }

    #[inline(never)]
    fn inner() -> Vec<(usize, Arc<Symbol>)> {
        calls(&std::hint::black_box(addresses()))
    }

    fn position(calls: &[(usize, Arc<Symbol>)], end: &str) -> usize {
        let names = calls.iter().map(|(_, symbol)| symbol.function.as_deref().unwrap_or_default());
        let found: Vec<_> = names.collect();
        let position = found.iter().position(|function| function.ends_with(end));
        position.unwrap_or_else(|| panic!("no {end} in {found:#?}"))
    }

    #[test]
    fn callers_stand_before_callees() {
        let calls = outer();
        assert!(position(&calls, "::outer") < position(&calls, "::inner"));
    }

    #[test]
    fn names_are_readable_and_lines_known() {
        let calls = outer();
        let (address, symbol) = &calls[position(&calls, "::outer")];
        let frame = symbols::frame(*address, symbol);
        assert_eq!(frame.function.as_deref(), Some("vidette::integration::backtrace::capture::tests::outer"));
        assert_eq!(frame.module.as_deref(), Some("vidette::integration::backtrace::capture::tests"));
        assert_eq!(frame.package.as_deref(), Some("vidette"));
        assert_eq!(frame.filename.as_deref(), Some("capture.rs"));
        assert!(frame.abs_path.unwrap().ends_with("capture.rs"));
        assert!(frame.lineno.unwrap() > 100);
        assert!(frame.instruction_addr.unwrap().0 > 0);
    }

    #[test]
    fn an_unresolved_backtrace_is_converted_like_a_resolved_one() {
        let mut backtrace = ::backtrace::Backtrace::new_unresolved();
        let unresolved = backtrace_to_stacktrace(&backtrace);
        backtrace.resolve();
        assert!(unresolved.is_some());
        assert_eq!(unresolved, backtrace_to_stacktrace(&backtrace));
    }

    #[test]
    fn a_deep_stack_loses_its_middle() {
        #[inline(never)]
        fn dive(depth: usize) -> Option<Stacktrace> {
            // The frame must outlive the call, or the recursion becomes a loop.
            std::hint::black_box(match depth {
                0 => current_stacktrace(),
                _ => dive(depth - 1),
            })
        }
        // As an application would see it: the names of these tests are not this crate's to others.
        let calls: Vec<_> = (0..200).map(|it| (it, Arc::new(Symbol::default()))).collect();
        let mut shortened = calls.clone();
        assert_eq!(trim::middle(&mut shortened), Some((16, 166)));
        assert_eq!(shortened.last(), calls.last());

        let stacktrace = dive(300).unwrap();
        assert!(stacktrace.frames.len() <= trim::MAX_FRAMES);
    }

    #[test]
    fn endless_recursion_is_walked_up_to_a_bound() {
        #[inline(never)]
        fn dive(depth: usize) -> usize {
            std::hint::black_box(match depth {
                0 => current_stacktrace().unwrap().frames.len(),
                _ => dive(depth - 1),
            })
        }
        let frames = std::thread::Builder::new().stack_size(16 << 20).spawn(|| dive(20_000)).unwrap().join().unwrap();
        assert!(frames <= trim::MAX_FRAMES);
    }

    #[test]
    fn nothing_makes_no_stack_trace() {
        assert_eq!(stacktrace(&[]), None);
        assert_eq!(stacktrace(&[0]), None);
    }
}
