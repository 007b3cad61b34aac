//! What a mod is, gives, needs and does: its types by their names, and its access in words.

use mod_abi::{
    DependencyKind, Direction, FunctionDesc, Schema, SettingKind,
    describe::{
        ConditionDesc, ConditionTest, DefinitionKind, EventDesc, FilterDesc, ModDescription, OrderDesc, OrderTarget,
        ParamDesc, QueryDesc, TermDesc, TypeIndex, TypeRole,
    },
    names::is_reserved,
};
use serde::Serialize;

use super::sections::{Section, sections};
use crate::guest::{Described, Guest, ReadError};

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) id: String,
    pub(super) version: String,
    /// Whether the file says so itself.
    pub(super) states_identity: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) homepage: Option<String>,
    pub(super) authors: Vec<String>,
    pub(super) abi: u32,
    pub(super) codec: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) game: Option<Other>,
    pub(super) dependencies: Vec<Other>,
    pub(super) load_after: Vec<String>,
    pub(super) load_before: Vec<String>,
    pub(super) settings: Vec<Setting>,
    pub(super) exports: Vec<Function>,
    pub(super) imports: Vec<Function>,
    /// Why nothing is known of the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_described: Option<String>,
    pub(super) types: Vec<Type>,
    pub(super) systems: Vec<System>,
    pub(super) observers: Vec<Observer>,
    /// The paths of resources that it starts with.
    pub(super) resources: Vec<String>,
    pub(super) kept: Vec<Kept>,
    pub(super) bytes: usize,
    pub(super) sections: Vec<Section>,
}

/// A game or another mod.
#[derive(Debug, Serialize)]
pub(super) struct Other {
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) versions: Option<String>,
}

/// What players can set.
#[derive(Debug, Serialize)]
pub(super) struct Setting {
    pub(super) name: String,
    /// In the words of the identity section: type, default and range.
    pub(super) kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
}

/// A function that crosses.
#[derive(Debug, Serialize)]
pub(super) struct Function {
    pub(super) name: String,
    /// The mod that provides it, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) of: Option<String>,
    /// If the mod states one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<String>,
}

/// A type that crosses.
#[derive(Debug, Serialize)]
pub(super) struct Type {
    pub(super) path: String,
    pub(super) role: &'static str,
    pub(super) schema: String,
}

/// A system.
#[derive(Debug, Serialize)]
pub(super) struct System {
    pub(super) name: String,
    pub(super) schedule: String,
    pub(super) params: Vec<String>,
    pub(super) access: Access,
    pub(super) order: Vec<String>,
    pub(super) conditions: Vec<String>,
}

/// An observer.
#[derive(Debug, Serialize)]
pub(super) struct Observer {
    pub(super) name: String,
    pub(super) event: String,
    pub(super) params: Vec<String>,
    pub(super) access: Access,
}

/// What a system touches, each once, by path.
#[derive(Debug, Default, Serialize)]
pub(super) struct Access {
    pub(super) reads: Vec<String>,
    pub(super) writes: Vec<String>,
    pub(super) commands: bool,
    /// Whether it may read anything, on demand.
    pub(super) world: bool,
}

/// What outlives a reload.
#[derive(Debug, Serialize)]
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) schema: String,
}

impl Report {
    /// Puts together what is known.
    pub(super) fn new(guest: &Guest, described: &Result<Described, ReadError>) -> Self {
        let manifest = &guest.manifest;
        let identity = manifest.identity.clone();
        let nothing = Described::default();
        let Described { description, kept } = described.as_ref().unwrap_or(&nothing);
        let words = Words(description);
        let stated = |direction, of: Option<&str>, name: &str| {
            let is_it = |function: &&FunctionDesc| {
                function.direction == direction && function.name == name && function.mod_id.as_deref() == of
            };
            let signature = manifest.functions.iter().find(is_it).map(|function| function.signature.to_string());
            Function { name: name.to_owned(), of: of.map(str::to_owned), signature }
        };
        let of_game = manifest.host_functions.iter().filter(|name| !is_reserved(name));
        let of_game = of_game.map(|name| stated(Direction::Import, None, name));
        let of_mods = manifest.mod_functions.iter();
        let of_mods = of_mods.map(|import| stated(Direction::Import, Some(&import.mod_id), &import.name));
        let setting = |setting: &mod_abi::SettingDesc| Setting {
            name: setting.name.clone(),
            kind: kind_of(&setting.kind),
            description: setting.description.clone(),
        };
        Self {
            states_identity: manifest.stated_identity,
            settings: identity.settings.iter().map(setting).collect(),
            game: identity.game.map(|game| Other { id: game.id, kind: None, versions: game.api }),
            dependencies: identity.dependencies.into_iter().map(other).collect(),
            id: identity.id,
            version: identity.version,
            name: identity.name,
            description: identity.description,
            homepage: identity.homepage,
            authors: identity.authors,
            abi: identity.abi,
            codec: manifest.codec.to_string(),
            load_after: identity.load_after,
            load_before: identity.load_before,
            exports: manifest.exports.iter().map(|name| stated(Direction::Export, None, name)).collect(),
            imports: of_game.chain(of_mods).collect(),
            not_described: described.as_ref().err().map(ToString::to_string),
            types: description.types.iter().map(|ty| words.of_type(ty)).collect(),
            systems: description.systems.iter().map(|system| words.system(system)).collect(),
            observers: description.observers.iter().map(|observer| words.observer(observer)).collect(),
            resources: description.resources.iter().map(|resource| words.path(resource.ty)).collect(),
            kept: kept
                .iter()
                .map(|state| Kept { name: state.name.clone(), schema: state.schema.to_string() })
                .collect(),
            bytes: guest.bytes.len(),
            sections: sections(&guest.bytes),
        }
    }
}

