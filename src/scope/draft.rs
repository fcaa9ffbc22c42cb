//! What a change to a scope touched, so that two changes at once can both stand.

use smol_str::SmolStr;

use crate::sync::unique;

/// Names one draft. Snapshots carry [`Token::NONE`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Token(u64);

impl Token {
    pub(crate) const NONE: Self = Self(0);

    /// A token that no other draft has.
    #[inline]
    pub(crate) fn fresh() -> Self {
        Self(unique::number())
    }
}

/// The record a draft keeps of itself. Set keys and appended entries carry the token; the rest stands here.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) token: Token,
    touched: u16,
    /// Few drafts remove anything: those that don't carry one word for it.
    removed: Option<Box<Removed>>,
}

type Removed = Vec<(Group, SmolStr)>;

impl Draft {
    /// No draft: what a snapshot carries.
    pub(crate) const SNAPSHOT: Self = Self { token: Token::NONE, touched: 0, removed: None };

    #[inline]
    pub(crate) fn begin() -> Self {
        Self { token: Token::fresh(), touched: 0, removed: None }
    }

    #[inline]
    pub(crate) fn touch(&mut self, group: Group) {
        self.touched |= group as u16;
    }

    /// True if the breadcrumbs were cleared.
    pub(crate) fn cleared_breadcrumbs(&self) -> bool {
        self.has_touched(Group::Breadcrumbs)
    }

    /// True if the group was set or cleared as a whole.
    pub(crate) fn has_touched(&self, group: Group) -> bool {
        self.touched & group as u16 != 0
    }

    pub(crate) fn remove(&mut self, group: Group, key: &str) {
        // Outside a draft nobody will ask.
        if self.token != Token::NONE {
            self.removed.get_or_insert_default().push((group, SmolStr::new(key)));
        }
    }

    pub(crate) fn removed(&self, group: Group) -> impl Iterator<Item = &SmolStr> {
        self.removed.iter().flat_map(|removed| removed.iter()).filter(move |(of, _)| *of == group).map(|(_, key)| key)
    }
}

/// The parts of a scope that are set, cleared or removed from, each a bit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u16)]
pub(crate) enum Group {
    Level = 1,
    User = 1 << 1,
    Transaction = 1 << 2,
    Fingerprint = 1 << 3,
    Tags = 1 << 4,
    Extras = 1 << 5,
    Contexts = 1 << 6,
    Attachments = 1 << 7,
    Breadcrumbs = 1 << 8,
    Span = 1 << 9,
}
