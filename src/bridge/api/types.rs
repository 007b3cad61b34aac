//! What the game's types are made of, for tools.

use std::collections::BTreeMap;

use bevy_reflect::{NamedField, TypeInfo, TypeRegistry, UnnamedField, enums::VariantInfo};
use mod_abi::Schema;
use mod_host::{FieldApi, TypeApi, TypeForm, VariantApi};

use crate::bridge::{
    asset_path::is_handle,
    schema::{leaf_of, option_item, schema_of},
};

/// The types so far, by path, and those that they are made of.
pub(super) struct Types<'r> {
    registry: &'r TypeRegistry,
    found: BTreeMap<&'static str, TypeApi>,
    /// Types that are named and not looked at yet.
    open: Vec<&'static TypeInfo>,
}

/// A schema, if a mod can state it: its text has to be read back.
pub(super) fn statable(schema: &Schema) -> Option<Schema> {
    Schema::parse(&schema.to_string()).ok().filter(|read| read == schema)
}

impl<'r> Types<'r> {
    pub(super) fn new(registry: &'r TypeRegistry) -> Self {
        Self { registry, found: BTreeMap::new(), open: Vec::new() }
    }

    /// Adds a type and all that it is made of.
    pub(super) fn add(&mut self, info: &'static TypeInfo) {
        self.open.push(info);
        while let Some(info) = self.open.pop() {
            if !self.found.contains_key(info.type_path()) {
                let ty = self.describe(info);
                self.found.insert(info.type_path(), ty);
            }
        }
    }

    pub(super) fn finish(self) -> Vec<TypeApi> {
        self.found.into_values().collect()
    }

    fn describe(&mut self, info: &'static TypeInfo) -> TypeApi {
        let mut ty = TypeApi::default();
        let short = info.type_path_table().short_path();
        let meant = self.registry.get_with_short_type_path(short);
        info.type_path().clone_into(&mut ty.path);
        ty.short_path = meant.filter(|meant| meant.type_id() == info.type_id()).map(|_| short.to_owned());
        ty.docs = docs_of_type(info);
        match schema_of(info, self.registry).map(|schema| statable(&schema)) {
            Ok(Some(schema)) => ty.schema = Some(schema),
            Ok(None) => ty.unsupported = Some("its schema is longer than a mod may state".to_owned()),
            Err(reason) => ty.unsupported = Some(reason.to_string()),
        }
        ty.form = self.form(info);
        ty
    }

    fn form(&mut self, info: &'static TypeInfo) -> TypeForm {
        if leaf_of(info.type_id()).is_some() {
            return TypeForm::Leaf;
        }
        if is_handle(info, self.registry) {
            let asset = info.generics().iter().next().map(|asset| asset.type_path().to_owned());
            return TypeForm::Handle { asset };
        }
        match info {
            TypeInfo::Struct(info) => TypeForm::Struct { fields: self.named(info.iter()) },
            TypeInfo::TupleStruct(info) => TypeForm::Tuple { fields: self.unnamed(info.iter()) },
            TypeInfo::Tuple(info) => TypeForm::Tuple { fields: self.unnamed(info.iter()) },
            TypeInfo::List(info) => TypeForm::List { item: self.path(info.item_ty().path(), info.item_info()) },
            TypeInfo::Array(info) => {
                TypeForm::Array { item: self.path(info.item_ty().path(), info.item_info()), len: info.capacity() }
            }
            TypeInfo::Set(info) => {
                let item = self.registry.get_type_info(info.value_ty().id());
                TypeForm::Set { item: self.path(info.value_ty().path(), item) }
            }
            TypeInfo::Map(info) => TypeForm::Map {
                key: self.path(info.key_ty().path(), info.key_info()),
                value: self.path(info.value_ty().path(), info.value_info()),
            },
            TypeInfo::Enum(info) => match option_item(info) {
                Some(item) => TypeForm::Option { item: self.path(item.type_path(), item.type_info()) },
                None => TypeForm::Enum { variants: info.iter().map(|variant| self.variant(variant)).collect() },
            },
            TypeInfo::Opaque(_) => TypeForm::Opaque,
        }
    }

    fn variant(&mut self, info: &'static VariantInfo) -> VariantApi {
        let mut variant = VariantApi::default();
        info.name().clone_into(&mut variant.name);
        variant.docs = docs_of_variant(info);
        variant.fields = match info {
            VariantInfo::Unit(_) => Vec::new(),
            VariantInfo::Tuple(info) => self.unnamed(info.iter()),
            VariantInfo::Struct(info) => self.named(info.iter()),
        };
        variant
    }

    fn named(&mut self, fields: impl Iterator<Item = &'static NamedField>) -> Vec<FieldApi> {
        let field = |info: &'static NamedField| {
            let mut field = FieldApi::default();
            field.name = Some(info.name().to_owned());
            field.ty = self.path(info.type_path(), info.type_info());
            field.docs = docs_of_field(info);
            field
        };
        fields.map(field).collect()
    }

    fn unnamed(&mut self, fields: impl Iterator<Item = &'static UnnamedField>) -> Vec<FieldApi> {
        let field = |info: &'static UnnamedField| {
            let mut field = FieldApi::default();
            field.ty = self.path(info.type_path(), info.type_info());
            field.docs = docs_of_unnamed(info);
            field
        };
        fields.map(field).collect()
    }

    /// Notes a type that another one is made of.
    fn path(&mut self, path: &'static str, info: Option<&'static TypeInfo>) -> String {
        match info {
            Some(info) => self.open.push(info),
            // Reflection does not say what it is.
            None => {
                self.found.entry(path).or_insert_with(|| {
                    let mut ty = TypeApi::default();
                    path.clone_into(&mut ty.path);
                    ty.unsupported = Some("reflection does not show what it is".to_owned());
                    ty
                });
            }
        }
        path.to_owned()
    }
}

/// Where the game keeps the documentation of its types, functions that give it.
macro_rules! docs {
    ($($name:ident: $info:ty;)*) => {
        $(
            #[cfg(feature = "reflect_documentation")]
            fn $name(info: &$info) -> Option<String> {
                info.docs().map(dedented).filter(|docs| !docs.is_empty())
            }

            #[cfg(not(feature = "reflect_documentation"))]
            fn $name(_: &$info) -> Option<String> {
                None
            }
        )*
    };
}

docs! {
    docs_of_type: TypeInfo;
    docs_of_variant: VariantInfo;
    docs_of_field: NamedField;
    docs_of_unnamed: UnnamedField;
}

/// A text as its author meant it: without the space that stands after `///`.
#[cfg(feature = "reflect_documentation")]
fn dedented(docs: &str) -> String {
    let lines: Vec<_> = docs.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}