fn other(dependency: mod_abi::Dependency) -> Other {
    let kind = match dependency.kind {
        DependencyKind::Required => "required",
        DependencyKind::Optional => "optional",
        DependencyKind::Incompatible => "incompatible",
    };
    Other { id: dependency.id, kind: Some(kind), versions: dependency.requirement }
}

/// The type of a setting in words.
fn kind_of(kind: &SettingKind) -> String {
    fn range<T: ToString>(min: Option<&T>, max: Option<&T>) -> String {
        let bound = |word: &str, bound: Option<&T>| bound.map(|bound| format!(", {word} {}", bound.to_string()));
        [bound("at least", min), bound("at most", max)].into_iter().flatten().collect()
    }
    match kind {
        SettingKind::Bool { default } => format!("bool, {default} by default"),
        SettingKind::Int { default, min, max } => {
            format!("int, {default} by default{}", range(min.as_ref(), max.as_ref()))
        }
        SettingKind::Float { default, min, max } => {
            format!("float, {default} by default{}", range(min.as_ref(), max.as_ref()))
        }
        SettingKind::Text { default } => format!("text, {default:?} by default"),
        SettingKind::Choice { default, choices } => format!("one of {}, {default} by default", choices.join(", ")),
    }
}

/// Names for what a description names by numbers.
struct Words<'a>(&'a ModDescription<Schema>);

