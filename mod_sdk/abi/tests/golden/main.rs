//! The bytes of the contract, written out. A change here is a change of the ABI: it also changes `docs/abi.md` and
//! `ABI_VERSION`.

mod batches;
mod commands;
mod descriptions;
mod identities;
mod json;
mod mod_calls;
mod schemas;
mod values;

use std::fmt::{Debug, Write};

use mod_abi::{
    Leaf, Schema,
    codec::{decode, encode},
};
use serde::{Serialize, de::DeserializeOwned};

/// Asserts that `value` is encoded as the bytes that `golden` names, and decoded from them.
///
/// `golden` is a list of words: two hexadecimal digits are a byte, `'text'` is its UTF-8 bytes, `u32:7` and `u64:7`
/// are little-endian numbers.
#[track_caller]
pub(crate) fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, golden: &str) {
    let expected = bytes(golden);
    let encoded = encode(value).expect("golden values can be encoded");
    assert_eq!(hex(&encoded), hex(&expected), "{value:?}");
    assert_eq!(decode::<T>(&expected).expect("golden bytes can be decoded"), *value);
}

#[track_caller]
pub(crate) fn bytes(golden: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Every second part stands between quotes.
    for (index, part) in golden.split('\'').enumerate() {
        if index % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
        } else {
            part.split_whitespace().for_each(|word| bytes.extend_from_slice(&word_bytes(word)));
        }
    }
    bytes
}

#[track_caller]
fn word_bytes(word: &str) -> Vec<u8> {
    if let Some(number) = word.strip_prefix("u32:") {
        number.parse::<u32>().expect("a number").to_le_bytes().to_vec()
    } else if let Some(number) = word.strip_prefix("u64:") {
        number.parse::<u64>().expect("a number").to_le_bytes().to_vec()
    } else {
        assert_eq!(word.len(), 2, "{word}");
        vec![u8::from_str_radix(word, 16).expect("a byte")]
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x} ").expect("writing to a String succeeds");
        text
    })
}

pub(crate) fn named(fields: impl IntoIterator<Item = (&'static str, Leaf)>) -> Schema {
    Schema::named(fields.into_iter().map(|(name, leaf)| (name, Schema::Leaf(leaf))))
}
