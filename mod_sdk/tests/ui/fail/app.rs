use mod_sdk::prelude::*;

#[derive(Component)]
struct Bee;

#[derive(Resource)]
struct Score;

#[derive(Event)]
struct Feast;

fn spawns_a_number(mut commands: Commands) {
    commands.spawn((Bee, 3_u32));
}

fn triggers_a_component(mut commands: Commands) {
    commands.trigger(Bee);
}

fn reads_a_component(_: MessageReader<Bee>) {}

fn later(_: Commands, _: On<Feast>) {}

fn no_event(_: Query<&Bee>) {}

fn on_component(_: On<Bee>) {}

fn on_add_event(_: On<Add, Feast>) {}

fn returns(_: On<Feast>) -> u32 {
    0
}

fn drift() {}

fn is_late(_: Res<Score>) -> bool {
    true
}

fn main() {
    let mut app = App::new();
    app.add_systems(Update, reads_a_component);
    app.add_systems(Update, no_event.run_if(is_late));
    app.add_systems(Update, drift.after("movement"));
    app.add_systems(OnEnter(3), drift);
    app.add_systems(Update, later);
    app.add_observer(later);
    app.add_observer(no_event);
    app.add_observer(on_component);
    app.add_observer(on_add_event);
    app.add_observer(returns);
    app.init_resource::<Score>();
}
