//! Which mods run together, in which order they come and their systems stand, and what becomes of those that do not fit.

use std::fs;

use bevy::prelude::{Event, Reflect, ReflectEvent, default};
use bevy_wasm_mods::{
    GameIdentity, Version,
    prelude::{ModRegistry, ModSettings, ModState},
};
use mod_abi::{
    Dependency, DependencyKind, GameRequirement,
    command::Command,
    describe::{EventDesc, ParamDesc},
};

use crate::{
    fixtures::{Health, Score},
    support::{Game, Mod, resource, value, with_mods},
};

fn game(mods: &[(&str, Mod)]) -> Game {
    game_with(mods, ModSettings::default())
}

fn game_with(mods: &[(&str, Mod)], settings: ModSettings) -> Game {
    let mods: Vec<(&str, Vec<u8>)> = mods.iter().map(|(name, of)| (*name, of.build())).collect();
    let mods: Vec<(&str, &[u8])> = mods.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let mut game = Game::with_settings(&mods, settings);
    game.app.insert_resource(Score::default());
    game
}

/// Runs frames until so much has happened, and a few more.
#[track_caller]
fn until_story(game: &mut Game, expected: &[&str]) {
    game.until(&format!("{expected:?}"), |game| game.story().len() >= expected.len());
    game.frames(5);
    assert_eq!(game.story(), expected);
}

/// The faults, without what stands before the sentence.
fn sentences(game: &Game) -> Vec<String> {
    game.faults().iter().map(|fault| fault.cause.to_string()).collect()
}

fn state(game: &Game, id: &str) -> String {
    format!("{:?}", game.app.world().resource::<ModRegistry>().state(id))
}

