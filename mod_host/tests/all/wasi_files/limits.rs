//! What a mod may not use up, and where it may not wait.

use std::fs;

use super::{
    ACCES, CONTENT, CREATE, DIRECTORY, DQUOT, Explorer, MFILE, OUT, Place, READ, SUCCESS, TRUNCATE, WRITE, exists,
    reader, writer,
};
use mod_host::WasiGrants;

const BUSY: u32 = 10;
const FBIG: u32 = 22;

/// A named pipe, whose opening would wait for somebody at the other end.
#[test]
#[cfg(unix)]
fn pipes_and_devices_are_not_opened() {
    use std::{os::unix::net::UnixListener, process::Command};

    let place = Place::new();
    let pipe = place.granted().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _socket = UnixListener::bind(place.granted().join("socket")).unwrap();
    std::os::unix::fs::symlink("pipe", place.granted().join("to_pipe")).unwrap();
    for (mut guest, _guard) in [reader(&place), writer(&place)] {
        for path in ["pipe", "socket", "to_pipe"] {
            assert_eq!(guest.open(3, path, 0, READ), Err(ACCES), "{path}");
        }
        // They are there to be seen.
        assert_eq!(guest.names(3, 4_096).len(), 7);
    }
    let (mut guest, _guard) = writer(&place);
    for (flags, rights) in [(0, WRITE), (CREATE, WRITE), (TRUNCATE, WRITE), (0, READ | WRITE)] {
        assert_eq!(guest.open(3, "pipe", flags, rights), Err(ACCES), "{flags} {rights}");
    }
}

#[test]
fn a_call_reads_and_writes_so_much_and_no_more() {
    let place = Place::new();
    fs::write(place.granted().join("large"), vec![7; 200_000]).unwrap();
    let grants = WasiGrants::default();
    let _guard = grants.to("tested").writable_dir(place.granted(), "/notes", 1 << 20).grant().unwrap();
    let mut guest = Explorer::new(&grants);
    let file = guest.open(3, "large", 0, READ | WRITE).unwrap();
    assert_eq!(guest.read(file, 75_000).map(|bytes| bytes.len()), Ok(65_536));
    assert_eq!(guest.write(file, &vec![8; 70_000]), Ok(65_536));
    // The same piece, named a thousand times.
    let pieces: Vec<u8> = (0..1_000).flat_map(|_| [CONTENT.to_le_bytes(), 70_000_u32.to_le_bytes()].concat()).collect();
    guest.poke(20_000, &pieces);
    assert_eq!(guest.call("fd_pread", &[file.into(), 20_000, 1_000, 0, OUT.into()]), SUCCESS);
    assert_eq!(guest.out(), 65_536);
}

#[test]
fn a_mod_has_so_many_files_open_and_no_more() {
    let place = Place::new();
    let (mut guest, _guard) = reader(&place);
    let open: Vec<_> = (0..63).map(|_| guest.open(3, "note.txt", 0, READ).unwrap()).collect();
    assert_eq!(guest.open(3, "note.txt", 0, READ), Err(MFILE));
    assert_eq!(guest.call("fd_close", &[open[5].into()]), SUCCESS);
    assert_eq!(guest.open(3, "note.txt", 0, READ), Ok(open[5]), "the lowest number that is free");
}

#[test]
fn a_writable_folder_holds_so_much_and_no_more() {
    let place = Place::new();
    // Two files and a folder are there: 12 KiB and ten bytes, of 64 KiB.
    let (mut guest, _guard) = writer(&place);
    let file = guest.open(3, "big", CREATE, READ | WRITE).unwrap();
    let left = (64 << 10) - 4 * 4_096 - 10;
    assert_eq!(guest.write(file, &vec![1; left + 1]), Err(DQUOT));
    assert_eq!(guest.write(file, &vec![1; left]), Ok(left as u32));
    assert_eq!(guest.write(file, b"x"), Err(DQUOT));
    assert_eq!(guest.call("fd_filestat_set_size", &[file.into(), 1 << 40]), DQUOT);
    assert_eq!(guest.call("fd_seek", &[file.into(), i64::MAX as u64, 0, OUT.into()]), SUCCESS);
    assert_eq!(guest.write(file, b"x"), Err(FBIG));
    assert_eq!(guest.open(3, "another", CREATE, WRITE), Err(DQUOT));
    assert_eq!(guest.at_path("path_create_directory", 3, "folder", &[]), DQUOT);
    assert_eq!(guest.symlink("note.txt", 3, "link"), DQUOT);
    assert_eq!(guest.two_paths("path_link", (3, "note.txt"), (3, "link")), DQUOT);
    assert!(!exists(&place.granted().join("another")));
    // What is written over costs nothing, and what goes comes back.
    assert_eq!(guest.call("fd_seek", &[file.into(), 0, 0, OUT.into()]), SUCCESS);
    assert_eq!(guest.write(file, b"over"), Ok(4));
    assert_eq!(guest.call("fd_filestat_set_size", &[file.into(), left as u64 - 4_096]), SUCCESS);
    assert_eq!(guest.at_path("path_create_directory", 3, "folder", &[]), SUCCESS);
    assert_eq!(guest.at_path("path_create_directory", 3, "second", &[]), DQUOT);
    let again = guest.open(3, "big", TRUNCATE, WRITE).unwrap();
    assert_eq!(guest.write(again, &vec![1; left - 4_096]), Ok(left as u32 - 4_096));
    assert_eq!(guest.write(again, b"x"), Err(DQUOT));
}

