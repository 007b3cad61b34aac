//! How the values of one type cross, whether the game's reflection knows the type or a mod defined it.
#![expect(unsafe_code, reason = "reads and writes values whose types are only known at run time")]

use std::{
    alloc::Layout,
    fmt,
    sync::{Arc, OnceLock},
};

use bevy_ecs::ptr::{OwningPtr, Ptr, PtrMut};
use bevy_reflect::{Reflect, ReflectFromPtr, TypeInfo};
use mod_abi::{Schema, check_value, take_value};

use crate::bridge::{
    plan::CopyPlan,
    schema::UnsupportedType,
    shape::Shape,
    value::{self, Input, Patch, Reflection, ValueError},
};

/// How the values of one type cross.
#[derive(Debug)]
pub(crate) struct Crossing {
    /// The type's short path, for messages.
    pub(crate) name: Arc<str>,
    /// The type's path.
    pub(crate) path: Arc<str>,
    /// What crosses, or why nothing can. Filters need neither.
    pub(crate) schema: Result<Schema, UnsupportedType>,
    /// Bytes of a row, if that is fixed.
    pub(crate) stride: Option<usize>,
    memory: Memory,
}

/// What a value is in the World's memory.
#[derive(Debug)]
enum Memory {
    /// A value of the game's own type.
    Reflected(Reflected),
    /// A mod's type of fixed size: its encoding.
    Packed(CopyPlan),
    /// A mod's type of varying size: an [`Encoded`].
    Encoded,
}

/// The memory of a value of a mod's type of varying size.
#[derive(Debug, Clone)]
pub(crate) struct Encoded(pub(crate) Box<[u8]>);

impl Encoded {
    /// # Safety
    /// `value` is an `Encoded`.
    unsafe fn drop_in_place(value: OwningPtr) {
        // SAFETY: passed on.
        unsafe { value.drop_as::<Self>() };
    }
}

struct Reflected {
    info: &'static TypeInfo,
    from_ptr: ReflectFromPtr,
    shape: Shape,
    /// Made from the first live value; `None` in it where the type has no plan.
    plan: OnceLock<Option<CopyPlan>>,
    /// Whether values may be written by that plan, found when the first is.
    writes_by_plan: OnceLock<bool>,
}

impl fmt::Debug for Reflected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reflected").field("type", &self.info.type_path()).finish_non_exhaustive()
    }
}

/// A checked change to a value, ready to be made.
#[derive(Debug)]
pub(crate) enum Change {
    Patch(Patch),
    Encoded(Encoded),
}

/// A new value, not yet in the World.
#[derive(Debug)]
pub(crate) enum Owned {
    /// Of the game's own type.
    Reflected(Box<dyn Reflect>),
    /// The encoding is the value.
    Packed(Box<[u8]>),
    Encoded(Encoded),
}

impl Crossing {
    /// A type of the game, of which `shape` crosses with that schema.
    pub(crate) fn reflected(
        info: &'static TypeInfo,
        from_ptr: ReflectFromPtr,
        shape: Shape,
        schema: Result<Schema, UnsupportedType>,
    ) -> Self {
        let (plan, writes_by_plan) = (OnceLock::new(), OnceLock::new());
        Self {
            name: info.type_path_table().short_path().into(),
            path: info.type_path().into(),
            stride: schema.as_ref().ok().and_then(Schema::fixed_size),
            schema,
            memory: Memory::Reflected(Reflected { info, from_ptr, shape, plan, writes_by_plan }),
        }
    }

    /// A type that a mod defined under `path`.
    pub(crate) fn defined(path: &str, schema: Schema) -> Self {
        let plan = CopyPlan::packed(&schema);
        Self {
            name: path.rsplit("::").next().unwrap_or(path).into(),
            path: path.into(),
            stride: plan.as_ref().map(CopyPlan::stride),
            schema: Ok(schema),
            memory: plan.map_or(Memory::Encoded, Memory::Packed),
        }
    }

    /// Whether a mod defines the type, and not the game.
    pub(crate) fn is_defined_by_mod(&self) -> bool {
        !matches!(self.memory, Memory::Reflected(_))
    }