#[test]
fn mods_come_after_those_that_they_need() {
    let mut game = game(&[
        ("1.wasm", Mod::new("apiary").needs("hive", Some("^1"))),
        ("2.wasm", Mod::new("hive").needs("wood", None)),
        ("3.wasm", Mod::new("wood")),
        ("4.wasm", Mod::new("bells").says(|bells| bells.load_after.push("hive".to_owned()))),
    ]);
    until_story(&mut game, &["loaded wood", "loaded hive", "loaded bells", "loaded apiary"]);
    let order: Vec<String> = game.app.world().resource::<ModRegistry>().load_order().map(ToOwned::to_owned).collect();
    assert_eq!(order, ["wood", "hive", "bells", "apiary"]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let for_game = |api: &str| GameRequirement { id: "orchard".to_owned(), api: Some(api.to_owned()) };
    let dislikes = Dependency::new(DependencyKind::Incompatible, "fine", None);
    let settings =
        ModSettings { game: Some(GameIdentity { id: "orchard".to_owned(), api: Version::new(0, 3, 1) }), ..default() };
    let mods = [
        ("1.wasm", Mod::new("lonely").needs("nobody", None)),
        ("2.wasm", Mod::new("new").says(|new| new.game = Some(for_game("^0.4")))),
        ("3.wasm", Mod::new("sour").says(|sour| sour.dependencies.push(dislikes))),
        ("4.wasm", Mod::new("fine").says(|fine| fine.game = Some(for_game("^0.3")))),
        ("5.wasm", Mod::new("fine").says(|fine| fine.version = "1.0.0".to_owned())),
        ("6.wasm", Mod::new("chicken").needs("egg", None)),
        ("7.wasm", Mod::new("egg").needs("chicken", None)),
    ];
    let mut game = game_with(&mods, settings);
    until_story(
        &mut game,
        &["failed lonely", "failed new", "failed sour", "failed fine", "failed chicken", "failed egg", "loaded fine"],
    );
    for (sentence, expected) in sentences(&game).iter().zip([
        "`lonely` needs `nobody`, which is not there: put it into the mod folder, or disable `lonely`",
        "needs the mod API of `orchard` 0.4.x, and this is 0.3.1",
        "`sour` does not work with `fine` 1.2.3, so `sour` does not run",
        "`fine` 1.0.0 (mods/5.wasm) is the same mod as `fine` 1.2.3 (mods/4.wasm), which is used",
        "`chicken` -> `egg` -> `chicken` need one another in a circle",
    ]) {
        assert!(sentence.contains(expected), "{sentence}");
    }
    let problems = game.app.world().resource::<ModRegistry>().problems().len();
    assert_eq!(problems, 5, "the circle is one");
    // Another game is another answer.
    game.app.world_mut().resource_mut::<ModSettings>().game = None;
    game.until_told("loaded new");
}

#[test]
fn mods_that_come_together_in_play_are_looked_at_together() {
    let mut game = game(&[]);
    game.frames(5);
    game.write("a.wasm", &Mod::new("user").needs("tool", None).build());
    game.write("b.wasm", &Mod::new("tool").build());
    until_story(&mut game, &["loaded tool", "loaded user"]);
}

#[test]
fn a_mod_comes_and_goes_with_what_it_needs() {
    let mut game = game(&[("a.wasm", Mod::new("user").needs("tool", Some(">=1.2")))]);
    until_story(&mut game, &["failed user"]);
    game.write("b.wasm", &Mod::new("tool").build());
    until_story(&mut game, &["failed user", "loaded tool", "loaded user"]);
    fs::remove_file(game.path("b.wasm")).expect("it is there");
    until_story(&mut game, &["failed user", "loaded tool", "loaded user", "unloaded tool", "failed user"]);
    assert!(sentences(&game)[1].contains("`user` needs `tool` >=1.2, which is not there"), "{:?}", sentences(&game));
    game.write("b.wasm", &Mod::new("tool").build());
    game.until("both again", |game| game.story().len() == 7);
    assert_eq!(game.story()[5..], ["loaded tool", "loaded user"]);
}

#[test]
fn a_new_version_that_does_not_fit_does_not_take_over() {
    let mut game = game(&[("a.wasm", Mod::new("user"))]);
    until_story(&mut game, &["loaded user"]);
    game.write("a.wasm", &Mod::new("user").needs("tool", None).says(|user| user.version = "2.0.0".to_owned()).build());
    until_story(&mut game, &["loaded user", "failed user"]);
    assert_eq!(state(&game, "user"), "Some(Running)");
    // What goes on is still the old one, so the problem is gone as well.
    assert!(game.app.world().resource::<ModRegistry>().problems().is_empty());
    game.write("b.wasm", &Mod::new("rival").needs("user", Some("^1")).build());
    until_story(&mut game, &["loaded user", "failed user", "loaded rival"]);
}

#[test]
fn switching_a_mod_off_stops_those_that_need_it() {
    let mut game = game(&[("a.wasm", Mod::new("user").needs("tool", None)), ("b.wasm", Mod::new("tool"))]);
    until_story(&mut game, &["loaded tool", "loaded user"]);
    with_mods(&mut game, |mut mods| mods.disable("tool")).expect("it is there");
    until_story(&mut game, &["loaded tool", "loaded user", "disabled tool", "failed user"]);
    assert_eq!(sentences(&game), ["`user` needs `tool`, which is disabled: enable `tool`, or disable `user`"]);
    with_mods(&mut game, |mut mods| mods.enable("tool")).expect("it is there");
    game.until("both again", |game| game.story().len() == 6);
    assert_eq!(game.story()[4..], ["loaded tool", "loaded user"]);
}

#[test]
fn a_mod_waits_for_one_that_it_needs_and_that_cannot_start() {
    let broken = Mod::new("tool").system("start", "Startup", vec![]).run("unreachable");
    let mut game = game(&[("a.wasm", Mod::new("user").needs("tool", None)), ("b.wasm", broken)]);
    until_story(&mut game, &["failed tool"]);
    assert_eq!(state(&game, "user"), r#"Some(Waiting { mods: ["tool"] })"#);
    assert!(game.app.world().resource::<ModRegistry>().all_settled());
    game.write("b.wasm", &Mod::new("tool").build());
    until_story(&mut game, &["failed tool", "loaded tool", "loaded user"]);
}

#[test]
fn a_mod_that_fails_while_it_runs_takes_no_other_along() {
    // On a busy machine the two come in different frames; one that fails before the other is there would keep it waiting.
    let mut tool = Mod::new("tool");
    let score = tool.ty("Score", "{points:u64}");
    let tool = tool.system("fail", "Update", vec![resource(score, false)]).run("unreachable");
    let mut game = game(&[("a.wasm", Mod::new("user").needs("tool", None)), ("b.wasm", tool)]);
    game.app.world_mut().remove_resource::<Score>();
    until_story(&mut game, &["loaded tool", "loaded user"]);
    game.app.insert_resource(Score::default());
    until_story(&mut game, &["loaded tool", "loaded user", "failed tool"]);
    assert_eq!(state(&game, "user"), "Some(Running)");
}

/// A mod that writes a digit behind the score in each frame.
fn digit(id: &str, digit: u32) -> Mod {
    let mut one = Mod::new(id);
    let score = one.ty("Score", "{points:u64}");
    one.system("add", "Update", vec![resource(score, true)]).run(&format!(
        "(i64.store (local.get $data) (i64.add (i64.const {digit}) (i64.mul (i64.const 10) (i64.load (local.get $data)))))
         (i64.store (local.get $dirty) (i64.const 1))"
    ))
}

/// The digits that one frame writes.
fn one_frame(game: &mut Game) -> u64 {
    game.app.insert_resource(Score::default());
    game.frame();
    game.app.world().resource::<Score>().points
}

#[test]
fn systems_stand_in_the_load_order() {
    let mut game = game(&[("1.wasm", digit("c", 3)), ("2.wasm", digit("d", 4)), ("3.wasm", digit("b", 2))]);
    until_story(&mut game, &["loaded b", "loaded c", "loaded d"]);
    assert_eq!(one_frame(&mut game), 234);
    // One that comes later has its place among the others.
    game.write("4.wasm", &digit("a", 1).says(|a| a.load_after.push("b".to_owned())).build());
    game.until_told("loaded a");
    assert_eq!(one_frame(&mut game), 2134, "depth counts before the id, and a wish before both");
    // The same systems with another wish.
    let wish = |a: &mut mod_abi::Identity| a.load_after.extend(["c".to_owned(), "d".to_owned()]);
    game.write("4.wasm", &digit("a", 1).says(wish).build());
    game.until_told("reloaded a");
    assert_eq!(one_frame(&mut game), 2341);
    with_mods(&mut game, |mut mods| mods.disable("c")).expect("it is there");
    game.until_told("disabled c");
    assert_eq!(one_frame(&mut game), 241);
}

#[test]
fn systems_of_one_mod_stand_as_it_adds_them() {
    let mut all = Mod::new("all");
    let score = all.ty("Score", "{points:u64}");
    for n in 0..8 {
        all = all.system(&format!("add_{n}"), "Update", vec![resource(score, true)]);
    }
    let all = all.run(
        "(i64.store (local.get $data) (i64.add (i64.extend_i32_u (local.get $system))
            (i64.mul (i64.const 10) (i64.load (local.get $data)))))
         (i64.store (local.get $dirty) (i64.const 1))",
    );
    let mut game = game(&[("all.wasm", all)]);
    game.until_told("loaded all");
    for _ in 0..20 {
        assert_eq!(one_frame(&mut game), 1_234_567);
    }
}

