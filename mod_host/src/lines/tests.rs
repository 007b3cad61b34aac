//! What compilers write is read, and whatever else stands there is neither an error nor much work.

use std::time::{Duration, Instant};

use gimli::{
    DwAt, Encoding, Format, LineEncoding, LittleEndian,
    constants::{
        DW_AT_call_file, DW_AT_call_line, DW_AT_high_pc, DW_AT_low_pc, DW_AT_ranges, DW_TAG_inlined_subroutine,
        DW_TAG_subprogram,
    },
    write::{
        Address, AttributeValue as Value, DebugLine, DwarfUnit, EndianVec, FileId, LineProgram, LineString,
        LineStringTable, Range, RangeList, StringTable,
    },
};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, proptest};

use super::{Lines, MAX_FILES, MAX_HEADER, MAX_ROWS, MAX_SECTION, Row, Sections, inlined::MAX_CALLS};

const CODE: u64 = 1000;
/// Where the contents of the code section begin.
const START: usize = 100;

/// A line program with two functions: lines 5 and 6 at 10 to 30, and lines 7, none and 8 at 30 to 60.
fn program(version: u16) -> (Vec<u8>, Vec<u8>) {
    let encoding = Encoding { format: Format::Dwarf32, version, address_size: 4 };
    let mut strings = LineStringTable::default();
    let mut string = |text: &str| LineString::new(text, encoding, &mut strings);
    let (folder, unit, file) = (string("/home/ada"), string("unit.rs"), string("src/lib.rs"));
    let mut program = LineProgram::new(encoding, LineEncoding::default(), folder, None, unit, None);
    let folder = program.default_directory();
    let file = program.add_file(file, folder, None);
    let functions: [(u64, u64, &[(u64, u64)]); 3] =
        [(30, 60, &[(0, 7), (10, 0), (20, 8)]), (0, 5, &[(0, 99)]), (10, 30, &[(0, 5), (8, 6), (12, 6)])];
    for (begin, end, rows) in functions {
        program.begin_sequence(Some(Address::Constant(begin)));
        for (offset, line) in rows {
            let row = program.row();
            (row.address_offset, row.line, row.file) = (*offset, *line, file);
            program.generate_row();
        }
        program.end_sequence(end - begin);
    }
    let mut lines = DebugLine::from(EndianVec::new(LittleEndian));
    program.write(&mut lines, encoding, &mut strings, &mut StringTable::default()).unwrap();
    let mut line_strings = gimli::write::DebugLineStr::from(EndianVec::new(LittleEndian));
    strings.write(&mut line_strings).unwrap();
    (lines.0.into_vec(), line_strings.0.into_vec())
}

fn read(lines: &[u8], line_strings: &[u8]) -> Option<Lines> {
    Sections { code_start: START, code_len: CODE, lines, line_strings, ..Sections::default() }.lines()
}

/// A program of version 4 with no folders, these files, and these instructions.
fn raw(files: &[u8], instructions: &[u8]) -> Vec<u8> {
    let header = [&[1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0][..], files, &[0]].concat();
    let sized = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let rest = [&[4, 0][..], &sized(&header), &header, instructions].concat();
    [&sized(&rest)[..], &rest].concat()
}

const FILE: &[u8] = b"src/lib.rs\0\0\0\0";
/// Sets the address to 16.
const AT_16: &[u8] = &[0, 5, 2, 16, 0, 0, 0];
/// Ends the sequence.
const END: &[u8] = &[0, 1, 1];

#[track_caller]
fn check(lines: &Lines, address: usize, expected: Option<u32>) {
    let found = lines.find(START + address);
    assert_eq!(found.as_ref().map(|found| found.line), expected, "{address}");
    assert!(found.is_none_or(|found| found.own && found.file == "src/lib.rs"));
}

