//! Plays the showcase in a real window and works the panel of mods as a player does: by key and by mouse.
//!
//! The window is on a screen of its own (Xvfb), drawn by whatever Vulkan there is, Mesa's software renderer too. The screen is read to
//! find what to click, and the game's log says what became of it. Each step waits for its line of the log, or fails.

mod screen;

use std::{
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use self::screen::Screen;

/// How long a step may take. A software renderer draws a few frames in a second, and the first are the slowest.
const PATIENCE: Duration = Duration::from_secs(120);
/// The colour of a switch that is on, as `src/overlay/theme.rs` has it.
const SWITCH: [u8; 3] = [51, 128, 97];

/// Why the window was not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WindowError {
    /// A program is missing, or could not do its work.
    #[error(
        "`{0}` cannot be run: {1}; on Debian, `apt-get install xvfb mesa-vulkan-drivers libxkbcommon-x11-0 libxcursor1 libxi6 \
         libxrandr2 imagemagick xdotool` brings what is needed"
    )]
    Tool(&'static str, io::Error),
    /// A program ended with an error.
    #[error("`{0}` ended with {1}")]
    Failed(&'static str, ExitStatus),
    /// A folder could not be made.
    #[error("{0}: {1}")]
    Folder(PathBuf, io::Error),
    /// The screen does not show what it should.
    #[error("{what}; the screen is in {}", picture.display())]
    Screen {
        /// What is missing.
        what: &'static str,
        /// What there was to see.
        picture: PathBuf,
    },
    /// The log never told it.
    #[error("the game's log never said `{wanted}`; its last lines were\n{last}")]
    Silent {
        /// The line that was waited for.
        wanted: String,
        /// What it said instead.
        last: String,
    },
}

/// A program that ends when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the game says.
struct Log {
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Log {
    /// Follows what a program writes.
    fn of(output: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { lines, seen: Vec::new() }
    }

    /// Waits for a line that has all of these parts.
    fn wait(&mut self, parts: &[&str]) -> Result<String, WindowError> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if parts.iter().all(|part| line.contains(part)) {
                        return Ok(line);
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let from = self.seen.len().saturating_sub(20);
                    let last = self.seen.get(from..).unwrap_or_default().join("\n");
                    return Err(WindowError::Silent { wanted: parts.join(" .. "), last });
                }
            }
        }
    }
}

/// Builds the showcase and goes through all steps. Returns a line for each.
pub(crate) fn run(root: &Path) -> Result<Vec<String>, WindowError> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    let pictures = target.join("window");
    std::fs::create_dir_all(&pictures).map_err(|error| WindowError::Folder(pictures.clone(), error))?;
    tool("cargo", Command::new("cargo").args(["build", "--release", "-p", "swarm"]).current_dir(root))?;
    let screen = Screen::open()?;
    let mut game = screen.start(
        Command::new(target.join("release/swarm"))
            .env("BEVY_ASSET_ROOT", root.join("examples/swarm"))
            // What mods are told to do is at the level of info.
            .env("RUST_LOG", "info,wgpu=warn,naga=warn")
            .env("NO_COLOR", "1")
            .current_dir(&pictures),
    )?;
    let mut log = Log::of(game.0.stderr.take().ok_or_else(|| no_output("swarm"))?);
    play(&screen, &mut log, &pictures)
}

fn no_output(program: &'static str) -> WindowError {
    WindowError::Tool(program, io::Error::other("it has no output"))
}

/// Opens the panel, switches a mod off and on by mouse and by key, and has a villain stopped.
fn play(screen: &Screen, log: &mut Log, pictures: &Path) -> Result<Vec<String>, WindowError> {
    let mut done = Vec::new();
    log.wait(&["swarm_flock", "loaded"])?;
    log.wait(&["swarm_weather", "loaded"])?;
    screen.focus("Swarm")?;
    let closed = screen.picture(&pictures.join("closed.png"))?;
    screen.key("F10")?;
    thread::sleep(Duration::from_secs(3));
    let open = screen.picture(&pictures.join("open.png"))?;
    let missing = |what, picture: &str| WindowError::Screen { what, picture: pictures.join(picture) };
    let (x, y) = open.first(SWITCH).ok_or_else(|| missing("F10 shows no switch that is on", "open.png"))?;
    if closed.first(SWITCH).is_some() {
        return Err(missing("there is a switch before the panel is opened", "closed.png"));
    }
    done.push(format!("F10 opens the panel, with a switch at {x}, {y}"));

    screen.click(x + 6, y + 6)?;
    let line = log.wait(&[": disabled"])?;
    done.push(format!("a click switches a mod off: {}", said(&line)));
    screen.key("Return")?;
    let line = log.wait(&[": loaded"])?;
    done.push(format!("Enter switches it on again: {}", said(&line)));
    screen.key("Right")?;
    screen.key("F10")?;
    let villains =
        [("1", "villain_panics", "panicked"), ("2", "villain_loops", "longer than"), ("3", "villain_eats", "memory")];
    for (key, villain, fate) in villains {
        screen.key(key)?;
        let line = log.wait(&["ERROR", villain, fate])?;
        done.push(format!("the villain of the key {key} is stopped: {}", said(&line)));
    }
    screen.key("F10")?;
    thread::sleep(Duration::from_secs(3));
    let before = screen.picture(&pictures.join("panel_above.png"))?;
    screen.scroll(x, y + 300, 12)?;
    thread::sleep(Duration::from_secs(3));
    if screen.picture(&pictures.join("panel.png"))?.first(SWITCH) == before.first(SWITCH) {
        return Err(missing("the wheel does not scroll the panel", "panel.png"));
    }
    done.push("the wheel scrolls".to_owned());
    done.push(format!("pictures are in {}", pictures.display()));
    Ok(done)
}

/// A line of the log without its time and level.
fn said(line: &str) -> &str {
    line.split_once(": ").map_or(line, |(_, rest)| rest)
}

/// Runs a program to its end.
fn tool(name: &'static str, command: &mut Command) -> Result<(), WindowError> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| WindowError::Tool(name, error))?;
    if status.success() { Ok(()) } else { Err(WindowError::Failed(name, status)) }
}