/// What all mods hear of.
#[derive(Event, Reflect)]
#[reflect(Event)]
struct Bell {
    rings: u64,
}

#[test]
fn observers_are_woken_in_the_load_order() {
    let listener = |id: &str, digit: u32| {
        let mut one = Mod::new(id);
        let (bell, score) = (one.ty("all::load_order::Bell", "{rings:u64}"), one.ty("Score", "{points:u64}"));
        let write = crate::support::add_to_score(
            1,
            &format!("(i64.add (i64.const {digit}) (i64.mul (i64.const 9) (i64.load (local.get $data))))"),
        );
        one.observer("hear", EventDesc::Event(bell), vec![resource(score, true)]).run(&write)
    };
    let mut game = game(&[("1.wasm", listener("m", 2)), ("2.wasm", listener("z", 3))]);
    game.app.register_type::<Bell>();
    until_story(&mut game, &["loaded m", "loaded z"]);
    game.write("3.wasm", &listener("a", 1).build());
    game.until_told("loaded a");
    let ring = |game: &mut Game| {
        game.app.insert_resource(Score::default());
        game.app.world_mut().trigger(Bell { rings: 1 });
        game.app.world().resource::<Score>().points
    };
    assert_eq!(ring(&mut game), 123);
    // A wish of the one that comes first is heard without a change of its observers.
    game.write("3.wasm", &listener("a", 1).says(|a| a.load_after.push("z".to_owned())).build());
    game.until_told("reloaded a");
    assert_eq!(ring(&mut game), 231);
}

