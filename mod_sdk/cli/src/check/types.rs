//! The types that a mod names, found in the file, and what it does with them.

use mod_abi::{
    DependencyKind, Identity, SchemaDifference,
    describe::{ModDescription, TypeDesc, TypeIndex, TypeRole},
};
use mod_host::{GameApi, ModAccess, OfferedType, TypeApi, nearest};

use super::{
    found::Findings,
    schema::{differences, differences_of_part},
};
use crate::terminal::verb;

/// What a type is to a mod that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Component,
    Resource,
    Message,
    Event,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Resource => "resource",
            Self::Message => "message",
            Self::Event => "event",
        }
    }

    fn list(self, api: &GameApi) -> &[OfferedType] {
        match self {
            Self::Component => &api.components,
            Self::Resource => &api.resources,
            Self::Message => &api.messages,
            Self::Event => &api.events,
        }
    }

    const ALL: [Self; 4] = [Self::Component, Self::Resource, Self::Message, Self::Event];
}

/// The types of one mod against those of one game.
pub(super) struct Types<'a> {
    pub(super) api: &'a GameApi,
    pub(super) description: &'a ModDescription,
    pub(super) identity: &'a Identity,
}

/// Where a type was found.
enum Found<'a> {
    Game(&'a TypeApi),
    /// The mod defines it.
    Own,
    /// A mod that this one knows may define it.
    OfMod(&'a str),
}

impl<'a> Types<'a> {
    /// Checks one use of a type, by who wants it (`None` for the mod as a whole). The others of a use are told all the same.
    pub(super) fn used(
        &self,
        by: Option<&str>,
        index: TypeIndex,
        kind: Kind,
        access: ModAccess,
        findings: &mut Findings,
    ) {
        let by = by.map_or_else(|| "it".to_owned(), |by| format!("`{by}`"));
        let types = &self.description.types;
        let Some(desc) = usize::try_from(index).ok().and_then(|index| types.get(index)) else {
            findings.problem(format!("{by} names type number {index}, but the mod states only {}", types.len()));
            return;
        };
        match self.find(desc) {
            Err(problem) => findings.problem(problem),
            Ok(Found::Own) => {}
            Ok(Found::OfMod(id)) => findings.note(format!("`{}` is a type of the mod `{id}`", desc.path)),
            Ok(Found::Game(ty)) => {
                let crosses = self.permitted(&by, ty, kind, access, findings);
                // Filters need no value.
                if crosses && access != ModAccess::Filter {
                    self.compare(desc, ty, findings);
                }
            }
        }
    }

    /// Whether the game lets mods do that with its type.
    fn permitted(&self, by: &str, ty: &TypeApi, kind: Kind, access: ModAccess, findings: &mut Findings) -> bool {
        let path = &ty.path;
        let offered = |kind: Kind| kind.list(self.api).iter().find(|offered| offered.path == *path);
        let Some(offer) = offered(kind) else {
            let name = kind.name();
            let other = Kind::ALL.into_iter().find(|other| offered(*other).is_some());
            let is = other.map(|other| format!(" (it is a {})", other.name())).unwrap_or_default();
            findings.problem(match kind {
                Kind::Component | Kind::Resource if other.is_none() => {
                    format!("{by} uses {path} as a {name}, which the game had not met when it wrote the file: the mod would wait until it is met")
                }
                Kind::Event => format!("{by} uses {path} as an event, but it is no event to mods of this game{is}: it lacks `#[reflect(Event)]`"),
                _ => format!("{by} uses {path} as a {name}, but it is no {name} to mods of this game{is}"),
            });
            return false;
        };
        if !offer.can(access) {
            let verb = verb(access);
            let reason = offer.cannot.get(&access).map(|reason| format!(": {reason}")).unwrap_or_default();
            let does = if access == ModAccess::Filter { "asks about".to_owned() } else { format!("{verb}s") };
            findings.problem(format!("{by} {does} {path}, which mods of this game cannot {verb}{reason}"));
        }
        offer.can(access)
    }

    /// What the mod believes of a type of the game, against what it is.
    fn compare(&self, desc: &TypeDesc, ty: &TypeApi, findings: &mut Findings) {
        let path = &ty.path;
        let differences = match (&desc.role, &ty.schema) {
            (TypeRole::Part, _) => differences_of_part(&desc.schema, ty, self.api),
            (_, Some(schema)) => differences(&desc.schema, schema),
            (_, None) => {
                let reason = ty.unsupported.as_deref().unwrap_or("the file does not say why");
                findings.problem(format!(
                    "{path} cannot cross to a mod as a whole: {reason}; name only other fields of it, with `partial`"
                ));
                return;
            }
        };
        for SchemaDifference { in_mod, in_game } in differences {
            findings.problem(format!("{path} does not match this game: mod has \"{in_mod}\", game has \"{in_game}\""));
        }
    }

    fn find(&self, desc: &TypeDesc) -> Result<Found<'a>, String> {
        let path = desc.path.as_str();
        let is_definition = |ty: &TypeDesc| matches!(ty.role, TypeRole::Definition(_));
        if is_definition(desc) || self.description.types.iter().any(|ty| is_definition(ty) && ty.path == path) {
            return Ok(Found::Own);
        }
        if let Some(ty) = find(self.api, path) {
            return Ok(Found::Game(ty));
        }
        let same: Vec<_> =
            self.api.types.iter().filter(|ty| short(&ty.path) == path).map(|ty| ty.path.as_str()).collect();
        if !same.is_empty() {
            return Err(format!("`{path}` could be several types of this game; name one of {}", same.join(", ")));
        }
        let owner = path.split_once("::").map(|(owner, _)| owner);
        let known = self.identity.dependencies.iter().filter(|other| other.kind != DependencyKind::Incompatible);
        let mut known = known.map(|other| &other.id).chain(&self.identity.load_after);
        if let Some(id) = known.find(|id| Some(id.as_str()) == owner) {
            return Ok(Found::OfMod(id));
        }
        let near = near(self.api, path).map(|near| format!(" (it has `{near}`)")).unwrap_or_default();
        Err(format!("this game has no type `{path}`{near}, or had not met it when it wrote the file"))
    }
}

/// The type of the game that a mod means by a path, full or short.
fn find<'a>(api: &'a GameApi, path: &str) -> Option<&'a TypeApi> {
    api.ty(path).or_else(|| api.types.iter().find(|ty| ty.short_path.as_deref() == Some(path)))
}

/// A path without the modules of its parts.
fn short(path: &str) -> String {
    let pieces = path.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    pieces.filter_map(|piece| piece.rsplit("::").next()).collect()
}

/// The type that was probably meant: one of the same name in another place, or one whose path or name looks alike.
fn near(api: &GameApi, path: &str) -> Option<String> {
    let name = |path: &str| path.rsplit("::").next().unwrap_or(path).to_owned();
    let wanted = name(path);
    let paths = || api.types.iter().map(|ty| ty.path.as_str()).filter(|path| path.contains("::"));
    let same = paths().find(|path| name(path).eq_ignore_ascii_case(&wanted)).map(str::to_owned);
    same.or_else(|| nearest(path, paths())).or_else(|| {
        let names: Vec<_> = paths().map(name).collect();
        let near = nearest(&wanted, names.iter().map(String::as_str))?;
        paths().find(|path| name(path) == near).map(str::to_owned)
    })
}