#[test]
fn every_address_has_its_line() {
    for version in [2, 3, 4, 5] {
        let (lines, strings) = program(version);
        let table = read(&lines, &strings).unwrap();
        let lines =
            [(9, None), (10, Some(5)), (17, Some(5)), (18, Some(6)), (29, Some(6)), (30, Some(7)), (39, Some(7))];
        for (address, line) in lines {
            check(&table, address, line);
        }
        for (address, line) in [(40, None), (49, None), (50, Some(8)), (59, Some(8)), (60, None), (900, None)] {
            check(&table, address, line);
        }
        // The linker left the function at zero out.
        check(&table, 0, None);
        assert!(table.find(START - 1).is_none() && table.find(usize::MAX).is_none());
        assert_eq!(table.find_near(START + 3).map(|found| found.line), Some(5));
        assert!(table.find_near(START + 70).is_none());
        // Rows that say what the one before says take no room.
        assert_eq!(table.rows.len(), 6, "{:?}", table.rows);
    }
}

/// The sections of a unit in which code of `core` at 10 to 30 was put into the mod's own function by a call in line 50 of
/// `src/lib.rs`, a part of it, at 12 to 14 and 20 to 24, by a call in line 60 that stands in the called function, and another
/// part by a call that stands in `core` itself.
fn inlined() -> gimli::write::Sections<EndianVec<LittleEndian>> {
    let encoding = Encoding { format: Format::Dwarf32, version: 4, address_size: 4 };
    let mut unit = DwarfUnit::new(encoding);
    let mut string = |text: &str| LineString::new(text, encoding, &mut unit.line_strings);
    let (here, source) = (string("/home/ada"), string("unit.rs"));
    let names = [string("src/lib.rs"), string("library/core/src/hint.rs")];
    let mut program = LineProgram::new(encoding, LineEncoding::default(), here, None, source, None);
    let folder = program.default_directory();
    let [own, core] = names.map(|name| program.add_file(name, folder, None));
    program.begin_sequence(Some(Address::Constant(8)));
    for (offset, line, file) in [(0, 1, own), (2, 90, core), (22, 2, own), (32, 91, core)] {
        let row = program.row();
        (row.address_offset, row.line, row.file) = (offset, line, file);
        program.generate_row();
    }
    program.end_sequence(40);
    unit.unit.line_program = program;
    let within = |low: u64, size: u64| {
        [(DW_AT_low_pc, Value::Address(Address::Constant(low))), (DW_AT_high_pc, Value::Udata(size))].to_vec()
    };
    let parts = unit.unit.ranges.add(RangeList(
        [(12, 14), (20, 24)]
            .map(|(begin, end)| Range::StartEnd { begin: Address::Constant(begin), end: Address::Constant(end) })
            .to_vec(),
    ));
    let root = unit.unit.root();
    let mut add = |parent, tag, call: Option<(FileId, u64)>, place: Vec<(DwAt, Value)>| {
        let entry = unit.unit.add(parent, tag);
        let call = call.into_iter().flat_map(|(file, line)| {
            [(DW_AT_call_file, Value::FileIndex(Some(file))), (DW_AT_call_line, Value::Udata(line))]
        });
        place.into_iter().chain(call).for_each(|(name, value)| unit.unit.get_mut(entry).set(name, value));
        entry
    };
    let function = add(root, DW_TAG_subprogram, None, within(8, 40));
    let outer = add(function, DW_TAG_inlined_subroutine, Some((own, 50)), within(10, 20));
    let inner =
        add(outer, DW_TAG_inlined_subroutine, Some((own, 60)), vec![(DW_AT_ranges, Value::RangeListRef(parts))]);
    add(inner, DW_TAG_inlined_subroutine, Some((core, 70)), within(12, 1));
    let mut sections = gimli::write::Sections::new(EndianVec::new(LittleEndian));
    unit.write(&mut sections).unwrap();
    sections
}

/// The table of such sections.
fn with_calls(info: &[u8], abbreviations: &[u8], lines: &[u8], ranges: &[u8]) -> Option<Lines> {
    let sections =
        Sections { code_start: START, code_len: CODE, lines, info, abbreviations, ranges, ..Sections::default() };
    sections.lines()
}

