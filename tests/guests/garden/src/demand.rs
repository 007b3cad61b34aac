//! The World on demand.

use mod_sdk::prelude::*;

use crate::game::{Ill, Marked, Report, Sign, Soil, Tree};

#[derive(Component)]
#[component(path = "all::sdk::orchard::King")]
struct King {
    age: u32,
}

#[derive(Resource)]
#[resource(path = "all::fixtures::Score")]
struct Score {
    points: u64,
}

#[derive(Resource)]
#[resource(define)]
struct Told {
    lines: Vec<String>,
}

/// A system that reads the World can write nothing, so it leaves the report to another one.
pub(crate) fn add(app: &mut App) {
    app.insert_resource(Told { lines: Vec::new() }).add_systems(PostUpdate, (ask, pass_on).chain());
}

fn ask(world: &World, mut commands: Commands) {
    let mut heights: Vec<_> =
        world.query_filtered::<&Tree, (With<Marked>, Without<Ill>)>().iter().map(|tree| tree.height as u32).collect();
    heights.sort_unstable();
    let rows = world.query::<(Entity, &Tree, Option<&Sign>, Has<Ill>)>();
    let mut lines = vec![format!(
        "demand: {heights:?} {} {} {} {:?}",
        world.count::<&Tree>(),
        world.count_filtered::<Entity, Or<(With<Marked>, With<Ill>)>>(),
        world.resource::<Soil>().depth > 0,
        world.get_resource::<Score>().map(|score| score.points),
    )];
    for (entity, king) in &world.query::<(Entity, &King)>() {
        let sign = world.get::<Sign>(entity).map(|sign| sign.text);
        let gone = world.contains(Entity::PLACEHOLDER);
        lines.push(format!("demand: king {} {sign:?} {} {gone}", king.age, world.contains(entity)));
    }
    lines.push(format!("demand: {} ill", rows.iter().filter(|(_, _, _, ill)| *ill).count()));
    commands.insert_resource(Told { lines });
}

fn pass_on(mut told: ResMut<Told>, mut report: ResMut<Report>) {
    told.lines.drain(..).for_each(|line| report.tell(line));
}
