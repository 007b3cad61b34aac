//! Compiled mods on disk, so that a second start need not compile them. What a mod is, and who asks, is not known here.
//!
//! wasmtime has a cache, too, and this is not it: that one does not check what it reads, and runs native code that a disk has
//! damaged; what a killed program leaves behind keeps an entry from being written for as long as an hour; it removes what it
//! does not know from its folder; and it brings a library in C.
//!
//! An entry is found by a hash of the module's bytes and of everything that decides how they are compiled, so none is ever
//! out of date. It is checked as a whole before any of it is used (`entry`). It is written beside its place and then renamed,
//! so who reads finds a whole one or none, and whoever comes last wins: both have written the same. No lock is taken that
//! could be left behind. Nothing that goes wrong here is an error: the mod is compiled then.

use std::{
    fs::{self, OpenOptions},
    hash::{Hash, Hasher},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};
use tempfile::Builder;
use wasmtime::{Engine, Module};

pub(crate) use self::entry::Key;
use self::entry::{check, header};

mod entry;
mod folder;

/// The most entries: those of a hundred mods in forty versions.
const MAX_ENTRIES: usize = 4096;
/// Which part of the cache a single entry may take, so that one large mod does not push out all others.
const MAX_SHARE: u64 = 4;
/// How old the note is that an entry was used before it is written again.
const NOTE_USE: Duration = Duration::from_secs(60 * 60);
/// A file that is this old and was never renamed is what a killed program left.
const ABANDONED: Duration = Duration::from_secs(60 * 60);
/// So far in the future may a file be from, by another machine's clock, before that is taken for nonsense.
const CLOCKS_DIFFER: Duration = Duration::from_secs(24 * 60 * 60);
/// How the names of entries end, and of files that will be entries.
const ENTRY: &str = ".compiled";
const UNFINISHED: &str = ".unfinished";

/// Where compiled mods are kept, so that they need not be compiled again.
///
/// What is kept is native code that is run as it is, so the folder must be writable for nobody but the user, and never lie
/// where players or mods put files. On Unix, a folder that belongs to somebody else, or that others may write to, is not used.
/// Everything lies in `mod_host-compiled` below it; nothing else there is touched.
///
/// An entry is found by the module's bytes, the engine's settings and version, and the machine. It is checked as a whole
/// before it is used: one that is cut off or damaged is compiled anew. Programs may share a folder. Together the entries take
/// no more than [`EngineConfig::cache_bytes`](crate::EngineConfig::cache_bytes); those that were not used for the longest
/// time go first. A folder that cannot be used, a full disk and one for reading only are no errors: what cannot be kept is
/// compiled. See [`EngineConfig`](crate::EngineConfig), and
/// [`HostEngine::cache_problem`](crate::HostEngine::cache_problem) for the reason.
///
/// ```
/// use mod_host::{CompileCache, EngineConfig, HostEngine};
///
/// let mut config = EngineConfig::default();
/// config.cache = CompileCache::In(std::env::temp_dir().join("orchard_cache"));
/// let engine = HostEngine::new(&config)?;
/// # Ok::<_, mod_host::LoadError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CompileCache {
    /// Nothing is kept.
    #[default]
    Off,
    /// In the folder for caches of the user who runs the program: `$XDG_CACHE_HOME` or `~/.cache`, on macOS
    /// `~/Library/Caches`, on Windows `%LOCALAPPDATA%`.
    User,
    /// In this folder, which must be absolute. It is made if it is missing.
    In(PathBuf),
}

/// A folder with compiled modules, for one engine.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    /// What all entries may take.
    max_bytes: u64,
    /// What decides how modules are compiled.
    engine: [u8; 32],
    hits: AtomicUsize,
}

impl Cache {
    /// Opens the cache that was chosen, or says why there is none. `None` if none was.
    pub(crate) fn open(choice: &CompileCache, max_bytes: u64, engine: &Engine) -> Result<Option<Arc<Self>>, String> {
        let Some(folder) = folder::open(choice)? else { return Ok(None) };
        let hits = AtomicUsize::new(0);
        Ok(Some(Arc::new(Self { folder, max_bytes, engine: settings_of(engine), hits })))
    }