#[test]
fn code_of_others_is_told_by_the_line_that_called_it() {
    let sections = inlined();
    let [info, abbreviations] = [sections.debug_info.slice(), sections.debug_abbrev.slice()];
    let table = with_calls(info, abbreviations, sections.debug_line.slice(), sections.debug_ranges.slice()).unwrap();
    let own =
        [(8, 1), (10, 50), (11, 50), (12, 60), (13, 60), (14, 50), (20, 60), (23, 60), (24, 50), (29, 50), (30, 2)];
    for (address, line) in own {
        check(&table, address, Some(line));
    }
    // Nobody of the mod's own called this.
    let found = table.find(START + 40).unwrap();
    assert_eq!((found.file.as_str(), found.line, found.own), ("core/src/hint.rs", 91, false));
    assert_eq!(table.calls.len(), 3);
}

#[test]
fn a_table_that_ends_too_early_is_what_was_read() {
    for version in [4, 5] {
        let (lines, strings) = program(version);
        for len in 0..lines.len() {
            // Cut off, and with sizes that say so.
            let cut = &lines[..len];
            assert!(read(cut, &strings).is_none());
            if len > 4 {
                let sized = [&u32::try_from(len - 4).unwrap().to_le_bytes(), &cut[4..]].concat();
                let read = read(&sized, &strings);
                assert!(read.is_none_or(|table| table.rows.len() <= 6));
            }
        }
        // A broken program does not hide the one before it.
        let both = [lines.as_slice(), &[9, 0, 0, 0, 77]].concat();
        check(&read(&both, &strings).unwrap(), 10, Some(5));
    }
    assert!(read(&program(5).0, b"no such strings").is_none());
}

#[test]
fn numbers_that_are_too_large_end_a_sequence_and_nothing_else() {
    let (advance_line_min, advance_pc_max) =
        ([&[3][..], &[0x80; 9], &[0x7f]].concat(), [&[2][..], &[0xff; 9], &[1]].concat());
    let good = [AT_16, &[3, 4, 1, 2, 4], END].concat();
    for odd in [
        [AT_16, &advance_line_min, &[1], END].concat(),
        [AT_16, &advance_pc_max, &[1], &advance_pc_max, &[1], END].concat(),
        [AT_16, &[9, 0xff, 0xff, 1, 9, 0xff, 0xff, 1], END].concat(),
        [&[0, 5, 2, 0xff, 0xff, 0xff, 0xff, 1][..], END].concat(),
        // A file that there is not.
        [AT_16, &[4, 77, 1], END].concat(),
        // No end.
        [AT_16, &[1, 1]].concat(),
    ] {
        let tables = [raw(FILE, &odd), raw(FILE, &good)].concat();
        let table = read(&tables, &[]).unwrap();
        check(&table, 16, Some(5));
        check(&table, 20, None);
    }
}

