//! Hashes: is a committed module older than its sources?
//!
//! The hash of a set of files depends on their relative paths and their text, and on nothing of the machine: neither
//! on the order in which a folder is listed, nor on line endings, nor on where the repository lies.

use std::{collections::BTreeSet, fs, path::Path};

use sha2::{Digest, Sha256};

use crate::files::{At, FileError, names_in};

/// The SHA-256 of `bytes`, in hexadecimal.
pub(crate) fn hash_bytes(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).as_slice())
}

/// The SHA-256 of files below `root`, in hexadecimal. Each of `paths` is a file or a folder, relative to `root` with
/// `/` between its parts; one that does not exist adds nothing.
pub(crate) fn hash_files(root: &Path, paths: &[String]) -> Result<String, FileError> {
    let mut files = BTreeSet::new();
    for path in paths {
        collect(root, path, &mut files)?;
    }
    let mut hash = Sha256::new();
    for path in files {
        let file = root.join(&path);
        let text = with_unix_line_ends(&fs::read(&file).at(&file)?);
        hash.update(path.as_bytes());
        hash.update([0]);
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(&text);
    }
    Ok(hex(hash.finalize().as_slice()))
}

fn collect(root: &Path, path: &str, files: &mut BTreeSet<String>) -> Result<(), FileError> {
    let full = root.join(path);
    if full.is_file() {
        files.insert(path.to_owned());
    } else if full.is_dir() {
        for name in names_in(&full)? {
            collect(root, &format!("{path}/{name}"), files)?;
        }
    }
    Ok(())
}

fn with_unix_line_ends(text: &[u8]) -> Vec<u8> {
    let followed_by_newline = |index: usize| text.get(index + 1) == Some(&b'\n');
    let kept = text.iter().enumerate().filter(|&(index, byte)| *byte != b'\r' || !followed_by_newline(index));
    kept.map(|(_, byte)| *byte).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::{TempDir, tempdir};

    use super::{hash_bytes, hash_files};

    fn tree(files: &[(&str, &str)]) -> TempDir {
        let root = tempdir().expect("a temporary folder");
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("it has a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        root
    }

    fn hash(files: &[(&str, &str)]) -> String {
        let root = tree(files);
        hash_files(root.path(), &["src".to_owned(), "Cargo.toml".to_owned()]).expect("it can be read")
    }

    #[test]
    fn it_is_sha_256() {
        assert_eq!(hash_bytes(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn it_depends_on_paths_and_text_only() {
        let files = [("Cargo.toml", "name\n"), ("src/lib.rs", "a\nb\n"), ("src/deep/c.rs", "c\n")];
        let reference = hash(&files);
        let mut reversed = files;
        reversed.reverse();
        assert_eq!(hash(&reversed), reference);
        let windows = files.map(|(path, text)| (path, text.replace('\n', "\r\n")));
        assert_eq!(hash(&windows.each_ref().map(|(path, text)| (*path, text.as_str()))), reference);
        let with_others = [files[0], files[1], files[2], ("README.md", "text"), ("src/.hidden", "text")];
        assert_eq!(hash(&with_others), reference);

        let check = |files: &[(&str, &str)]| assert_ne!(hash(files), reference, "{files:?}");
        check(&[files[0], files[1]]);
        check(&[files[0], files[1], ("src/c.rs", "c\n")]);
        check(&[files[0], ("src/lib.rs", "a\nb"), files[2]]);
        check(&[files[0], ("src/lib.rs", "a\rb\n"), files[2]]);
        // The same bytes, divided differently among two files.
        check(&[files[0], ("src/lib.rs", "a\nb\nc\n"), ("src/deep/c.rs", "")]);
    }
}
