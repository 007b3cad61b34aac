//! Which line of which source file an instruction comes from: the line tables of a mod that was built with them, read once
//! when it is compiled. Nothing here is an error: tables that cannot be read are none. Calls are not known here.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use gimli::{
    AttributeValue, DebugLine, DebugLineOffset, EndianSlice, IncompleteLineProgram, LineInstruction, LittleEndian,
};
use wasmparser::{Parser, Payload};

use self::{
    inlined::{Call, Files},
    path::SourceFile,
};
use crate::backtrace::SourceLocation;

mod inlined;
mod path;

/// The largest section that is read, in bytes. That of a mod in Rust is about as large as its code.
const MAX_SECTION: usize = 8 << 20;
/// The largest header of a line program, in bytes. What is read of it takes up to 30 times as much while it is in use.
const MAX_HEADER: u64 = 256 << 10;
/// Bytes of headers that are read once more for the calls that they name files of.
const MAX_HEADERS: u64 = 8 << 20;
/// The most rows of a table, of 12 bytes each: 6 MiB.
const MAX_ROWS: usize = 512 << 10;
/// The most source files of a table. Their paths have up to 160 bytes: 1.3 MB.
const MAX_FILES: usize = 8 << 10;
/// How often a file of a program is looked for. Many programs name the same ones.
const MAX_SEARCHES: usize = 64 << 10;
/// Bytes of an address in a module.
const ADDRESS_SIZE: u8 = 4;
/// Bytes within which a function's code begins: before it stand its locals.
const NEAR: u32 = 32;
/// Stands for a file where there is none.
const NO_FILE: u32 = u32::MAX;

type Bytes<'a> = EndianSlice<'a, LittleEndian>;
type Header<'a> = gimli::LineProgramHeader<Bytes<'a>>;

/// The line table of a module: at most 9.1 MB, and usually a few hundred kilobytes.
#[derive(Debug)]
pub(crate) struct Lines {
    /// Where the code section's contents begin in the file, which is where its addresses count from.
    code_start: usize,
    /// By address, each once.
    rows: Box<[Row]>,
    /// Calls in the mod's own files that the compiler replaced by the function's code, by the begin of the code.
    calls: Box<[Call]>,
    files: Box<[SourceFile]>,
}

/// From this address on, up to that of the next row, the code is of this line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    address: u32,
    line: u32,
    /// [`NO_FILE`] where nothing is known.
    file: u32,
}

/// The sections of a module that say where its code comes from.
#[derive(Default)]
struct Sections<'a> {
    code_start: usize,
    code_len: u64,
    lines: &'a [u8],
    strings: &'a [u8],
    line_strings: &'a [u8],
    info: &'a [u8],
    abbreviations: &'a [u8],
    ranges: &'a [u8],
}

impl Lines {
    /// Reads the line tables of a valid module. Takes time by the size of the sections, up to their limits.
    pub(crate) fn read(module: &[u8]) -> Option<Self> {
        // The tables are read with care, but by a library that is made for those of compilers.
        catch_unwind(AssertUnwindSafe(|| Sections::find(module).and_then(|sections| sections.lines()))).ok().flatten()
    }

    /// Where the instruction at that offset in the file comes from. If it is of a library's function that was put into one of
    /// the mod's own, where that one called it.
    pub(crate) fn find(&self, module_offset: usize) -> Option<SourceLocation> {
        let (address, after) = self.place(module_offset)?;
        self.location(address, *self.rows.get(after.checked_sub(1)?)?)
    }

    /// The first line that begins soon after that offset.
    pub(crate) fn find_near(&self, module_offset: usize) -> Option<SourceLocation> {
        let (address, after) = self.place(module_offset)?;
        let row = *self.rows.get(after)?;
        if row.address.checked_sub(address)? <= NEAR { self.location(row.address, row) } else { None }
    }

