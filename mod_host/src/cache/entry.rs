//! The bytes of an entry: what it is of, what it holds, and a hash over all of it. What it holds is not looked at here.
//!
//! ```text
//! 0   8   the format
//! 8   32  the key
//! 40  8   the length of what it holds, little endian
//! 48  32  SHA-256 of all of the above and of what it holds
//! 80      what it holds, to the end of the file
//! ```

use std::fmt;

use sha2::{Digest, Sha256};

/// What the file begins with. Another way of writing it has another one.
pub(super) const FORMAT: [u8; 8] = *b"modhost1";
const HASHED: usize = 48;

/// What an entry is found by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(pub(super) [u8; 32]);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// What stands before the payload.
pub(super) fn header(key: &Key, payload: &[u8]) -> Vec<u8> {
    let mut header = Vec::with_capacity(HASHED.saturating_add(32));
    header.extend_from_slice(&FORMAT);
    header.extend_from_slice(&key.0);
    header.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    let hash = hash(&header, payload);
    header.extend_from_slice(&hash);
    header
}

/// The payload of an entry that is whole, and of that key.
pub(super) fn check<'a>(entry: &'a [u8], key: &Key) -> Option<&'a [u8]> {
    let (head, rest) = entry.split_at_checked(HASHED)?;
    let (stated, payload) = rest.split_at_checked(32)?;
    let expected = [&FORMAT[..], &key.0, &(payload.len() as u64).to_le_bytes()];
    let is_of_key = expected.concat() == head;
    (is_of_key && hash(head, payload) == stated).then_some(payload)
}

fn hash(head: &[u8], payload: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(head).chain_update(payload).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::{Key, check, header};

    #[test]
    fn nothing_but_the_whole_entry_is_taken() {
        let (key, payload) = (Key([7; 32]), b"native code".as_slice());
        let entry = [&header(&key, payload), payload].concat();
        assert_eq!(check(&entry, &key), Some(payload));
        assert_eq!(check(&entry, &Key([8; 32])), None);
        for cut in 0..entry.len() {
            assert_eq!(check(&entry[..cut], &key), None, "cut off at {cut}");
        }
        assert_eq!(check(&[&entry[..], b"x"].concat(), &key), None);
        for at in 0..entry.len() {
            for bit in 0..8 {
                let mut damaged = entry.clone();
                damaged[at] ^= 1 << bit;
                assert_eq!(check(&damaged, &key), None, "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn an_empty_payload_is_one() {
        let key = Key([0; 32]);
        assert_eq!(check(&header(&key, b""), &key), Some(b"".as_slice()));
        assert_eq!(check(b"", &key), None);
    }
}
