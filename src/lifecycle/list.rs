//! What the player chose, and the file in which it is kept. What follows from it is not known here.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bevy_app::AppExit;
use bevy_ecs::{message::MessageReader, resource::Resource, system::ResMut};
use bevy_tasks::{IoTaskPool, Task, TaskPool, block_on, futures_lite::future};
use mod_abi::SettingValue;
use mod_host::{ModList, ModListError};
use tracing::{error, warn};

/// The choices of the player, with the file in which they are kept.
///
/// A save changes in the file only what was changed here: the player may have written in it meanwhile, and two games may
/// share it. What they wrote is seen when the game starts anew.
#[derive(Debug, Default, Resource)]
pub(crate) struct ModListFile {
    list: ModList,
    /// None: nothing is kept.
    path: Option<PathBuf>,
    /// What has not been saved, at most one change of each thing.
    unsaved: Vec<Change>,
    /// Whether the last save failed. Before the next change another one has no better chance.
    has_failed: bool,
    saving: Option<Task<Saved>>,
    /// Whether mods may have other settings than the list says.
    is_stale: bool,
    /// The settings that were changed since somebody asked, by mod and name.
    changed: Vec<(Arc<str>, Arc<str>)>,
}

/// A change of the list.
#[derive(Debug, Clone, PartialEq)]
enum Change {
    Enabled {
        id: String,
        enabled: bool,
    },
    /// None: the default.
    Setting {
        id: String,
        name: String,
        value: Option<SettingValue>,
    },
}

/// What came of a save.
#[derive(Debug)]
struct Saved {
    changes: Vec<Change>,
    /// Where a file is now that could not be read.
    result: Result<Option<PathBuf>, ModListError>,
}

impl ModListFile {
    /// Reads the file, if there is one. One that cannot be read is as if it were empty, and is put aside before another is
    /// saved in its place.
    pub(crate) fn read(path: Option<PathBuf>) -> Self {
        let mut file = Self::default();
        if let Some(path) = path {
            let shown = path.display();
            match ModList::read(&path) {
                Ok(list) => {
                    list.problems().iter().for_each(|problem| warn!("{shown}: {problem}"));
                    file.list = list;
                }
                Err(error) => error!(
                    "{shown}: {error}; all mods are enabled and have their default settings, and the file stays as it is"
                ),
            }
            file.path = Some(path);
        }
        file
    }

    /// What the player chose.
    pub(crate) fn list(&self) -> &ModList {
        &self.list
    }

    /// Whether a mod is switched on: unless the player switched it off.
    pub(crate) fn is_enabled(&self, id: &str) -> bool {
        self.list.is_enabled(id)
    }

    /// Switches a mod on or off in the list. Nothing follows from it here.
    pub(crate) fn set_enabled(&mut self, id: &str, enabled: bool) {
        self.change(Change::Enabled { id: id.to_owned(), enabled });
    }

    /// Sets a setting of a mod, or forgets it, without asking what the mod declares.
    pub(crate) fn set_setting(&mut self, id: &str, name: &str, value: Option<&SettingValue>) {
        self.change(Change::Setting { id: id.to_owned(), name: name.to_owned(), value: value.cloned() });
    }

    /// Has the settings of all mods compared with the list.
    pub(crate) fn set_stale(&mut self) {
        self.is_stale = true;
    }

    /// The settings that were changed since this was last asked, or None if no mod needs to be looked at.
    pub(crate) fn take_changed(&mut self) -> Option<Vec<(Arc<str>, Arc<str>)>> {
        std::mem::take(&mut self.is_stale).then(|| std::mem::take(&mut self.changed))
    }

    fn change(&mut self, change: Change) {
        if !change.make(&mut self.list) {
            return;
        }
        if let Change::Setting { id, name, .. } = &change {
            self.is_stale = true;
            if !self.changed.iter().any(|(known, other)| (&**known, &**other) == (id, name)) {
                self.changed.push((id.as_str().into(), name.as_str().into()));
            }
        }
        if self.path.is_some() {
            self.unsaved.retain(|earlier| !earlier.is_of_same(&change));
            self.unsaved.push(change);
            self.has_failed = false;
        }
    }

