//! Compiled mods on disk: what is found again, what is never served, and folders that are not as they should be.

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use mod_host::{CompileCache, EngineConfig, Execution, HostEngine, Limits, NoHostCalls};
use tempfile::TempDir;

use crate::harness::{Setup, assert_contains, module};

/// What the cache makes in the folder that it gets.
const FOLDER: &str = "mod_host-compiled";
/// For the child of a test: the folder of its cache.
const CHILD: &str = "MOD_HOST_TEST_CACHE";

fn config(folder: &Path) -> EngineConfig {
    let mut config = EngineConfig::default();
    config.cache = CompileCache::In(folder.to_owned());
    config
}

fn engine(folder: &Path) -> HostEngine {
    HostEngine::new(&config(folder)).unwrap()
}

/// A mod that answers with a number.
fn answering(number: u32) -> Vec<u8> {
    let body = format!(
        r#"(func (export "__number") (param i64) (result i64) (local $at i32)
            (local.set $at (call $alloc (i32.const 4)))
            (i32.store (local.get $at) (i32.const {number}))
            (call $buf (local.get $at) (i32.const 4)))"#
    );
    module("", &body)
}

/// Loads such a mod and asks it, which shows whose code it got.
#[track_caller]
fn check(engine: &HostEngine, number: u32) {
    let setup = Setup { engine: Some(engine.clone()), ..Setup::default() };
    let mut instance = setup.load(&answering(number)).unwrap();
    assert_eq!(instance.call::<_, u32>("number", &(), &mut NoHostCalls).unwrap(), number);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder.join(FOLDER)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn bytes_in(folder: &Path) -> u64 {
    files(folder).iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}

fn set_age(path: &Path, age: Duration) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

#[test]
fn the_same_mod_is_compiled_once() {
    let folder = TempDir::new().unwrap();
    let first = engine(folder.path());
    check(&first, 1);
    assert_eq!(first.cache_hits(), 0);
    check(&first, 1);
    assert_eq!(first.cache_hits(), 1);
    let second = engine(folder.path());
    check(&second, 1);
    assert_eq!((second.cache_hits(), second.cache_problem()), (1, None));
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn what_is_found_says_the_same_of_itself() {
    let folder = TempDir::new().unwrap();
    let engine = engine(folder.path());
    let setup = Setup { engine: Some(engine.clone()), ..Setup::default() };
    let bytes = fs::read("examples/greeter.wasm").unwrap();
    let compiled = setup.compile(&bytes).unwrap();
    let found = setup.compile(&bytes).unwrap();
    assert_eq!(engine.cache_hits(), 1);
    assert_eq!(found.manifest(), compiled.manifest());
    assert!(!found.manifest().exports.is_empty());
    // What is refused is refused again, and its bytes are not a mod's whose code is known.
    let mut invalid = answering(1);
    invalid.pop();
    let limits = Limits { file_bytes: bytes.len() - 1, ..Limits::default() };
    let strict = Setup { limits, ..Setup { engine: Some(engine.clone()), ..Setup::default() } };
    for _ in 0..2 {
        assert_contains(&setup.compile(&invalid).unwrap_err().to_string(), "valid");
        assert_contains(&strict.compile(&bytes).unwrap_err().to_string(), "bytes");
    }
    assert_eq!((engine.cache_hits(), files(folder.path()).len()), (1, 1));
}

#[test]
fn another_mod_and_another_engine_are_not_the_same() {
    let folder = TempDir::new().unwrap();
    let usual = engine(folder.path());
    (1..4).for_each(|number| check(&usual, number));
    assert_eq!((usual.cache_hits(), files(folder.path()).len()), (0, 3));

    let engine = |choose: fn(&mut EngineConfig)| {
        let mut config = config(folder.path());
        choose(&mut config);
        HostEngine::new(&config).unwrap()
    };
    let others: &[fn(&mut EngineConfig)] = &[
        |config| config.deterministic = true,
        |config| config.execution = Execution::NativeWithoutSignals,
        |config| (config.execution, config.deterministic) = (Execution::NativeWithoutSignals, true),
        #[cfg(feature = "interpreter")]
        |config| config.execution = Execution::Interpreted,
    ];
    for (before, other) in others.iter().enumerate() {
        let first = engine(*other);
        check(&first, 1);
        assert_eq!((first.cache_hits(), files(folder.path()).len()), (0, 4 + before));
        let second = engine(*other);
        check(&second, 1);
        assert_eq!(second.cache_hits(), 1);
    }
}

#[test]
fn what_is_damaged_is_compiled_anew_and_replaced() {
    let folder = TempDir::new().unwrap();
    check(&engine(folder.path()), 1);
    let path = files(folder.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    check(&engine(folder.path()), 2);
    let other = files(folder.path()).into_iter().find(|other| *other != path).unwrap();

    let mut damaged: Vec<(String, Vec<u8>)> = Vec::new();
    for cut in [0, 1, 8, 40, 48, 79, 80, 81, 4096, whole.len() / 2, whole.len() - 1] {
        damaged.push((format!("cut off at {cut}"), whole[..cut].to_vec()));
        let zeros = vec![0; whole.len() - cut];
        damaged.push((format!("zeros from {cut}"), [&whole[..cut], &zeros].concat()));
    }
    // The headers, and a bit here and there in the code and around it.
    for at in [0, 7, 8, 39, 40, 47, 48, 79, 80, whole.len() - 1].into_iter().chain((81..whole.len()).step_by(4001)) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        damaged.push((format!("a bit at {at}"), flipped));
    }
    damaged.push(("another format".to_owned(), [b"modhost0", &whole[8..]].concat()));
    damaged.push(("more at the end".to_owned(), [&whole[..], b"more"].concat()));
    damaged.push(("the entry of another mod".to_owned(), fs::read(other).unwrap()));
    damaged.push(("a program".to_owned(), whole[80..].to_vec()));
    // Zeros may be what was there.
    for (what, bytes) in damaged.into_iter().filter(|(_, bytes)| *bytes != whole) {
        fs::write(&path, bytes).unwrap();
        let engine = engine(folder.path());
        check(&engine, 1);
        assert_eq!(engine.cache_hits(), 0, "{what}");
        assert!(fs::read(&path).unwrap() == whole, "{what}: it was not replaced");
        check(&engine, 1);
        assert_eq!(engine.cache_hits(), 1, "{what}");
    }
}

#[test]
fn what_is_no_file_is_no_entry() {
    let folder = TempDir::new().unwrap();
    check(&engine(folder.path()), 1);
    let path = files(folder.path()).remove(0);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let engine = engine(folder.path());
    check(&engine, 1);
    check(&engine, 1);
    assert_eq!(engine.cache_hits(), 0);
    assert!(path.is_dir());
}

#[test]
fn without_a_cache_nothing_is_kept() {
    let engine = HostEngine::new(&EngineConfig::default()).unwrap();
    check(&engine, 1);
    check(&engine, 1);
    assert_eq!((engine.cache_hits(), engine.cache_problem()), (0, None));
}

#[test]
fn a_folder_that_cannot_be_is_no_error() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    File::create(&file).unwrap();
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    File::create(taken.join(FOLDER)).unwrap();
    let mut cases = vec![
        (file.join("inside"), "cannot be made"),
        (file, "cannot be made"),
        (taken, "cannot be made"),
        (PathBuf::from("relative"), "is not an absolute path"),
    ];
    if cfg!(target_os = "linux") {
        // For reading only, whoever one is.
        cases.push((PathBuf::from("/proc"), "cannot be made"));
    }
    for (folder, problem) in cases {
        let engine = engine(&folder);
        assert_contains(engine.cache_problem().unwrap(), problem);
        check(&engine, 1);
        check(&engine, 1);
        assert_eq!(engine.cache_hits(), 0);
    }
}

#[cfg(unix)]
#[test]
fn a_folder_in_which_others_write_is_not_used() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    let folder = TempDir::new().unwrap();
    let inside = folder.path().join(FOLDER);
    check(&engine(folder.path()), 1);
    assert_eq!(fs::metadata(&inside).unwrap().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(&files(folder.path())[0]).unwrap().mode() & 0o077, 0);
    let problem = || {
        let engine = engine(folder.path());
        check(&engine, 1);
        assert_eq!(engine.cache_hits(), 0);
        engine.cache_problem().unwrap().to_owned()
    };
    for mode in [0o770, 0o702, 0o777] {
        fs::set_permissions(&inside, fs::Permissions::from_mode(mode)).unwrap();
        assert_contains(&problem(), "can be written to by other users");
    }
    fs::set_permissions(&inside, fs::Permissions::from_mode(0o700)).unwrap();
    // Only who may do everything can give a folder away.
    if chown(&inside, Some(12_345), None).is_ok() {
        assert_contains(&problem(), "belongs to another user");
    }
    fs::rename(&inside, folder.path().join("elsewhere")).unwrap();
    symlink(folder.path().join("elsewhere"), &inside).unwrap();
    assert_contains(&problem(), "is not a folder");
}

