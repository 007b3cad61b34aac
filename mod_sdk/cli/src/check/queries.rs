//! Queries: what they name, and whether two parameters of a system borrow the same data.

use std::collections::BTreeSet;

use mod_abi::describe::{FilterDesc, MAX_FILTER_DEPTH, ParamDesc, QueryDesc, TermDesc, TypeIndex};
use mod_host::ModAccess;

use super::{
    found::Findings,
    types::{Kind, Types},
};

/// The most terms and filters that one query may have.
const MAX_TERMS: usize = 64;

/// Checks what a query names, and its form.
pub(super) fn check(by: &str, query: &QueryDesc, types: &Types<'_>, findings: &mut Findings) {
    let terms = query.terms.len().saturating_add(query.filters.len());
    if terms > MAX_TERMS {
        findings.problem(format!("`{by}`: a query has {terms} terms and filters, more than {MAX_TERMS}"));
        return;
    }
    let mut data = BTreeSet::new();
    for term in &query.terms {
        let (index, access) = match *term {
            TermDesc::Entity => continue,
            TermDesc::Has(index) => (index, ModAccess::Filter),
            TermDesc::Read(index) | TermDesc::ReadOptional(index) => (index, ModAccess::Read),
            TermDesc::Write(index) | TermDesc::WriteOptional(index) => (index, ModAccess::Write),
        };
        types.used(Some(by), index, Kind::Component, access, findings);
        if access != ModAccess::Filter && !data.insert(index) {
            findings.problem(format!("`{by}`: a query names type number {index} twice; each row is only given once"));
        }
    }
    for filter in &query.filters {
        match *filter {
            FilterDesc::With(index)
            | FilterDesc::Without(index)
            | FilterDesc::Added(index)
            | FilterDesc::Changed(index) => types.used(Some(by), index, Kind::Component, ModAccess::Filter, findings),
            FilterDesc::Or(_) | FilterDesc::And(_) => {}
        }
    }
    let mut rest = query.filters.iter();
    while !rest.as_slice().is_empty() {
        if let Err(reason) = skip(&mut rest, 0) {
            findings.problem(format!("`{by}`: a query's filters cannot be understood: {reason}"));
            return;
        }
    }
}

/// Passes over one filter with its members.
fn skip(rest: &mut std::slice::Iter<'_, FilterDesc>, depth: usize) -> Result<(), &'static str> {
    if depth > MAX_FILTER_DEPTH {
        return Err("they nest too deep");
    }
    match rest.next() {
        None => Err("an `Or` or `And` has more members than follow it"),
        Some(FilterDesc::Or(members) | FilterDesc::And(members)) => {
            (0..*members).try_for_each(|_| skip(rest, depth.saturating_add(1)))
        }
        Some(_) => Ok(()),
    }
}

/// What a parameter borrows.
#[derive(Default)]
struct Borrows {
    reads: BTreeSet<TypeIndex>,
    writes: BTreeSet<TypeIndex>,
    /// What its rows have and have not, as far as that is plain.
    with: BTreeSet<TypeIndex>,
    without: BTreeSet<TypeIndex>,
    /// Resources are never rows of a query.
    is_resource: bool,
}

/// Says which parameters borrow what an earlier one writes, or the other way round.
pub(super) fn check_aliasing(by: &str, params: &[ParamDesc], types: &Types<'_>, findings: &mut Findings) {
    let mut earlier: Vec<(usize, Borrows)> = Vec::new();
    for (param, number) in params.iter().zip(1_usize..) {
        let Some(borrows) = borrows(param) else { continue };
        if let Some((other, shared)) = earlier.iter().find_map(|(at, other)| Some((at, conflict(other, &borrows)?))) {
            let path = |index: &TypeIndex| types.description.types.get(usize::try_from(*index).ok()?);
            let names: Vec<_> = shared.iter().filter_map(path).map(|ty| format!("`{}`", ty.path)).collect();
            findings.problem(format!(
                "`{by}`: parameters {other} and {number} both borrow {}, and one of them writes it; use `Without<T>` to keep \
                 two queries apart",
                names.join(", ")
            ));
        }
        earlier.push((number, borrows));
    }
}

/// `None` for what borrows nothing, and for queries with `Or`, of which it is not plain which rows they have.
fn borrows(param: &ParamDesc) -> Option<Borrows> {
    let mut borrows = Borrows::default();
    match param {
        ParamDesc::Resource(of) | ParamDesc::OptionalResource(of) => {
            borrows.is_resource = true;
            if of.write { &mut borrows.writes } else { &mut borrows.reads }.insert(of.ty);
        }
        ParamDesc::Query(query) => {
            for term in &query.terms {
                match *term {
                    TermDesc::Entity | TermDesc::Has(_) => {}
                    TermDesc::Read(index) => {
                        borrows.reads.insert(index);
                        borrows.with.insert(index);
                    }
                    TermDesc::Write(index) => {
                        borrows.writes.insert(index);
                        borrows.with.insert(index);
                    }
                    TermDesc::ReadOptional(index) => {
                        borrows.reads.insert(index);
                    }
                    TermDesc::WriteOptional(index) => {
                        borrows.writes.insert(index);
                    }
                }
            }
            for filter in &query.filters {
                match *filter {
                    FilterDesc::Or(_) => return None,
                    FilterDesc::And(_) => {}
                    FilterDesc::With(index) => {
                        borrows.with.insert(index);
                    }
                    FilterDesc::Without(index) => {
                        borrows.without.insert(index);
                    }
                    FilterDesc::Added(index) | FilterDesc::Changed(index) => {
                        borrows.reads.insert(index);
                        borrows.with.insert(index);
                    }
                }
            }
        }
        _ => return None,
    }
    Some(borrows)
}

/// What both borrow and one of them writes, if their rows can be the same.
fn conflict(a: &Borrows, b: &Borrows) -> Option<BTreeSet<TypeIndex>> {
    let touch = |a: &Borrows, b: &Borrows| {
        a.writes.iter().filter(|ty| b.writes.contains(ty) || b.reads.contains(ty)).copied().collect::<Vec<_>>()
    };
    let are_apart =
        a.with.intersection(&b.without).next().is_some() || b.with.intersection(&a.without).next().is_some();
    let shared: BTreeSet<TypeIndex> = touch(a, b).into_iter().chain(touch(b, a)).collect();
    let is_conflict = a.is_resource == b.is_resource && !shared.is_empty() && (a.is_resource || !are_apart);
    is_conflict.then_some(shared)
}
