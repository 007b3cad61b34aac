//! Where the code of others was put into the mod's own by the compiler: most of what a mod does is in functions of libraries
//! that were inlined, and their lines tell a modder little. Line programs are not known here.

use gimli::{
    Abbreviations, AttributeValue, DebugAbbrev, DebugInfo, EndianSlice, LittleEndian, RawRangeListsOffset, Reader,
    UnitHeader, constants,
};

use super::{Bytes, NO_FILE, Sections};

/// The largest section that is read, in bytes. That of a mod in Rust is twice as large as its code.
const MAX_SECTION: usize = 16 << 20;
/// Bytes of abbreviations that are read in all. Each unit may begin anywhere among them.
const MAX_ABBREVIATIONS: usize = 8 << 20;
/// Entries, attributes and ranges that are looked at in all.
const MAX_WORK: usize = 4 << 20;
/// The most calls that are kept, of 20 bytes each: 1.3 MB.
pub(super) const MAX_CALLS: usize = 64 << 10;
/// In a list of ranges, says that the next number is what the others count from.
const NEW_BASE: u64 = u32::MAX as u64;

/// A call that the compiler replaced by the function's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Call {
    /// The code, up to `end`.
    pub(super) begin: u32,
    pub(super) end: u32,
    /// How deep it lies in others.
    pub(super) depth: u32,
    /// Where the call stands.
    pub(super) line: u32,
    pub(super) file: u32,
}

/// What an entry says.
#[derive(Default)]
struct Found {
    lines: Option<usize>,
    low: Option<u64>,
    high: Option<High>,
    ranges: Option<usize>,
    file: Option<u64>,
    line: Option<u64>,
}

enum High {
    Address(u64),
    Size(u64),
}

/// Finds the places of calls' files among those of the table: of a line program, by its offset.
pub(super) trait Files {
    /// Makes the program the one that is meant.
    fn open(&mut self, program: usize) -> Option<()>;
    /// The place of a file, if it is the mod's own.
    fn own(&mut self, index: u64) -> Option<u32>;
}

/// Reads all calls that stand in the mod's own files and were replaced. In sections of version 5, which rustc does not write for
/// WebAssembly, there are none.
pub(super) fn read(sections: &Sections<'_>, files: &mut impl Files) -> Vec<Call> {
    let mut calls = Reading { sections, work: MAX_WORK, abbreviations: MAX_ABBREVIATIONS, calls: Vec::new() };
    if sections.info.len() <= MAX_SECTION {
        let mut units = DebugInfo::new(sections.info, LittleEndian).units();
        // What is broken ends the reading.
        while let Ok(Some(unit)) = units.next() {
            if unit.version() <= 4 && calls.unit(&unit, files).is_none() {
                break;
            }
        }
    }
    let mut calls = calls.calls;
    calls.sort_by_key(|call| call.begin);
    calls
}

struct Reading<'a, 'b> {
    sections: &'b Sections<'a>,
    work: usize,
    abbreviations: usize,
    calls: Vec<Call>,
}