#[test]
fn a_folder_for_reading_only_is_read() {
    let folder = TempDir::new().unwrap();
    check(&engine(folder.path()), 1);
    let inside = folder.path().join(FOLDER);
    set_age(&files(folder.path())[0], Duration::from_secs(48 * 60 * 60));
    let set_readonly = |readonly| {
        for path in files(folder.path()).into_iter().chain([inside.clone()]) {
            let mut permissions = fs::metadata(&path).unwrap().permissions();
            if readonly {
                permissions.set_readonly(true);
            } else {
                #[cfg(unix)]
                std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o700);
                #[cfg(not(unix))]
                #[expect(clippy::permissions_set_readonly_false, reason = "it is not for Unix")]
                permissions.set_readonly(false);
            }
            fs::set_permissions(path, permissions).unwrap();
        }
    };
    set_readonly(true);
    let engine = engine(folder.path());
    check(&engine, 1);
    assert_eq!((engine.cache_hits(), engine.cache_problem()), (1, None));
    // What this user may do in spite of it, the cache may, too.
    let probe = inside.join("probe");
    let may_write = File::create(&probe).is_ok() && fs::remove_file(probe).is_ok();
    check(&engine, 2);
    assert_eq!(files(folder.path()).len(), if may_write { 2 } else { 1 });
    set_readonly(false);
}

