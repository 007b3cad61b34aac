//! A mod that looks for files with nothing but its own standard library.

use std::{
    cell::RefCell,
    env,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    time::SystemTime,
};

use mod_sdk::prelude::*;

thread_local! {
    /// A file that is kept open between calls.
    static KEPT: RefCell<Option<File>> = const { RefCell::new(None) };
}

#[mod_main]
fn explorer(_: &mut App) {}

fn told(outcome: io::Result<String>) -> String {
    outcome.unwrap_or_else(|error| format!("{:?}", error.kind()))
}

#[export]
pub fn read(path: String) -> String {
    told(fs::read_to_string(path))
}

#[export]
pub fn write(path: String, text: String) -> String {
    told(fs::write(path, text).map(|()| "written".to_owned()))
}

#[export]
pub fn append(path: String, text: String) -> String {
    let file = OpenOptions::new().append(true).create(true).open(path);
    told(
        file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .map(|()| "written".to_owned()),
    )
}

#[export]
pub fn list(path: String) -> String {
    let names = fs::read_dir(path).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()
    });
    told(names.map(|mut names| {
        names.sort();
        names.join(" ")
    }))
}

#[export]
pub fn change(what: String, path: String, to: String) -> String {
    let outcome = match what.as_str() {
        "rename" => fs::rename(path, to),
        "copy" => fs::copy(path, to).map(|_| ()),
        "remove" => fs::remove_file(path),
        "create_dir" => fs::create_dir_all(path),
        "remove_dir" => fs::remove_dir_all(path),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    };
    told(outcome.map(|()| "done".to_owned()))
}

#[export]
pub fn size(path: String) -> u64 {
    fs::metadata(path).map_or(u64::MAX, |metadata| metadata.len())
}

/// Opens a file to keep, or reads the one that is kept from its start.
#[export]
pub fn keep(path: String) -> String {
    KEPT.with_borrow_mut(|kept| {
        if !path.is_empty() {
            return told(File::open(path).map(|file| {
                *kept = Some(file);
                "kept".to_owned()
            }));
        }
        let Some(file) = kept else { return "nothing is kept".to_owned() };
        let mut text = String::new();
        told(file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut text)).map(|_| text))
    })
}

#[export]
pub fn variable(key: String) -> String {
    env::var(key).unwrap_or_else(|error| error.to_string())
}

#[export]
pub fn year() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| 1970 + time.as_secs() / 31_556_952)
}