#[test]
fn a_file_that_is_open_keeps_its_name() {
    let place = Place::new();
    let (mut guest, _guard) = writer(&place);
    let file = guest.open(3, "new", CREATE, WRITE).unwrap();
    assert_eq!(guest.write(file, &[0; 40_000]), Ok(40_000));
    assert_eq!(guest.at_path("path_unlink_file", 3, "new", &[]), BUSY);
    assert_eq!(guest.two_paths("path_rename", (3, "note.txt"), (3, "new")), BUSY);
    assert_eq!(guest.call("fd_close", &[file.into()]), SUCCESS);
    assert_eq!(guest.two_paths("path_rename", (3, "note.txt"), (3, "new")), SUCCESS);
    let file = guest.open(3, "next", CREATE, WRITE).unwrap();
    assert_eq!(guest.write(file, &[0; 40_000]), Ok(40_000), "what was replaced came back");
}

#[test]
fn a_quota_counts_what_is_there_already() {
    let place = Place::new();
    fs::write(place.granted().join("old"), vec![0; 60_000]).unwrap();
    let (mut guest, _guard) = writer(&place);
    assert_eq!(guest.open(3, "new", CREATE, WRITE), Err(DQUOT));
    assert_eq!(guest.at_path("path_unlink_file", 3, "old", &[]), SUCCESS);
    assert!(guest.open(3, "new", CREATE, WRITE).is_ok());
}

/// A folder whose path is too long to be read by it. Only a mod, which goes from folder to folder, gets there.
#[test]
fn what_lies_too_deep_to_be_counted_fills_the_quota() {
    let place = Place::new();
    let name = "d".repeat(255);
    let session = || {
        let grants = WasiGrants::default();
        let guard = grants.to("tested").writable_dir(place.granted(), "/notes", 256 << 10).grant().unwrap();
        (Explorer::new(&grants), guard)
    };
    let (mut guest, _guard) = session();
    let mut at = 3;
    for _ in 0..17 {
        assert_eq!(guest.at_path("path_create_directory", at, &name, &[]), SUCCESS);
        at = guest.open(at, &name, DIRECTORY, READ).unwrap();
    }
    let file = guest.open(at, "file", CREATE, WRITE).unwrap();
    assert!(guest.write(file, &[1; 1_000]).is_ok());

    let (mut guest, _guard) = session();
    let refused = match guest.open(3, "another", CREATE, WRITE) {
        Ok(file) => guest.write(file, &[1; 1_000]).is_err(),
        Err(_) => true,
    };
    assert!(refused, "what was written deep down counts");
}

/// As a program does that walks a tree: it goes into a folder before it has read all of the one above.
#[test]
fn a_folder_is_listed_to_its_end_although_others_are_listed_meanwhile() {
    let place = Place::new();
    (0..40).for_each(|n| fs::write(place.granted().join(format!("file_{n:02}")), "").unwrap());
    let (mut guest, _guard) = reader(&place);
    let all = guest.names(3, 4_096);
    let page = |guest: &mut Explorer, cookie: u64| {
        let args = [3, CONTENT.into(), 200, cookie, OUT.into()];
        assert_eq!(guest.call("fd_readdir", &args), SUCCESS);
        guest.out()
    };
    assert_eq!(page(&mut guest, 0), 200, "there is more");
    let inner = guest.open(3, "inner", DIRECTORY, READ).unwrap();
    assert_eq!(guest.names(inner, 4_096), [".", "..", "deep.txt"]);
    assert_eq!(page(&mut guest, 6), 200, "there still is");
    assert_eq!(guest.names(3, 4_096), all);
}
