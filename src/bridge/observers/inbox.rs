//! What the observers of a mod are woken by, in order.
//!
//! A mod that is in the middle of a call cannot be called again. What happens meanwhile waits here, as it was when it
//! happened, and its observers run when the World's commands are next carried out after the call has returned, at the
//! latest at the frame boundary. Everything goes through this queue, so that nothing overtakes what waits.
//!
//! An observer whose commands wake observers could go on without an end. Each wake knows what it came of, and a chain that
//! grows too long, or too many of them in one frame, fail the mod.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bevy_ecs::{
    resource::Resource,
    system::{System, SystemStateFlags},
    world::{DeferredWorld, World},
};

use crate::bridge::{
    handle::{ModHandle, SystemError, catch},
    observers::ObserverSlot,
};

/// How many observers may wake each other in a row.
const MAX_CHAIN: usize = 64;
/// How often the observers of one mod may be woken in a frame by what observers of mods do.
const MAX_CHAINED: usize = 10_000;
/// How much may wait for one mod.
const MAX_WAITING: usize = 10_000;
/// The most bytes of what waits for one mod.
const MAX_WAITING_BYTES: usize = 4 << 20;

/// What the observers of a mod are woken by.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Wake>,
    bytes: usize,
    /// Whether somebody is about to empty it, further up the stack.
    is_emptied: bool,
    /// Whether a command to empty it is among the World's.
    is_queued: bool,
    /// Wakes of this frame that came of an observer.
    chained: usize,
}

#[derive(Debug)]
struct Wake {
    observer: Arc<ObserverSlot>,
    value: Vec<u8>,
    cause: Option<Arc<Link>>,
}

/// An observer that ran, and the one that it came of.
#[derive(Debug)]
struct Link {
    name: Arc<str>,
    before: Option<Arc<Link>>,
    depth: usize,
}

/// The observers of which what happens now comes: the last one, and those further up the stack.
#[derive(Debug, Default, Resource)]
struct Causes(Vec<Arc<Link>>);

/// Makes sure that causes can be noted where only a [`DeferredWorld`] is at hand.
pub(crate) fn prepare(world: &mut World) {
    world.init_resource::<Causes>();
}

/// The frame boundary: nothing comes of any observer. A panic of the game may have left some.
pub(crate) fn forget_causes(world: &mut World) {
    world.get_resource_or_init::<Causes>().0.clear();
}

impl Inbox {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what waits.
    pub(crate) fn clear(&self) {
        let mut queue = self.queue();
        queue.waiting.clear();
        queue.bytes = 0;
    }

    /// Wakes an observer of this mod: now, or when the mod is no longer busy.
    pub(crate) fn wake(self: &Arc<Self>, observer: &Arc<ObserverSlot>, value: Vec<u8>, mut world: DeferredWorld) {
        let Some(handle) = observer.handle() else { return };
        // The next frame boundary looks at what is left in here.
        handle.wake();
        let cause = world.get_resource::<Causes>().and_then(|causes| causes.0.last().cloned());
        let fail = |error| handle.fail(&observer.system, error);
        let system = || observer.system.clone();
        {
            let mut queue = self.queue();
            if let Some(cause) = &cause {
                queue.chained += 1;
                if cause.depth >= MAX_CHAIN || queue.chained > MAX_CHAINED {
                    return fail(SystemError::Endless { system: system(), cycle: cycle(&observer.name, cause) });
                }
            }
            if queue.waiting.len() >= MAX_WAITING || value.len() > MAX_WAITING_BYTES.saturating_sub(queue.bytes) {
                return fail(SystemError::Flooded { system: system(), most: MAX_WAITING, bytes: MAX_WAITING_BYTES });
            }
            queue.bytes += value.len();
            queue.waiting.push_back(Wake { observer: Arc::clone(observer), value, cause });
        }
        self.empty(&mut world);
        self.try_again(&mut world);
    }

    /// Wakes those whose turn it is, as long as the mod is not busy.
    fn empty(self: &Arc<Self>, world: &mut DeferredWorld) {
        if std::mem::replace(&mut self.queue().is_emptied, true) {
            return;
        }
        while let Some(wake) = self.next() {
            run(wake, world);
        }
        self.queue().is_emptied = false;
    }

