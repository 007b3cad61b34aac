//! Values that stay in the host while a mod holds a handle to them. Who calls is not known here.

use std::{
    any::{Any, TypeId, type_name},
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    sync::atomic::{AtomicU32, Ordering},
};

use mod_abi::OpaqueId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::short_type;

/// How many values a table may hold: a mod that never gives any back should not fill the machine.
pub const MAX_OPAQUE: usize = 1 << 16;

/// A handle to a value of type `T` that stays in the host, in an [`OpaqueTable`].
///
/// It is four numbers. To a mod they mean nothing; whatever it sends back is checked when it is used.
///
/// ```
/// use mod_host::{Opaque, OpaqueError, OpaqueTable};
///
/// let mut table = OpaqueTable::new();
/// let number: Opaque<u32> = table.insert(7_u32)?;
/// *table.get_mut(number)? += 1;
/// assert_eq!(table.remove(number), Ok(8));
/// // Another table knows nothing of it.
/// assert_eq!(OpaqueTable::new().get(number), Err(OpaqueError::Foreign));
/// # Ok::<_, OpaqueError>(())
/// ```
pub struct Opaque<T: ?Sized> {
    id: OpaqueId,
    _value: PhantomData<fn() -> T>,
}

impl<T: ?Sized> Opaque<T> {
    const fn new(id: OpaqueId) -> Self {
        Self { id, _value: PhantomData }
    }

    /// What crosses.
    #[must_use]
    pub const fn id(self) -> OpaqueId {
        self.id
    }
}

impl<T: ?Sized> Clone for Opaque<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Opaque<T> {}

impl<T: ?Sized> PartialEq for Opaque<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<T: ?Sized> Eq for Opaque<T> {}

impl<T: ?Sized> Hash for Opaque<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl<T: ?Sized> fmt::Debug for Opaque<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque<{}>({}.{})", type_name::<T>(), self.id.index, self.id.generation)
    }
}

impl<T: ?Sized> Serialize for Opaque<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.id.serialize(serializer)
    }
}

impl<'de, T: ?Sized> Deserialize<'de> for Opaque<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        OpaqueId::deserialize(deserializer).map(Self::new)
    }
}

/// A handle that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpaqueError {
    /// Another mod's, or one of an earlier version of this mod.
    #[error("the handle was not given to this mod since it was loaded")]
    Foreign,
    /// Of another type.
    #[error("the handle is not that of a {}", short_type(expected))]
    WrongKind {
        /// The type asked for.
        expected: &'static str,
    },
    /// The value has been removed.
    #[error("the {} that the handle names is gone", short_type(expected))]
    Stale {
        /// The type asked for.
        expected: &'static str,
    },
    /// There are [`MAX_OPAQUE`] values already.
    #[error("the mod holds {MAX_OPAQUE} values of the host, which is the most that it may")]
    Full,
}

struct Place {
    kind: u32,
    generation: u32,
    value: Option<Box<dyn Any + Send + Sync>>,
}

/// The values that one instance of a mod holds handles to. It goes with the instance.
///
/// ```
/// use mod_host::{OpaqueError, OpaqueTable};
///
/// struct Door(&'static str);
///
/// let mut table = OpaqueTable::new();
/// let door = table.insert(Door("oak"))?;
/// assert_eq!(table.get(door)?.0, "oak");
/// table.remove(door)?;
/// assert!(matches!(table.get(door), Err(OpaqueError::Stale { .. })));
/// # Ok::<_, OpaqueError>(())
/// ```
pub struct OpaqueTable {
    number: u32,
    /// A kind is the place of a type in this list.
    kinds: Vec<TypeId>,
    places: Vec<Place>,
    free: Vec<u32>,
}

impl Default for OpaqueTable {
    fn default() -> Self {
        Self::new()
    }
}

impl OpaqueTable {
    /// An empty table, whose handles mean nothing to any other.
    #[must_use]
    pub fn new() -> Self {
        static TABLES: AtomicU32 = AtomicU32::new(1);
        let number = TABLES.fetch_add(1, Ordering::Relaxed);
        Self { number, kinds: Vec::new(), places: Vec::new(), free: Vec::new() }
    }

