//! Batches, blocks and column headers.

use mod_abi::batch::{
    ALIGN, BATCH_HEADER, BLOCK_HEADER, COLUMN_HEADER, ColumnHeader, align_up, batch_header_bytes, block_header_bytes,
    dirty_map_bytes,
};
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

use crate::{bytes, hex};

#[test]
fn a_column_header() {
    let header = ColumnHeader { data: 1, data_len: 2, stride: 3, offsets: 4, dirty: 5, present: 6, out: 7, out_len: 8 };
    let golden = bytes("u32:1 u32:2 u32:3 u32:4 u32:5 u32:6 u32:7 u32:8");
    assert_eq!(hex(&header.to_bytes()), hex(&golden));
    assert_eq!(ColumnHeader::from_bytes(&header.to_bytes()), header);
    assert_eq!(header.to_bytes()[ColumnHeader::OUT], 7);
}

#[test]
fn a_batch_of_one_column_and_three_rows() {
    // The worked example in the document: `&mut Health` with 1.0, 2.5 and -3.0, before the call.
    let golden = bytes(
        "u32:0 u32:1 u32:112 u32:0
         u32:32 u32:0 u32:0 u32:0
         u32:3 u32:1 u32:80 u32:0
         u32:48 u32:12 u32:4 u32:0  u32:64 u32:0 u32:0 u32:0
         00 00 80 3f 00 00 20 40 00 00 40 c0 u32:0
         u64:0 u64:0",
    );

    let header = batch_header_bytes(1).expect("small");
    let data = block_header_bytes(1).expect("small");
    let dirty = align_up(data + 3 * 4).expect("small");
    let block = align_up(dirty + dirty_map_bytes(3)).expect("small");
    assert_eq!((header, data, dirty, block), (32, 48, 64, 80));
    let mut batch = vec![0u8; header + block];
    let mut put = |at: usize, bytes: &[u8]| batch[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &bytes("u32:0 u32:1 u32:112 u32:0"));
    put(BATCH_HEADER, &bytes("u32:32"));
    put(header, &bytes("u32:3 u32:1 u32:80 u32:0"));
    let column = ColumnHeader { data: 48, data_len: 12, stride: 4, dirty: 64, ..ColumnHeader::default() };
    put(header + BLOCK_HEADER, &column.to_bytes());
    put(header + data, &bytes("00 00 80 3f 00 00 20 40 00 00 40 c0"));
    assert_eq!(hex(&batch), hex(&golden));
}

#[test]
fn a_block_with_an_optional_column() {
    // The example in the document: `Option<&Health>` of two entities, of which only the second has one.
    let golden = bytes(
        "u32:2 u32:1 u32:80 u32:0
         u32:48 u32:8 u32:4 u32:0  u32:0 u32:64 u32:0 u32:0
         00 00 00 00 00 00 80 3f u64:0
         u64:256 u64:0",
    );
    let data = block_header_bytes(1).expect("small");
    let present = align_up(data + 2 * 4).expect("small");
    let len = align_up(present + dirty_map_bytes(2)).expect("small");
    assert_eq!((data, present, len), (48, 64, golden.len()));
    let column = ColumnHeader { data: 48, data_len: 8, stride: 4, present: 64, ..ColumnHeader::default() };
    assert_eq!(hex(&column.to_bytes()), hex(&golden[BLOCK_HEADER..data]));
}

#[test]
fn sizes_in_a_batch() {
    assert_eq!((ALIGN, BATCH_HEADER, BLOCK_HEADER, COLUMN_HEADER, ColumnHeader::OUT), (16, 16, 16, 32, 24));
    assert_eq!([0, 1, 4, 5].map(batch_header_bytes), [Some(16), Some(32), Some(32), Some(48)]);
    assert_eq!([0, 1, 2].map(block_header_bytes), [Some(16), Some(48), Some(80)]);
    assert_eq!([0, 1, 8, 9].map(dirty_map_bytes), [0, 8, 8, 16]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_column_header_is_read_as_it_was_written(words in any::<[u32; 8]>()) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let bytes: [u8; COLUMN_HEADER] = bytes.try_into().expect("8 words are 32 bytes");
        prop_assert_eq!(ColumnHeader::from_bytes(&bytes).to_bytes(), bytes);
    }
}
