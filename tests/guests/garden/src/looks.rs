//! Queries.

use mod_sdk::prelude::*;

use crate::game::{Ill, Marked, Report, Sign, Tree, Water};

#[derive(Component, Debug)]
#[component(path = "all::sdk::orchard::Bark")]
struct Bark {
    rough: bool,
    years: u64,
}

#[derive(Component)]
#[component(path = "all::sdk::orchard::Grafted")]
struct Grafted {
    onto: Entity,
}

#[derive(Component)]
#[component(path = "all::sdk::orchard::King")]
struct King {
    age: u32,
}

pub(crate) fn add(app: &mut App) {
    app.add_systems(Update, (terms, filters, detect, look_up, only, pairs).chain());
}

type Terms<'a> =
    (Entity, &'a Tree, &'a mut Water, Option<&'a Bark>, Option<&'a mut Sign>, Has<Marked>, Ref<'a, Grafted>, Nested);
type Nested = (Entity, (Has<Ill>, Has<King>));

fn terms(mut rows: Query<Terms, (With<Tree>, Without<Ill>)>, mut report: ResMut<Report>) {
    for (entity, tree, mut water, bark, sign, marked, grafted, (same, (ill, king))) in &mut rows {
        assert_eq!(entity, same);
        let Tree { height, apples } = tree;
        let bark = bark.map_or(0, |bark| if bark.rough { bark.years } else { 1 });
        let text = sign.as_ref().map_or("none", |sign| sign.text.as_str());
        let onto = grafted.onto == entity;
        report.tell(format!("terms: {height} {apples} {} {bark} {text} {marked} {onto} {ill} {king}", water.0));
        if tree.apples > 0 {
            water.0 += 1.0;
            if let Some(mut sign) = sign {
                sign.text.push('!');
            }
        }
    }
}

fn filters(
    with: Query<&Tree, With<Marked>>,
    without: Query<&Tree, (Without<Marked>, Without<Ill>)>,
    either: Query<&Tree, Or<(With<Marked>, With<Ill>)>>,
    added: Query<&Tree, Added<Tree>>,
    changed: Query<&Tree, Changed<Water>>,
    mixed: Query<&Tree, (With<Water>, Or<(Added<Ill>, Changed<Water>)>)>,
    mut report: ResMut<Report>,
) {
    let list = |query: Vec<&Tree>| {
        let mut heights: Vec<_> = query.iter().map(|tree| tree.height as u32).collect();
        heights.sort_unstable();
        format!("{heights:?}")
    };
    report.tell(format!(
        "filters: {} {} {} {} {} {}",
        list(with.iter().collect()),
        list(without.iter().collect()),
        list(either.iter().collect()),
        list(added.iter().collect()),
        list(changed.iter().collect()),
        list(mixed.iter().collect()),
    ));
}

fn detect(
    mut trees: Query<(Mut<Tree>, Option<Ref<Bark>>)>,
    mut signs: Query<Option<Mut<Sign>>, With<King>>,
    mut report: ResMut<Report>,
) {
    for (tree, bark) in &mut trees {
        let bark = bark.map(|bark| (bark.is_added(), bark.is_changed()));
        report.tell(format!("detect: {} {} {} {bark:?}", tree.height, tree.is_added(), tree.is_changed()));
    }
    for sign in signs.iter_mut().flatten() {
        report.tell(format!("detect: sign {} {}", sign.is_added(), sign.is_changed()));
    }
}

fn look_up(
    grafts: Query<&Grafted>,
    trees: Query<(Entity, &Tree), Without<Ill>>,
    mut waters: Query<&mut Water, With<Ill>>,
    mut report: ResMut<Report>,
) {
    for &Grafted { onto } in &grafts {
        let tree = trees.get(onto).map(|(_, tree)| tree.height);
        let water = waters.get_mut(onto).map(|mut water| {
            water.0 += 10.0;
            water.0
        });
        report.tell(format!("look_up: {} {tree:?} {water:?} {}", trees.len(), waters.contains(onto)));
    }
}

fn only(mut kings: Query<&mut King>, one: Option<Single<(Entity, &Tree), With<King>>>, mut report: ResMut<Report>) {
    let found = kings.single().map(|king| king.age).map_err(|error| error.to_string());
    let tree = one.map(|one| one.1.height);
    report.tell(format!("only: {found:?} {tree:?}"));
    if let Ok(mut king) = kings.single_mut() {
        king.age += 1;
    }
}

fn pairs(mut trees: Query<&mut Tree, With<Ill>>, mut report: ResMut<Report>) {
    let mut sums: Vec<_> = trees.iter_combinations().map(|[a, b]| (a.height + b.height) as u32).collect();
    sums.sort_unstable();
    report.tell(format!("pairs: {} {sums:?}", trees.len()));
    let mut pairs = trees.iter_combinations_mut();
    while let Some([mut a, b]) = pairs.fetch_next() {
        a.apples = a.apples.max(b.height as u32);
    }
}
