//! What waits in the queue: an item, and what to put into it before it is sent.

use std::sync::Arc;

use smallvec::SmallVec;

use super::batch::Load;
use super::tracing::{Agreed, transaction_losses};
use crate::matter::Taken;
use crate::protocol::Attachment;
use crate::protocol::client_report::{Category, ItemLoss, LossSource};
use crate::scope::Scope;
use crate::scope::apply::Backdrop;
use crate::session::Update;
use crate::trace::Tree;
use crate::wire::{Envelope, EnvelopeItem};

/// What the counts call one parcel.
pub(crate) type Losses = SmallVec<[ItemLoss; 2]>;

/// An item on its way to the sender. Holds no client, no layer and no user closure: they would die on its thread.
#[derive(Debug)]
pub(crate) enum Parcel {
    Event {
        taken: Taken,
        left: Left,
        agreed: Agreed,
        /// How its session stands, if the event changed that.
        session: Option<Box<Update>>,
    },
    Transaction {
        tree: Arc<Tree>,
        /// The scope as of the end.
        scope: Backdrop,
    },
    /// Something that is sent as it is.
    Envelope(Box<Envelope>),
    /// Something that wants an envelope of its own, with the client's headers.
    Item(EnvelopeItem),
    Batch(Box<dyn Load>),
}

/// What of a scope is yet to be put into an event, beside its attachments.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Left {
    Everything,
    Breadcrumbs,
    Nothing,
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
            Self::Event { taken, session, .. } => {
                let mut losses = event_losses(&taken.scope);
                losses.extend(session.iter().map(|_| ItemLoss::new(Category::Session, 1)));
                losses
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
            Self::Event { taken: Taken { matter, scope }, .. } => {
                let attached: usize = scope.attachments().map(|attachment| attachment.buffer.len()).sum();
                size_of::<Self>() + matter.weight() + attached
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

/// What is lost with an event that is captured under this scope.
pub(crate) fn event_losses(scope: &Scope) -> Losses {
    let event = ItemLoss::new(Category::Error, 1);
    let mut losses = Losses::from_buf_and_len([event; 2], 1);
    if scope.has_attachments() {
        losses.extend(scope.attachments().flat_map(Attachment::losses));
    }
    losses
}

const _: () = assert!(size_of::<Queued>() <= 352, "a thousand of them wait in a queue");
