//! A batch as the game lays it out, and what a system leaves in it.

use std::iter;

use mod_abi::batch::{
    BATCH_HEADER, BLOCK_HEADER, CHANGED, COLUMN_HEADER, ColumnHeader, align_up, batch_header_bytes, block_header_bytes,
    dirty_map_bytes,
};

use super::{OUT, TestColumn, TestRows};

/// A batch as the game lays it out.
pub(super) struct Memory {
    words: Vec<u128>,
}

impl Memory {
    pub(super) fn new(params: &[TestRows]) -> Self {
        let header = batch_header_bytes(params.len()).expect("few parameters");
        let mut bytes = vec![0; header];
        put(&mut bytes, 4, params.len());
        for (index, rows) in params.iter().enumerate() {
            let start = bytes.len();
            put(&mut bytes, BATCH_HEADER + index * 4, start);
            bytes.extend(block(rows));
        }
        let len = bytes.len();
        put(&mut bytes, 8, len);
        let (words, _) = bytes.as_chunks::<16>();
        Self { words: words.iter().map(|word| u128::from_ne_bytes(*word)).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.words.len() * 16
    }

    pub(super) fn start(&mut self) -> *mut u8 {
        self.words.as_mut_ptr().cast()
    }

    /// Takes over what the system has changed.
    pub(super) fn finish(&self, params: &mut [TestRows]) {
        for (index, rows) in params.iter_mut().enumerate() {
            let block = self.u32(BATCH_HEADER + index * 4);
            for (index, column) in rows.columns.iter_mut().enumerate() {
                self.take_back(block, index, column);
            }
        }
    }

    fn bytes(&self, start: usize, len: usize) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_ne_bytes()).skip(start).take(len).collect()
    }

    fn u32(&self, at: usize) -> usize {
        self.bytes(at, 4).iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    }

    /// Takes over the dirty rows of a column.
    fn take_back(&self, block: usize, index: usize, column: &mut TestColumn) {
        let at = block + BLOCK_HEADER + index * COLUMN_HEADER;
        let header = self.bytes(at, COLUMN_HEADER);
        let header = ColumnHeader::from_bytes(header.as_slice().try_into().expect("a whole header"));
        let dirty = self.bytes(block + header.dirty as usize, dirty_map_bytes(column.rows.len()));
        column.dirty = (0..column.rows.len()).filter(|row| dirty[*row] & CHANGED != 0).collect();
        if column.stride > 0 {
            for row in &column.dirty {
                let bytes = self.bytes(block + header.data as usize + row * column.stride, column.stride);
                column.rows[*row] = Some(bytes);
            }
        } else if !column.dirty.is_empty() {
            let kept = OUT.with_borrow(|kept| kept.iter().rev().find(|(address, _)| *address == header.out).cloned());
            let (_, out) = kept.unwrap_or_default();
            assert_eq!(out.len(), header.out_len as usize);
            let mut bytes = out.as_slice();
            column.dirty.iter().for_each(|row| column.rows[*row] = Some((column.split)(&mut bytes)));
            assert!(bytes.is_empty(), "the system left {} bytes too many", bytes.len());
        }
    }
}

/// A block with the given columns.
pub(crate) fn block(rows: &TestRows) -> Vec<u8> {
    let count = rows.len();
    assert!(
        rows.columns.iter().all(|column| column.rows.len() == count),
        "all columns should have the same number of rows"
    );
    let mut bytes = vec![0; block_header_bytes(rows.columns.len()).expect("few columns")];
    put(&mut bytes, 0, count);
    put(&mut bytes, 4, rows.columns.len());
    for (index, column) in rows.columns.iter().enumerate() {
        let mut header = ColumnHeader { stride: number(column.stride), ..ColumnHeader::default() };
        if column.has_data {
            // Rows without the component have zeros, or nothing if rows vary.
            let absent = vec![0; column.stride];
            let data: Vec<&[u8]> = column.rows.iter().map(|row| row.as_deref().unwrap_or(&absent)).collect();
            if column.stride == 0 {
                let ends = data.iter().scan(0, |end, row| {
                    *end += row.len();
                    Some(number(*end))
                });
                header.offsets = append(&mut bytes, iter::once(0).chain(ends).flat_map(u32::to_le_bytes));
            }
            header.data_len = number(data.iter().map(|row| row.len()).sum());
            header.data = append(&mut bytes, data.into_iter().flatten().copied());
        }
        if column.optional {
            let present = (0..count).filter(|row| column.rows[*row].is_some());
            header.present = append(&mut bytes, map(count, present).into_iter());
        }
        header.dirty = append(&mut bytes, map(count, iter::empty()).into_iter());
        let at = BLOCK_HEADER + index * COLUMN_HEADER;
        bytes[at..at + COLUMN_HEADER].copy_from_slice(&header.to_bytes());
    }
    let len = bytes.len();
    put(&mut bytes, 8, len);
    bytes
}

/// A map of `count` rows in which the bytes of `rows` are set.
pub(super) fn map(count: usize, rows: impl Iterator<Item = usize>) -> Vec<u8> {
    let mut map = vec![0; dirty_map_bytes(count)];
    rows.for_each(|row| map[row] = 1);
    map
}

/// Appends a part and returns where it starts. The next one will be aligned.
fn append(bytes: &mut Vec<u8>, part: impl Iterator<Item = u8>) -> u32 {
    let start = number(bytes.len());
    bytes.extend(part);
    bytes.resize(align_up(bytes.len()).expect("a small batch"), 0);
    start
}

fn number(number: usize) -> u32 {
    u32::try_from(number).expect("a small batch")
}

fn put(bytes: &mut [u8], at: usize, value: usize) {
    bytes[at..at + 4].copy_from_slice(&number(value).to_le_bytes());
}
