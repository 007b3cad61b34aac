//! The end of a game with `--frames`: a picture of the last frame, and what the frames took.

use std::path::PathBuf;

use bevy::{
    app::AppExit,
    diagnostic::{DiagnosticsStore, FrameTimeDiagnosticsPlugin},
    prelude::{App, Commands, Local, MessageWriter, On, Query, Res, Update, With, Without, info},
    render::view::screenshot::{Screenshot, ScreenshotCaptured, save_to_disk},
};
use bevy_wasm_mods::prelude::{ModDiagnostics, ModRegistry};

use crate::arena::{Creature, Danger};

/// Ends the game after so many frames. The picture is written before.
pub(crate) fn plugin(frames: u32, screenshot: Option<PathBuf>) -> impl Fn(&mut App) {
    move |app| {
        let screenshot = screenshot.clone();
        let end = move |mut frame: Local<u32>, mut commands: Commands, mut exit: MessageWriter<AppExit>| {
            *frame += 1;
            if *frame != frames {
                return;
            }
            let Some(path) = screenshot.clone() else {
                exit.write(AppExit::Success);
                return;
            };
            let mut save = save_to_disk(path);
            let save_and_leave = move |shot: On<ScreenshotCaptured>, mut exit: MessageWriter<AppExit>| {
                save(shot);
                exit.write(AppExit::Success);
            };
            commands.spawn(Screenshot::primary_window()).observe(save_and_leave);
        };
        let told = move |mut frame: Local<u32>,
                         diagnostics: Res<DiagnosticsStore>,
                         mods: Res<ModRegistry>,
                         creatures: Query<(), (With<Creature>, Without<Danger>)>| {
            *frame += 1;
            if *frame == frames {
                info!("{} creatures; {}", creatures.iter().count(), figures(&diagnostics, &mods));
            }
        };
        app.add_systems(Update, (told, end));
    }
}

/// The mean of the last frames: of all, and of each mod.
fn figures(diagnostics: &DiagnosticsStore, mods: &ModRegistry) -> String {
    let mean = |path| diagnostics.get(&path).and_then(|diagnostic| diagnostic.average()).unwrap_or_default();
    let mut text = format!("a frame takes {:.2} ms", mean(FrameTimeDiagnosticsPlugin::FRAME_TIME));
    for info in mods.iter() {
        // The mean of nothing is a little off, to either side.
        text.push_str(&format!(", {} {:.3} ms", info.id, mean(ModDiagnostics::time(&info.id)).max(0.0)));
    }
    text
}