    /// Takes note of a save that is done, and begins the next one if there is something to save.
    fn go_on(&mut self) {
        if let Some(task) = &mut self.saving
            && let Some(saved) = block_on(future::poll_once(task))
        {
            self.saving = None;
            self.note(saved);
        }
        if self.saving.is_none() && !self.has_failed {
            let pool = IoTaskPool::get_or_init(TaskPool::default);
            self.saving = self.next_save().map(|save| pool.spawn(async move { save() }));
        }
    }

    /// Saves what is not saved, and comes back when that is done. What failed before gets a last chance.
    fn finish(&mut self) {
        if let Some(saved) = self.saving.take().map(block_on) {
            self.note(saved);
        }
        if let Some(save) = self.next_save() {
            let saved = save();
            self.note(saved);
        }
    }

    fn next_save(&mut self) -> Option<impl FnOnce() -> Saved + Send + use<>> {
        let path = self.path.clone().filter(|_| !self.unsaved.is_empty())?;
        let (list, changes) = (self.list.clone(), std::mem::take(&mut self.unsaved));
        Some(move || {
            let result = write(&path, &list, &changes);
            Saved { changes, result }
        })
    }

    fn note(&mut self, Saved { mut changes, result }: Saved) {
        match result {
            Ok(aside) => {
                if let Some(aside) = aside {
                    warn!("a mod list that could not be read is now {}; the new one has a place", aside.display());
                }
            }
            Err(error) => {
                error!("{error}; the choices hold until the game ends");
                changes.retain(|change| !self.unsaved.iter().any(|newer| newer.is_of_same(change)));
                self.unsaved.splice(..0, changes);
                self.has_failed = true;
            }
        }
    }
}

impl Change {
    /// Makes the change, and says whether it was one.
    fn make(&self, list: &mut ModList) -> bool {
        match self {
            Self::Enabled { id, enabled } => list.set_enabled(id, *enabled),
            Self::Setting { id, name, value: Some(value) } => list.set_setting(id, name, value),
            Self::Setting { id, name, value: None } => list.reset_setting(id, name),
        }
    }

    fn is_of_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Enabled { id, .. }, Self::Enabled { id: other, .. }) => id == other,
            (Self::Setting { id, name, .. }, Self::Setting { id: other, name: other_name, .. }) => {
                (id, name) == (other, other_name)
            }
            _ => false,
        }
    }
}

/// Makes changes in a file, or writes the whole list where there is none. Returns where a file is now that could not be read.
fn write(path: &Path, list: &ModList, changes: &[Change]) -> Result<Option<PathBuf>, ModListError> {
    let mut aside = None;
    // Where it is not known, reading it says why.
    if path.try_exists().unwrap_or(true) {
        match ModList::read(path) {
            Ok(mut list) => {
                let changed = changes.iter().filter(|change| change.make(&mut list)).count();
                return if changed > 0 { list.save(path).map(|()| None) } else { Ok(None) };
            }
            Err(_) => aside = ModList::set_aside(path)?,
        }
    }
    list.save(path).map(|()| aside)
}

/// Saves the list in the background. One save at a time: the next one has what was changed meanwhile.
pub(crate) fn save(mut file: ResMut<ModListFile>) {
    file.go_on();
}

/// Saves the list before the game ends.
pub(crate) fn save_at_exit(mut exits: MessageReader<AppExit>, mut file: ResMut<ModListFile>) {
    if exits.read().next().is_some() {
        file.finish();
    }
}

