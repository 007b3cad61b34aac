//! What a running mod has after a guard is dropped.

use std::{fs, thread};

use super::{ACCES, BADF, CREATE, Explorer, OUT, Place, READ, SUCCESS, WRITE, writer};
use mod_host::WasiGrants;

#[test]
fn a_folder_is_gone_at_once_and_the_other_stays() {
    let (first, second) = (Place::new(), Place::new());
    fs::write(second.granted().join("note.txt"), "another note").unwrap();
    let grants = WasiGrants::default();
    let guard = grants.to("tested").writable_dir(first.granted(), "/first", 1 << 20).grant().unwrap();
    let _second = grants.to("tested").dir(second.granted(), "/second").grant().unwrap();
    let mut guest = Explorer::new(&grants);
    let file = guest.open(3, "note.txt", 0, READ | WRITE).unwrap();
    let inner = guest.open(3, "inner", 0, READ).unwrap();
    let kept = guest.open(4, "note.txt", 0, READ).unwrap();
    drop(guard);
    assert_eq!(guest.read(file, 100), Err(ACCES));
    assert_eq!(guest.write(file, b"x"), Err(ACCES));
    for fd in [3, inner] {
        assert_eq!(guest.open(fd, "note.txt", 0, READ), Err(ACCES));
        assert_eq!(guest.open(fd, "new.txt", CREATE, WRITE), Err(ACCES));
        assert_eq!(guest.size(fd, "note.txt"), Err(ACCES));
        assert_eq!(guest.at_path("path_unlink_file", fd, "note.txt", &[]), ACCES);
        assert_eq!(guest.call("fd_readdir", &[fd.into(), 0, 100, 0, OUT.into()]), ACCES);
        assert_eq!(guest.call("fd_filestat_get", &[fd.into(), OUT.into()]), ACCES);
        assert_eq!(guest.two_paths("path_rename", (fd, "note.txt"), (4, "new.txt")), ACCES);
        assert_eq!(guest.two_paths("path_rename", (4, "note.txt"), (fd, "new.txt")), ACCES);
    }
    // Programs that look for their folders only now find them all.
    assert_eq!(guest.call("fd_prestat_get", &[3, OUT.into()]), SUCCESS);
    assert_eq!(guest.text(4, "note.txt").as_deref(), Ok("another note"));
    assert_eq!(guest.read(kept, 100).as_deref(), Ok(&b"another note"[..]));
    // A number that was moved is revoked too, and what is closed is free.
    assert_eq!(guest.call("fd_renumber", &[inner.into(), file.into()]), SUCCESS);
    assert_eq!(guest.open(file, "deep.txt", 0, READ), Err(ACCES));
    assert_eq!(guest.call("fd_close", &[file.into()]), SUCCESS);
    assert_eq!(guest.call("fd_close", &[file.into()]), BADF);
    // Those that come later get the rest.
    let mut later = Explorer::new(&grants);
    assert_eq!(later.text(3, "note.txt").as_deref(), Ok("another note"));
    assert_eq!(later.call("fd_prestat_get", &[4, OUT.into()]), BADF);
}

/// An open file cannot be renamed over into another number and so outlive its grant.
#[test]
fn a_renumbered_file_goes_with_its_folder() {
    let place = Place::new();
    let grants = WasiGrants::default();
    let guard = grants.to("tested").dir(place.granted(), "/first").grant().unwrap();
    let _second = grants.to("tested").dir(place.granted(), "/second").grant().unwrap();
    let mut guest = Explorer::new(&grants);
    let file = guest.open(3, "note.txt", 0, READ).unwrap();
    let other = guest.open(4, "note.txt", 0, READ).unwrap();
    assert_eq!(guest.call("fd_renumber", &[file.into(), other.into()]), SUCCESS);
    assert_eq!(guest.call("fd_renumber", &[3, 4]), SUCCESS);
    drop(guard);
    assert_eq!(guest.read(other, 100), Err(ACCES));
    assert_eq!(guest.open(4, "note.txt", 0, READ), Err(ACCES));
}

#[test]
#[cfg(target_os = "linux")]
fn files_are_closed_when_a_guard_is_dropped() {
    let place = Place::new();
    let (mut guest, guard) = writer(&place);
    let held = || {
        let links = fs::read_dir("/proc/self/fd").unwrap().flatten().filter_map(|fd| fs::read_link(fd.path()).ok());
        links.filter(|path| path.starts_with(place.root.path())).count()
    };
    guest.open(3, "note.txt", 0, READ).unwrap();
    assert_eq!(held(), 2);
    drop(guard);
    assert_eq!(held(), 0, "although the mod still runs");
}

#[test]
fn a_guard_may_be_dropped_anywhere_while_a_mod_runs() {
    let place = Place::new();
    for _ in 0..20 {
        let (mut guest, guard) = writer(&place);
        let other = thread::spawn(move || drop(guard));
        let outcomes: Vec<_> = (0..200).map(|_| guest.text(3, "note.txt")).collect();
        other.join().unwrap();
        let first = outcomes.iter().position(|outcome| *outcome == Err(ACCES)).unwrap_or(outcomes.len());
        assert!(outcomes[..first].iter().all(|outcome| outcome.as_deref() == Ok("a note")));
        assert!(outcomes[first..].iter().all(|outcome| *outcome == Err(ACCES)));
        assert_eq!(guest.text(3, "note.txt"), Err(ACCES));
    }
}

#[test]
fn an_instance_without_a_guard_gets_nothing() {
    let place = Place::new();
    let grants = WasiGrants::default();
    drop(grants.to("tested").dir(place.granted(), "/notes").grant().unwrap());
    let mut guest = Explorer::new(&grants);
    assert_eq!(guest.open(3, "note.txt", 0, READ), Err(58));
}
