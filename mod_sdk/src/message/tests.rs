//! Messages in both directions.

use mod_abi::describe::ParamDesc;

use crate::{
    prelude::{Message, MessageReader, MessageWriter, Update, Vec3},
    testing::{SystemTest, TestCommand, TestValue, describe},
};

#[derive(Message, Debug, Clone, Copy, PartialEq)]
#[message(path = "orchard::AppleFell")]
struct AppleFell(Vec3);

#[derive(Message, Debug, Clone, PartialEq, Default)]
#[message(define)]
struct Note {
    text: String,
}

#[derive(Message, Clone, Copy)]
struct Bell;

fn note(text: &str) -> Note {
    Note { text: text.to_owned() }
}

fn echo(mut fell: MessageReader<AppleFell>, mut notes: MessageReader<Note>, mut writer: MessageWriter<Note>) {
    writer.write(note(&format!("{} fell", fell.len())));
    assert_eq!(fell.read().map(|apple| apple.0.x).sum::<f32>(), 3.0);
    writer.write_batch(notes.read().map(|note| Note { text: format!("{}!", note.text) }));
    writer.write_default();
    assert!(fell.is_empty() && notes.is_empty());
}

#[test]
fn messages_are_read_in_place_or_decoded_and_written_as_commands() {
    let mut test = SystemTest::new(echo)
        .messages([1.0, 2.0].map(|x| AppleFell(Vec3::splat(x))))
        .messages([note("a"), note("b")])
        .no_rows();
    test.run();
    let expected = ["2 fell", "a!", "b!", ""].map(|text| TestCommand::WriteMessage(TestValue::message(&note(text))));
    assert_eq!(test.commands(), expected);
}

#[test]
fn params_name_their_message() {
    let description = describe(|app| {
        app.add_systems(Update, echo);
    });
    let expected = [ParamDesc::MessageReader(0), ParamDesc::MessageReader(1), ParamDesc::MessageWriter(1)];
    assert_eq!(description.systems[0].params, expected);
}

#[test]
fn what_is_taken_counts_as_read() {
    let bells = [Bell; 5];
    let mut reader = MessageReader::from(bells.as_slice());
    assert_eq!(reader.read().len(), 5);
    assert_eq!(reader.len(), 5);
    assert_eq!(reader.read().take(2).count(), 2);
    assert_eq!(reader.len(), 3);
    assert!(reader.read().next().is_some());
    assert_eq!((reader.len(), reader.is_empty()), (2, false));
    reader.clear();
    assert_eq!((reader.read().count(), reader.is_empty()), (0, true));
}

#[test]
fn messages_without_bytes_are_counted() {
    let mut test = SystemTest::new(|mut bells: MessageReader<Bell>, mut notes: MessageWriter<Note>| {
        for _ in bells.read() {
            notes.write(note("ding"));
        }
    });
    test = test.messages([Bell; 3]).no_rows();
    test.run();
    assert_eq!(test.commands().len(), 3);
}
