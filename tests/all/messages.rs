//! Messages: of the game and of mods, read and written by mods.

use bevy::{
    ecs::message::Messages,
    prelude::{AppExit, Message, Reflect, ReflectMessage},
};
use bevy_wasm_mods::prelude::{ModAppExt, ModMessage};
use mod_abi::{
    codec,
    command::Command,
    describe::{DefinitionKind, ParamDesc, TypeRole},
};

use crate::{
    fixtures::Score,
    support::{Game, LEAVE, Mod, add_to_score, resource, sum, value},
};

/// Nine bytes on the wire.
#[derive(Message, Reflect, Debug, Clone, PartialEq)]
#[reflect(Message)]
struct Apple {
    weight: u64,
    ripe: bool,
}

/// Of varying size.
#[derive(Message, Reflect, Debug, Clone, PartialEq)]
struct Gossip {
    number: u64,
    text: String,
}

/// Nothing but the fact.
#[derive(Message, Reflect, Debug, Clone, PartialEq)]
struct Dawn;

fn apple(weight: u64) -> Apple {
    Apple { weight, ripe: true }
}

/// A mod that adds the weight of all new apples, times a factor, to the score.
fn weigher(id: &str, factor: u64) -> Mod {
    let mut weigher = Mod::new(id);
    let apple = weigher.ty("all::messages::Apple", "{weight:u64,ripe:bool}");
    let score = weigher.ty("Score", "{points:u64}");
    let add = add_to_score(1, &format!("(i64.mul (i64.const {factor}) (global.get $sum))"));
    weigher
        .system("weigh", "Update", vec![ParamDesc::MessageReader(apple), resource(score, true)])
        .run(&format!("{}{add}", sum(9)))
}

fn game_with(mods: &[(&str, &[u8])]) -> Game {
    let mut game = Game::with_mods(mods);
    game.app.insert_resource(Score::default()).add_mod_message::<Apple>();
    game
}

fn points(game: &Game) -> u64 {
    game.app.world().resource::<Score>().points
}

#[test]
fn each_mod_reads_each_message_of_the_game_once() {
    let mods = [("a.wasm", &*weigher("a", 1).build()), ("b.wasm", &weigher("b", 1000).build())];
    let mut game = game_with(&mods);
    game.until_told("loaded a");
    game.until_told("loaded b");
    game.app.world_mut().write_message(apple(3));
    game.app.world_mut().write_message(apple(4));
    game.frame();
    assert_eq!(points(&game), 7007);
    // It is still there, but not new.
    game.frame();
    assert_eq!(points(&game), 7007);
    game.app.world_mut().write_message(apple(5));
    game.frames(3);
    assert_eq!(points(&game), 12012);
    assert!(game.faults().is_empty());
}

#[test]
fn messages_of_varying_size_and_of_none_cross() {
    let mut reader = Mod::new("reader");
    let gossip = reader.ty("Gossip", "{number:u64,text:str}");
    let dawn = reader.ty("all::messages::Dawn", "{}");
    let score = reader.ty("Score", "{points:u64}");
    // The number of the second one, found through its offset; a hundred for each dawn.
    let second = "(if (i32.eq (local.get $rows) (i32.const 2)) (then
        (global.set $sum (i64.load (i32.add (local.get $data)
            (i32.load offset=4 (i32.add (local.get $block) (i32.load offset=28 (local.get $block)))))))))";
    let dawns = "(local.set $block (i32.add (local.get $batch) (i32.load offset=20 (local.get $batch))))
        (global.set $sum (i64.add (global.get $sum)
            (i64.mul (i64.const 100) (i64.extend_i32_u (i32.load (local.get $block))))))";
    let add = add_to_score(2, "(global.get $sum)");
    let params = vec![ParamDesc::MessageReader(gossip), ParamDesc::MessageReader(dawn), resource(score, true)];
    let reader =
        reader.system("read", "Update", params).run(&format!("(global.set $sum (i64.const 0)){second}{dawns}{add}"));
    let mut game = Game::with_mods(&[("reader.wasm", &reader.build())]);
    game.app.insert_resource(Score::default()).add_mod_message::<Gossip>().add_mod_message::<Dawn>();
    game.until_told("loaded reader");
    let world = game.app.world_mut();
    world.write_message(Gossip { number: 1, text: "they say".to_owned() });
    world.write_message(Gossip { number: 2, text: "it will rain".to_owned() });
    world.write_message_batch([Dawn, Dawn, Dawn]);
    game.frames(2);
    assert_eq!(game.faults().first().map(ToString::to_string), None);
    assert_eq!(points(&game), 302);
}