#[test]
fn the_cache_stays_within_its_limit_and_keeps_what_is_used() {
    let folder = TempDir::new().unwrap();
    check(&engine(folder.path()), 0);
    let one = bytes_in(folder.path());
    let oldest = files(folder.path()).remove(0);
    let foreign = folder.path().join(FOLDER).join("notes.txt");
    fs::write(&foreign, "mine").unwrap();
    set_age(&foreign, Duration::from_secs(1 << 30));

    let mut config = config(folder.path());
    config.cache_bytes = one * 8;
    let engine = HostEngine::new(&config).unwrap();
    for number in 1..30 {
        check(&engine, number);
        let used = bytes_in(folder.path());
        assert!(used <= config.cache_bytes + 4, "{used} bytes after mod {number}");
        for path in files(folder.path()).iter().filter(|path| **path != foreign) {
            let modified = fs::metadata(path).unwrap().modified().unwrap();
            set_age(path, modified.elapsed().unwrap_or_default() + Duration::from_secs(7200));
        }
        // The first one is used again and again.
        check(&engine, 0);
    }
    assert_eq!(engine.cache_hits(), 29);
    assert!(oldest.exists());
    assert_eq!(fs::read(&foreign).unwrap(), b"mine");
    assert!(files(folder.path()).len() > 5, "more was removed than had to be");
    // The last ones are there.
    let engine = HostEngine::new(&config).unwrap();
    (26..30).for_each(|number| check(&engine, number));
    assert_eq!(engine.cache_hits(), 4);
    check(&engine, 1);
    assert_eq!(engine.cache_hits(), 4);
}

