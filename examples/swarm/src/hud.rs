//! What stands in the corners: the game's name, its figures, its mods with their keys, and the last fault.
//!
//! The rows of mods are made anew four times a second, because mods come and go.

use std::time::Duration;

use bevy::{
    diagnostic::{DiagnosticsStore, FrameTimeDiagnosticsPlugin},
    prelude::{
        AlignItems, App, BackgroundColor, BorderRadius, ButtonInput, ChildSpawnerCommands, Children, Color, Commands,
        Component, Display, Entity, FlexDirection, FontSize, IntoScheduleConfigs, KeyCode, MessageReader, Node,
        PositionType, Query, Res, ResMut, Resource, Single, Startup, Text, TextColor, TextFont, UiRect, Update, Val,
        Visibility, With, Without, default,
    },
    time::common_conditions::on_timer,
};
use bevy_wasm_mods::prelude::{ModDiagnostics, ModEvent, ModInfo, ModRegistry, ModState};

use crate::{
    arena::{Creature, Danger},
    switches,
};

const BRIGHT: Color = Color::srgb(0.90, 0.95, 0.98);
const PLAIN: Color = Color::srgb(0.66, 0.75, 0.82);
const FAINT: Color = Color::srgb(0.42, 0.51, 0.60);
const RUNS: Color = Color::srgb(0.36, 0.87, 0.66);
const WAITS: Color = Color::srgb(0.98, 0.78, 0.36);
const FAILED: Color = Color::srgb(1.0, 0.42, 0.42);
const PANEL: Color = Color::srgba(0.01, 0.022, 0.045, 0.80);
const KEYS: &str =
    "1-9  switch a mod        mouse  stir, hold to pull        H  hide this        F10  mods        Esc  leave";

/// Adds the panels.
pub(crate) fn plugin(app: &mut App) {
    app.init_resource::<LastFault>()
        .add_systems(Startup, build)
        .add_systems(Update, (note_faults, show.run_if(on_timer(Duration::from_millis(250))), hide).chain());
}

/// What stands in the lower corner.
#[derive(Resource, Default)]
struct LastFault(String);

/// The panels, which H hides.
#[derive(Component)]
struct Panel;

#[derive(Component)]
struct Figures;

#[derive(Component)]
struct Rows;

#[derive(Component)]
struct FaultPanel;

#[derive(Component)]
struct FaultLine;

fn text(text: impl Into<String>, size: f32, color: Color) -> (Text, TextFont, TextColor) {
    (Text::new(text), TextFont { font_size: FontSize::Px(size), ..default() }, TextColor(color))
}

fn build(mut commands: Commands) {
    let panel = |node: Node| {
        let node = Node { position_type: PositionType::Absolute, padding: UiRect::all(Val::Px(14.0)), ..node };
        let node =
            Node { border_radius: BorderRadius::all(Val::Px(10.0)), flex_direction: FlexDirection::Column, ..node };
        (Panel, node, BackgroundColor(PANEL))
    };
    let near = Val::Px(16.0);
    commands.spawn(panel(Node { left: near, top: near, width: Val::Px(330.0), ..default() })).with_children(|panel| {
        panel.spawn(text("SWARM", 26.0, BRIGHT));
        panel.spawn((Figures, text("", 13.0, PLAIN)));
        panel.spawn((
            Rows,
            Node {
                flex_direction: FlexDirection::Column,
                margin: UiRect::top(Val::Px(10.0)),
                row_gap: Val::Px(3.0),
                ..default()
            },
        ));
    });
    let fault =
        Node { left: near, bottom: Val::Px(56.0), max_width: Val::Percent(97.0), display: Display::None, ..default() };
    commands.spawn(panel(fault)).insert(FaultPanel).with_children(|panel| {
        panel.spawn((FaultLine, text("", 12.0, FAILED)));
    });
    let keys = Node { left: Val::Px(18.0), bottom: near, position_type: PositionType::Absolute, ..default() };
    commands.spawn((Panel, keys)).with_children(|panel| {
        panel.spawn(text(KEYS, 13.0, FAINT));
    });
}

fn note_faults(mut events: MessageReader<ModEvent>, mut last: ResMut<LastFault>) {
    for event in events.read() {
        if let ModEvent::Failed { fault, .. } = event {
            last.0 = fault.to_string();
        }
    }
}

fn hide(keys: Res<ButtonInput<KeyCode>>, mut panels: Query<&mut Visibility, With<Panel>>) {
    if keys.just_pressed(KeyCode::KeyH) {
        panels.iter_mut().for_each(|mut panel| panel.toggle_visible_hidden());
    }
}

fn show(
    mut figures: Single<&mut Text, (With<Figures>, Without<FaultLine>)>,
    mut fault_line: Single<&mut Text, With<FaultLine>>,
    mut fault_panel: Single<&mut Node, With<FaultPanel>>,
    rows: Single<Entity, With<Rows>>,
    (mods, diagnostics, last): (Res<ModRegistry>, Res<DiagnosticsStore>, Res<LastFault>),
    creatures: Query<(), (With<Creature>, Without<Danger>)>,
    mut commands: Commands,
) {
    let mean = |path| diagnostics.get(&path).and_then(|diagnostic| diagnostic.average()).unwrap_or_default();
    let all: f64 = mods.iter().map(|info| mean(ModDiagnostics::time(&info.id))).sum();
    let frames = mean(FrameTimeDiagnosticsPlugin::FPS);
    figures.0 = format!("{} creatures  {frames:.0} fps  mods {all:.2} ms", creatures.iter().count());
    if fault_line.0 != last.0 {
        fault_line.0.clone_from(&last.0);
        fault_panel.display = Display::Flex;
    }
    commands.entity(*rows).despawn_related::<Children>().with_children(|rows| {
        for (key, id) in switches::keyed(&mods).iter().enumerate() {
            if let Some(info) = mods.iter().find(|info| *info.id == **id) {
                row(rows, key + 1, &info, mean(ModDiagnostics::time(id)));
            }
        }
    });
}

/// A light, the key, the id and what the mod does.
fn row(rows: &mut ChildSpawnerCommands, key: usize, info: &ModInfo, milliseconds: f64) {
    let (light, state) = match &info.state {
        ModState::Running => (RUNS, format!("{milliseconds:.2} ms")),
        ModState::Disabled => (FAINT, "off".to_owned()),
        ModState::Restarting(_) => (WAITS, "again".to_owned()),
        ModState::Failed(_) | ModState::Undecided(_) => (FAILED, "stopped".to_owned()),
        _ => (WAITS, "loading".to_owned()),
    };
    let color = if matches!(info.state, ModState::Disabled) { FAINT } else { PLAIN };
    let key = if key < 10 { key.to_string() } else { " ".to_owned() };
    rows.spawn(Node { align_items: AlignItems::Center, column_gap: Val::Px(9.0), ..default() }).with_children(|row| {
        let round = BorderRadius::all(Val::Px(4.0));
        row.spawn((
            Node { width: Val::Px(8.0), height: Val::Px(8.0), border_radius: round, ..default() },
            BackgroundColor(light),
        ));
        row.spawn(text(key, 13.0, FAINT));
        let name = Node { width: Val::Px(158.0), ..default() };
        row.spawn((text(&*info.id, 13.0, color), name));
        row.spawn(text(state, 13.0, if light == RUNS { PLAIN } else { light }));
    });
}
