//! What waits in the queue: an item, and what to put into it before it is sent.

use std::sync::Arc;

use smallvec::SmallVec;

use super::batch::Load;
use super::tracing::{Agreed, transaction_losses};
use crate::protocol::client_report::{Category, ItemLoss, LossSource};
use crate::protocol::{Attachment, Event};
use crate::scope::Scope;
use crate::session::Update;
use crate::trace::Tree;
use crate::wire::{Envelope, EnvelopeItem};

/// What the counts call one parcel.
pub(crate) type Losses = SmallVec<[ItemLoss; 2]>;

/// An item on its way to the sender. Holds no client, no layer and no user closure: they would die on its thread.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "parcels are boxed whole when they are queued")]
pub(crate) enum Parcel {
    Event {
        event: Event<'static>,
        /// The scope as of the capture. `filled`: it is in the event already, and only its attachments remain.
        scope: Scope,
        filled: bool,
        agreed: Agreed,
        /// How its session stands, if the event changed that.
        session: Option<Box<Update>>,
    },
    Transaction {
        tree: Arc<Tree>,
        /// The scope as of the end.
        scope: Scope,
    },
    /// Something that is sent as it is.
    Envelope(Envelope),
    /// Something that wants an envelope of its own, with the client's headers.
    Item(EnvelopeItem),
    Batch(Box<dyn Load>),
}

/// A parcel in the queue, with what has to be known of it when it leaves again.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) parcel: Parcel,
    pub(crate) losses: Losses,
    pub(crate) weight: usize,
}

impl Parcel {
    pub(crate) fn losses(&self) -> Losses {
        match self {
            Self::Event { event, scope, session, .. } => {
                let session = session.iter().map(|_| ItemLoss::new(Category::Session, 1));
                event_losses(event, scope).into_iter().chain(session).collect()
            }
            Self::Transaction { tree, .. } => transaction_losses(tree.spans()).into(),
            Self::Envelope(envelope) => envelope.losses().collect(),
            Self::Item(item) => item.losses().collect(),
            // A batch is made with its losses, where it is taken.
            Self::Batch(_) => Losses::new(),
        }
    }

    /// Takes out how the session stands, so that it can go without the event.
    pub(crate) fn part_from_session(&mut self, losses: &mut Losses) -> Option<Box<Update>> {
        let Self::Event { session, .. } = self else { return None };
        let update = session.take()?;
        losses.retain(|loss| loss.category != Category::Session);
        Some(update)
    }

    /// Roughly how many bytes the parcel keeps alive, for the queue's budget.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Event { event, scope, .. } => {
                let frames = event.exception.iter().filter_map(|exception| exception.stacktrace.as_ref());
                let frames: usize = frames.map(|stacktrace| stacktrace.frames.len()).sum();
                let entries = event.extra.len() + event.contexts.len() + event.tags.len() + event.breadcrumbs.len();
                let attached: usize = scope.attachments().map(|attachment| attachment.buffer.len()).sum();
                size_of::<Self>() + event.message.as_ref().map_or(0, String::len) + 256 * (frames + entries) + attached
            }
            Self::Transaction { tree, .. } => size_of::<Self>() + 512 * (1 + tree.kept_spans() as usize),
            Self::Envelope(envelope) => {
                let counted =
                    |loss: ItemLoss| if loss.category == Category::Attachment { loss.quantity as usize } else { 2048 };
                envelope.losses().map(counted).sum()
            }
            Self::Item(_) | Self::Batch(_) => 2048,
        }
    }
}

pub(crate) fn event_losses(event: &Event<'_>, scope: &Scope) -> Losses {
    event.losses().chain(scope.attachments().flat_map(Attachment::losses)).collect()
}