#[test]
fn work_and_memory_have_limits() {
    let start = Instant::now();
    // As many rows as there is room for, each with another line.
    let rows: Vec<u8> = AT_16.iter().copied().chain((0..MAX_SECTION - 100).map(|n| [0x1f, 0x21][n % 2])).collect();
    let endless = raw(FILE, &rows);
    assert!(endless.len() <= MAX_SECTION);
    assert!(read(&endless, &[]).is_none(), "the sequence never ends");
    let one: Vec<u8> = [AT_16, &[0x13, 0x13, 0x13], END].concat();
    let many = read(&raw(FILE, &one.repeat(MAX_SECTION / one.len() - 10)), &[]).unwrap();
    assert!(many.rows.len() <= MAX_ROWS);

    // More files than are kept, in programs that all have long paths.
    let file = |n: usize| [format!("{n:0400}").into_bytes(), vec![0, 0, 0, 0]].concat();
    let programs = (0..200).flat_map(|n| {
        let files: Vec<u8> = (0..100).flat_map(|m| file(100 * n + m)).collect();
        let named = (1..=100).flat_map(|index| [AT_16, &[4, index, 1], END].concat());
        raw(&files, &named.collect::<Vec<_>>())
    });
    let many = read(&programs.collect::<Vec<_>>(), &[]).unwrap();
    assert_eq!(many.files.len(), MAX_FILES);
    assert!(many.files.iter().all(|file| file.path.len() <= 160));

    // A header that is larger than any compiler's.
    let files: Vec<u8> = file(1).repeat(usize::try_from(MAX_HEADER).unwrap() / 400);
    assert!(read(&raw(&files, &one), &[]).is_none());
    // A count that would take for ever, of files that have no bytes.
    let mut forever = program(5).0;
    let count = forever.len();
    forever.splice(count / 2..count / 2, [0xff; 9]);
    let _ = read(&forever, &[]);
    // Calls without an end: units that share large abbreviations, entries of many attributes without bytes, and ranges that
    // everybody names.
    let lines = program(4).0;
    let (kinds, unit) = greedy();
    let units = unit.repeat((15 << 20) / unit.len());
    for (ranges, calls) in [([10_u8, 0, 0, 0, 20, 0, 0, 0], MAX_CALLS), ([10, 0, 1, 0, 20, 0, 1, 0], 0)] {
        let table = with_calls(&units, &kinds, &lines, &ranges.repeat(1 << 20)).unwrap();
        assert_eq!(table.calls.len(), calls);
    }
    // As many programs as there is room for.
    let _ = read(&raw(&[], &[]).repeat(MAX_SECTION / 32), &[]);
    // On a busy machine and without optimisations. What has no limit takes hours.
    assert!(start.elapsed() < Duration::from_secs(240), "{:?}", start.elapsed());

    let module =
        [&b"\0asm\x01\0\0\0\0"[..], &[0x80, 0x80, 0x80, 0x05, 11], b".debug_line", &vec![1; (10 << 20) - 12]].concat();
    assert!(Lines::read(&module).is_none(), "the section is too large");
}

/// Abbreviations with a unit, a call with ranges and a kind of entry with a thousand attributes that take no bytes; and a unit
/// with many of both.
fn greedy() -> (Vec<u8>, Vec<u8>) {
    let unit = [1, 0x11, 1, 0x10, 0x17, 0, 0];
    let call = [2, 0x1d, 0, 0x55, 0x17, 0x58, 0x0b, 0x59, 0x0b, 0, 0];
    let wide = [&[3, 0x34, 0][..], &[0x3f, 0x19].repeat(1000), &[0, 0]].concat();
    let kinds = [&unit[..], &call, &wide, &[0]].concat();
    let entries = [&[1, 0, 0, 0, 0][..], &[2, 0, 0, 0, 0, 1, 50].repeat(4), &[3; 64]].concat();
    let rest = [&[4, 0, 0, 0, 0, 0, 4][..], &entries].concat();
    (kinds, [&u32::try_from(rest.len()).unwrap().to_le_bytes()[..], &rest].concat())
}

fn in_order(table: Option<Lines>) -> bool {
    table.is_none_or(|table| {
        let is_before = |rows: &[Row]| rows[0].address < rows[1].address;
        table.rows.windows(2).all(is_before) && table.rows.len() <= 512
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 8 } else { 1024 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_table_or_none(lines in prop::collection::vec(any::<u8>(), 0..512), strings in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(in_order(read(&lines, &strings)));
    }

    #[test]
    fn any_instructions_are_a_table_or_none(instructions in prop::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(in_order(read(&raw(FILE, &instructions), &[])));
    }

    #[test]
    fn any_change_to_calls_is_a_table_or_none(changes in prop::collection::vec((0..4_usize, any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let sections = inlined();
        let sections = [&sections.debug_info.0, &sections.debug_abbrev.0, &sections.debug_line.0, &sections.debug_ranges.0];
        let mut sections = sections.map(|section| section.slice().to_vec());
        for (section, place, byte) in changes {
            *place.get_mut(&mut sections[section]) = byte;
        }
        let [info, abbreviations, lines, ranges] = &sections;
        prop_assert!(in_order(with_calls(info, abbreviations, lines, ranges)));
    }

    #[test]
    fn any_change_to_a_table_is_a_table_or_none(
        version in 2_u16..=5,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let (mut lines, strings) = program(version);
        for (place, byte) in changes {
            *place.get_mut(&mut lines) = byte;
        }
        prop_assert!(in_order(read(&lines, &strings)));
    }
}
