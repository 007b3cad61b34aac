//! Values of the mod that outlive a reload.
//!
//! A value is made the first time that something asks for its type, and kept by the type's name. The host asks for all of
//! them when a new version is to take over, and gives them to that version in the shape that it wants.

use std::{
    any::{Any, type_name},
    cell::{RefCell, RefMut},
    collections::BTreeMap,
    fmt,
    ops::{Deref, DerefMut},
    rc::Rc,
};

use mod_abi::{describe::ParamDesc, state::SavedState};

use crate::{
    block::Blocks,
    describe::Types,
    param::SystemParam,
    reflect::{ReadError, Reflect},
};

/// A value of the mod that outlives a reload: when a new version of the mod takes over, it finds what the old one left.
///
/// It also stands in the saved games of players, if the game saves what mods have; when such a game is loaded, each
/// [`Entity`](crate::Entity) in it is the one of that session, or one that is gone if the game did not bring it back.
///
/// There is one value of each type, shared by all systems of the mod. Fields are matched by name; fields that are new
/// start as in `T::default()`, and fields that are gone are reported in the game's log.
///
/// ```
/// use mod_sdk::prelude::*;
///
/// #[derive(Reflect, Default)]
/// struct Visits {
///     count: u32,
/// }
///
/// fn greet(mut visits: Persist<Visits>) {
///     visits.count += 1;
/// }
/// ```
pub struct Persist<'w, T: Reflect + Default>(RefMut<'w, T>);

impl<T: Reflect + Default> Deref for Persist<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Reflect + Default> DerefMut for Persist<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Reflect + Default + fmt::Debug> fmt::Debug for Persist<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Persist").field(&*self.0).finish()
    }
}

/// The value of a [`Persist`] parameter, found when the system is made.
#[doc(hidden)]
#[derive(Debug)]
pub struct Kept<T>(Rc<RefCell<T>>);

impl<T: Reflect + Default> Default for Kept<T> {
    fn default() -> Self {
        Self(KEPT.with_borrow_mut(KeptValues::get))
    }
}

impl<T: Reflect + Default> SystemParam for Persist<'_, T> {
    type State = Kept<T>;
    type Item<'w> = Persist<'w, T>;

    fn describe(_: &mut Types, _: &mut Vec<ParamDesc>) {}

    fn fetch<'w>(state: &'w mut Kept<T>, _: &mut Blocks<'w>) -> Persist<'w, T> {
        let value = state.0.try_borrow_mut();
        Persist(value.unwrap_or_else(|_| panic!("a system asks for `Persist<{}>` twice", type_name::<T>())))
    }

    fn finish(_: &mut Kept<T>, _: &mut Blocks<'_>) {}
}

thread_local! {
    static KEPT: RefCell<KeptValues> = RefCell::default();
}

/// All values that are kept, by name.
#[derive(Default)]
struct KeptValues(BTreeMap<String, KeptValue>);

struct KeptValue {
    value: Rc<dyn Any>,
    save: fn(&dyn Any) -> Option<SavedState<String>>,
    restore: fn(&dyn Any, &[u8]) -> Result<(), ReadError>,
}

impl KeptValues {
    fn get<T: Reflect + Default>(&mut self) -> Rc<RefCell<T>> {
        let name = name_of::<T>();
        let known = self.0.entry(name.clone()).or_insert_with(|| KeptValue {
            value: Rc::new(RefCell::new(T::default())),
            save: save::<T>,
            restore: restore::<T>,
        });
        let value = Rc::clone(&known.value).downcast();
        value.unwrap_or_else(|_| panic!("two types are kept under the name `{name}`; rename one of them"))
    }
}

/// The type's name without modules: a type that moves to another one is still the same.
fn name_of<T>() -> String {
    let name = type_name::<T>();
    let (path, arguments) = name.split_at(name.find('<').unwrap_or(name.len()));
    format!("{}{arguments}", path.rsplit("::").next().unwrap_or(path))
}

fn save<T: Reflect>(value: &dyn Any) -> Option<SavedState<String>> {
    let value = value.downcast_ref::<RefCell<T>>()?.borrow();
    let mut bytes = Vec::new();
    value.write(&mut bytes);
    Some(SavedState { name: name_of::<T>(), schema: T::SCHEMA.to_string(), bytes })
}

fn restore<T: Reflect>(value: &dyn Any, mut bytes: &[u8]) -> Result<(), ReadError> {
    if let Some(value) = value.downcast_ref::<RefCell<T>>() {
        *value.borrow_mut() = T::read(&mut bytes)?;
    }
    Ok(())
}

/// Everything that [`Persist`] parameters keep, as the host takes it when another version is to follow.
#[must_use]
pub(crate) fn save_all() -> Vec<SavedState<String>> {
    KEPT.with_borrow(|kept| kept.0.values().filter_map(|kept| (kept.save)(&*kept.value)).collect())
}

/// Takes over what an earlier version kept, as the host gives it.
///
/// # Panics
/// When the bytes are not of the type that this version saves under that name.
pub(crate) fn restore_all<S>(states: &[SavedState<S>]) {
    KEPT.with_borrow(|kept| {
        for state in states {
            if let Some(kept) = kept.0.get(&state.name)
                && let Err(error) = (kept.restore)(&*kept.value, &state.bytes)
            {
                panic!("what an earlier version kept as `{}` cannot be taken over: {error}", state.name);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use mod_abi::state::carry_over;

    use super::{KEPT, KeptValues, Persist, restore_all};
    use crate::{prelude::Reflect, testing::save_all};

    #[derive(Reflect, Default, Debug, PartialEq)]
    struct Visits {
        count: u32,
        names: Vec<String>,
    }

    mod later {
        use crate::prelude::Reflect;

        #[derive(Reflect, Debug, PartialEq)]
        pub(super) struct Visits {
            pub(super) fresh: u8,
            pub(super) count: u64,
        }

        impl Default for Visits {
            fn default() -> Self {
                Self { fresh: 7, count: 0 }
            }
        }
    }

    #[test]
    fn a_new_version_finds_what_the_old_one_left() {
        let old = KEPT.with_borrow_mut(KeptValues::get::<Visits>);
        *old.borrow_mut() = Visits { count: 3, names: vec!["Maja".to_owned()] };
        let saved = save_all();
        // The new version starts with nothing.
        KEPT.take();
        let new = KEPT.with_borrow_mut(KeptValues::get::<later::Visits>);
        let carried = carry_over(&saved, &save_all());
        restore_all(&carried.states);
        assert_eq!(*new.borrow(), later::Visits { fresh: 7, count: 3 });
        assert_eq!(carried.losses, ["Visits.names is no longer kept"]);
        KEPT.take();
    }

    #[test]
    fn all_systems_share_one_value() {
        fn bump(mut visits: Persist<Visits>) {
            visits.count += 1;
        }
        let mut first = crate::testing::SystemTest::new(bump);
        let mut second = crate::testing::SystemTest::new(bump);
        first.run();
        second.run();
        first.run();
        let value = KEPT.with_borrow_mut(KeptValues::get::<Visits>);
        assert_eq!(value.borrow().count, 3);
        KEPT.take();
    }
}