    /// The address of an offset in the file, and the place of the first row behind it.
    fn place(&self, module_offset: usize) -> Option<(u32, usize)> {
        let address = u32::try_from(module_offset.checked_sub(self.code_start)?).ok()?;
        Some((address, self.rows.partition_point(|row| row.address <= address)))
    }

    fn location(&self, address: u32, row: Row) -> Option<SourceLocation> {
        let file = |place: u32| self.files.get(usize::try_from(place).ok()?);
        let here = file(row.file).map(|file| (file, row.line));
        let called = || inlined::innermost(&self.calls, address).and_then(|call| Some((file(call.file)?, call.line)));
        let (file, line) = here.filter(|(file, _)| file.own).or_else(called).or(here)?;
        Some(SourceLocation { file: file.path.to_string(), line, own: file.own })
    }
}

impl<'a> Sections<'a> {
    fn find(module: &'a [u8]) -> Option<Self> {
        let mut sections = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload.ok()? {
                Payload::CodeSectionStart { range, .. } => {
                    sections.code_start = range.start;
                    sections.code_len = u64::try_from(range.len()).ok()?;
                }
                Payload::CustomSection(section) => {
                    let place = match section.name() {
                        ".debug_line" => &mut sections.lines,
                        ".debug_str" => &mut sections.strings,
                        ".debug_line_str" => &mut sections.line_strings,
                        ".debug_info" => &mut sections.info,
                        ".debug_abbrev" => &mut sections.abbreviations,
                        ".debug_ranges" => &mut sections.ranges,
                        _ => continue,
                    };
                    *place = section.data();
                }
                _ => {}
            }
        }
        let has_lines = !sections.lines.is_empty() && sections.lines.len() <= MAX_SECTION;
        has_lines.then_some(sections)
    }

    fn lines(&self) -> Option<Lines> {
        let mut table = Table::default();
        let mut rest = self.lines;
        // What is broken ends the reading. What was read before stays.
        while let Some((header_len, program_len)) = sizes(rest) {
            let Some((program, after)) = rest.split_at_checked(program_len) else { break };
            if header_len <= MAX_HEADER
                && let Some(program) = parse(program)
            {
                Run { sections: self, table: &mut table, files: HashMap::new() }.run(&program);
            }
            rest = after;
        }
        let run = Run { sections: self, table: &mut table, files: HashMap::new() };
        let calls = inlined::read(self, &mut Callers { run, program: None, headers: MAX_HEADERS });
        table.finish(self.code_start, calls)
    }
}

fn parse(program: &[u8]) -> Option<IncompleteLineProgram<Bytes<'_>>> {
    DebugLine::new(program, LittleEndian).program(DebugLineOffset(0), ADDRESS_SIZE, None, None).ok()
}

/// The bytes of the header and of the whole of the line program that begins here.
fn sizes(bytes: &[u8]) -> Option<(u64, usize)> {
    let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let version = u16::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
    // Those of 64 bits begin with 0xffff_ffff. No module needs them.
    let len = number(0).filter(|len| *len < 0xffff_fff0)?;
    // Since version 5, two sizes stand in between.
    let header_len = number(if version >= 5 { 8 } else { 6 })?;
    Some((header_len.into(), usize::try_from(len).ok()?.checked_add(4)?))
}

/// What was read so far.
#[derive(Default)]
struct Table {
    rows: Vec<Row>,
    files: Vec<SourceFile>,
    /// The places of files by their paths.
    by_path: HashMap<Box<str>, u32>,
    searches: usize,
}

impl Table {
    fn file(&mut self, file: SourceFile) -> u32 {
        if let Some(known) = self.by_path.get(&file.path) {
            return *known;
        }
        let Ok(place) = u32::try_from(self.files.len()) else { return NO_FILE };
        if self.files.len() >= MAX_FILES {
            return NO_FILE;
        }
        self.by_path.insert(file.path.clone(), place);
        self.files.push(file);
        place
    }

