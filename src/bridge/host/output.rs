//! What a host function returns.

use bevy_tasks::{Task, block_on};
use mod_host::{Caller, Encode, HostOutput, Job, OutputDesc, Refusal};

/// The output of a host function: a value of serde, or something that takes longer, for which the mod gets a ticket: a
/// [`Task`] of Bevy, or a [`Job`]; or a `Result` of one of these and a [`Refusal`].
///
/// `M` only tells them apart, and is always inferred.
///
/// ```
/// # use bevy::prelude::*;
/// # use bevy::tasks::{AsyncComputeTaskPool, Task};
/// # use bevy_wasm_mods::prelude::*;
/// # #[derive(Resource, Clone)] struct Map;
/// # impl Map { fn path(&self, _: Vec2, _: Vec2) -> Vec<Vec2> { vec![] } }
/// # let mut app = App::new();
/// fn find_path(In((from, to)): In<(Vec2, Vec2)>, map: Res<Map>) -> Task<Vec<Vec2>> {
///     let map = map.clone();
///     AsyncComputeTaskPool::get().spawn(async move { map.path(from, to) })
/// }
/// // In the mod: #[import] fn find_path(from: Vec2, to: Vec2) -> Ticket<Vec<Vec2>>;
/// app.add_mod_import("find_path", find_path);
/// ```
pub trait ModImportOutput<M> {
    /// The bytes for the mod.
    ///
    /// # Errors
    /// The reason why there are none, as a sentence for people.
    fn into_bytes(self, caller: &mut Caller<'_>) -> Result<Vec<u8>, String>;

    /// What the mod gets in the end.
    #[must_use]
    fn desc() -> OutputDesc;
}

#[doc(hidden)]
#[derive(Debug)]
pub struct OfHost<M>(M);

impl<M, T: HostOutput<M>> ModImportOutput<OfHost<M>> for T {
    fn into_bytes(self, caller: &mut Caller<'_>) -> Result<Vec<u8>, String> {
        caller.answer(self)
    }

    fn desc() -> OutputDesc {
        T::desc()
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub struct IsTaskResult;

impl<R: Encode + Send + 'static> ModImportOutput<IsTaskResult> for Result<Task<R>, Refusal> {
    fn into_bytes(self, caller: &mut Caller<'_>) -> Result<Vec<u8>, String> {
        self.map_err(|refusal| refusal.to_string())?.into_bytes(caller)
    }

    fn desc() -> OutputDesc {
        OutputDesc::of::<R>(true)
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub struct IsTask;

impl<R: Encode + Send + 'static> ModImportOutput<IsTask> for Task<R> {
    /// The mod's ticket holds the task: without the ticket it is cancelled.
    fn into_bytes(self, caller: &mut Caller<'_>) -> Result<Vec<u8>, String> {
        let mut task = Some(self);
        caller.answer(Job::asking(move || {
            let finished = task.take_if(|task| task.is_finished())?;
            Some(Ok(block_on(finished)))
        }))
    }

    fn desc() -> OutputDesc {
        OutputDesc::of::<R>(true)
    }
}
