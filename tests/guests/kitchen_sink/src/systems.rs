//! A system for each kind of column.

use mod_sdk::prelude::*;

/// Used in place.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(path = "all::fixtures::Health")]
struct Health {
    value: f32,
}

/// Of varying size.
#[derive(Component, Debug, PartialEq)]
#[component(path = "all::fixtures::Lettering")]
struct Lettering {
    text: String,
    tags: Vec<String>,
}

/// Of fixed size, but with gaps.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[component(path = "all::fixtures::Mixed")]
struct Mixed {
    flag: bool,
    level: u8,
    weight: f64,
}

#[derive(Resource, Debug, PartialEq)]
#[resource(path = "all::fixtures::Score")]
struct Score {
    points: u64,
}

pub(crate) fn add(app: &mut App) {
    app.add_systems(Update, (heal, rename, raise_every_second, score).chain());
}

/// Entities with a label are well already.
fn heal(mut patients: Query<&mut Health, (With<Mixed>, Without<Lettering>)>) {
    for mut health in &mut patients {
        health.value += 1.0;
    }
}

fn rename(mut labels: Query<(Entity, &mut Lettering)>) {
    for (entity, mut label) in &mut labels {
        if label.text.len() < 100 {
            label.text.push_str(", renamed by a mod");
            label.tags.push(entity.to_string());
        }
    }
}

fn raise_every_second(mut rows: Query<&mut Mixed>) {
    for mut row in rows.iter_mut().skip(1).step_by(2) {
        row.level = row.level.wrapping_add(1);
        row.flag = !row.flag;
        row.weight *= 2.0;
    }
}

fn score(mut score: ResMut<Score>, mut runs: Local<u64>) {
    *runs += 1;
    score.points += *runs;
}

#[cfg(test)]
mod tests {
    use mod_sdk::testing::{SystemTest, TestRows};

    use super::*;

    #[test]
    fn every_kind_of_column_goes_back() {
        let mut test = SystemTest::new(heal).query(TestRows::default().column([Health { value: 1.0 }]));
        test.run();
        assert_eq!(test.changed::<Health>(0, 0), [(0, Health { value: 2.0 })]);

        let label = Lettering { text: "Maja".to_owned(), tags: Vec::new() };
        let bits = 0xffff_fffa;
        let rows = TestRows::default().column([Entity::from_bits(bits)]).column([label]);
        let mut test = SystemTest::new(rename).query(rows);
        test.run();
        let label = Lettering { text: "Maja, renamed by a mod".to_owned(), tags: vec!["5v0".to_owned()] };
        assert_eq!(test.changed::<Lettering>(0, 1), [(0, label)]);

        let mixed = Mixed { flag: false, level: 255, weight: 0.5 };
        let mut test = SystemTest::new(raise_every_second).query(TestRows::default().column([mixed; 3]));
        test.run();
        assert_eq!(test.changed::<Mixed>(0, 0), [(1, Mixed { flag: true, level: 0, weight: 1.0 })]);

        let mut test = SystemTest::new(score).resource(Score { points: 10 });
        test.run();
        test.run();
        assert_eq!(test.changed::<Score>(0, 0), [(0, Score { points: 13 })]);
    }
}
