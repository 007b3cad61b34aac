//! `watch`: builds, and builds again whenever something of the mod is saved.

use std::{
    fs,
    path::{Component, Path, PathBuf},
    process::ExitCode,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use thiserror::Error;

use crate::{
    compile::{self, BuildError, build},
    package::{Package, PackageError},
    terminal::{error, say},
};

/// Builds the mod, and builds it again whenever you save. Ctrl-C ends it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    build: compile::Args,
}

/// How long nothing has to be saved before it is built: editors and git write more than one file.
const QUIET: Duration = Duration::from_millis(100);

/// Why nothing is watched.
#[derive(Debug, Error)]
pub(crate) enum WatchError {
    /// No mod here.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// What no later build would mend.
    #[error(transparent)]
    Build(BuildError),
    /// The system does not tell of changes.
    #[error("{} cannot be watched: {source}", folder.display())]
    Notify {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: notify::Error,
    },
}

/// Goes on until it is stopped.
pub(crate) fn run(args: &Args) -> Result<ExitCode, WatchError> {
    let mut package = Package::here()?;
    let (sender, changes) = mpsc::channel();
    let failed = |source| WatchError::Notify { folder: package.folder.clone(), source };
    let mut watcher = notify::recommended_watcher(move |event| {
        // Nobody listens any more when the program ends.
        let _ = sender.send(event);
    })
    .map_err(failed)?;
    let watched = Watched { folder: package.folder.clone(), target: package.target_folder.clone() };
    watched.begin(&mut watcher).map_err(failed)?;
    if let Err(failed) = build_once(args, &package) {
        match failed {
            // Saving another file will not bring those.
            BuildError::Game(_) => return Err(WatchError::Build(failed)),
            failed => error(&failed.to_string()),
        }
    }
    say("watching for changes; Ctrl-C ends it");
    loop {
        watched.wait(&changes, &mut watcher);
        // What Cargo.toml says may have changed, too.
        match Package::here() {
            Ok(found) => package = found,
            Err(wrong) => {
                error(&wrong.to_string());
                continue;
            }
        }
        if let Err(failed) = build_once(args, &package) {
            error(&failed.to_string());
        }
    }
}

fn build_once(args: &Args, package: &Package) -> Result<(), BuildError> {
    let start = Instant::now();
    build(&args.build, package)?;
    say(&format!("  built in {:.1} s", start.elapsed().as_secs_f64()));
    Ok(())
}

/// What is watched.
struct Watched {
    folder: PathBuf,
    target: PathBuf,
}

impl Watched {
    /// Watches the folder of the mod, and what is below it without what cargo and others keep there.
    fn begin(&self, watcher: &mut RecommendedWatcher) -> notify::Result<()> {
        watcher.watch(&self.folder, RecursiveMode::NonRecursive)?;
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            self.add(&entry.path(), watcher);
        }
        Ok(())
    }

    /// Watches a folder in the mod's own, if it is one to watch. One that has just gone is none.
    fn add(&self, path: &Path, watcher: &mut RecommendedWatcher) {
        if path.parent() == Some(&self.folder) && self.counts(path) && path.is_dir() {
            let _ = watcher.watch(path, RecursiveMode::Recursive);
        }
    }

    /// Waits for a change and then until nothing has changed for a moment. What came while something was built is a change.
    fn wait(&self, changes: &Receiver<notify::Result<Event>>, watcher: &mut RecommendedWatcher) {
        let mut changed = false;
        loop {
            let next = if changed { changes.recv_timeout(QUIET) } else { changes.recv().map_err(Into::into) };
            match next {
                Ok(Ok(event)) => {
                    if matches!(event.kind, EventKind::Create(_)) {
                        event.paths.iter().for_each(|path| self.add(path, watcher));
                    }
                    changed |=
                        !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(|path| self.counts(path));
                }
                // The system has lost count of what changed.
                Ok(Err(_)) => changed = true,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Whether a change of that path is one of the mod.
    fn counts(&self, path: &Path) -> bool {
        let Ok(inside) = path.strip_prefix(&self.folder) else { return false };
        let name = |part: Component<'_>| part.as_os_str().to_string_lossy().into_owned();
        let is_hidden = |name: &String| name.starts_with('.') && name != ".cargo";
        // What cargo itself writes, and what editors write before they rename it.
        let is_other =
            |name: &str| name == "Cargo.lock" || name == "4913" || name.ends_with(['~']) || name.ends_with(".tmp");
        !inside.as_os_str().is_empty()
            && !path.starts_with(&self.target)
            && !inside.starts_with("target")
            && !inside.components().map(name).any(|name| is_hidden(&name))
            && !inside.file_name().is_some_and(|name| is_other(&name.to_string_lossy()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Watched;

    #[test]
    fn only_what_is_of_the_mod_counts() {
        let watched = Watched { folder: "/bees".into(), target: "/bees/out".into() };
        for (path, counts) in [
            ("/bees/src/lib.rs", true),
            ("/bees/Cargo.toml", true),
            ("/bees/assets/leaf.png", true),
            ("/bees/.cargo/config.toml", true),
            ("/bees", false),
            ("/bees/Cargo.lock", false),
            ("/bees/target/debug/x", false),
            ("/bees/out/debug/x", false),
            ("/bees/.git/index", false),
            ("/bees/src/.lib.rs.swp", false),
            ("/bees/src/lib.rs~", false),
            ("/wasps/src/lib.rs", false),
        ] {
            assert_eq!(watched.counts(Path::new(path)), counts, "{path}");
        }
    }
}
