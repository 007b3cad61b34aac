//! The conditions of a query: what they mean for its access, and for each row.
#![expect(unsafe_code, reason = "reads the ticks of rows whose types are only known at run time")]

use std::sync::Arc;

use bevy_ecs::{change_detection::Tick, query::FilteredAccess};
use mod_abi::describe::{FilterDesc, MAX_FILTER_DEPTH};

use crate::bridge::{
    grant::READ,
    query::{QueryError, Types},
    rows::Rows,
    types::{Binding, BoundType},
};

/// Into how many alternatives the `Or`s of a query may multiply. Bevy looks at each when it compares two queries.
const MAX_ALTERNATIVES: usize = 64;

/// A condition, or several.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    With(Arc<BoundType>),
    Without(Arc<BoundType>),
    Added(Arc<BoundType>),
    Changed(Arc<BoundType>),
    Any(Vec<Filter>),
    All(Vec<Filter>),
}

/// When a system ran last, and the tick of this run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticks {
    pub(crate) last_run: Tick,
    pub(crate) this_run: Tick,
}

impl Ticks {
    /// Whether something that happened at `tick` is new to the system.
    pub(crate) fn is_new(self, tick: Tick) -> bool {
        tick.is_newer_than(self.last_run, self.this_run)
    }
}

/// Binds a list of filters, all of which have to hold. Types that are not there yet go to `waiting`.
pub(crate) fn bind(
    descs: &[FilterDesc],
    types: &mut impl Types,
    waiting: &mut Vec<String>,
) -> Result<Filter, QueryError> {
    let mut rest = descs.iter();
    let mut all = Vec::new();
    while !rest.as_slice().is_empty() {
        all.extend(bind_next(&mut rest, types, waiting, 0)?);
    }
    Ok(Filter::All(all))
}

/// Binds the next filter with its members. `None` for one whose type is not there yet.
fn bind_next(
    descs: &mut std::slice::Iter<FilterDesc>,
    types: &mut impl Types,
    waiting: &mut Vec<String>,
    depth: usize,
) -> Result<Option<Filter>, QueryError> {
    if depth > MAX_FILTER_DEPTH {
        return Err(QueryError::Filters { reason: "they nest too deep" });
    }
    let missing = QueryError::Filters { reason: "an `Or` or `And` has more members than follow it" };
    let desc = descs.next().ok_or(missing)?;
    let (index, make): (_, fn(Arc<BoundType>) -> Filter) = match *desc {
        FilterDesc::With(index) => (index, Filter::With),
        FilterDesc::Without(index) => (index, Filter::Without),
        FilterDesc::Added(index) => (index, Filter::Added),
        FilterDesc::Changed(index) => (index, Filter::Changed),
        FilterDesc::Or(members) | FilterDesc::And(members) => {
            let members = (0..members).map(|_| bind_next(descs, types, waiting, depth + 1));
            let members = members.filter_map(Result::transpose).collect::<Result<_, _>>()?;
            let is_or = matches!(desc, FilterDesc::Or(_));
            return Ok(Some(if is_or { Filter::Any(members) } else { Filter::All(members) }));
        }
    };
    match types.get(index, READ)?.0 {
        Binding::Bound(ty) => Ok(Some(make(ty))),
        Binding::NotYet { name, .. } => {
            waiting.push(name);
            Ok(None)
        }
    }
}

impl Filter {
    /// Narrows a query to the archetypes in which the filter can hold, and adds what it reads, as Bevy's own filters do.
    pub(crate) fn narrow(&self, access: &mut FilteredAccess) -> Result<(), QueryError> {
        if self.alternatives() > MAX_ALTERNATIVES {
            return Err(QueryError::Filters { reason: "their `Or`s multiply into too many alternatives" });
        }
        self.narrow_within(access);
        Ok(())
    }

    fn narrow_within(&self, access: &mut FilteredAccess) {
        match self {
            Self::With(ty) => access.and_with(ty.component),
            Self::Without(ty) => access.and_without(ty.component),
            Self::Added(ty) | Self::Changed(ty) => access.add_read(ty.component),
            Self::All(members) => members.iter().for_each(|member| member.narrow_within(access)),
            Self::Any(members) => {
                let mut any = FilteredAccess::matches_nothing();
                for member in members {
                    let mut alternative = access.clone();
                    member.narrow_within(&mut alternative);
                    any.append_or(&alternative);
                    any.extend_access(&alternative);
                }
                *access = any;
            }
        }
    }

    fn alternatives(&self) -> usize {
        match self {
            // One without members counts, too: what stands before it is multiplied out all the same.
            Self::Any(members) => {
                members.iter().fold(0_usize, |sum, one| sum.saturating_add(one.alternatives())).max(1)
            }
            Self::All(members) => members.iter().fold(1, |all, member| all.saturating_mul(member.alternatives())),
            _ => 1,
        }
    }

    /// Whether the filter tells rows of one archetype apart.
    pub(crate) fn looks_at_rows(&self) -> bool {
        match self {
            Self::With(_) | Self::Without(_) => false,
            Self::Added(_) | Self::Changed(_) => true,
            Self::Any(members) | Self::All(members) => members.iter().any(Self::looks_at_rows),
        }
    }

    /// Appends the numbers of those of `rows` that meet the filter.
    ///
    /// # Safety
    /// The caller may read the components that the filter names.
    pub(crate) unsafe fn pick(&self, rows: &Rows, ticks: Ticks, picked: &mut Vec<u32>) {
        for index in 0..rows.len() {
            // SAFETY: passed on.
            if unsafe { self.holds(rows, index, ticks) }
                && let Ok(index) = u32::try_from(index)
            {
                picked.push(index);
            }
        }
    }

    /// # Safety
    /// As [`Filter::pick`].
    unsafe fn holds(&self, rows: &Rows, index: usize, ticks: Ticks) -> bool {
        let cells = |ty: &BoundType| rows.cells(ty.component, ty.storage);
        let cell = |ty: &BoundType| cells(ty).and_then(|cells| cells.get(index));
        match self {
            Self::With(ty) => cells(ty).is_some_and(|cells| cells.has(index)),
            Self::Without(ty) => !cells(ty).is_some_and(|cells| cells.has(index)),
            Self::Added(ty) => cell(ty).is_some_and(|cell| {
                // SAFETY: the caller may read this component.
                ticks.is_new(unsafe { *cell.added.get() })
            }),
            Self::Changed(ty) => cell(ty).is_some_and(|cell| {
                // SAFETY: the caller may read this component.
                ticks.is_new(unsafe { *cell.changed.get() })
            }),
            // SAFETY: passed on.
            Self::Any(members) => members.iter().any(|member| unsafe { member.holds(rows, index, ticks) }),
            // SAFETY: passed on.
            Self::All(members) => members.iter().all(|member| unsafe { member.holds(rows, index, ticks) }),
        }
    }
}
