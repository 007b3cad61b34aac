//! Messages: what one system tells others, to be read when they get to it.

use std::{iter::FusedIterator, marker::PhantomData, slice};

use mod_abi::describe::{ParamDesc, TypeRole};

use crate::{block::Blocks, column::ColumnState, describe::Types, outbox, param::SystemParam, reflect::Reflect};

/// A message, as Bevy's: written by a system, and read by any number of others in this frame or the next.
///
/// `#[message(path = "..")]` names one of the game's. `#[message(define)]` makes it the mod's own, which other mods know as
/// `<this mod's id>::<the type's name>`.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(Message)]
/// #[message(path = "orchard::AppleFell")]
/// struct AppleFell {
///     at: Vec3,
/// }
///
/// #[derive(Message)]
/// #[message(define)]
/// struct Alarm;
///
/// fn listen(mut fell: MessageReader<AppleFell>, mut alarm: MessageWriter<Alarm>) {
///     for apple in fell.read() {
///         if apple.at.y < 0.5 {
///             alarm.write(Alarm);
///         }
///     }
/// }
/// # mod_sdk::testing::describe(|app| { app.add_systems(Update, listen); });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Message`",
    label = "not a message",
    note = "derive `Message`"
)]
pub trait Message: Reflect {
    /// The name of the type in the game.
    const PATH: &'static str;

    /// Whose type it is, and how much of it the mod knows.
    #[doc(hidden)]
    fn role() -> TypeRole {
        TypeRole::Mirror
    }
}

/// The messages that came since the system last ran.
///
/// Those that a run leaves unread are gone: the next run has only what came in the meantime.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Message)] #[message(path = "orchard::AppleFell")] struct AppleFell { weight: f32 }
/// fn weigh(mut fell: MessageReader<AppleFell>) {
///     let weight: f32 = fell.read().map(|apple| apple.weight).sum();
///     info!("{weight} kg more");
/// }
/// ```
#[derive(Debug)]
pub struct MessageReader<'w, M: Message> {
    messages: &'w [M],
    /// How many were not read.
    unread: usize,
}

impl<M: Message> SystemParam for MessageReader<'_, M> {
    type State = ColumnState<M>;
    type Item<'w> = MessageReader<'w, M>;

    fn describe(types: &mut Types, params: &mut Vec<ParamDesc>) {
        params.push(ParamDesc::MessageReader(types.message::<M>()));
    }

    fn fetch<'w>(state: &'w mut Self::State, blocks: &mut Blocks<'w>) -> MessageReader<'w, M> {
        MessageReader::from(state.fetch_all(blocks.next_rows()))
    }

    fn finish(_: &mut Self::State, blocks: &mut Blocks<'_>) {
        blocks.next();
    }
}

impl<'w, M: Message> From<&'w [M]> for MessageReader<'w, M> {
    /// Messages that a test keeps.
    fn from(messages: &'w [M]) -> Self {
        Self { messages, unread: messages.len() }
    }
}

impl<M: Message> MessageReader<'_, M> {
    /// The messages that were not read yet, the oldest first. What is taken from the iterator counts as read.
    pub fn read(&mut self) -> MessageIterator<'_, M> {
        let unread = &self.messages[self.messages.len() - self.unread..];
        MessageIterator { messages: unread.iter(), unread: &mut self.unread }
    }

    /// How many messages were not read yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.unread
    }

    /// Whether all messages were read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unread == 0
    }

    /// Counts all messages as read.
    pub fn clear(&mut self) {
        self.unread = 0;
    }
}

/// The messages of a [`MessageReader`].
#[derive(Debug)]
pub struct MessageIterator<'a, M> {
    messages: slice::Iter<'a, M>,
    unread: &'a mut usize,
}

impl<'a, M> Iterator for MessageIterator<'a, M> {
    type Item = &'a M;

    fn next(&mut self) -> Option<&'a M> {
        let message = self.messages.next();
        *self.unread = self.messages.len();
        message
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.messages.size_hint()
    }
}

impl<M> ExactSizeIterator for MessageIterator<'_, M> {}

impl<M> FusedIterator for MessageIterator<'_, M> {}

/// Writes messages. They are [commands](crate::Commands), so they are there when the system has run.
///
/// ```
/// # use mod_sdk::prelude::*;
/// # #[derive(Message)] #[message(path = "orchard::AppleFell")] struct AppleFell { weight: f32 }
/// fn shake(mut fell: MessageWriter<AppleFell>) {
///     fell.write(AppleFell { weight: 0.2 });
/// }
/// ```
#[derive(Debug)]
pub struct MessageWriter<'w, M: Message>(PhantomData<(&'w mut (), fn(M))>);

impl<M: Message> SystemParam for MessageWriter<'_, M> {
    type State = ();
    type Item<'w> = MessageWriter<'w, M>;

    fn describe(types: &mut Types, params: &mut Vec<ParamDesc>) {
        params.push(ParamDesc::MessageWriter(types.message::<M>()));
    }

    fn fetch<'w>((): &'w mut (), blocks: &mut Blocks<'w>) -> MessageWriter<'w, M> {
        blocks.next();
        MessageWriter(PhantomData)
    }

    fn finish((): &mut (), blocks: &mut Blocks<'_>) {
        blocks.next();
    }
}

impl<M: Message> MessageWriter<'_, M> {
    /// Writes a message.
    pub fn write(&mut self, message: M) {
        outbox::with(|outbox| outbox.write_message(&message));
    }

    /// Writes several messages.
    pub fn write_batch(&mut self, messages: impl IntoIterator<Item = M>) {
        messages.into_iter().for_each(|message| self.write(message));
    }

    /// Writes the message's default.
    pub fn write_default(&mut self)
    where
        M: Default,
    {
        self.write(M::default());
    }
}

#[cfg(test)]
mod tests;