impl<'a> Reading<'a, '_> {
    /// Reads a unit. `None` where the limits are reached, or nothing behind it can be read.
    fn unit(&mut self, unit: &UnitHeader<Bytes<'a>>, files: &mut impl Files) -> Option<()> {
        let offset = unit.debug_abbrev_offset();
        let len = self.sections.abbreviations.len().checked_sub(offset.0)?;
        self.abbreviations = self.abbreviations.checked_sub(len)?;
        let known = DebugAbbrev::new(self.sections.abbreviations, LittleEndian).abbreviations(offset).ok()?;
        self.entries(unit, &known, files)
    }

    fn entries(&mut self, unit: &UnitHeader<Bytes<'a>>, known: &Abbreviations, files: &mut impl Files) -> Option<()> {
        let mut entries = unit.entries_raw(known, None).ok()?;
        let mut base = None;
        while !entries.is_empty() {
            let depth = entries.next_depth();
            let Some(kind) = entries.read_abbreviation().ok()? else { continue };
            let attributes = kind.attributes();
            self.work = self.work.checked_sub(attributes.len().saturating_add(1))?;
            if base.is_some() && kind.tag() != constants::DW_TAG_inlined_subroutine {
                entries.skip_attributes(attributes).ok()?;
                continue;
            }
            let mut found = Found::default();
            for attribute in attributes {
                found.note(entries.read_attribute(*attribute).ok()?);
            }
            match base {
                Some(base) => self.call(&found, depth, base, files)?,
                // The first entry is the unit itself. Without files there is nothing to say of it.
                None if found.lines.and_then(|program| files.open(program)).is_none() => return Some(()),
                None => base = Some(found.low.unwrap_or_default()),
            }
        }
        Some(())
    }

    fn call(&mut self, found: &Found, depth: isize, base: u64, files: &mut impl Files) -> Option<()> {
        let place = found.file.zip(found.line).and_then(|(file, line)| {
            let line = u32::try_from(line).ok().filter(|line| *line > 0)?;
            Some((files.own(file)?, line))
        });
        let Some((file, line)) = place else { return Some(()) };
        let depth = u32::try_from(depth).unwrap_or_default();
        let mut add = |begin: u64, end: u64| {
            let is_there = 0 < begin && begin < end && end <= self.sections.code_len;
            if let (true, Ok(begin), Ok(end)) = (is_there, u32::try_from(begin), u32::try_from(end)) {
                self.calls.push(Call { begin, end, depth, line, file });
            }
            (self.calls.len() < MAX_CALLS).then_some(())
        };
        match (found.low, &found.high, found.ranges) {
            (Some(low), Some(High::Address(high)), _) => add(low, *high),
            (Some(low), Some(High::Size(size)), _) => add(low, low.saturating_add(*size)),
            (_, _, Some(offset)) => {
                let mut ranges = EndianSlice::new(self.sections.ranges.get(offset..)?, LittleEndian);
                let mut base = base;
                loop {
                    self.work = self.work.checked_sub(1)?;
                    let (begin, end) = (u64::from(ranges.read_u32().ok()?), u64::from(ranges.read_u32().ok()?));
                    match (begin, end) {
                        (0, 0) => break Some(()),
                        (NEW_BASE, end) => base = end,
                        (begin, end) => add(base.saturating_add(begin), base.saturating_add(end))?,
                    }
                }
            }
            _ => Some(()),
        }
    }
}

impl Found {
    fn note(&mut self, attribute: gimli::Attribute<Bytes<'_>>) {
        match (attribute.name(), attribute.value()) {
            (constants::DW_AT_stmt_list, AttributeValue::DebugLineRef(offset)) => self.lines = Some(offset.0),
            (constants::DW_AT_low_pc, AttributeValue::Addr(address)) => self.low = Some(address),
            (constants::DW_AT_high_pc, AttributeValue::Addr(address)) => self.high = Some(High::Address(address)),
            (constants::DW_AT_high_pc, value) => self.high = value.udata_value().map(High::Size),
            (constants::DW_AT_ranges, AttributeValue::RangeListsRef(RawRangeListsOffset(offset))) => {
                self.ranges = Some(offset)
            }
            (constants::DW_AT_call_file, AttributeValue::FileIndex(file)) => self.file = Some(file),
            (constants::DW_AT_call_line, value) => self.line = value.udata_value(),
            _ => {}
        }
    }
}

/// The call in which an address lies that is nested deepest.
pub(super) fn innermost(calls: &[Call], address: u32) -> Option<&Call> {
    let before = calls.partition_point(|call| call.begin <= address);
    let around = calls.get(..before)?.iter().filter(|call| address < call.end && call.file != NO_FILE);
    around.max_by_key(|call| call.depth)
}