#[test]
fn a_mod_may_know_only_a_part_of_a_message() {
    let mut reader = Mod::new("reader");
    let apple_type = reader.typed("Apple", "{weight:u64}", TypeRole::Part);
    let score = reader.ty("Score", "{points:u64}");
    let reader = reader
        .system("weigh", "Update", vec![ParamDesc::MessageReader(apple_type), resource(score, true)])
        .run(&format!("{}{}", sum(8), add_to_score(1, "(global.get $sum)")));
    let mut game = game_with(&[("reader.wasm", &reader.build())]);
    game.until_told("loaded reader");
    game.app.world_mut().write_message(apple(3));
    game.app.world_mut().write_message(apple(4));
    game.frame();
    assert_eq!(points(&game), 7);
}

#[test]
fn a_message_that_the_game_does_not_offer_is_told_with_the_line_that_offers_it() {
    let mut game = Game::with_mods(&[("a.wasm", &weigher("a", 1).build())]);
    game.app.insert_resource(Score::default()).add_message::<Apple>();
    let fault = game.first_fault();
    assert!(fault.contains("app.add_mod_message::<all::messages::Apple>()"), "{fault}");
}

#[test]
fn a_message_of_another_shape_is_refused() {
    let mut reader = Mod::new("reader");
    let apple = reader.ty("all::messages::Apple", "{weight:f64,ripe:bool}");
    let reader = reader.system("weigh", "Update", vec![ParamDesc::MessageReader(apple)]);
    let mut game = game_with(&[("reader.wasm", &reader.build())]);
    let fault = game.first_fault();
    assert!(fault.contains("mod has \"weight: f64\", game has \"weight: u64\""), "{fault}");
}

/// A mod that writes a message of its own in each frame.
fn singer() -> Mod {
    let mut singer = Mod::new("singer");
    let song = singer.define("singer::Song", "{length:u64,loud:bool}", DefinitionKind::Message);
    let bytes = codec::encode(&(7_u64, true)).expect("a song");
    singer
        .commands(&[Command::WriteMessage(value(song, &bytes))])
        .system("sing", "Update", vec![ParamDesc::MessageWriter(song)])
        .run(LEAVE)
}

/// A mod that adds the length of all songs to the score. Its file comes before the singer's.
fn listener(schema: &str) -> Mod {
    let mut listener = Mod::new("listener");
    let song = listener.ty("singer::Song", schema);
    let score = listener.ty("Score", "{points:u64}");
    listener.system("listen", "PreUpdate", vec![ParamDesc::MessageReader(song), resource(score, true)]).run(&format!(
        "{}{}",
        sum(9),
        add_to_score(1, "(global.get $sum)")
    ))
}

#[test]
fn what_one_mod_writes_other_mods_and_the_game_read() {
    let listener = listener("{length:u64,loud:bool}");
    let mut game = game_with(&[("a.wasm", &listener.build()), ("b.wasm", &singer().build())]);
    game.until_told("loaded listener");
    assert_eq!(game.story(), ["loaded singer", "loaded listener"], "it waits for the mod that it listens to");
    let before = points(&game);
    game.frames(3);
    assert_eq!(points(&game), before + 21);
    let messages = game.app.world().resource::<Messages<ModMessage>>();
    let message = messages.iter_current_update_messages().next().expect("it sang");
    assert_eq!((&*message.mod_id, &*message.path), ("singer", "singer::Song"));
    assert_eq!(message.decode::<(u64, bool)>().expect("a song"), (7, true));
    assert!(message.decode::<u8>().is_err());
    assert!(game.faults().is_empty());
}

#[test]
fn a_mod_with_another_idea_of_a_message_is_refused() {
    let listener = listener("{length:u64,loud:u8}");
    let mut game = game_with(&[("a.wasm", &listener.build()), ("b.wasm", &singer().build())]);
    let fault = game.first_fault();
    assert!(fault.contains("mod has \"loud: u8\", game has \"loud: bool\""), "{fault}");
}

#[test]
fn a_mod_writes_messages_of_the_game() {
    let mut writer = Mod::new("writer");
    let apple_type = writer.ty("Apple", "{weight:u64,ripe:bool}");
    let bytes = codec::encode(&(7_u64, false)).expect("an apple");
    let writer = writer
        .commands(&[Command::WriteMessage(value(apple_type, &bytes))])
        .system("write", "Update", vec![ParamDesc::MessageWriter(apple_type)])
        .run(LEAVE);
    let mut game = game_with(&[("writer.wasm", &writer.build())]);
    game.until_told("loaded writer");
    game.frame();
    let written = game.app.world().resource::<Messages<Apple>>().iter_current_update_messages().next().cloned();
    assert_eq!(written, Some(Apple { weight: 7, ripe: false }));
}

