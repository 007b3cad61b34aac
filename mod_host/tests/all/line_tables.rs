//! Line tables as a compiler writes them, to be put into modules in the text format.

use std::ops::Range;

use gimli::{
    Encoding, Format, LineEncoding, LittleEndian, SectionId,
    write::{Address, DebugLine, EndianVec, LineProgram, LineString, LineStringTable, Section, StringTable},
};
use wasmparser::{Parser, Payload};

/// The line tables of a module: a program, as of one crate.
pub(crate) struct Tables {
    program: LineProgram,
    strings: StringTable,
    line_strings: LineStringTable,
}

impl Tables {
    /// Tables of that version of DWARF.
    pub(crate) fn new(version: u16) -> Self {
        let encoding = Encoding { format: Format::Dwarf32, version, address_size: 4 };
        let mut line_strings = LineStringTable::default();
        let mut string = |text: &[u8]| LineString::new(text, encoding, &mut line_strings);
        let (folder, file) = (string(b"/home/ada/mods"), string(b"unit.rs"));
        let program = LineProgram::new(encoding, LineEncoding::default(), folder, None, file, None);
        Self { program, strings: StringTable::default(), line_strings }
    }

    /// Adds a function at those addresses. Its rows are offsets from its begin and lines.
    pub(crate) fn function(mut self, at: Range<u64>, folder: &[u8], file: &[u8], rows: &[(u64, u64)]) -> Self {
        let encoding = self.program.encoding();
        let folder = LineString::new(folder, encoding, &mut self.line_strings);
        let folder = self.program.add_directory(folder);
        let file = LineString::new(file, encoding, &mut self.line_strings);
        let file = self.program.add_file(file, folder, None);
        self.program.begin_sequence(Some(Address::Constant(at.start)));
        for (offset, line) in rows {
            let row = self.program.row();
            (row.address_offset, row.line, row.file) = (*offset, *line, file);
            self.program.generate_row();
        }
        self.program.end_sequence(at.end - at.start);
        self
    }

    /// The sections, by name.
    pub(crate) fn sections(self) -> Vec<(&'static str, Vec<u8>)> {
        let Self { program, mut strings, mut line_strings } = self;
        let mut lines = DebugLine::from(EndianVec::new(LittleEndian));
        program.write(&mut lines, program.encoding(), &mut line_strings, &mut strings).unwrap();
        let mut line_strs = gimli::write::DebugLineStr::from(EndianVec::new(LittleEndian));
        line_strings.write(&mut line_strs).unwrap();
        let name = |id: SectionId| id.name();
        vec![(name(lines.id()), lines.0.into_vec()), (name(line_strs.id()), line_strs.0.into_vec())]
    }
}

/// A module with custom sections at its end.
pub(crate) fn with_sections(module: &[u8], sections: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut module = module.to_vec();
    for (name, data) in sections {
        let mut section = leb(name.len());
        section.extend(name.as_bytes());
        section.extend(data);
        module.push(0);
        module.extend(leb(section.len()));
        module.extend(section);
    }
    module
}

/// Where the last two functions of a module lie, counted as DWARF does: from the begin of the code section's contents.
pub(crate) fn last_functions(module: &[u8]) -> [Range<u64>; 2] {
    let (mut begin, mut bodies) = (0, Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload.unwrap() {
            Payload::CodeSectionStart { range, .. } => begin = range.start,
            Payload::CodeSectionEntry(body) => {
                let place = |offset: usize| u64::try_from(offset - begin).unwrap();
                bodies.push(place(body.range().start)..place(body.range().end));
            }
            _ => {}
        }
    }
    bodies.last_chunk().unwrap().clone()
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = u8::try_from(number % 128).unwrap();
        number /= 128;
        if number == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 128);
    }
}