    fn finish(self, code_start: usize, calls: Vec<Call>) -> Option<Lines> {
        let Self { mut rows, files, .. } = self;
        // Where one function ends, the next one may begin. Of several rows at one address the last one counts.
        rows.sort_by_key(|row| (row.address, row.file != NO_FILE));
        rows.dedup_by(|later, earlier| {
            let same = later.address == earlier.address;
            if same {
                *earlier = *later;
            }
            same
        });
        rows.dedup_by_key(|row| (row.file, row.line));
        rows.iter().any(|row| row.file != NO_FILE).then(|| Lines {
            code_start,
            rows: rows.into(),
            calls: calls.into(),
            files: files.into(),
        })
    }
}

/// A line program that runs.
struct Run<'a, 'b> {
    sections: &'b Sections<'a>,
    table: &'b mut Table,
    /// The places of the files that it has named.
    files: HashMap<u64, u32>,
}

impl<'a> Run<'a, '_> {
    /// Runs it: every instruction once, so it ends. A sequence that is not completed is as if it were not there.
    fn run(&mut self, program: &IncompleteLineProgram<Bytes<'a>>) {
        let header = program.header();
        if header.maximum_operations_per_instruction() != 1 {
            return;
        }
        let mut begin = self.table.rows.len();
        let mut state = Registers::new();
        let mut instructions = header.instructions();
        while let Ok(Some(instruction)) = instructions.next_instruction(header) {
            match state.execute(&instruction, header, self.sections.code_len) {
                Step::On => {}
                Step::Row => {
                    let file = self.place(header, state.file);
                    let row = state.row().map(|(address, line)| match line {
                        // Code that the compiler made up.
                        0 => Row { address, line, file: NO_FILE },
                        line => Row { address, line, file },
                    });
                    self.table.rows.extend(row);
                }
                Step::End => {
                    let ended = (!state.dead).then(|| state.row()).flatten();
                    match ended {
                        Some((address, _)) => self.table.rows.push(Row { address, line: 0, file: NO_FILE }),
                        None => self.table.rows.truncate(begin),
                    }
                    begin = self.table.rows.len();
                    state = Registers::new();
                }
                Step::Broken => break,
            }
            if self.table.rows.len() >= MAX_ROWS {
                break;
            }
        }
        self.table.rows.truncate(begin);
    }

    /// The place of a file of this program in the table.
    fn place(&mut self, header: &Header<'a>, index: u64) -> u32 {
        if let Some(place) = self.files.get(&index) {
            return *place;
        }
        if self.table.searches >= MAX_SEARCHES {
            return NO_FILE;
        }
        self.table.searches = self.table.searches.saturating_add(1);
        let place = self.source_file(header, index).map_or(NO_FILE, |file| self.table.file(file));
        self.files.insert(index, place);
        place
    }

    fn source_file(&self, header: &Header<'a>, index: u64) -> Option<SourceFile> {
        let file = header.file(index)?;
        let name = self.text(file.path_name())?;
        let built_in = if header.version() >= 5 { header.directory(0) } else { None };
        let built_in = built_in.and_then(|folder| self.text(folder));
        // Nothing stands for the folder in which the compiler ran.
        let folder = (file.directory_index() > 0).then(|| self.text(header.directory(file.directory_index())?));
        SourceFile::new(built_in, folder.flatten(), name)
    }

    /// A path, if it is not too long to be one.
    fn text(&self, value: AttributeValue<Bytes<'a>>) -> Option<&'a [u8]> {
        let (section, offset) = match value {
            AttributeValue::String(text) => return Some(text.slice()).filter(|text| text.len() <= path::MAX_READ),
            AttributeValue::DebugStrRef(offset) => (self.sections.strings, offset.0),
            AttributeValue::DebugLineStrRef(offset) => (self.sections.line_strings, offset.0),
            _ => return None,
        };
        let text = section.get(offset..)?;
        text.get(..text.iter().take(path::MAX_READ).position(|byte| *byte == 0)?)
    }
}

