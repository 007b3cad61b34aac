//! From what was found to the tables that people read. Nothing is measured here.

use bench_report::{Point, Table, median};

/// What was found out about one contender.
pub(crate) struct Found {
    pub(crate) name: &'static str,
    /// What the mods take in a frame.
    pub(crate) mods: Figure,
    /// What it takes that there could be mods.
    pub(crate) plugin: Figure,
}

/// One figure of one contender.
pub(crate) enum Figure {
    Measured {
        value: f64,
        /// How far the turns are from it, in the middle.
        noise: f64,
    },
    Missing(String),
}

impl Figure {
    /// The one in the middle of all turns.
    pub(crate) fn of(turns: Vec<f64>) -> Self {
        let value = median(turns.clone());
        let noise = median(turns.into_iter().map(|turn| (turn - value).abs()).collect());
        Self::Measured { value, noise }
    }

    fn point(&self, at: impl Into<bench_report::At>) -> Point {
        match self {
            Self::Missing(why) => Point::missing(at, why),
            Self::Measured { value, noise } if *value <= *noise => {
                Point::missing(at, &format!("less than the noise of {noise:.2} us"))
            }
            Self::Measured { value, .. } => Point::measured(at, *value),
        }
    }
}

/// Puts what mods take into a table.
pub(crate) fn put(table: &mut Table, at: f64, found: &[Found]) {
    for found in found {
        table.put(found.name, found.mods.point(at));
    }
}

/// Puts what an empty system takes beside what the plugin takes by itself.
pub(crate) fn put_system(table: &mut Table, found: &[Found]) {
    for found in found {
        table.put(found.name, found.plugin.point("a game that could have mods"));
        table.put(found.name, found.mods.point("one mod with an empty system"));
    }
}

/// How all of it is measured.
const FRAMES: &str = "\
All contenders are built together, on one Bevy with the same features, and each runs in a process of its own. They take turns \
within one run, and do the same work on the same World: a checksum of the World after three frames is compared before \
anything is timed, and again afterwards. A figure is a frame with the mods minus a frame of the same game without any, both of `App::update` on \
one thread: in each turn the medians of both are subtracted, and the median of all turns is shown.";

pub(crate) fn moved() -> Table {
    let mut table = described(
        "move",
        "One mod that reads `Velocity` and updates `Transform`",
        "entities",
        "us",
        "\n\nNative Bevy is the floor. *Naive serde* is a mod of this crate that exports a function: in each frame the game hands \
         it all components in a `Vec` and stores the `Vec` that comes back, through bincode both ways. wasvy runs a component \
         of its own format that talks JSON, bevy_mod_scripting a Lua script that reaches components through reflection. A \
         contender whose frame takes more than 2 s is cut off.\n\nThe bars are at 10,000 entities: at least 1,000 times faster \
         than wasvy (`wasvy_10k`) and than Lua (`lua_10k`). `naive_10k` is how much longer naive serde takes, and \
         `over_native_10k` how much longer a mod takes than the native system.",
    );
    table.grows = true;
    table
}

pub(crate) fn system() -> Table {
    described(
        "system",
        "A system that does nothing",
        "what",
        "us",
        "\n\nThe first row is what the plugin takes in each frame by itself: a game with it and without mods, minus a game without \
         it. The second is what a mod with one empty system adds.",
    )
}

pub(crate) fn many() -> Table {
    let mut table = described(
        "mods",
        "Many small mods",
        "mods",
        "us",
        "\n\nEach mod is a file of its own, with one system that counts the same ten components up.",
    );
    table.grows = true;
    table
}

pub(crate) fn spawned() -> Table {
    described(
        "spawn",
        "Entities spawned and despawned in each frame",
        "entities",
        "us",
        "\n\nThe mod despawns what it spawned in the last frame and spawns as many, each with one component.",
    )
}

pub(crate) fn messages() -> Table {
    described(
        "messages",
        "Messages of the game that a mod reads in each frame",
        "messages",
        "us",
        "\n\nThe mod adds up a number of each message. bevy_mod_scripting reads no messages of the game by itself: a system of the \
         game makes a callback of each, which is how its scripts hear of what happens.",
    )
}

pub(crate) fn calls() -> Table {
    described(
        "calls",
        "Calls of a function of the game in each frame",
        "calls",
        "us",
        "\n\nThe function adds two numbers. In the native system it stands behind a pointer.",
    )
}

pub(crate) fn start() -> Table {
    let mut table = Table::new("start", "From the start of the process to the first frame of a mod", "what", "ms");
    table.method = "From before the process is started to the end of the first frame in which the mod has moved one of a hundred \
                    entities, on all threads. *Cold* is without a compile cache, *warm* is the second start with one. The median \
                    of several starts, in which the contenders take turns. Native Bevy has nothing to load: it is what a game \
                    takes without mods."
        .to_owned();
    table
}

pub(crate) fn memory() -> Table {
    let mut table = Table::new("memory", "Memory of an idle mod", "what", "KiB");
    table.method = "What a process with many mods that do nothing has more than one with a single mod, for each of them. *Virtual* \
                    are addresses (`VmSize`), most of which are only reserved, so that code needs no checks of bounds; *resident* \
                    is memory (`VmRSS`). The mods are copies of one, compiled when the game starts."
        .to_owned();
    table
}

fn described(name: &str, title: &str, axis: &str, unit: &str, more: &str) -> Table {
    let mut table = Table::new(name, title, axis, unit);
    table.method = format!("{FRAMES}{more}");
    table
}