    /// Keeps a value and returns the handle for the mod.
    ///
    /// # Errors
    /// [`OpaqueError::Full`].
    pub fn insert<T: Any + Send + Sync>(&mut self, value: T) -> Result<Opaque<T>, OpaqueError> {
        let kind = self.kind_of::<T>();
        let value: Option<Box<dyn Any + Send + Sync>> = Some(Box::new(value));
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.places.len() >= MAX_OPAQUE => return Err(OpaqueError::Full),
            None => {
                let index = u32::try_from(self.places.len()).map_err(|_| OpaqueError::Full)?;
                self.places.push(Place { kind, generation: 0, value: None });
                index
            }
        };
        let place = self.place(index).ok_or(OpaqueError::Full)?;
        (place.kind, place.value) = (kind, value);
        let generation = place.generation;
        Ok(Opaque::new(OpaqueId { table: self.number, kind, index, generation }))
    }

    /// The value of a handle.
    ///
    /// # Errors
    /// When the handle is not one of this table and type, or its value is gone.
    pub fn get<T: Any>(&self, handle: Opaque<T>) -> Result<&T, OpaqueError> {
        self.check(handle)?;
        let place = usize::try_from(handle.id.index).ok().and_then(|index| self.places.get(index));
        place.and_then(|place| place.value.as_ref()?.downcast_ref()).ok_or_else(stale::<T>)
    }

    /// The value of a handle, to change it.
    ///
    /// # Errors
    /// As [`OpaqueTable::get`].
    pub fn get_mut<T: Any>(&mut self, handle: Opaque<T>) -> Result<&mut T, OpaqueError> {
        self.check(handle)?;
        let place = self.place(handle.id.index);
        place.and_then(|place| place.value.as_mut()?.downcast_mut()).ok_or_else(stale::<T>)
    }

    /// Takes a value out. Its handle means nothing from then on.
    ///
    /// # Errors
    /// As [`OpaqueTable::get`].
    pub fn remove<T: Any>(&mut self, handle: Opaque<T>) -> Result<T, OpaqueError> {
        self.check(handle)?;
        let place = self.place(handle.id.index).ok_or_else(stale::<T>)?;
        let value = place.value.take().and_then(|value| value.downcast().ok()).ok_or_else(stale::<T>)?;
        // A place whose numbers are used up is not used again.
        if let Some(generation) = place.generation.checked_add(1) {
            place.generation = generation;
            self.free.push(handle.id.index);
        }
        Ok(*value)
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.iter().filter(|place| place.value.is_some()).count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn check<T: Any>(&self, Opaque { id, .. }: Opaque<T>) -> Result<(), OpaqueError> {
        let expected = type_name::<T>();
        let kind = usize::try_from(id.kind).ok().and_then(|kind| self.kinds.get(kind));
        let place = usize::try_from(id.index).ok().and_then(|index| self.places.get(index));
        match place {
            _ if id.table != self.number => Err(OpaqueError::Foreign),
            _ if kind != Some(&TypeId::of::<T>()) => Err(OpaqueError::WrongKind { expected }),
            Some(place) if place.generation == id.generation && place.kind == id.kind && place.value.is_some() => {
                Ok(())
            }
            _ => Err(OpaqueError::Stale { expected }),
        }
    }

    fn place(&mut self, index: u32) -> Option<&mut Place> {
        self.places.get_mut(usize::try_from(index).ok()?)
    }

    fn kind_of<T: Any>(&mut self) -> u32 {
        let ty = TypeId::of::<T>();
        let index = self.kinds.iter().position(|known| *known == ty).unwrap_or_else(|| {
            self.kinds.push(ty);
            self.kinds.len().saturating_sub(1)
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }
}

fn stale<T>() -> OpaqueError {
    OpaqueError::Stale { expected: type_name::<T>() }
}

impl fmt::Debug for OpaqueTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpaqueTable").field("number", &self.number).field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use mod_abi::{OpaqueId, codec};

    use super::{MAX_OPAQUE, Opaque, OpaqueError, OpaqueTable};

    fn forged<T>(id: OpaqueId) -> Opaque<T> {
        codec::decode(&codec::encode(&id).unwrap()).unwrap()
    }

    #[test]
    fn handles_lead_to_their_values() {
        let mut table = OpaqueTable::new();
        let (text, number) = (table.insert("oak".to_owned()).unwrap(), table.insert(7_u32).unwrap());
        *table.get_mut(number).unwrap() += 1;
        assert_eq!((table.get(text).unwrap().as_str(), *table.get(number).unwrap()), ("oak", 8));
        assert_eq!(table.len(), 2);
        assert_eq!(table.remove(number), Ok(8));
        assert_eq!((table.len(), table.is_empty()), (1, false));
    }

    #[test]
    fn stale_foreign_and_forged_handles_are_errors() {
        let mut table = OpaqueTable::new();
        let old = table.insert(1_u8).unwrap();
        table.remove(old).unwrap();
        let new = table.insert(2_u8).unwrap();
        assert_eq!((old.id().index, new.id().index), (0, 0), "the place is used again");
        assert_eq!(table.get(old), Err(OpaqueError::Stale { expected: "u8" }));
        assert_eq!(table.get_mut(old), Err(OpaqueError::Stale { expected: "u8" }));
        assert_eq!(table.remove(old), Err(OpaqueError::Stale { expected: "u8" }));

        assert_eq!(OpaqueTable::new().get(new), Err(OpaqueError::Foreign));
        assert_eq!(table.get(forged::<u16>(new.id())), Err(OpaqueError::WrongKind { expected: "u16" }));
        let text = table.insert("oak").unwrap();
        for (id, expected) in [
            (OpaqueId { kind: 9, ..new.id() }, OpaqueError::WrongKind { expected: "u8" }),
            (OpaqueId { index: 9, ..new.id() }, OpaqueError::Stale { expected: "u8" }),
            (OpaqueId { index: u32::MAX, ..new.id() }, OpaqueError::Stale { expected: "u8" }),
            (OpaqueId { index: text.id().index, ..new.id() }, OpaqueError::Stale { expected: "u8" }),
            (OpaqueId { generation: 7, ..new.id() }, OpaqueError::Stale { expected: "u8" }),
        ] {
            assert_eq!(table.get(forged::<u8>(id)), Err(expected), "{id:?}");
        }
    }

    #[test]
    fn a_table_has_an_end() {
        let mut table = OpaqueTable::new();
        let handles: Vec<_> = (0..MAX_OPAQUE).map(|n| table.insert(n).unwrap()).collect();
        assert_eq!(table.insert(0_usize), Err(OpaqueError::Full));
        assert_eq!(table.remove(handles[5]), Ok(5));
        assert!(table.insert(0_usize).is_ok());
    }
}
