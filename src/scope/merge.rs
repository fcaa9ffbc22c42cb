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

        let data = merged.data.as_deref().cloned().unwrap_or_default();
        let data = self.replay_data(draft, data);
        merged.data = Some(Arc::new(data));
        merged
    }

    fn replay_data(&self, draft: &Draft, mut data: Data) -> Data {
        let default = Data::default();
        let ours = self.data.as_deref().unwrap_or(&default);
        if draft.has_touched(Group::Level) {
            data.level = ours.level;
        }
        if draft.has_touched(Group::User) {
            data.user.clone_from(&ours.user);
        }
        if draft.has_touched(Group::Transaction) {
            data.transaction.clone_from(&ours.transaction);
        }
        if draft.has_touched(Group::Fingerprint) {
            data.fingerprint.clone_from(&ours.fingerprint);
        }
        replay_keys(&mut data.extras, &ours.extras, draft, Group::Extras);
        replay_keys(&mut data.contexts, &ours.contexts, draft, Group::Contexts);
        data
    }
}

fn replay_tags(newer: &mut Option<Shared<Keyed<SmolStr>>>, ours: Option<&Keyed<SmolStr>>, draft: &Draft) {
    let mut merged = newer.as_deref().cloned().unwrap_or_default();
    let default = Keyed::default();
    replay_keys(&mut merged, ours.unwrap_or(&default), draft, Group::Tags);
    *newer = (!merged.is_empty()).then(|| Shared::new(merged));
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
