//! Calls into mods that stand in each other on one thread: A calls B, which calls C. How deep they may go, and whose time
//! and fuel they take. What is called is not known here.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// The most calls in each other, each into another mod, whatever the limits say.
const MAX_DEPTH: usize = 16;
/// How much of the thread's stack the calls so far may have used before one more is made, in bytes. Each mod may use
/// as much as it may alone (`STACK_BYTES` of the engine), and what the first ones left has to be enough for the last.
const MAX_STACK: usize = 192 << 10;

thread_local! {
    /// How many calls are running.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Where the stack stood when the first of them began.
    static BASE: Cell<usize> = const { Cell::new(0) };
    /// The time of calls inside of the first one that were stopped because of it.
    static EXCUSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    /// The fuel of the calls that the innermost running one has made so far.
    static FUEL: Cell<u64> = const { Cell::new(0) };
}

/// A call into a mod, for as long as it runs.
#[derive(Debug)]
pub(crate) struct Nesting {
    since: Instant,
    excused: Duration,
    is_nested: bool,
    /// Its own, with that of the calls that it made.
    fuel: u64,
    /// What [`FUEL`] was before.
    fuel_before: u64,
}

impl Nesting {
    pub(crate) fn enter() -> Self {
        let depth = DEPTH.get();
        if depth == 0 {
            BASE.set(stack_place());
            EXCUSED.set(Duration::ZERO);
        }
        DEPTH.set(depth.saturating_add(1));
        let (is_nested, fuel_before) = (depth > 0, FUEL.replace(0));
        Self { since: Instant::now(), excused: EXCUSED.get(), is_nested, fuel: 0, fuel_before }
    }

    /// Whether another mod makes it.
    pub(crate) fn is_nested(&self) -> bool {
        self.is_nested
    }

    /// Notes what it took, for whoever called the mod to pay.
    pub(crate) fn took(&mut self, fuel: u64) {
        self.fuel = fuel;
    }

    /// Notes that the call was stopped because of its time: whoever called the mod is not to pay for it.
    pub(crate) fn excuse(&self) {
        let inside = EXCUSED.get().saturating_sub(self.excused);
        let own = self.since.elapsed().saturating_sub(inside);
        EXCUSED.set(EXCUSED.get().saturating_add(own));
    }
}

impl Drop for Nesting {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
        FUEL.set(self.fuel_before.saturating_add(self.fuel));
    }
}

/// The time that was excused since the first call began.
pub(crate) fn excused() -> Duration {
    EXCUSED.get()
}

/// The fuel of the calls that the running one has made so far.
pub(crate) fn fuel_inside() -> u64 {
    FUEL.get()
}

/// Whether the running calls leave room for one more, where so many may stand in each other.
pub(crate) fn has_room(most: usize) -> bool {
    let depth = DEPTH.get();
    depth == 0 || depth < most.min(MAX_DEPTH) && stack_place().abs_diff(BASE.get()) <= MAX_STACK
}

/// About where the stack stands. Nothing is done with the address but to compare it.
#[inline(never)]
fn stack_place() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(&here).addr()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MAX_DEPTH, Nesting, excused, fuel_inside, has_room};

    #[test]
    fn room_ends() {
        let mut calls = Vec::new();
        for _ in 0..MAX_DEPTH {
            assert!(has_room(MAX_DEPTH));
            calls.push(Nesting::enter());
        }
        assert!(!has_room(MAX_DEPTH));
        calls.pop();
        assert!(has_room(MAX_DEPTH));
    }

    #[test]
    fn fewer_may_be_allowed() {
        let _outer = Nesting::enter();
        assert!(has_room(2));
        let _inner = Nesting::enter();
        assert!(!has_room(2));
    }

    #[test]
    fn whoever_calls_pays_once() {
        let mut outer = Nesting::enter();
        for _ in 0..2 {
            let mut inner = Nesting::enter();
            Nesting::enter().took(5);
            assert_eq!(fuel_inside(), 5);
            // With the five that it paid itself.
            inner.took(7);
        }
        assert_eq!(fuel_inside(), 14);
        outer.took(20);
        drop(outer);
        assert_eq!(Nesting::enter().fuel_before, 20);
    }

    #[test]
    fn the_stack_counts() {
        #[inline(never)]
        fn deeper(left: usize) -> bool {
            let room = std::hint::black_box([0_u8; 4 << 10]);
            let result = if left == 0 { has_room(MAX_DEPTH) } else { deeper(left - 1) };
            std::hint::black_box(room);
            result
        }
        let _call = Nesting::enter();
        assert!(deeper(4));
        assert!(!deeper(60));
    }

    #[test]
    fn time_is_excused_once() {
        let pause = || std::thread::sleep(Duration::from_millis(2));
        let outer = Nesting::enter();
        let inner = Nesting::enter();
        pause();
        inner.excuse();
        let first = excused();
        assert!(first >= Duration::from_millis(2));
        outer.excuse();
        // Of the outer call only what was not excused already.
        assert!(excused() <= outer.since.elapsed());
        drop((inner, outer));
        let _next = Nesting::enter();
        assert_eq!(excused(), Duration::ZERO);
    }
}