#[test]
fn a_mod_that_would_push_out_all_others_is_not_kept() {
    let folder = TempDir::new().unwrap();
    check(&engine(folder.path()), 1);
    let mut config = config(folder.path());
    config.cache_bytes = bytes_in(folder.path()) * 2;
    check(&HostEngine::new(&config).unwrap(), 2);
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn what_a_killed_program_leaves_is_in_nobodys_way() {
    let folder = TempDir::new().unwrap();
    let inside = folder.path().join(FOLDER);
    check(&engine(folder.path()), 1);
    let (old, new) = (inside.join(".tmpOld.unfinished"), inside.join(".tmpNew.unfinished"));
    for path in [&old, &new] {
        fs::write(path, "half of a mod").unwrap();
    }
    set_age(&old, Duration::from_secs(2 * 60 * 60));
    let engine = engine(folder.path());
    check(&engine, 1);
    check(&engine, 2);
    assert_eq!(engine.cache_hits(), 1);
    // Somebody may still be writing the new one.
    assert_eq!((old.exists(), new.exists(), files(folder.path()).len()), (false, true, 3));
}

/// Runs [`in_another_process`] in a process of its own, by way of `sh` if there are words for it.
fn child(folder: &Path, shell: Option<&str>) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut command = match shell {
        Some(words) => {
            let mut command = Command::new("sh");
            command.args(["-c", &format!(r#"{words}; exec "$0" "$@""#)]).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.args(["--exact", "cache::in_another_process", "--nocapture"]).env(CHILD, folder);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn wait_for(child: Child) {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert_contains(&String::from_utf8_lossy(&output.stdout), "1 passed");
}

/// How many mods the processes have in common.
const SHARED: u32 = 40;

/// Not a test by itself, but what the children of tests do.
#[test]
fn in_another_process() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let engine = engine(Path::new(&folder));
    assert_eq!(engine.cache_problem(), None);
    for _ in 0..3 {
        (0..SHARED).for_each(|number| check(&engine, number));
    }
}

#[test]
fn two_games_share_a_folder() {
    let folder = TempDir::new().unwrap();
    // Both begin with an empty folder and do the same at the same time.
    let children = [child(folder.path(), None), child(folder.path(), None)];
    let engine = engine(folder.path());
    (0..SHARED).rev().for_each(|number| check(&engine, number));
    children.into_iter().for_each(wait_for);
    assert_eq!(files(folder.path()).len(), SHARED as usize);
    let after = self::engine(folder.path());
    (0..SHARED).for_each(|number| check(&after, number));
    assert_eq!(after.cache_hits(), SHARED as usize);
}

/// No file may become longer than a block, as on a disk that is full in the middle of it.
#[cfg(unix)]
#[test]
fn on_a_full_disk_mods_run_and_nothing_is_left() {
    let folder = TempDir::new().unwrap();
    for blocks in [0, 1] {
        wait_for(child(folder.path(), Some(&format!("trap '' XFSZ && ulimit -f {blocks}"))));
        assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
    }
    // What was there before is used.
    check(&engine(folder.path()), 0);
    let before = bytes_in(folder.path());
    wait_for(child(folder.path(), Some("trap '' XFSZ && ulimit -f 1")));
    assert_eq!((files(folder.path()).len(), bytes_in(folder.path())), (1, before));
    // And when there is room again, so is the cache.
    wait_for(child(folder.path(), None));
    assert_eq!(files(folder.path()).len(), SHARED as usize);
}