/// A mod that leaves one command in each frame: the health of that entity.
fn surgeon(id: &str, patient: u64, health: f32) -> Mod {
    let mut one = Mod::new(id);
    let ty = one.ty("Health", "{value:f32}");
    let value = value(ty, &health.to_le_bytes()).bytes.to_vec();
    let components = vec![crate::support::value(ty, &value)];
    one.system("operate", "Update", vec![ParamDesc::Commands])
        .leaves(0, &[Command::Insert { entity: patient, components }])
}

#[test]
fn commands_are_carried_out_in_the_load_order() {
    let mut game = game(&[]);
    let patient = game.app.world_mut().spawn(Health { value: 0.0 }).id();
    game.frames(3);
    let health = |game: &Game| game.app.world().get::<Health>(patient).map(|health| health.value);
    for (file, id, value) in [("1.wasm", "m", 1.0), ("2.wasm", "z", 2.0), ("3.wasm", "a", 3.0), ("4.wasm", "n", 4.0)] {
        game.write(file, &surgeon(id, patient.to_bits(), value).build());
        game.until_told(&format!("loaded {id}"));
    }
    for _ in 0..20 {
        game.frame();
        assert_eq!(health(&game), Some(2.0), "that of the last one, z");
    }
    with_mods(&mut game, |mut mods| mods.disable("z")).expect("it is there");
    game.until_told("disabled z");
    game.frames(2);
    assert_eq!(health(&game), Some(4.0), "that of n");
}

#[test]
fn a_mod_that_is_not_there_is_no_reason_to_wait_for_ever() {
    let mut game = game(&[("a.wasm", Mod::new("user").says(|user| user.load_after.push("nobody".to_owned())))]);
    until_story(&mut game, &["loaded user"]);
    assert!(matches!(game.app.world().resource::<ModRegistry>().state("user"), Some(ModState::Running)));
}

#[test]
fn what_is_switched_off_stays_so_in_the_next_game() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("player/mods.toml");
    let settings = || ModSettings { list: Some(path.clone()), ..default() };
    let mods = || [("a.wasm", Mod::new("user").needs("tool", None)), ("b.wasm", Mod::new("tool"))];
    let mut first = game_with(&mods(), settings());
    until_story(&mut first, &["loaded tool", "loaded user"]);
    with_mods(&mut first, |mut mods| mods.disable("tool")).expect("it is there");
    first.until_told("disabled tool");
    drop(first);
    let text = fs::read_to_string(&path).expect("it is saved");
    assert_eq!(text, "[mods.tool]\nenabled = false\n");
    fs::write(&path, format!("# what I like\n{text}\n[mods.elsewhere]\nenabled = false\ncolour = \"red\"\n"))
        .expect("it can be written");

    let mut second = game_with(&mods(), settings());
    until_story(&mut second, &["failed user"]);
    assert_eq!(state(&second, "tool"), "Some(Disabled)");
    with_mods(&mut second, |mut mods| mods.enable("tool")).expect("it is known");
    second.until_told("loaded user");
    drop(second);
    let text = fs::read_to_string(&path).expect("it is saved");
    assert!(text.starts_with("# what I like\n[mods.tool]\nenabled = true\n"), "{text}");
    assert!(text.contains("[mods.elsewhere]\nenabled = false\ncolour = \"red\"\n"), "{text}");
}

#[test]
fn a_menu_knows_what_mods_say_of_themselves() {
    let about = |what: &'static str| {
        move |mut one: Mod| {
            one = one.says(|identity| identity.description = Some(what.to_owned()));
            one
        }
    };
    let mut game = game(&[
        ("a.wasm", about("Runs")(Mod::new("runs"))),
        ("b.wasm", about("Lacks something")(Mod::new("lacks").needs("nobody", None))),
        ("c.wasm", Mod::new("says_nothing")),
    ]);
    game.until("all of them", |game| game.story().len() == 3);
    let menu = |game: &Game| -> Vec<String> {
        let about = |info: bevy_wasm_mods::ModInfo| {
            let about = info.identity.and_then(|identity| identity.description.clone());
            format!("{} {}", info.id, about.unwrap_or_default())
        };
        game.app.world().resource::<ModRegistry>().iter().map(about).collect()
    };
    assert_eq!(menu(&game), ["lacks Lacks something", "runs Runs", "says_nothing "]);
    // Of a new version that is no good nothing is shown.
    game.write("a.wasm", &about("Lacks as well")(Mod::new("runs").needs("nobody", None)).build());
    game.until("the fault", |game| game.story().len() == 4);
    assert_eq!(menu(&game)[1], "runs Runs");
}

