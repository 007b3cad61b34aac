//! Ways out of a granted folder that are none.

use std::fs;

use super::{
    CONTENT, CREATE, Explorer, LOOP, NOENT, OUT, PERM, Place, READ, SUCCESS, WRITE, XDEV, exists, reader, writer,
};
use mod_host::WasiGrants;

#[test]
fn dots_and_absolute_paths_lead_nowhere() {
    let place = Place::new();
    let (mut guest, _guard) = writer(&place);
    let absolute = place.root.path().join("secret.txt");
    let inner = guest.open(3, "inner", 0, READ).unwrap();
    for (fd, path) in [
        (3, "../secret.txt"),
        (3, "inner/../../secret.txt"),
        (3, "./../granted/../secret.txt"),
        (3, absolute.to_str().unwrap()),
        (3, "/etc/passwd"),
        (3, ".."),
        (inner, "../note.txt"),
        (inner, ".."),
    ] {
        assert_eq!(guest.open(fd, path, 0, READ), Err(PERM), "{path}");
        assert_eq!(guest.size(fd, path), Err(PERM), "{path}");
        assert_eq!(guest.at_path("path_unlink_file", fd, path, &[]), PERM, "{path}");
    }
    for path in ["../new.txt", "inner/../../new.txt", "/new.txt"] {
        assert_eq!(guest.open(3, path, CREATE, WRITE), Err(PERM), "{path}");
        assert_eq!(guest.at_path("path_create_directory", 3, path, &[]), PERM, "{path}");
        assert_eq!(guest.symlink("note.txt", 3, path), PERM, "{path}");
        assert_eq!(guest.two_paths("path_rename", (3, "note.txt"), (3, path)), PERM, "{path}");
        assert_eq!(guest.two_paths("path_link", (3, "note.txt"), (3, path)), PERM, "{path}");
    }
    assert_eq!(guest.two_paths("path_rename", (3, "../secret.txt"), (3, "mine.txt")), PERM);
    assert_eq!(guest.two_paths("path_link", (3, "../secret.txt"), (3, "mine.txt")), PERM);
    assert_eq!(fs::read_dir(place.root.path()).unwrap().count(), 2);
    assert_eq!(fs::read_to_string(absolute).unwrap(), "secret");
}

#[test]
#[cfg(unix)]
fn links_that_the_host_made_lead_nowhere_outside() {
    use std::os::unix::fs::symlink;

    let place = Place::new();
    let granted = place.granted();
    symlink("../secret.txt", granted.join("up")).unwrap();
    symlink(place.root.path().join("secret.txt"), granted.join("absolute")).unwrap();
    symlink("..", granted.join("parent")).unwrap();
    symlink("../../secret.txt", granted.join("inner/up")).unwrap();
    symlink("inner/deep.txt", granted.join("inside")).unwrap();
    symlink("round", granted.join("round")).unwrap();
    for (mut guest, _guard) in [reader(&place), writer(&place)] {
        for path in ["up", "absolute", "parent", "parent/secret.txt", "inner/up"] {
            assert_eq!(guest.open(3, path, 0, READ), Err(PERM), "{path}");
            assert_eq!(guest.size(3, path), Err(PERM), "{path}");
        }
        assert_eq!(guest.open_as(3, "up", (0, 0, READ, 0)), Err(LOOP), "a link itself is not opened");
        assert_eq!(guest.open(3, "round", 0, READ), Err(LOOP));
        assert_eq!(guest.text(3, "inside").as_deref(), Ok("deep"));
    }
    let (mut guest, _guard) = writer(&place);
    for path in ["up", "absolute"] {
        assert_eq!(guest.open(3, path, CREATE, WRITE), Err(PERM), "{path}");
    }
    assert_eq!(guest.two_paths("path_link", (3, "parent/secret.txt"), (3, "mine.txt")), PERM);
    assert_eq!(guest.at_path("path_unlink_file", 3, "up", &[]), SUCCESS, "the link itself may go");
    assert_eq!(fs::read_to_string(place.root.path().join("secret.txt")).unwrap(), "secret");
}

#[test]
#[cfg(unix)]
fn links_that_a_mod_makes_point_down() {
    let place = Place::new();
    let (mut guest, _guard) = writer(&place);
    let secret = place.root.path().join("secret.txt");
    for target in ["../secret.txt", "..", "inner/../../secret.txt", "/etc/passwd", secret.to_str().unwrap()] {
        assert_eq!(guest.symlink(target, 3, "mine"), PERM, "{target}");
    }
    assert!(!exists(&place.granted().join("mine")));
    assert_eq!(guest.symlink("inner/deep.txt", 3, "mine"), SUCCESS);
    assert_eq!(guest.text(3, "mine").as_deref(), Ok("deep"));
    assert_eq!(guest.symlink("later", 3, "early"), SUCCESS);
    assert_eq!(guest.open(3, "early", 0, READ), Err(NOENT));
}

#[test]
fn nothing_moves_from_one_granted_folder_to_another() {
    let (place, other) = (Place::new(), Place::new());
    let grants = WasiGrants::default();
    let (first, second) = (place.granted(), other.granted());
    let grant = grants.to("tested").writable_dir(first, "/a", 1 << 20).writable_dir(second, "/b", 1 << 20);
    let _guard = grant.grant().unwrap();
    let mut guest = Explorer::new(&grants);
    assert_eq!(guest.two_paths("path_rename", (3, "note.txt"), (4, "new.txt")), XDEV);
    assert_eq!(guest.two_paths("path_link", (3, "note.txt"), (4, "new.txt")), XDEV);
    let inner = guest.open(3, "inner", 0, READ).unwrap();
    assert_eq!(guest.two_paths("path_rename", (inner, "deep.txt"), (3, "up.txt")), SUCCESS, "within one it does");
}

#[test]
fn links_of_the_game_do_not_tell_where_else_they_lead() {
    let place = Place::new();
    std::os::unix::fs::symlink("../../saves of ada", place.granted().join("up")).unwrap();
    let (mut guest, _guard) = reader(&place);
    assert_ne!(guest.at_path("path_readlink", 3, "up", &[CONTENT.into(), 500, OUT.into()]), SUCCESS);
}