#[test]
fn what_cannot_be_written_is_refused_at_load() {
    let check = |path: &str, schema: &str, expected: &str| {
        let mut writer = Mod::new("writer");
        let ty = writer.ty(path, schema);
        let writer = writer.system("write", "Update", vec![ParamDesc::MessageWriter(ty)]);
        let mut game = game_with(&[("writer.wasm", &writer.build())]);
        game.app.add_mod_message::<Gossip>().register_type::<AppExit>();
        let fault = game.first_fault();
        assert!(fault.contains(expected), "{fault}");
    };
    check("all::messages::Gossip", "{number:u64,text:str}", "it lacks `#[reflect(Message)]`");
    check("all::messages::Apple", "{weight:u64}", "Apple does not match this game");
    check("bevy_app::app::AppExit", "<Success|Error(u8)>", "it is for the game to say");
}

#[test]
fn a_writer_writes_nothing_else() {
    let mut writer = Mod::new("writer");
    let apple = writer.ty("Apple", "{weight:u64,ripe:bool}");
    let gossip = writer.define("writer::Gossip", "{number:u64}", DefinitionKind::Message);
    let bytes = codec::encode(&7_u64).expect("a number");
    let writer = writer
        .commands(&[Command::WriteMessage(value(gossip, &bytes))])
        .system("write", "Update", vec![ParamDesc::MessageWriter(apple)])
        .run(LEAVE);
    let mut game = game_with(&[("writer.wasm", &writer.build())]);
    let fault = game.first_fault();
    assert!(fault.contains("it left commands, which it does not declare"), "{fault}");
}

#[test]
fn invalid_values_and_floods_of_messages_fail_the_mod() {
    let check = |bytes: &[u8], times: usize, expected: &str| {
        let mut singer = Mod::new("singer");
        let song = singer.define("singer::Song", "{length:u64,loud:bool}", DefinitionKind::Message);
        let command = Command::WriteMessage(value(song, bytes));
        let len = codec::encode(&command).expect("a command").len();
        let singer =
            singer.commands(&[command]).system("sing", "Update", vec![ParamDesc::MessageWriter(song)]).run(&format!(
                "(local.set $data (i32.mul (memory.grow (i32.const 8)) (i32.const 65536)))
                (block $done (loop $next
                    (br_if $done (i32.ge_u (local.get $i) (i32.const {times})))
                    (memory.copy (i32.add (local.get $data) (i32.mul (local.get $i) (i32.const {len})))
                        (i32.const 20000) (i32.const {len}))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br $next)))
                (return (i64.or (i64.shl (i64.extend_i32_u (local.get $data)) (i64.const 32))
                    (i64.const {})))",
                times * len
            ));
        let mut game = game_with(&[("singer.wasm", &singer.build())]);
        let fault = game.first_fault();
        assert!(fault.contains(expected), "{fault}");
        game.frames(2);
    };
    let song = codec::encode(&(7_u64, true)).expect("a song");
    check(&song, 10_001, "the systems of the mod sent more than 10000 messages and events in one frame");
    check(&[0, 0, 0, 0, 0, 0, 0, 0, 2], 1, "it sent an invalid singer::Song");
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_reader_goes_on_where_it_was_after_a_reload() {
    let mut game = game_with(&[("a.wasm", &weigher("a", 1).build())]);
    game.until_told("loaded a");
    let mut written = 0;
    let mut frame = |game: &mut Game| {
        game.app.world_mut().write_message(apple(1));
        written += 1;
        game.frame();
        assert_eq!(points(game), written);
    };
    (0..3).for_each(|_| frame(&mut game));
    game.write("a.wasm", &weigher("a", 1).fields("(func $another_version)").build());
    game.until("a reload", |game| {
        frame(game);
        game.story().len() == 2
    });
    (0..3).for_each(|_| frame(&mut game));
    assert_eq!(game.story(), ["loaded a", "reloaded a"]);
}

#[cfg(feature = "hot_reload")]
#[test]
fn a_reader_of_an_earlier_form_is_told_to_reload() {
    let listener = listener("{length:u64,loud:bool}");
    let mut game = game_with(&[("a.wasm", &listener.build()), ("b.wasm", &singer().build())]);
    game.until_told("loaded listener");
    let mut singer = Mod::new("singer");
    let song = singer.define("singer::Song", "{length:u64}", DefinitionKind::Message);
    let bytes = codec::encode(&7_u64).expect("a song");
    let singer = singer
        .commands(&[Command::WriteMessage(value(song, &bytes))])
        .system("sing", "Update", vec![ParamDesc::MessageWriter(song)])
        .run(LEAVE);
    game.write("b.wasm", &singer.build());
    game.until_told("reloaded singer");
    let fault = game.first_fault();
    assert!(fault.contains("listener") && fault.contains("gave it another form; reload this one"), "{fault}");
}