#[test]
fn a_thousand_mods_in_a_circle_are_one_problem() {
    let mods: Vec<(String, Vec<u8>)> = (0..1000)
        .map(|n| {
            (format!("{n:03}.wasm"), Mod::new(&format!("m{n:03}")).needs(&format!("m{:03}", (n + 1) % 1000), None))
        })
        .map(|(name, one)| (name, one.build()))
        .collect();
    let mods: Vec<(&str, &[u8])> = mods.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
    let mut game = Game::with_mods(&mods);
    game.until("all of them", |game| game.story().len() == 1000);
    let problems = game.app.world().resource::<ModRegistry>().problems();
    let [problem] = problems else { panic!("{} problems", problems.len()) };
    let sentence = problem.to_string();
    assert!(sentence.len() < 500 && sentence.contains("need one another in a circle"), "{sentence}");
    assert!(game.faults().iter().all(|fault| fault.to_string().len() < 600));
    fs::write(game.path("new.wasm"), Mod::new("fine").build()).expect("it can be written");
    game.until_told("loaded fine");
}

#[test]
fn what_the_version_needs_that_goes_on_counts() {
    let mut game = game(&[("a.wasm", Mod::new("user")), ("b.wasm", Mod::new("tool"))]);
    until_story(&mut game, &["loaded tool", "loaded user"]);
    let broken = Mod::new("user").needs("tool", None).system("fail", "Update", vec![]).run("unreachable");
    game.write("a.wasm", &broken.build());
    game.until_told("resumed user");
    fs::remove_file(game.path("b.wasm")).expect("it is there");
    game.until_told("unloaded tool");
    game.frames(5);
    assert_eq!(state(&game, "user"), "Some(Running)", "the one that goes on does without");
}

#[test]
fn a_version_that_was_refused_does_not_come_by_the_back_door() {
    let user = || Mod::new("user").needs("tool", None);
    let mut game = game(&[("a.wasm", user()), ("b.wasm", Mod::new("tool"))]);
    until_story(&mut game, &["loaded tool", "loaded user"]);
    game.write("a.wasm", &user().needs("nobody", None).says(|user| user.version = "2.0.0".to_owned()).build());
    until_story(&mut game, &["loaded tool", "loaded user", "failed user"]);
    with_mods(&mut game, |mut mods| mods.disable("tool")).expect("it is there");
    game.until_told("disabled tool");
    game.frames(5);
    with_mods(&mut game, |mut mods| mods.enable("tool")).expect("it is there");
    game.until("the tool again", |game| with_mods(game, |mods| mods.is_running("tool")));
    game.until("a decision", |game| with_mods(game, |mods| mods.all_settled()));
    game.frames(20);
    assert!(!with_mods(&mut game, |mods| mods.is_running("user")), "{:?}", game.story());
    let last = sentences(&game).pop().expect("a fault");
    assert!(last.contains("`user` needs `nobody`"), "{last}");
    let loaded = game.story().iter().filter(|line| *line == "loaded user").count();
    assert_eq!(loaded, 1, "not even for a moment: {:?}", game.story());
}

