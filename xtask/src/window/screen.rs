//! A screen that nobody sees: Xvfb, with xdotool as its keyboard and mouse, and ImageMagick as its eyes.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use super::{Running, WindowError, no_output, tool};

const WIDTH: usize = 1280;
const HEIGHT: usize = 720;

/// The screen. It goes away when this is dropped.
pub(super) struct Screen {
    display: String,
    _server: Running,
}

/// What there is to see, three bytes for each point, row by row.
pub(super) struct Picture(Vec<u8>);

impl Picture {
    /// The first point of that colour, from the left and from the top. Renderers do not round alike.
    pub(super) fn first(&self, colour: [u8; 3]) -> Option<(usize, usize)> {
        let is_alike = |point: &[u8]| point.iter().zip(colour).all(|(one, other)| one.abs_diff(other) <= 2);
        let at = self.0.chunks_exact(3).position(is_alike)?;
        Some((at % WIDTH, at / WIDTH))
    }
}

impl Screen {
    /// Starts one, under a number that is free.
    pub(super) fn open() -> Result<Self, WindowError> {
        let size = format!("{WIDTH}x{HEIGHT}x24");
        let server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &size, "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut server = Running(server.map_err(|error| WindowError::Tool("Xvfb", error))?);
        let output = server.0.stdout.take().ok_or_else(|| no_output("Xvfb"))?;
        let mut number = String::new();
        BufReader::new(output).read_line(&mut number).map_err(|error| WindowError::Tool("Xvfb", error))?;
        Ok(Self { display: format!(":{}", number.trim()), _server: server })
    }

    /// Starts a program on it, and keeps what it says.
    pub(super) fn start(&self, command: &mut Command) -> Result<Running, WindowError> {
        let child = command.env("DISPLAY", &self.display).stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
        child.map(Running).map_err(|error| WindowError::Tool("swarm", error))
    }

    /// Gives the window of that name the keyboard: no window manager does.
    pub(super) fn focus(&self, name: &str) -> Result<(), WindowError> {
        self.xdotool(&["search", "--sync", "--name", name, "windowfocus", "sleep", "1"])
    }

    /// Presses a key and lets it go, long enough for the slowest frame to see it.
    pub(super) fn key(&self, key: &str) -> Result<(), WindowError> {
        self.xdotool(&["keydown", key, "sleep", "0.6", "keyup", key, "sleep", "0.6"])
    }

    /// Clicks with the left button.
    pub(super) fn click(&self, x: usize, y: usize) -> Result<(), WindowError> {
        let (x, y) = (x.to_string(), y.to_string());
        self.xdotool(&[
            "mousemove",
            &x,
            &y,
            "sleep",
            "1",
            "mousedown",
            "1",
            "sleep",
            "0.6",
            "mouseup",
            "1",
            "sleep",
            "0.6",
        ])
    }

    /// Turns the wheel there, so many notches towards oneself.
    pub(super) fn scroll(&self, x: usize, y: usize, notches: usize) -> Result<(), WindowError> {
        let (x, y, notches) = (x.to_string(), y.to_string(), notches.to_string());
        self.xdotool(&["mousemove", &x, &y, "sleep", "1", "click", "--delay", "400", "--repeat", &notches, "5"])
    }

    fn xdotool(&self, arguments: &[&str]) -> Result<(), WindowError> {
        tool("xdotool", Command::new("xdotool").args(arguments).env("DISPLAY", &self.display))
    }

    /// Looks at the screen, and keeps what there is to see.
    pub(super) fn picture(&self, file: &Path) -> Result<Picture, WindowError> {
        tool("import", Command::new("import").args(["-window", "root"]).arg(file).env("DISPLAY", &self.display))?;
        let points = Command::new("convert").arg(file).args(["-depth", "8", "rgb:-"]).output();
        points.map(|output| Picture(output.stdout)).map_err(|error| WindowError::Tool("convert", error))
    }
}