impl Words<'_> {
    fn path(&self, index: TypeIndex) -> String {
        let ty = usize::try_from(index).ok().and_then(|index| self.0.types.get(index));
        ty.map_or_else(|| format!("type number {index}, which it does not state"), |ty| ty.path.clone())
    }

    fn of_type(&self, ty: &mod_abi::describe::TypeDesc) -> Type {
        let role = match &ty.role {
            TypeRole::Mirror => "mirror",
            TypeRole::Part => "part",
            TypeRole::Definition(definition) => match definition.kind {
                DefinitionKind::Component => "own component",
                DefinitionKind::SparseComponent => "own sparse component",
                DefinitionKind::Resource => "own resource",
                DefinitionKind::Message => "own message",
                DefinitionKind::Event => "own event",
                DefinitionKind::Settings => "settings",
            },
        };
        Type { path: ty.path.clone(), role, schema: ty.schema.to_string() }
    }

    fn system(&self, system: &mod_abi::describe::SystemDesc) -> System {
        System {
            name: system.name.clone(),
            schedule: system.schedule.clone(),
            params: system.params.iter().map(|param| self.param(param)).collect(),
            access: self.access(&system.params),
            order: system.order.iter().map(|order| self.order(order)).collect(),
            conditions: system.conditions.iter().map(|condition| self.condition(condition)).collect(),
        }
    }

    fn observer(&self, observer: &mod_abi::describe::ObserverDesc) -> Observer {
        let (what, index) = match observer.event {
            EventDesc::Event(index) => ("", index),
            EventDesc::Add(index) => ("Add ", index),
            EventDesc::Insert(index) => ("Insert ", index),
            EventDesc::Discard(index) => ("Discard ", index),
            EventDesc::Remove(index) => ("Remove ", index),
            EventDesc::Despawn(index) => ("Despawn ", index),
        };
        Observer {
            name: observer.name.clone(),
            event: format!("{what}{}", self.path(index)),
            params: observer.params.iter().map(|param| self.param(param)).collect(),
            access: self.access(&observer.params),
        }
    }

    fn param(&self, param: &ParamDesc) -> String {
        match param {
            ParamDesc::Query(query) => self.query(query),
            ParamDesc::Resource(of) if of.write => format!("ResMut<{}>", self.path(of.ty)),
            ParamDesc::Resource(of) => format!("Res<{}>", self.path(of.ty)),
            ParamDesc::OptionalResource(of) if of.write => format!("Option<ResMut<{}>>", self.path(of.ty)),
            ParamDesc::OptionalResource(of) => format!("Option<Res<{}>>", self.path(of.ty)),
            ParamDesc::World => "World".to_owned(),
            ParamDesc::Commands => "Commands".to_owned(),
            ParamDesc::MessageReader(index) => format!("MessageReader<{}>", self.path(*index)),
            ParamDesc::MessageWriter(index) => format!("MessageWriter<{}>", self.path(*index)),
            ParamDesc::Event => "On".to_owned(),
        }
    }

    fn query(&self, query: &QueryDesc) -> String {
        let terms = query.terms.iter().map(|term| match term {
            TermDesc::Entity => "Entity".to_owned(),
            TermDesc::Read(index) => format!("&{}", self.path(*index)),
            TermDesc::Write(index) => format!("&mut {}", self.path(*index)),
            TermDesc::ReadOptional(index) => format!("Option<&{}>", self.path(*index)),
            TermDesc::WriteOptional(index) => format!("Option<&mut {}>", self.path(*index)),
            TermDesc::Has(index) => format!("Has<{}>", self.path(*index)),
        });
        let terms = terms.collect::<Vec<_>>().join(", ");
        // In prefix order, as they are stated: no tree of a mod is walked here.
        let filters = query.filters.iter().map(|filter| match filter {
            FilterDesc::With(index) => format!("With<{}>", self.path(*index)),
            FilterDesc::Without(index) => format!("Without<{}>", self.path(*index)),
            FilterDesc::Added(index) => format!("Added<{}>", self.path(*index)),
            FilterDesc::Changed(index) => format!("Changed<{}>", self.path(*index)),
            FilterDesc::Or(members) => format!("any of the next {members}:"),
            FilterDesc::And(members) => format!("all of the next {members}:"),
        });
        let filters = filters.collect::<Vec<_>>().join(" ");
        if filters.is_empty() { format!("Query<({terms})>") } else { format!("Query<({terms})> where {filters}") }
    }

    fn access(&self, params: &[ParamDesc]) -> Access {
        let mut access = Access::default();
        for param in params {
            match param {
                ParamDesc::Query(query) => {
                    for term in &query.terms {
                        match term {
                            TermDesc::Read(index) | TermDesc::ReadOptional(index) => {
                                access.reads.push(self.path(*index))
                            }
                            TermDesc::Write(index) | TermDesc::WriteOptional(index) => {
                                access.writes.push(self.path(*index))
                            }
                            TermDesc::Entity | TermDesc::Has(_) => {}
                        }
                    }
                }
                ParamDesc::Resource(of) | ParamDesc::OptionalResource(of) => {
                    let list = if of.write { &mut access.writes } else { &mut access.reads };
                    list.push(self.path(of.ty));
                }
                ParamDesc::MessageReader(index) => access.reads.push(self.path(*index)),
                ParamDesc::MessageWriter(index) => access.writes.push(self.path(*index)),
                ParamDesc::Commands => access.commands = true,
                ParamDesc::World => access.world = true,
                ParamDesc::Event => {}
            }
        }
        for list in [&mut access.reads, &mut access.writes] {
            list.sort();
            list.dedup();
        }
        access
    }

    fn order(&self, order: &OrderDesc) -> String {
        let (word, target) = match order {
            OrderDesc::After(target) => ("after", target),
            OrderDesc::Before(target) => ("before", target),
        };
        match target {
            OrderTarget::Named(name) => format!("{word} {name}"),
            OrderTarget::Set(name) => format!("{word} the set {name}"),
            OrderTarget::System(index) => {
                let system = usize::try_from(*index).ok().and_then(|index| self.0.systems.get(index));
                let name = system.map_or_else(|| format!("system number {index}"), |system| system.name.clone());
                format!("{word} {name}")
            }
        }
    }

    fn condition(&self, condition: &ConditionDesc) -> String {
        let test = match &condition.test {
            ConditionTest::InState(value) => format!("in_state({value})"),
            ConditionTest::ResourceExists(index) => format!("resource_exists({})", self.path(*index)),
            ConditionTest::OnTimer(duration) => format!("on_timer({duration:?})"),
        };
        if condition.not { format!("not({test})") } else { test }
    }
}