    /// The next one, unless its mod is busy.
    fn next(&self) -> Option<Wake> {
        let mut queue = self.queue();
        let Wake { observer, .. } = queue.waiting.front()?;
        if observer.handle().is_some_and(|handle| handle.is_busy()) || observer.slot().is_none() {
            return None;
        }
        let wake = queue.waiting.pop_front()?;
        queue.bytes = queue.bytes.saturating_sub(wake.value.len());
        Some(wake)
    }

    /// Leaves a command to wake what waits. It tries once: a mod that is still busy by then is one whose call carries
    /// commands out itself, and would be asked without an end.
    fn try_again(self: &Arc<Self>, world: &mut DeferredWorld) {
        let mut queue = self.queue();
        if queue.is_emptied || queue.is_queued || queue.waiting.is_empty() {
            return;
        }
        queue.is_queued = true;
        let inbox = Arc::clone(self);
        world.commands().queue(move |world: &mut World| {
            inbox.queue().is_queued = false;
            inbox.empty(&mut DeferredWorld::from(world));
        });
    }

    /// The frame boundary: nothing is in the middle of anything, so whatever waits is woken.
    pub(crate) fn new_frame(self: &Arc<Self>, world: &mut World) {
        {
            let mut queue = self.queue();
            (queue.chained, queue.is_emptied, queue.is_queued) = (0, false, false);
        }
        self.empty(&mut DeferredWorld::from(&mut *world));
        if let Some(handle) = self.queue().waiting.front().and_then(|wake| wake.observer.handle()) {
            handle.wake();
        }
    }
}

/// Runs an observer, and leaves its commands to the World.
fn run(Wake { observer, value, cause }: Wake, world: &mut DeferredWorld) {
    let Some(handle) = observer.handle() else { return };
    let depth = cause.as_ref().map_or(1, |cause| cause.depth + 1);
    let link = Arc::new(Link { name: Arc::clone(&observer.name), before: cause, depth });
    let Some(mut slot) = observer.slot() else { return };
    // A host function may leave commands to the World itself, which run between these two.
    let enters = slot.calls_functions();
    if enters {
        let link = Arc::clone(&link);
        world.commands().queue(move |world: &mut World| begin(&mut DeferredWorld::from(world), link));
    }
    begin(world, Arc::clone(&link));
    slot.wake(&value, world.reborrow());
    end(world);
    if enters {
        world.commands().queue(|world: &mut World| end(&mut DeferredWorld::from(world)));
    }
    if slot.flags().contains(SystemStateFlags::DEFERRED) {
        let mut outbox = slot.take_outbox();
        drop(slot);
        world.commands().queue(move |world: &mut World| {
            begin(&mut DeferredWorld::from(&mut *world), link);
            let work = || {
                // What they wake runs in here, too, so that it is known what it came of.
                if let Some(mut slot) = observer.slot() {
                    slot.apply_functions(world);
                }
                outbox.carry_out(world, &observer.system);
                world.flush();
            };
            if let Err(message) = catch(work) {
                fail(&handle, &observer, message);
            }
            end(&mut DeferredWorld::from(&mut *world));
            observer.inbox.empty(&mut DeferredWorld::from(world));
        });
    }
}

fn fail(handle: &ModHandle, observer: &ObserverSlot, message: String) {
    handle.fail(&observer.system, SystemError::Panicked { system: observer.system.clone(), message });
}

/// From here on, what happens comes of that observer.
fn begin(world: &mut DeferredWorld, cause: Arc<Link>) {
    if let Some(mut causes) = world.get_resource_mut::<Causes>() {
        causes.0.push(cause);
    }
}

/// To here.
fn end(world: &mut DeferredWorld) {
    if let Some(mut causes) = world.get_resource_mut::<Causes>() {
        causes.0.pop();
    }
}

/// How an observer came to wake itself, as far as it can be told in a line.
fn cycle(name: &str, cause: &Arc<Link>) -> String {
    let mut names = vec![name];
    let mut link = Some(cause);
    while let Some(Link { name: earlier, before, .. }) = link.map(|link| &**link) {
        names.push(earlier);
        if **earlier == *name || names.len() > 8 {
            break;
        }
        link = before.as_ref();
    }
    names.reverse();
    names.join(" -> ")
}