/// The files that calls stand in.
struct Callers<'a, 'b> {
    run: Run<'a, 'b>,
    program: Option<IncompleteLineProgram<Bytes<'a>>>,
    /// How many bytes of headers may still be read.
    headers: u64,
}

impl Files for Callers<'_, '_> {
    fn open(&mut self, program: usize) -> Option<()> {
        self.run.files.clear();
        let bytes = self.run.sections.lines.get(program..)?;
        let (header_len, len) = sizes(bytes)?;
        self.headers = self.headers.checked_sub(header_len)?;
        self.program = if header_len <= MAX_HEADER { parse(bytes.get(..len)?) } else { None };
        self.program.as_ref().map(|_| ())
    }

    fn own(&mut self, index: u64) -> Option<u32> {
        let place = self.run.place(self.program.as_ref()?.header(), index);
        let file = self.run.table.files.get(usize::try_from(place).ok()?)?;
        file.own.then_some(place)
    }
}

/// What a line program works with.
struct Registers {
    address: u64,
    file: u64,
    line: u64,
    /// Whether the sequence is of code that the linker left out.
    dead: bool,
}

/// What an instruction leads to.
enum Step {
    On,
    Row,
    End,
    Broken,
}

impl Registers {
    const fn new() -> Self {
        Self { address: 0, file: 1, line: 1, dead: false }
    }

    /// The address and line, where the code is there and both are possible.
    fn row(&self) -> Option<(u32, u32)> {
        if self.dead { None } else { Some((u32::try_from(self.address).ok()?, u32::try_from(self.line).ok()?)) }
    }

    fn execute(&mut self, instruction: &LineInstruction<Bytes<'_>>, header: &Header<'_>, code_len: u64) -> Step {
        let adjusted = |opcode: u8| opcode.saturating_sub(header.opcode_base());
        // A range of zero is refused with the header.
        let operations = |adjusted: u8| adjusted.checked_div(header.line_range()).unwrap_or_default().into();
        match *instruction {
            LineInstruction::Special(opcode) => {
                let adjusted = adjusted(opcode);
                let lines = adjusted.checked_rem(header.line_range()).unwrap_or_default();
                self.advance_line(i64::from(header.line_base()).saturating_add(lines.into()));
                self.advance(operations(adjusted), header, code_len);
                Step::Row
            }
            LineInstruction::Copy => Step::Row,
            LineInstruction::AdvancePc(advance) => self.advance(advance, header, code_len),
            LineInstruction::ConstAddPc => self.advance(operations(adjusted(255)), header, code_len),
            LineInstruction::FixedAddPc(advance) => self.move_to(self.address.saturating_add(advance.into()), code_len),
            LineInstruction::AdvanceLine(advance) => self.advance_line(advance),
            LineInstruction::SetFile(file) => {
                self.file = file;
                Step::On
            }
            LineInstruction::SetAddress(address) => {
                // Linkers write zero or the largest number where they left the code out. At zero there is no function.
                self.dead = address == 0;
                self.move_to(address, code_len)
            }
            LineInstruction::EndSequence => Step::End,
            // Out of use since version 3, and not worth a table that grows.
            LineInstruction::DefineFile(_) => Step::Broken,
            _ => Step::On,
        }
    }

    fn advance(&mut self, operations: u64, header: &Header<'_>, code_len: u64) -> Step {
        let bytes = operations.saturating_mul(header.minimum_instruction_length().into());
        self.move_to(self.address.saturating_add(bytes), code_len)
    }

    fn move_to(&mut self, address: u64, code_len: u64) -> Step {
        self.address = address;
        self.dead |= address > code_len;
        Step::On
    }

    fn advance_line(&mut self, lines: i64) -> Step {
        self.line = self.line.saturating_add_signed(lines);
        Step::On
    }
}

#[cfg(test)]
mod tests;
