//! Where the parts of a block stand. What they are is not known here.

use mod_abi::batch::{align_up, block_header_bytes};

use crate::bridge::gather::GatherError;

/// Gives places to the parts of a block.
pub(super) struct Layout {
    pub(super) end: usize,
    limit: usize,
}

impl Layout {
    pub(super) fn after_headers(columns: usize, limit: usize) -> Result<Self, GatherError> {
        block_header_bytes(columns).map(|end| Self { end, limit }).ok_or(GatherError::TooLarge)
    }

    /// An aligned place for `len` bytes: its offset, and `len` as it is written down.
    pub(super) fn place(&mut self, len: usize) -> Result<(u32, u32), GatherError> {
        let offset = self.end;
        let end = offset.checked_add(len).and_then(align_up).filter(|end| *end <= self.limit);
        let end = end.ok_or(GatherError::TooLarge)?;
        self.end = end;
        match (u32::try_from(offset), u32::try_from(len), u32::try_from(end)) {
            (Ok(offset), Ok(len), Ok(_)) => Ok((offset, len)),
            _ => Err(GatherError::TooLarge),
        }
    }
}
