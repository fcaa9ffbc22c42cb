//! What is measured: one source in `both/`, compiled against each crate, and what stands beside other crates.

pub mod field;
pub mod ours;
pub mod peer;
mod writers;

/// The states a host can be in, cheapest first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Host {
    /// There is no client.
    Unbound,
    /// A client is bound that has nowhere to send to.
    Disabled,
    Enabled,
}

/// Hides a text from the compiler, by its address: a text that is hidden by value is written and read back in halves, which
/// takes longer than many a call.
#[inline(always)]
fn opaque(text: &'static &'static str) -> &'static str {
    let hidden: &&str = std::hint::black_box(text);
    hidden
}

/// An error with two causes.
#[derive(Debug)]
pub struct Deepest(Option<Box<Deepest>>);

impl Deepest {
    pub fn chain() -> Self {
        Self(Some(Box::new(Self(Some(Box::new(Self(None)))))))
    }
}

impl std::fmt::Display for Deepest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the file is not there")
    }
}

impl std::error::Error for Deepest {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_deref().map(|deeper| deeper as _)
    }
}

/// Fits every queue, so that a burst shows what the caller pays and not how fast another thread is.
pub const BURST: u64 = 200;
