//! A report for people. Every text of a mod goes through [`visible`].

use super::report::{Access, Function, Other, Report};
use crate::terminal::{count, size, visible};

/// The lines of a report.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let mut lines = identity(report);
    let mut section = |title: &str, rows: Vec<String>| {
        if !rows.is_empty() {
            lines.push(String::new());
            lines.push(format!("{title}:"));
            lines.extend(rows.into_iter().map(|row| format!("  {}", visible(&row))));
        }
    };
    section("mods", report.dependencies.iter().map(other).collect());
    let what = |text: &str| if text.is_empty() { String::new() } else { format!(": {text}") };
    let settings = report.settings.iter().map(|of| format!("{} ({}){}", of.name, of.kind, what(&of.description)));
    section("settings", settings.collect());
    section("exports", report.exports.iter().map(function).collect());
    section("imports", report.imports.iter().map(function).collect());
    if let Some(reason) = &report.not_described {
        section("its systems are not known", vec![reason.clone()]);
    }
    let mut rows = Vec::new();
    for system in &report.systems {
        rows.push(format!("{} in {}", system.name, system.schedule));
        rows.extend(system.params.iter().map(|param| format!("  {param}")));
        rows.extend(access(&system.access));
        rows.extend(system.conditions.iter().map(|condition| format!("  if {condition}")));
        rows.extend(system.order.iter().map(|order| format!("  {order}")));
    }
    section("systems", rows);
    let mut rows = Vec::new();
    for observer in &report.observers {
        rows.push(format!("{} on {}", observer.name, observer.event));
        rows.extend(observer.params.iter().skip(1).map(|param| format!("  {param}")));
        rows.extend(access(&observer.access));
    }
    section("observers", rows);
    section("types", report.types.iter().map(|ty| format!("{} ({}): {}", ty.path, ty.role, ty.schema)).collect());
    section("starts with the resources", report.resources.clone());
    section("keeps over a reload", report.kept.iter().map(|kept| format!("{}: {}", kept.name, kept.schema)).collect());
    let row = |section: &super::sections::Section| {
        let times = if section.count > 1 { format!(" in {}", count(section.count, "section")) } else { String::new() };
        format!("{:>10}  {}{times}", size(section.bytes), section.name)
    };
    section(&format!("{} in sections", size(report.bytes)), report.sections.iter().map(row).collect());
    lines
}

fn identity(report: &Report) -> Vec<String> {
    let named = report.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    let mut lines = vec![format!("{} {}{named}", report.id, report.version)];
    if !report.states_identity {
        lines.push("it states no identity, and goes by the name of its file".to_owned());
    }
    lines.extend(report.description.clone());
    if !report.authors.is_empty() {
        lines.push(format!("by {}", report.authors.join(", ")));
    }
    lines.extend(report.homepage.clone());
    if let Some(game) = &report.game {
        lines.push(format!("for {}", other(game)));
    }
    lines.push(format!("ABI {}, codec {}", report.abi, report.codec));
    for (word, ids) in [("after", &report.load_after), ("before", &report.load_before)] {
        if !ids.is_empty() {
            lines.push(format!("loaded {word} {}", ids.join(", ")));
        }
    }
    lines.iter().map(|line| visible(line)).collect()
}

fn other(other: &Other) -> String {
    let versions = other.versions.as_ref().map(|versions| format!(" {versions}")).unwrap_or_default();
    let kind = other.kind.map(|kind| format!(" ({kind})")).unwrap_or_default();
    format!("{}{versions}{kind}", other.id)
}

fn function(function: &Function) -> String {
    let of = function.of.as_ref().map(|of| format!("{of}::")).unwrap_or_default();
    format!("{of}{}{}", function.name, function.signature.as_deref().unwrap_or(" (its types are not stated)"))
}

fn access(access: &Access) -> Option<String> {
    let mut parts = Vec::new();
    for (word, paths) in [("reads", &access.reads), ("writes", &access.writes)] {
        if !paths.is_empty() {
            parts.push(format!("{word} {}", paths.join(", ")));
        }
    }
    if access.world {
        parts.push("reads what it asks for".to_owned());
    }
    if access.commands {
        parts.push("leaves commands".to_owned());
    }
    (!parts.is_empty()).then(|| format!("  {}", parts.join("; ")))
}
