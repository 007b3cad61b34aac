//! Everything that the guide for modders shows.

use mod_sdk::prelude::*;

#[derive(Component, Clone, Copy)]
#[component(path = "orchard::Velocity")]
struct Velocity(Vec3);

#[derive(Component)]
struct Frozen;

#[derive(Resource)]
struct Score {
    points: u64,
}

#[derive(Reflect)]
enum Mood {
    Calm,
    Angry { at: Entity, since: std::time::Duration },
    Busy(Vec<String>, Option<Vec3>),
}

#[derive(Component)]
struct Bee {
    mood: Mood,
    r#type: [u8; 4],
}

#[derive(Serialize, Deserialize)]
#[serde(crate = "mod_sdk::serde")]
struct Offer {
    item: String,
    price: u32,
}

#[mod_main]
fn mod_main(app: &mut App) {
    app.add_systems(Startup, hello)
        .add_systems(Update, (drift, settle).chain())
        .add_systems(Update, (count, scan.after(drift), scan_by_reference.before(settle)))
        .add_systems(FixedUpdate, || info!("a closure"))
        .add_systems(PostUpdate, |bees: Query<&Bee>, mut seen: Local<usize>| *seen += bees.len())
        .add_plugins(more);
}

fn more(app: &mut App) {
    app.add_systems(Last, hello);
}

fn hello() {
    let name = "hello";
    info!("{name}");
    error!("{}", 1);
    warn!("{} {}", 1, 2);
    debug!("debug");
    trace!("trace {name}");
}

fn drift(mut boids: Query<(&mut Transform, &Velocity), Without<Frozen>>, time: Res<Time>) {
    for (mut transform, velocity) in &mut boids {
        transform.translation += velocity.0 * time.delta_secs();
    }
}

fn settle(mut all: Query<(Entity, (&mut Transform, &Bee)), (With<Bee>, Without<Frozen>)>) {
    for (_, (transform, bee)) in &all {
        let _: (&Transform, &Bee) = (transform, bee);
    }
    for (entity, (mut transform, bee)) in all.iter_mut() {
        if let Mood::Angry { at, .. } = &bee.mood
            && *at == entity
        {
            transform.set_if_neq(Transform::from_xyz(0.0, 0.0, f32::from(bee.r#type[0])));
        }
    }
    if let Ok((_, (mut transform, _))) = all.single_mut() {
        transform.look_at(Vec3::ZERO, Vec3::Y);
    }
}

#[export]
pub fn double(x: Vec<f64>) -> Vec<f64> {
    x.into_iter().map(|x| x * 2.0).collect()
}

#[export]
fn sum3(a: u32, b: u64, c: String) -> String {
    format!("{a}{b}{c}")
}

#[export]
fn nothing() {}

#[export]
fn twelve(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8) -> u32 {
    [a, b, c, d, e, f, g, h, i, j, k, l].into_iter().map(u32::from).sum()
}

#[export]
fn haggle(Offer { item, price }: Offer, mut times: u32) -> Offer {
    times += 1;
    Offer { item, price: price / times }
}

#[import]
fn play_sound(name: String, volume: f32) -> bool;

/// Documented, and for others.
#[import]
pub fn stop();

#[import]
pub(crate) fn spot(spot: String) -> Vec3;

fn scan(world: World) {
    for (t, v) in &world.query::<(&Transform, &Velocity)>() {
        let _: (&Transform, &Velocity) = (t, v);
    }
    for entity in &world.query_filtered::<Entity, With<Frozen>>() {
        let t: Option<Transform> = world.get::<Transform>(entity);
        info!("{t:?}");
    }
    let time: Time = world.resource::<Time>();
    let _: Option<Score> = world.get_resource::<Score>();
    info!("{}", time.elapsed_secs());
}

fn scan_by_reference(world: &World, mut n: Local<u32>) {
    *n += world.query::<&Velocity>().len() as u32;
}

fn count(mut n: Local<u32>, mut score: ResMut<Score>) {
    *n += 1;
    score.points += 1;
    if score.points > 10 && play_sound("win".to_owned(), 1.0) && spot("hive".to_owned()).x > 0.0 {
        stop();
    }
}

fn main() {
    assert_eq!(double(vec![1.0]), [2.0]);
    assert_eq!(sum3(1, 2, "3".to_owned()), "123");
    assert_eq!(twelve(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 12);
    assert_eq!(haggle(Offer { item: String::new(), price: 4 }, 1).price, 2);
    let description = mod_sdk::testing::describe(mod_main);
    assert_eq!(description.systems.len(), 9);
    let _ = Mood::Calm;
    let _ = |x, y| Mood::Busy(x, y);
    let panic = std::panic::catch_unwind(|| stop()).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.starts_with("`stop` is provided by the game and cannot be called in a native build"), "{text}");
    let _spot = mod_sdk::testing::replace(spot, |spot: String| Vec3::X * spot.len() as f32);
    assert_eq!(spot("hive".to_owned()), Vec3::X * 4.0);
}
