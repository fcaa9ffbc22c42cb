//! Replaying a draft onto a snapshot that is newer than the one it was made of.

use std::sync::Arc;

use smol_str::SmolStr;

use super::draft::{Draft, Group, Token};
use super::keyed::Keyed;
use super::{Crumbs, Data, Scope, Stamped};
use crate::sync::swap::Shared;

impl Scope {
    /// Starts a draft of this snapshot, with these breadcrumbs.
    // Inlined, so that it is made where it is to be.
    #[inline(always)]
    pub(crate) fn to_draft(&self, crumbs: Crumbs) -> Self {
        self.copied_as(Draft::begin(), crumbs, self.session.clone())
    }

    /// The draft's name.
    pub(crate) fn token(&self) -> Token {
        self.draft.token
    }

    /// Ends a draft, which is a snapshot then, and returns the record of what was touched.
    pub(crate) fn end_draft(&mut self) -> Draft {
        std::mem::replace(&mut self.draft, Draft::SNAPSHOT)
    }

    /// Replays what `draft` touched in this scope onto `newer`. Touched parts win, untouched ones keep the newer, appended entries
    /// stand behind those that came meanwhile.
    pub(crate) fn merge_onto(&self, draft: &Draft, newer: &Self) -> Self {
        let mut merged = newer.clone();
        let token = draft.token;
        replay_tags(&mut merged.tags, self.tags.as_deref(), draft);
        replay_list(&mut merged.attachments, &self.attachments, token, draft.has_touched(Group::Attachments));
        replay_list(&mut merged.processors, &self.processors, token, false);
        if draft.has_touched(Group::Span) {
            merged.span.clone_from(&self.span);
        }
        let default = Data::default();
        let data = self.data.as_deref().unwrap_or(&default);
        if data.has_part_in(draft) {
            data.replay_onto(merged.data_mut(), draft);
        }
        merged
    }
}

impl Data {
    /// True if the draft changed anything here.
    fn has_part_in(&self, draft: &Draft) -> bool {
        let single = [Group::Level, Group::User, Group::Transaction, Group::Fingerprint];
        single.into_iter().any(|group| draft.has_touched(group))
            || has_part_in(&self.extras, draft, Group::Extras)
            || has_part_in(&self.contexts, draft, Group::Contexts)
    }

    fn replay_onto(&self, newer: &mut Self, draft: &Draft) {
        if draft.has_touched(Group::Level) {
            newer.level = self.level;
        }
        if draft.has_touched(Group::User) {
            newer.user.clone_from(&self.user);
        }
        if draft.has_touched(Group::Transaction) {
            newer.transaction.clone_from(&self.transaction);
        }
        if draft.has_touched(Group::Fingerprint) {
            newer.fingerprint.clone_from(&self.fingerprint);
        }
        replay_keys(&mut newer.extras, &self.extras, draft, Group::Extras);
        replay_keys(&mut newer.contexts, &self.contexts, draft, Group::Contexts);
    }
}

fn replay_tags(newer: &mut Option<Shared<Keyed<SmolStr>>>, ours: Option<&Keyed<SmolStr>>, draft: &Draft) {
    let default = Keyed::default();
    let ours = ours.unwrap_or(&default);
    if has_part_in(ours, draft, Group::Tags) {
        let merged = newer.get_or_insert_with(|| Shared::make(Keyed::default)).make_mut();
        replay_keys(merged, ours, draft, Group::Tags);
        if merged.is_empty() {
            *newer = None;
        }
    }
}

/// True if the draft changed a group of named values, of which these are what it left.
fn has_part_in<V: Clone>(ours: &Keyed<V>, draft: &Draft, group: Group) -> bool {
    draft.has_touched(group) || draft.removed(group).next().is_some() || ours.has_any_by(draft.token)
}

fn replay_keys<V: Clone>(newer: &mut Keyed<V>, ours: &Keyed<V>, draft: &Draft, group: Group) {
    if draft.has_touched(group) {
        *newer = Keyed::default();
    }
    for key in draft.removed(group) {
        newer.remove(key);
    }
    ours.replay_onto(newer, draft.token);
}

fn replay_list<T: Clone>(
    newer: &mut Option<Arc<Vec<Stamped<T>>>>,
    ours: &Option<Arc<Vec<Stamped<T>>>>,
    token: Token,
    cleared: bool,
) {
    if cleared {
        *newer = None;
    }
    let mut appended = ours.iter().flat_map(|list| list.iter()).filter(|entry| entry.by == token).peekable();
    if appended.peek().is_some() {
        super::owned(newer).extend(appended.cloned());
    }
}