    /// What the World's memory of a value of a mod's type looks like, and how it is dropped.
    pub(crate) fn defined_memory(&self) -> Option<(Layout, Option<unsafe fn(OwningPtr)>)> {
        match &self.memory {
            Memory::Reflected(_) => None,
            Memory::Packed(plan) => Some((Layout::from_size_align(plan.stride(), 1).ok()?, None)),
            Memory::Encoded => Some((Layout::new::<Encoded>(), Some(Encoded::drop_in_place))),
        }
    }

    /// The copy plan, made from `sample` where it needs one.
    ///
    /// # Safety
    /// `sample` is a value of this type that may be read.
    pub(crate) unsafe fn plan<'w>(
        &self,
        reflection: Reflection,
        sample: impl FnOnce() -> Option<Ptr<'w>>,
    ) -> Option<&CopyPlan> {
        let reflected = match &self.memory {
            Memory::Reflected(reflected) => reflected,
            Memory::Packed(plan) => return Some(plan),
            Memory::Encoded => return None,
        };
        self.stride.filter(|stride| *stride > 0)?;
        if let Some(plan) = reflected.plan.get() {
            return plan.as_ref();
        }
        let sample = sample()?;
        let plan = reflected.plan.get_or_init(|| {
            // SAFETY: the value is of the type that `from_ptr` was made for, and the caller may read it.
            let sample = unsafe { reflected.from_ptr.as_reflect(sample) };
            CopyPlan::of(sample, &reflected.shape, reflection).filter(|plan| Some(plan.stride()) == self.stride)
        });
        plan.as_ref()
    }

    /// The copy plan, if values may be written by it.
    ///
    /// # Safety
    /// `sample` is a value of this type that may be written, and that nobody else looks at.
    pub(crate) unsafe fn writing_plan<'w>(&self, sample: impl FnOnce() -> Option<PtrMut<'w>>) -> Option<&CopyPlan> {
        let reflected = match &self.memory {
            Memory::Reflected(reflected) => reflected,
            Memory::Packed(plan) => return Some(plan),
            Memory::Encoded => return None,
        };
        let plan = reflected.plan.get().and_then(Option::as_ref)?;
        if let Some(writes) = reflected.writes_by_plan.get() {
            return writes.then_some(plan);
        }
        let sample = sample()?;
        let writes = *reflected.writes_by_plan.get_or_init(|| {
            // SAFETY: the value is of the type that `from_ptr` was made for; the rest is the caller's promise.
            let sample = unsafe { reflected.from_ptr.as_reflect_mut(sample) };
            plan.may_write(sample, &reflected.shape)
        });
        writes.then_some(plan)
    }

    /// The plan by which values are written, once [`Crossing::writing_plan`] has found that they may be.
    pub(crate) fn known_writing_plan(&self) -> Option<&CopyPlan> {
        match &self.memory {
            Memory::Reflected(reflected) => {
                let writes = reflected.writes_by_plan.get().copied().unwrap_or(false);
                reflected.plan.get().and_then(Option::as_ref).filter(|_| writes)
            }
            Memory::Packed(plan) => Some(plan),
            Memory::Encoded => None,
        }
    }

    /// Appends the encoding of a value.
    ///
    /// # Safety
    /// `value` is a value of this type that may be read.
    pub(crate) unsafe fn write(&self, value: Ptr, reflection: Reflection, out: &mut Vec<u8>) -> Result<(), ValueError> {
        match &self.memory {
            Memory::Reflected(reflected) => {
                // SAFETY: the value is of the type that `from_ptr` was made for, and the caller may read it.
                let value = unsafe { reflected.from_ptr.as_reflect(value) };
                value::write(value.as_partial_reflect(), &reflected.shape, reflection, out)
            }
            Memory::Packed(plan) => {
                let start = out.len();
                out.resize(start + plan.stride(), 0);
                // SAFETY: the value is the plan's, and the caller may read it.
                unsafe { plan.write_row(value, &mut out[start..]) };
                Ok(())
            }
            Memory::Encoded => {
                // SAFETY: such a component's memory is an `Encoded`, and the caller may read it.
                let Encoded(bytes) = unsafe { value.deref() };
                out.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Appends the encoding of a value that reflection shows.
    pub(crate) fn write_reflected(
        &self,
        value: &dyn Reflect,
        reflection: Reflection,
        out: &mut Vec<u8>,
    ) -> Result<(), ValueError> {
        match &self.memory {
            Memory::Reflected(reflected) => value::write(value.as_partial_reflect(), &reflected.shape, reflection, out),
            Memory::Packed(_) | Memory::Encoded => Err(ValueError::Unexpected(self.path.to_string())),
        }
    }

    /// Reads a change to a value from the front of `input`.
    pub(crate) fn read(&self, input: &mut Input, reflection: Reflection) -> Result<Change, ValueError> {
        match &self.memory {
            Memory::Reflected(reflected) => {
                Patch::read(input, reflected.info, &reflected.shape, reflection).map(Change::Patch)
            }
            Memory::Packed(_) | Memory::Encoded => self.take(input).map(|bytes| Change::Encoded(Encoded(bytes.into()))),
        }
    }

    /// [`Crossing::read`] from all of `bytes`.
    pub(crate) fn read_all(&self, bytes: &[u8], reflection: Reflection) -> Result<Change, ValueError> {
        let mut input = Input(bytes);
        let change = self.read(&mut input, reflection)?;
        input.finish().map(|()| change)
    }

    /// Makes a change that was read for this type.
    ///
    /// # Safety
    /// `value` is a value of this type that may be written, and that nobody else looks at.
    pub(crate) unsafe fn apply(&self, change: Change, value: PtrMut) -> Result<(), ValueError> {
        match (&self.memory, change) {
            (Memory::Reflected(reflected), Change::Patch(patch)) => {
                // SAFETY: the value is of the type that `from_ptr` was made for; the rest is the caller's promise.
                let value = unsafe { reflected.from_ptr.as_reflect_mut(value) };
                patch.apply(value.as_partial_reflect_mut())
            }
            (Memory::Encoded, Change::Encoded(new)) => {
                // SAFETY: such a component's memory is an `Encoded`; the rest is the caller's promise.
                *unsafe { value.deref_mut::<Encoded>() } = new;
                Ok(())
            }
            (Memory::Packed(plan), Change::Encoded(Encoded(row))) => {
                // SAFETY: the value is the plan's; the rest is the caller's promise.
                unsafe { plan.read_row(value.as_ptr(), &row) };
                Ok(())
            }
            _ => Err(ValueError::Unexpected(self.path.to_string())),
        }
    }

    /// Builds a new value from all of `bytes`.
    pub(crate) fn build(&self, bytes: &[u8], reflection: Reflection) -> Result<Owned, ValueError> {
        match &self.memory {
            Memory::Reflected(reflected) => {
                let mut input = Input(bytes);
                let value = value::build(&mut input, reflected.info, &reflected.shape, reflection)?;
                input.finish().map(|()| Owned::Reflected(value))
            }
            Memory::Packed(_) => self.check_encoding(bytes).map(|()| Owned::Packed(bytes.into())),
            Memory::Encoded => self.check_encoding(bytes).map(|()| Owned::Encoded(Encoded(bytes.into()))),
        }
    }

    /// Whether `bytes` are one value of a mod's type.
    pub(crate) fn check_encoding(&self, bytes: &[u8]) -> Result<(), ValueError> {
        let malformed = |_| ValueError::Malformed(self.path.to_string());
        self.schema.as_ref().map_or(Ok(()), |schema| check_value(schema, bytes).map_err(malformed))
    }

    fn take<'a>(&self, input: &mut Input<'a>) -> Result<&'a [u8], ValueError> {
        let malformed = || ValueError::Malformed(self.path.to_string());
        let schema = self.schema.as_ref().map_err(|_| malformed())?;
        take_value(schema, &mut input.0).map_err(|_| malformed())
    }
}
