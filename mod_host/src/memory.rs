//! The mod's linear memory and allocator. The only place that slices guest memory, always bounds-checked: a mod may
//! name any address.

use mod_abi::{
    Buffer, OutOfRange,
    names::{ALLOC_BUFFER, FREE_BUFFER, MEMORY},
};
use wasmtime::{AsContextMut, Caller, Instance, Memory, Store, TypedFunc};

use crate::{
    fault::{Fault, Stop},
    state::State,
};

/// The bytes of `buffer` in a memory.
pub(crate) fn slice(memory: &[u8], buffer: Buffer) -> Result<&[u8], OutOfRange> {
    let out_of_range = OutOfRange { buffer, memory: memory.len() };
    memory.get(buffer.range_in(memory.len())?).ok_or(out_of_range)
}

/// The bytes of `buffer` in a memory, to write.
pub(crate) fn slice_mut(memory: &mut [u8], buffer: Buffer) -> Result<&mut [u8], OutOfRange> {
    let out_of_range = OutOfRange { buffer, memory: memory.len() };
    let range = buffer.range_in(memory.len())?;
    memory.get_mut(range).ok_or(out_of_range)
}

/// The memory of the mod that calls an import, with the store's data. Read anew after every call into the mod, which
/// may have grown and moved it.
pub(crate) fn of_caller<'a>(caller: &'a mut Caller<'_, State>) -> Option<(&'a mut [u8], &'a mut State)> {
    let memory = match &caller.data().guest {
        Some(guest) => guest.memory,
        // During the start function nothing but the caller knows its exports.
        None => caller.get_export(MEMORY)?.into_memory()?,
    };
    Some(memory.data_and_store_mut(caller))
}

/// The memory of an instance and its allocator. Shared: wasmtime registers the type of a function anew with every copy.
pub(crate) struct Guest {
    memory: Memory,
    alloc: Option<TypedFunc<u32, u32>>,
    free: Option<TypedFunc<u64, ()>>,
}

impl Guest {
    /// Finds the exports. The manifest has made sure that they are there if they are needed.
    pub(crate) fn find(store: &mut Store<State>, instance: &Instance) -> Option<Self> {
        Some(Self {
            memory: instance.get_memory(&mut *store, MEMORY)?,
            alloc: instance.get_typed_func(&mut *store, ALLOC_BUFFER).ok(),
            free: instance.get_typed_func(&mut *store, FREE_BUFFER).ok(),
        })
    }

    pub(crate) fn size(&self, store: &Store<State>) -> usize {
        self.memory.data_size(store)
    }

    pub(crate) fn bytes<'a>(&self, store: &'a Store<State>, buffer: Buffer) -> Result<&'a [u8], OutOfRange> {
        slice(self.memory.data(store), buffer)
    }

    pub(crate) fn bytes_mut<'a>(
        &self,
        store: &'a mut Store<State>,
        buffer: Buffer,
    ) -> Result<&'a mut [u8], OutOfRange> {
        slice_mut(self.memory.data_mut(store), buffer)
    }

    /// Asks the mod for `len` bytes. They lie inside the memory.
    pub(crate) fn allocate(&self, mut store: impl AsContextMut<Data = State>, len: u32) -> Result<Buffer, Stop> {
        let alloc = self.alloc.as_ref().ok_or(Fault::Missing(ALLOC_BUFFER))?;
        let ptr = alloc.call(&mut store, len)?;
        if ptr == 0 {
            return Err(Fault::NoMemory.into());
        }
        let buffer = Buffer::new(ptr, len);
        buffer.range_in(self.memory.data_size(&store)).map_err(Fault::BadBuffer)?;
        Ok(buffer)
    }

    /// Gives a buffer back to the mod's allocator. Empty ones were never taken from it.
    pub(crate) fn free(&self, mut store: impl AsContextMut<Data = State>, buffer: Buffer) -> Result<(), Stop> {
        match &self.free {
            Some(free) if !buffer.is_empty() => Ok(free.call(&mut store, buffer.to_raw())?),
            _ => Ok(()),
        }
    }

    /// Copies `bytes` into memory that the mod owns from then on.
    pub(crate) fn give(&self, mut store: impl AsContextMut<Data = State>, bytes: &[u8]) -> Result<Buffer, Stop> {
        if bytes.is_empty() {
            return Ok(Buffer::default());
        }
        let len = u32::try_from(bytes.len()).map_err(|_| Fault::NoMemory)?;
        let buffer = self.allocate(&mut store, len)?;
        let (memory, state) = self.memory.data_and_store_mut(store.as_context_mut());
        slice_mut(memory, buffer).map_err(Fault::BadBuffer)?.copy_from_slice(bytes);
        state.usage.add_in(bytes.len());
        Ok(buffer)
    }
}
