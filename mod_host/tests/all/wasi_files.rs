//! Granted folders, variables and the clock, seen from a mod that can make every call of preview 1 with any arguments.

use std::{fs, path::Path, sync::Arc};

use mod_abi::Buffer;
use mod_host::{Instance, NoHostCalls, WasiError, WasiGrants, WasiGuard};
use tempfile::TempDir;

use crate::harness::{Lines, Setup, assert_contains, module};

mod limits;
mod links;
mod revoked;

// Error numbers.
const SUCCESS: u32 = 0;
const ACCES: u32 = 2;
const BADF: u32 = 8;
const DQUOT: u32 = 19;
const EXIST: u32 = 20;
const FAULT: u32 = 21;
const INVAL: u32 = 28;
const ISDIR: u32 = 31;
const LOOP: u32 = 32;
const MFILE: u32 = 33;
const NAMETOOLONG: u32 = 37;
const NOENT: u32 = 44;
const NOTDIR: u32 = 54;
const NOTSUP: u32 = 58;
const PERM: u32 = 63;
const XDEV: u32 = 75;

/// The functions with their parameters: `i` for 32 bits, `l` for 64.
const FUNCTIONS: &[(&str, &str)] = &[
    ("clock_time_get", "ili"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("fd_advise", "illi"),
    ("fd_allocate", "ill"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "il"),
    ("fd_filestat_set_times", "illi"),
    ("fd_pread", "iiili"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_prestat_get", "ii"),
    ("fd_pwrite", "iiili"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiili"),
    ("fd_renumber", "ii"),
    ("fd_seek", "ilii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiilli"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiillii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("sock_accept", "iii"),
];

/// Where arguments of the mod's calls lie: two paths, a list of one piece, an answer, and content.
const PATH: u32 = 40_000;
const SECOND: u32 = 45_000;
const LIST: u32 = 50_000;
const OUT: u32 = 50_100;
const CONTENT: u32 = 51_000;

/// A mod with an export for every function, and one that writes into its memory.
fn explorer() -> Vec<u8> {
    let mut imports = String::new();
    let mut body = r#"(func (export "__poke") (param $b i64) (result i64)
        (memory.copy (i32.load (call $ptr (local.get $b))) (i32.add (call $ptr (local.get $b)) (i32.const 4))
            (i32.sub (call $len (local.get $b)) (i32.const 4)))
        (call $free (local.get $b)) (i64.const 0))"#
        .to_owned();
    for (name, types) in FUNCTIONS {
        let (mut params, mut loads, mut at) = (String::new(), String::new(), 0);
        for ty in types.chars() {
            let (ty, size) = if ty == 'i' { ("i32", 4) } else { ("i64", 8) };
            params += &format!(" {ty}");
            loads += &format!("({ty}.load offset={at} (local.get $at))");
            at += size;
        }
        imports +=
            &format!(r#"(import "wasi_snapshot_preview1" "{name}" (func ${name} (param{params}) (result i32)))"#);
        body += &format!(
            r#"(func (export "__{name}") (param $b i64) (result i64) (local $at i32)
                (local.set $at (call $ptr (local.get $b)))
                (i32.store (local.get $at) (call ${name} {loads}))
                (call $buf (local.get $at) (i32.const 4)))"#
        );
    }
    module(&imports, &body)
}

/// How a file is opened.
const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 6;
const CREATE: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCLUSIVE: u32 = 4;
const TRUNCATE: u32 = 8;

/// The mod, and a way to make its calls.
struct Explorer(Instance);

impl Explorer {
    fn new(grants: &WasiGrants) -> Self {
        Self::with(Setup { wasi: grants.clone(), ..Setup::default() })
    }

    fn with(setup: Setup) -> Self {
        Self(setup.load(&explorer()).unwrap_or_else(|error| unreachable!("{error}")))
    }

    /// Calls a function of preview 1 and returns its error number.
    #[track_caller]
    fn call(&mut self, name: &str, args: &[u64]) -> u32 {
        let (_, types) = FUNCTIONS.iter().find(|(known, _)| *known == name).unwrap();
        assert_eq!(types.len(), args.len(), "{name}");
        let sizes = types.chars().map(|ty| if ty == 'i' { 4 } else { 8 });
        let bytes: Vec<u8> =
            args.iter().zip(sizes).flat_map(|(arg, size)| arg.to_le_bytes()[..size].to_vec()).collect();
        let answer = self.0.call_bytes(name, &bytes, &mut NoHostCalls);
        let answer = answer.unwrap_or_else(|error| unreachable!("{error}"));
        u32::from_le_bytes(answer.try_into().unwrap())
    }

    fn poke(&mut self, at: u32, bytes: &[u8]) {
        let bytes = [&at.to_le_bytes(), bytes].concat();
        self.0.call_bytes("poke", &bytes, &mut NoHostCalls).unwrap();
    }

    fn peek(&self, at: u32, len: u32) -> Vec<u8> {
        self.0.guest_bytes(Buffer::new(at, len)).unwrap().to_vec()
    }

    fn out(&self) -> u32 {
        u32::from_le_bytes(self.peek(OUT, 4).try_into().unwrap())
    }

    /// Calls a function whose arguments after a descriptor are a path and then `rest`.
    #[track_caller]
    fn at_path(&mut self, name: &str, fd: u32, path: &str, rest: &[u64]) -> u32 {
        self.poke(PATH, path.as_bytes());
        let args = [&[u64::from(fd), u64::from(PATH), path.len() as u64], rest].concat();
        self.call(name, &args)
    }

    /// Opens a path, following links.
    fn open(&mut self, fd: u32, path: &str, flags: u32, rights: u64) -> Result<u32, u32> {
        self.open_as(fd, path, (1, flags, rights, 0))
    }

    fn open_as(&mut self, fd: u32, path: &str, how: (u32, u32, u64, u32)) -> Result<u32, u32> {
        let (links, flags, rights, fd_flags) = how;
        self.poke(PATH, path.as_bytes());
        let (fd, links, flags, fd_flags) = (fd.into(), links.into(), flags.into(), fd_flags.into());
        let place = [u64::from(PATH), path.len() as u64];
        let args = [fd, links, place[0], place[1], flags, rights, rights, fd_flags, u64::from(OUT)];
        match self.call("path_open", &args) {
            SUCCESS => Ok(self.out()),
            error => Err(error),
        }
    }

    fn one_piece(&mut self, len: u32) {
        let piece = [CONTENT.to_le_bytes(), len.to_le_bytes()].concat();
        self.poke(LIST, &piece);
    }

    fn read(&mut self, fd: u32, len: u32) -> Result<Vec<u8>, u32> {
        self.one_piece(len);
        match self.call("fd_read", &[fd.into(), LIST.into(), 1, OUT.into()]) {
            SUCCESS => Ok(self.peek(CONTENT, self.out())),
            error => Err(error),
        }
    }

    fn write(&mut self, fd: u32, bytes: &[u8]) -> Result<u32, u32> {
        self.poke(CONTENT, bytes);
        self.one_piece(bytes.len() as u32);
        match self.call("fd_write", &[fd.into(), LIST.into(), 1, OUT.into()]) {
            SUCCESS => Ok(self.out()),
            error => Err(error),
        }
    }

    /// The text of a file.
    fn text(&mut self, fd: u32, path: &str) -> Result<String, u32> {
        let file = self.open(fd, path, 0, READ)?;
        let text = self.read(file, 1_000);
        assert_eq!(self.call("fd_close", &[file.into()]), SUCCESS);
        Ok(String::from_utf8(text?).unwrap())
    }

    /// Renames or links: two folders with a path each.
    fn two_paths(&mut self, name: &str, (fd, path): (u32, &str), (new_fd, new_path): (u32, &str)) -> u32 {
        self.poke(PATH, path.as_bytes());
        self.poke(SECOND, new_path.as_bytes());
        let mut args =
            vec![u64::from(fd), PATH.into(), path.len() as u64, new_fd.into(), SECOND.into(), new_path.len() as u64];
        if name == "path_link" {
            args.insert(1, 0);
        }
        self.call(name, &args)
    }

    fn symlink(&mut self, target: &str, fd: u32, path: &str) -> u32 {
        self.poke(PATH, target.as_bytes());
        self.poke(SECOND, path.as_bytes());
        self.call("path_symlink", &[PATH.into(), target.len() as u64, fd.into(), SECOND.into(), path.len() as u64])
    }

    /// The names in a folder, through a buffer of `room` bytes.
    fn names(&mut self, fd: u32, room: u32) -> Vec<String> {
        let (mut names, mut cookie) = (Vec::new(), 0_u64);
        loop {
            let args = [fd.into(), CONTENT.into(), room.into(), cookie, OUT.into()];
            assert_eq!(self.call("fd_readdir", &args), SUCCESS);
            let used = self.out();
            let bytes = self.peek(CONTENT, used);
            let mut rest = &bytes[..];
            while let Some((head, tail)) = rest.split_at_checked(24) {
                let len = u32::from_le_bytes(head[16..20].try_into().unwrap()) as usize;
                let Some((name, tail)) = tail.split_at_checked(len) else { break };
                names.push(String::from_utf8(name.to_vec()).unwrap());
                cookie = u64::from_le_bytes(head[..8].try_into().unwrap());
                rest = tail;
            }
            if used < room {
                return names;
            }
        }
    }

    fn size(&mut self, fd: u32, path: &str) -> Result<u64, u32> {
        self.poke(PATH, path.as_bytes());
        match self.call("path_filestat_get", &[fd.into(), 1, PATH.into(), path.len() as u64, OUT.into()]) {
            SUCCESS => Ok(u64::from_le_bytes(self.peek(OUT + 32, 8).try_into().unwrap())),
            error => Err(error),
        }
    }
}

/// A folder to grant, with a file `secret.txt` beside it that no mod may see.
struct Place {
    root: TempDir,
}

impl Place {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        fs::create_dir_all(root.path().join("granted/inner")).unwrap();
        fs::write(root.path().join("granted/note.txt"), "a note").unwrap();
        fs::write(root.path().join("granted/inner/deep.txt"), "deep").unwrap();
        fs::write(root.path().join("secret.txt"), "secret").unwrap();
        Self { root }
    }

    fn granted(&self) -> std::path::PathBuf {
        self.root.path().join("granted")
    }
}

/// The mod with one folder to read.
fn reader(place: &Place) -> (Explorer, WasiGuard) {
    let grants = WasiGrants::default();
    let guard = grants.to("tested").dir(place.granted(), "/notes").grant().unwrap();
    (Explorer::new(&grants), guard)
}

/// The mod with one folder to write, up to 64 KiB.
fn writer(place: &Place) -> (Explorer, WasiGuard) {
    let grants = WasiGrants::default();
    let guard = grants.to("tested").writable_dir(place.granted(), "/notes", 64 << 10).grant().unwrap();
    (Explorer::new(&grants), guard)
}

#[test]
fn a_granted_folder_can_be_read_and_not_written() {
    let place = Place::new();
    let (mut guest, _guard) = reader(&place);
    assert_eq!(guest.call("fd_prestat_get", &[3, OUT.into()]), SUCCESS);
    assert_eq!(guest.peek(OUT, 8), [0, 0, 0, 0, 6, 0, 0, 0]);
    assert_eq!(guest.call("fd_prestat_dir_name", &[3, CONTENT.into(), 6]), SUCCESS);
    assert_eq!(guest.peek(CONTENT, 6), b"/notes");
    assert_eq!(guest.call("fd_prestat_get", &[4, OUT.into()]), BADF);
    assert_eq!(guest.text(3, "note.txt").as_deref(), Ok("a note"));
    assert_eq!(guest.text(3, "inner/deep.txt").as_deref(), Ok("deep"));
    assert_eq!(guest.text(3, "inner/../note.txt").as_deref(), Ok("a note"));
    assert_eq!(guest.size(3, "note.txt"), Ok(6));
    let inner = guest.open(3, "inner", DIRECTORY, READ).unwrap();
    assert_eq!(guest.text(inner, "deep.txt").as_deref(), Ok("deep"));
    for (flags, rights) in [(0, WRITE), (CREATE, READ), (TRUNCATE, READ), (CREATE | EXCLUSIVE, READ | WRITE)] {
        assert_eq!(guest.open(3, "note.txt", flags, rights), Err(PERM), "{flags} {rights}");
        assert_ne!(guest.open(3, "new.txt", flags, rights).unwrap_err(), SUCCESS, "{flags} {rights}");
    }
    let file = guest.open(3, "note.txt", 0, READ).unwrap();
    assert_eq!(guest.write(file, b"x"), Err(PERM));
    for (name, rest) in [("fd_filestat_set_size", &[0][..]), ("fd_filestat_set_times", &[0, 0, 1])] {
        assert_eq!(guest.call(name, &[&[u64::from(file)], rest].concat()), PERM, "{name}");
    }
    assert_eq!(guest.at_path("path_create_directory", 3, "made", &[]), PERM);
    assert_eq!(guest.at_path("path_remove_directory", 3, "inner", &[]), PERM);
    assert_eq!(guest.at_path("path_unlink_file", 3, "note.txt", &[]), PERM);
    assert_eq!(guest.two_paths("path_rename", (3, "note.txt"), (3, "new.txt")), PERM);
    assert_eq!(guest.two_paths("path_link", (3, "note.txt"), (3, "new.txt")), PERM);
    assert_eq!(guest.symlink("note.txt", 3, "new.txt"), PERM);
    assert_eq!(fs::read_dir(place.granted()).unwrap().count(), 2);
    assert_eq!(fs::read_to_string(place.granted().join("note.txt")).unwrap(), "a note");
}

#[test]
fn a_writable_folder_can_be_written() {
    let place = Place::new();
    let (mut guest, _guard) = writer(&place);
    let file = guest.open(3, "new.txt", CREATE | EXCLUSIVE, READ | WRITE).unwrap();
    assert_eq!(guest.write(file, b"one two"), Ok(7));
    assert_eq!(guest.call("fd_seek", &[file.into(), (-3_i64) as u64, 1, OUT.into()]), SUCCESS);
    assert_eq!(guest.out(), 4);
    assert_eq!(guest.read(file, 100).as_deref(), Ok(&b"two"[..]));
    assert_eq!(guest.read(file, 100).as_deref(), Ok(&b""[..]), "the end");
    assert_eq!(guest.call("fd_fdstat_set_flags", &[file.into(), 1]), SUCCESS);
    assert_eq!(guest.call("fd_seek", &[file.into(), 0, 0, OUT.into()]), SUCCESS);
    assert_eq!(guest.write(file, b"!"), Ok(1));
    assert_eq!(guest.call("fd_tell", &[file.into(), OUT.into()]), SUCCESS);
    assert_eq!(guest.out(), 8);
    for name in ["fd_sync", "fd_datasync"] {
        assert_eq!(guest.call(name, &[file.into()]), SUCCESS);
    }
    assert_eq!(guest.open(3, "new.txt", CREATE | EXCLUSIVE, WRITE), Err(EXIST));
    assert_eq!(guest.two_paths("path_link", (3, "new.txt"), (3, "inner/twin.txt")), SUCCESS);
    assert_eq!(guest.two_paths("path_rename", (3, "new.txt"), (3, "inner/moved.txt")), SUCCESS);
    assert_eq!(fs::read_to_string(place.granted().join("inner/moved.txt")).unwrap(), "one two!");
    assert_eq!(guest.call("fd_filestat_set_size", &[file.into(), 3]), SUCCESS);
    assert_eq!(guest.text(3, "inner/twin.txt").as_deref(), Ok("one"));
    assert_eq!(guest.at_path("path_create_directory", 3, "made", &[]), SUCCESS);
    assert_eq!(guest.names(3, 4_096), [".", "..", "inner", "made", "note.txt"]);
    assert_eq!(guest.at_path("path_remove_directory", 3, "made", &[]), SUCCESS);
    assert_eq!(guest.call("fd_close", &[file.into()]), SUCCESS);
    assert_eq!(guest.at_path("path_unlink_file", 3, "inner/moved.txt", &[]), SUCCESS);
    assert_eq!(guest.names(3, 4_096), [".", "..", "inner", "note.txt"]);
}

#[test]
fn a_folder_is_listed_through_a_buffer_of_any_size() {
    let place = Place::new();
    let names: Vec<_> = (0..40).map(|n| format!("file_{n:02}")).collect();
    names.iter().for_each(|name| fs::write(place.granted().join("inner").join(name), "").unwrap());
    let (mut guest, _guard) = reader(&place);
    let inner = guest.open(3, "inner", DIRECTORY, READ).unwrap();
    let all = guest.names(inner, 4_096);
    assert_eq!(all.len(), 43);
    for room in [64, 100, 1_000] {
        assert_eq!(guest.names(inner, room), all, "{room}");
    }
}

#[test]
fn error_numbers() {
    let place = Place::new();
    let (mut guest, _guard) = reader(&place);
    let file = u64::from(guest.open(3, "note.txt", 0, READ).unwrap());
    let (out, list) = (u64::from(OUT), u64::from(LIST));
    guest.one_piece(8);
    for (name, args, expected) in [
        ("fd_read", vec![3, list, 1, out], ISDIR),
        ("fd_read", vec![99, list, 1, out], BADF),
        ("fd_read", vec![0, list, 1, out], NOTSUP),
        ("fd_read", vec![file, list, 100_000, out], INVAL),
        ("fd_read", vec![file, u64::from(u32::MAX - 3), 1, out], FAULT),
        ("fd_pread", vec![file, list, 1, u64::MAX, out], INVAL),
        ("fd_write", vec![0, list, 1, out], BADF),
        ("fd_seek", vec![file, 0, 7, out], INVAL),
        ("fd_seek", vec![file, u64::MAX, 0, out], INVAL),
        ("fd_readdir", vec![file, 0, 100, 0, out], NOTDIR),
        ("fd_readdir", vec![3, 0, u64::from(u32::MAX), 0, out], FAULT),
        ("fd_prestat_get", vec![file, out], BADF),
        ("fd_prestat_dir_name", vec![3, 0, 5], NAMETOOLONG),
        ("fd_advise", vec![file, 0, 0, 0], SUCCESS),
        ("fd_allocate", vec![file, 0, 100], NOTSUP),
        ("fd_renumber", vec![file, 1], NOTSUP),
        ("fd_renumber", vec![file, 70], BADF),
        ("fd_close", vec![1], NOTSUP),
        ("fd_close", vec![99], BADF),
        ("path_create_directory", vec![3, 0, 5_000], NAMETOOLONG),
        ("path_create_directory", vec![3, u64::from(u32::MAX), 5], FAULT),
        ("path_open", vec![file, 0, 0, 1, 0, READ, READ, 0, out], INVAL),
        // Nothing that waits, and no network.
        ("poll_oneoff", vec![0, 0, 1, out], NOTSUP),
        ("sock_accept", vec![3, 0, out], NOTSUP),
    ] {
        assert_eq!(guest.call(name, &args), expected, "{name} {args:?}");
    }
    assert_eq!(guest.open(file as u32, "x", 0, READ), Err(NOTDIR));
    assert_eq!(guest.open(3, "missing", 0, READ), Err(NOENT));
    assert_eq!(guest.open(3, "note.txt", DIRECTORY, READ), Err(NOTDIR));
    assert_eq!(guest.open_as(3, "note.txt", (0, 0, READ, 16)), Err(NOTSUP), "writes that wait for the disk");
    assert_eq!(guest.read(file as u32, 100).as_deref(), Ok(&b"a note"[..]), "nothing moved the position");
}

#[test]
fn variables_and_the_time_of_day_are_granted_alone() {
    let grants = WasiGrants::default();
    let now = |guest: &mut Explorer| {
        assert_eq!(guest.call("clock_time_get", &[0, 0, OUT.into()]), SUCCESS);
        u64::from_le_bytes(guest.peek(OUT, 8).try_into().unwrap())
    };
    let variables = |guest: &mut Explorer| {
        assert_eq!(guest.call("environ_sizes_get", &[OUT.into(), u64::from(OUT) + 4]), SUCCESS);
        let [count, len] = [OUT, OUT + 4].map(|at| u32::from_le_bytes(guest.peek(at, 4).try_into().unwrap()));
        assert_eq!(guest.call("environ_get", &[LIST.into(), CONTENT.into()]), SUCCESS);
        let bytes = guest.peek(CONTENT, len);
        assert_eq!(guest.peek(LIST, 4 * count.min(1)), &CONTENT.to_le_bytes()[..4 * count.min(1) as usize]);
        String::from_utf8(bytes).unwrap()
    };
    let language = grants.to("tested").env("LANG", "en").env("USER", "Ada").grant().unwrap();
    let clock = grants.to("tested").wall_clock().grant().unwrap();
    let mut guest = Explorer::new(&grants);
    let year_2020 = 1_577_836_800_000_000_000;
    assert!(now(&mut guest) > year_2020);
    assert_eq!(variables(&mut guest), "LANG=en\0USER=Ada\0");
    assert_eq!(guest.call("fd_prestat_get", &[3, OUT.into()]), BADF);
    drop(clock);
    assert!(now(&mut guest) < year_2020);
    drop(language);
    assert_eq!(variables(&mut guest), "");
}

#[test]
fn a_mod_without_grants_notices_nothing() {
    let place = Place::new();
    let grants = WasiGrants::default();
    let _guard = grants.to("another").dir(place.granted(), "/notes").env("LANG", "en").wall_clock().grant().unwrap();
    let mut guest = Explorer::new(&grants);
    for (name, types) in FUNCTIONS {
        let expected = match *name {
            "clock_time_get" | "environ_get" | "environ_sizes_get" => SUCCESS,
            "fd_prestat_get" | "fd_write" => BADF,
            _ => NOTSUP,
        };
        let mut args = vec![u64::from(OUT); types.len()];
        args[0] = match *name {
            "clock_time_get" => 0,
            "environ_get" | "environ_sizes_get" => OUT.into(),
            _ => 3,
        };
        assert_eq!(guest.call(name, &args), expected, "{name}");
    }
}

#[test]
fn output_still_goes_to_the_log() {
    let place = Place::new();
    let (lines, grants) = (Arc::<Lines>::default(), WasiGrants::default());
    let _guard = grants.to("tested").dir(place.granted(), "/notes").grant().unwrap();
    let mut guest = Explorer::with(Setup { lines: Arc::clone(&lines), wasi: grants, ..Setup::default() });
    assert_eq!(guest.write(1, b"hello\n"), Ok(6));
    assert_eq!(lines.take().len(), 1);
}

#[test]
fn what_cannot_be_granted() {
    let place = Place::new();
    let (grants, granted) = (WasiGrants::default(), place.granted());
    let tell = |grant: mod_host::WasiGrant| grant.grant().map(drop).unwrap_err().to_string();
    let to = || grants.to("tested");
    for path in ["", "notes", "/a/../b", "/a//b", "/a/", "/./a", "/a\0"] {
        assert_contains(&tell(to().dir(&granted, path)), "is no path for a mod");
    }
    assert_contains(&tell(to().dir(granted.join("missing"), "/a")), "cannot be granted");
    assert_contains(&tell(to().dir(granted.join("note.txt"), "/a")), "cannot be granted");
    assert_contains(&tell(to().env("A=B", "")), "cannot be a variable");
    assert_contains(&tell(grants.to("no such id").env("A", "")), "no mod has this id");
    assert_contains(&tell(to().dir(&granted, "/a").dir(&granted, "/a")), "`tested` has `/a` already");
    let guard = to().dir(&granted, "/a").env("A", "1").grant().unwrap();
    assert_contains(&tell(to().env("A", "2")), "`tested` has `A` already");
    assert!(matches!(to().dir(&granted, "/a").grant().unwrap_err(), WasiError::Taken { .. }));
    let other = grants.to("other").dir(&granted, "/a").grant();
    assert!(other.is_ok(), "the same name for another mod");
    drop(guard);
    assert!(to().dir(&granted, "/a").grant().is_ok());
    let made = granted.join("saves/tested");
    assert!(to().writable_dir(&made, "/a", 0).grant().is_ok() && made.is_dir(), "a folder to write is made");
}

/// Standard streams, files and folders are answered without an executor: no thread is started, and a game that has an
/// executor of its own cannot be in the way.
#[test]
#[cfg(target_os = "linux")]
fn no_threads_are_started() {
    let place = Place::new();
    let (mut guest, _guard) = writer(&place);
    assert_eq!(guest.text(3, "note.txt").as_deref(), Ok("a note"));
    assert_eq!(guest.names(3, 4_096).len(), 4);
    let names = fs::read_dir("/proc/self/task").unwrap().flatten();
    let names: Vec<_> = names.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok()).collect();
    assert!(!names.iter().any(|name| name.contains("tokio")), "{names:?}");
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