#[test]
fn a_refused_mod_that_is_switched_off_and_on_is_refused_again() {
    let mut game = game(&[("a.wasm", Mod::new("user").needs("tool", None))]);
    until_story(&mut game, &["failed user"]);
    with_mods(&mut game, |mut mods| mods.disable("user")).expect("it is known");
    game.until_told("disabled user");
    with_mods(&mut game, |mut mods| mods.enable("user")).expect("it is known");
    game.until("the second fault", |game| game.faults().len() == 2);
    assert!(state(&game, "user").starts_with("Some(Failed("), "{}", state(&game, "user"));
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_keeps_nobody_waiting() {
    let mut game = game(&[("a.wasm", Mod::new("user"))]);
    std::os::unix::fs::symlink("nothing.wasm", game.path("b.wasm")).expect("a link");
    game.until_told("loaded user");
    game.until("rest", |game| with_mods(game, |mods| mods.all_settled()));
}

#[test]
fn a_broken_newer_file_gives_way_to_an_older_one() {
    let broken =
        Mod::new("bees").says(|bees| bees.version = "2.0.0".to_owned()).imports("(import \"env\" \"__none\" (func))");
    let mut game = game(&[("a.wasm", Mod::new("bees")), ("b.wasm", broken)]);
    game.until_told("loaded bees");
    assert_eq!(state(&game, "bees"), "Some(Running)");
}

#[test]
fn a_mod_that_is_unloaded_while_it_loads_comes_to_rest() {
    let mut game = game(&[("a.wasm", Mod::new("user"))]);
    game.until("the mod to be known", |game| with_mods(game, |mods| mods.iter().any(|info| info.identity.is_some())));
    let _ = with_mods(&mut game, |mut mods| mods.unload("user"));
    game.until("rest", |game| with_mods(game, |mods| mods.all_settled()));
    assert!(!with_mods(&mut game, |mods| mods.is_running("user")));
}

#[test]
fn a_bad_version_does_not_stop_those_that_need_the_old_one() {
    let user = || Mod::new("user").needs("tool", Some("^1"));
    let mut game = game(&[("a.wasm", user()), ("b.wasm", Mod::new("tool"))]);
    until_story(&mut game, &["loaded tool", "loaded user"]);
    let newer = || Mod::new("tool").says(|tool| tool.version = "2.0.0".to_owned());
    game.write("b.wasm", &newer().imports("(import \"env\" \"__none\" (func))").build());
    until_story(&mut game, &["loaded tool", "loaded user", "failed tool"]);
    assert_eq!((state(&game, "tool"), state(&game, "user")), ("Some(Running)".to_owned(), "Some(Running)".to_owned()));
    // One that is good takes over, and then it does not fit.
    game.write("b.wasm", &newer().build());
    until_story(&mut game, &["loaded tool", "loaded user", "failed tool", "reloaded tool", "failed user"]);
}

#[test]
fn a_new_version_fits_with_the_one_that_goes_on() {
    let for_game = || GameRequirement { id: "meadow".to_owned(), api: None };
    let newer = |one: Mod| one.says(|one| one.version = "2.0.0".to_owned());
    let settings =
        ModSettings { game: Some(GameIdentity { id: "orchard".to_owned(), api: Version::new(0, 3, 1) }), ..default() };
    let mut game = game_with(&[("a.wasm", Mod::new("user")), ("b.wasm", Mod::new("tool"))], settings);
    until_story(&mut game, &["loaded tool", "loaded user"]);
    // One of the two is for another game, and the other one does not need it to be new.
    game.write("a.wasm", &newer(Mod::new("user")).needs("tool", Some(">=1")).build());
    game.write("b.wasm", &newer(Mod::new("tool")).says(|tool| tool.game = Some(for_game())).build());
    game.until("both to be judged", |game| game.story().len() >= 4);
    game.frames(5);
    let mut story = game.story()[2..].to_vec();
    // Whichever of the two is seen first.
    story.sort();
    assert_eq!(story, ["failed tool", "reloaded user"]);
}

#[test]
fn nothing_is_installed_on_a_decision_that_does_not_hold_any_more() {
    let mut game = game(&[("b.wasm", Mod::new("tool"))]);
    until_story(&mut game, &["loaded tool"]);
    let broken = Mod::new("tool").says(|tool| tool.version = "2.0.0".to_owned());
    // The one that needs the new version is prepared first, and waits for it.
    game.write("a.wasm", &Mod::new("rival").needs("tool", Some("^2")).build());
    game.write("b.wasm", &broken.imports("(import \"env\" \"__none\" (func))").build());
    game.until("both faults", |game| game.faults().len() >= 2);
    game.frames(20);
    assert!(!game.story().contains(&"loaded rival".to_owned()), "{:?}", game.story());
    assert_eq!(state(&game, "tool"), "Some(Running)");
}