    /// How many modules were found so far.
    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::Relaxed)
    }

    /// The compiled module: the one that is kept, if it is whole.
    ///
    /// `engine` is the one for which the cache was opened.
    pub(crate) fn get(&self, engine: &Engine, key: &Key) -> Option<Module> {
        let path = self.path(key);
        let found = fs::symlink_metadata(&path).ok()?;
        if !found.is_file() || found.len() > self.max_bytes {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(found.len()).ok()?);
        // It may have become another file meanwhile.
        fs::File::open(&path).ok()?.take(self.max_bytes).read_to_end(&mut bytes).ok()?;
        let payload = check(&bytes, key)?;
        let module = deserialize(engine, payload)?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        if found.modified().is_ok_and(|used| used.elapsed().map_or(true, |age| age > NOTE_USE)) {
            // Where it cannot be noted, it goes a little sooner.
            let _ = OpenOptions::new().write(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        }
        Some(module)
    }

    /// Keeps a compiled module, if it can be kept.
    pub(crate) fn put(&self, key: &Key, module: &Module) {
        let Ok(payload) = module.serialize() else { return };
        if payload.len() as u64 <= self.max_bytes / MAX_SHARE {
            // The mod runs all the same.
            let _ = self.write(key, &payload);
        }
        let _ = self.remove_old(key);
    }

    /// Where a module is found: by its bytes, and by what decides how they are compiled.
    pub(crate) fn key(&self, wasm: &[u8]) -> Key {
        let mut hasher = Sha256::new();
        hasher.update(self.engine);
        hasher.update(wasm);
        Key(hasher.finalize().into())
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(format!("{key}{ENTRY}"))
    }

    fn write(&self, key: &Key, payload: &[u8]) -> io::Result<()> {
        // Dropped, it is removed. On Unix it is for its owner only.
        let mut file = Builder::new().suffix(UNFINISHED).tempfile_in(&self.folder)?;
        file.write_all(&header(key, payload))?;
        file.write_all(payload)?;
        // Not flushed to the disk: what a lack of power leaves of it is seen when it is read.
        file.persist(self.path(key))?;
        Ok(())
    }

    /// Removes those entries that were not used for the longest time, until the rest is within the limits, and what was
    /// never finished. `newest` stays.
    fn remove_old(&self, newest: &Key) -> io::Result<()> {
        let now = SystemTime::now();
        let newest = self.path(newest);
        let (mut entries, mut bytes, mut count) = (Vec::new(), 0_u64, 0_usize);
        for found in fs::read_dir(&self.folder)? {
            // What goes meanwhile need not be removed.
            let Ok(found) = found else { continue };
            let (path, Ok(metadata)) = (found.path(), found.metadata()) else { continue };
            let used =
                metadata.modified().ok().filter(|used| now.checked_add(CLOCKS_DIFFER).is_some_and(|most| *used < most));
            let used = used.unwrap_or(SystemTime::UNIX_EPOCH);
            if !metadata.is_file() {
                continue;
            }
            if ends_with(&path, UNFINISHED) {
                if now.duration_since(used).is_ok_and(|age| age > ABANDONED) {
                    let _ = fs::remove_file(path);
                }
            } else if ends_with(&path, ENTRY) {
                bytes = bytes.saturating_add(metadata.len());
                count = count.saturating_add(1);
                if path != newest {
                    entries.push((used, metadata.len(), path));
                }
            }
        }
        entries.sort();
        for (_, length, path) in entries {
            if bytes <= self.max_bytes && count <= MAX_ENTRIES {
                break;
            }
            if fs::remove_file(path).is_ok() {
                bytes = bytes.saturating_sub(length);
                count = count.saturating_sub(1);
            }
        }
        Ok(())
    }
}

fn ends_with(path: &Path, end: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(end))
}

/// The module that was serialized, if it was for such an engine.
#[expect(unsafe_code, reason = "wasmtime runs what it is given")]
fn deserialize(engine: &Engine, payload: &[u8]) -> Option<Module> {
    // SAFETY: the bytes have to be what `Module::serialize` returned. They are what some `Cache::write` wrote under this
    // key, because `check` found the hash of all of it, and they cannot change any more, because they are in our memory. So
    // what is left is who could have written another file with a hash that fits: only who may write into the folder, and
    // `folder::open` has seen to it that this is the user who runs this program. That user may as well write a file over the
    // program itself. No mod gets there: the folder is not among the assets, and `CompileCache` says that it must not be.
    unsafe { Module::deserialize(engine, payload) }.ok()
}

/// All that decides how an engine compiles: its settings, its version (of wasmtime, to the last digit), the processor. And the
/// version of this crate, which decides what is compiled.
fn settings_of(engine: &Engine) -> [u8; 32] {
    let mut hasher = Sha256Hasher(Sha256::new());
    (entry::FORMAT, env!("CARGO_PKG_VERSION")).hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.finalize().into()
}

/// Everything that is hashed, in a hash in which nobody finds two of the same.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Nobody asks: the whole hash is taken.
    fn finish(&self) -> u64 {
        0
    }
}
