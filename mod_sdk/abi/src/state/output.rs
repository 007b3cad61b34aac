//! A value that is being written, of no more bytes than there is room for.

use alloc::vec::Vec;

use super::losses::Losses;
use crate::{Leaf, Schema, VariantFields, walk::Malformed};

/// The bytes of the longest leaf without a value in it.
const ZEROS: [u8; 16] = [0; 16];

pub(super) struct Output<'a> {
    pub(super) bytes: Vec<u8>,
    /// How many bytes may still be written, here and to other values.
    pub(super) room: &'a mut usize,
    pub(super) losses: &'a mut Losses,
}

impl Output<'_> {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        self.take_room(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn write_len(&mut self, len: usize) -> Result<(), Malformed> {
        self.write(&u64::try_from(len).map_err(|_| Malformed)?.to_le_bytes())
    }

    /// Writes nothing of a type: 0, "", none, an empty list, the first variant.
    pub(super) fn write_nothing(&mut self, schema: &Schema) -> Result<(), Malformed> {
        #[cfg(test)]
        crate::tests::step();
        match schema {
            // No entity has a zero in its lower half; this is Bevy's placeholder.
            Schema::Leaf(Leaf::Entity) => self.write(&1_u64.to_le_bytes()),
            Schema::Leaf(leaf) => self.write(ZEROS.get(..leaf.min_size()).ok_or(Malformed)?),
            Schema::Struct(fields) => self.write_nothings(fields.iter().map(|(_, field)| field)),
            Schema::Tuple(fields) => self.write_nothings(fields),
            Schema::List(_) | Schema::Map(..) => self.write_len(0),
            Schema::Array(_, 0) => Ok(()),
            Schema::Array(item, len) => {
                let before = self.bytes.len();
                self.write_nothing(item)?;
                self.repeat(before, usize::try_from(*len).map_err(|_| Malformed)?)
            }
            Schema::Option(_) => self.write(&[0]),
            Schema::Enum(variants) => {
                self.write(&0_u32.to_le_bytes())?;
                match variants.first().map(|variant| &variant.fields) {
                    Some(VariantFields::Unit) => Ok(()),
                    Some(VariantFields::Tuple(fields)) => self.write_nothings(fields),
                    Some(VariantFields::Struct(fields)) => self.write_nothings(fields.iter().map(|(_, field)| field)),
                    // Of such an enum there is no value.
                    None => Err(Malformed),
                }
            }
        }
    }

    fn write_nothings<'s>(&mut self, schemas: impl IntoIterator<Item = &'s Schema>) -> Result<(), Malformed> {
        schemas.into_iter().try_for_each(|schema| self.write_nothing(schema))
    }

    /// Makes one copy of what was written last, from `start` on, as many as `count`.
    fn repeat(&mut self, start: usize, count: usize) -> Result<(), Malformed> {
        let len = self.bytes.len().saturating_sub(start);
        let whole = len.checked_mul(count).ok_or(Malformed)?;
        self.take_room(whole.saturating_sub(len))?;
        let end = start.saturating_add(whole);
        while self.bytes.len() < end {
            let now = self.bytes.len();
            let more = now.saturating_sub(start).min(end.saturating_sub(now));
            self.bytes.extend_from_within(start..start.saturating_add(more));
        }
        Ok(())
    }

    fn take_room(&mut self, bytes: usize) -> Result<(), Malformed> {
        *self.room = self.room.checked_sub(bytes).ok_or(Malformed)?;
        Ok(())
    }
}