impl Drop for ModListFile {
    /// A game need not say that it ends.
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path, thread, time::Duration};

    use bevy::prelude::{App, AppExit, Update};
    use bevy_ecs::message::MessageWriter;
    use mod_abi::SettingValue;
    use mod_host::ModList;

    use super::ModListFile;

    fn of(path: &Path) -> ModListFile {
        ModListFile::read(Some(path.to_owned()))
    }

    fn speed(value: i64) -> Option<SettingValue> {
        Some(SettingValue::Int(value))
    }

    /// Goes on until everything is saved.
    fn rest(file: &mut ModListFile) {
        for _ in 0..10_000 {
            file.go_on();
            if file.saving.is_none() && (file.unsaved.is_empty() || file.has_failed) {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("the list is never saved");
    }

    #[test]
    fn choices_are_saved_in_the_background_and_the_newest_wins() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("player/mods.toml");
        let mut file = of(&path);
        rest(&mut file);
        assert!(!path.exists(), "where nothing was chosen nothing is written");
        for value in 0..100 {
            file.set_setting("wind", "speed", speed(value).as_ref());
            file.set_enabled("wind", value % 2 == 0);
            file.go_on();
            assert!(file.unsaved.len() <= 2);
        }
        rest(&mut file);
        let saved = ModList::read(&path).expect("a list");
        assert_eq!((saved.is_enabled("wind"), saved.setting("wind", "speed")), (false, speed(99)));
        assert!(!of(&path).is_enabled("wind"));
    }

    #[test]
    fn what_others_write_meanwhile_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mods.toml");
        let (mut one, mut two) = (of(&path), of(&path));
        one.set_enabled("wind", false);
        rest(&mut one);
        two.set_enabled("bees", false);
        rest(&mut two);
        fs::write(&path, format!("# mine\n{}", fs::read_to_string(&path).expect("a file"))).expect("a file");
        one.set_setting("wind", "speed", speed(1).as_ref());
        rest(&mut one);
        one.set_setting("wind", "speed", None);
        rest(&mut one);

        let text = fs::read_to_string(&path).expect("a file");
        let saved: ModList = text.parse().expect("a list");
        assert!(text.starts_with("# mine\n"), "{text}");
        assert_eq!(saved.disabled().collect::<Vec<_>>(), ["wind", "bees"]);
        assert_eq!(saved.setting("wind", "speed"), None);

        // All of it comes back where the file went away.
        fs::remove_file(&path).expect("a file");
        one.set_setting("wind", "speed", speed(2).as_ref());
        rest(&mut one);
        let saved = ModList::read(&path).expect("a list");
        assert_eq!((saved.is_enabled("wind"), saved.setting("wind", "speed")), (false, speed(2)));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mods.toml");
        fs::write(&path, "[mods.wind\n").expect("a file");
        let mut file = of(&path);
        rest(&mut file);
        assert_eq!(fs::read_to_string(&path).expect("a file"), "[mods.wind\n");
        file.set_enabled("bees", false);
        rest(&mut file);
        assert_eq!(fs::read_to_string(folder.path().join("mods.toml.bad")).expect("a file"), "[mods.wind\n");
        assert!(!of(&path).is_enabled("bees"));
    }

    #[test]
    fn what_cannot_be_saved_is_tried_again_with_the_next_change_and_at_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let below_a_file = folder.path().join("player");
        fs::write(&below_a_file, "").expect("a file");
        let path = below_a_file.join("mods.toml");
        let mut file = of(&path);
        file.set_enabled("wind", false);
        rest(&mut file);
        assert!(file.has_failed && !file.is_enabled("wind"));
        fs::remove_file(&below_a_file).expect("a file");
        rest(&mut file);
        assert!(!path.exists());
        drop(file);
        assert!(!of(&path).is_enabled("wind"));
    }

    #[test]
    fn the_list_is_saved_before_the_game_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mods.toml");
        let mut app = App::new();
        app.insert_resource(of(&path)).add_systems(bevy::prelude::Last, super::save_at_exit);
        app.world_mut().resource_mut::<ModListFile>().set_enabled("wind", false);
        app.update();
        assert!(!path.exists());
        app.add_systems(Update, |mut exits: MessageWriter<AppExit>| {
            exits.write(AppExit::Success);
        });
        app.update();
        assert!(!of(&path).is_enabled("wind"));
        app.world_mut().resource_mut::<ModListFile>().set_enabled("bees", false);
        drop(app);
        assert!(!of(&path).is_enabled("bees"));
    }

    #[test]
    fn without_a_path_choices_hold_and_nothing_is_written() {
        let mut file = ModListFile::read(None);
        file.set_enabled("wind", false);
        assert!(!file.is_enabled("wind") && file.unsaved.is_empty());
        file.finish();
    }
}
