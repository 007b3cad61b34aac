//! `#[resource(settings)]`: the fields of a struct against what Cargo.toml declares.

use mod_abi::SettingDesc;
use syn::{Field, Fields, ext::IdentExt};

use crate::{
    errors::Errors,
    nearest::nearest,
    parse::{Mirror, Shape},
};

const DECLARE: &str = "declare one with `[package.metadata.mod.settings.<name>]`";

/// The fields with their settings, as far as they have some. Which types they are only the compiler knows.
pub(crate) fn settings<'a, 's>(
    mirror: &Mirror<'a>,
    declared: &'s [SettingDesc],
    errors: &mut Errors,
) -> Vec<(&'a Field, &'s SettingDesc)> {
    let Shape::Struct(Fields::Named(fields)) = mirror.shape else {
        errors.push(mirror.name, "settings should be a struct with a named field for each");
        return Vec::new();
    };
    let find = |field: &'a Field| {
        let ident = field.ident.as_ref()?;
        let name = ident.unraw().to_string();
        let found = SettingDesc::of_field(&name, declared);
        if found.is_none() {
            let names: Vec<_> = declared.iter().map(|setting| setting.name.as_str()).collect();
            let hint = match nearest(&name, &names) {
                Some(near) => format!("; did you mean `{near}`?"),
                None if names.is_empty() => format!(", and no other: {DECLARE}"),
                None => format!(" (it declares `{}`): {DECLARE}", names.join("`, `")),
            };
            errors.push(ident, format!("Cargo.toml declares no setting `{name}`{hint}"));
        }
        Some((field, found?))
    };
    fields.named.iter().filter_map(find).collect()
}

#[cfg(test)]
mod tests {
    use mod_abi::SettingDesc;
    use syn::{DeriveInput, parse_quote};

    use super::settings;
    use crate::{
        errors::Errors,
        parse::{Mirror, MirrorKind},
    };

    fn check(input: &DeriveInput, lines: &[&str]) -> (Vec<String>, String) {
        let declared: Vec<SettingDesc> = lines.iter().map(|line| line.parse().expect("a setting")).collect();
        let mut errors = Errors::default();
        let mirror = Mirror::parse(MirrorKind::Resource, input, &mut errors);
        let found = settings(&mirror, &declared, &mut errors);
        let found = found.iter().map(|(_, setting)| setting.name.clone()).collect();
        let errors = errors.into_error().map(|error| error.into_iter().map(|error| error.to_string()).collect());
        (found, errors.unwrap_or_else(Vec::new).join("\n"))
    }

    #[test]
    fn fields_find_their_settings() {
        let input = parse_quote! {
            #[resource(settings)]
            struct Settings { max_speed: u8, r#type: bool }
        };
        let (found, errors) = check(&input, &["type bool true -", "other bool true -", "max-speed int 1 0..9"]);
        assert_eq!((found, errors.as_str()), (vec!["max-speed".to_owned(), "type".to_owned()], ""));
    }

    #[test]
    fn fields_without_a_setting_are_explained() {
        let input = parse_quote!(
            struct Settings {
                apetite: f32,
                colour: String,
            }
        );
        let (_, errors) = check(&input, &["appetite float 1 -", "hunting bool true -"]);
        let expected = "Cargo.toml declares no setting `apetite`; did you mean `appetite`?\n\
            Cargo.toml declares no setting `colour` (it declares `appetite`, `hunting`): declare one with \
            `[package.metadata.mod.settings.<name>]`";
        assert_eq!(errors, expected);
        for input in [
            parse_quote!(
                struct Settings(f32);
            ),
            parse_quote!(
                enum Settings {
                    A,
                }
            ),
            parse_quote!(
                struct Settings;
            ),
        ] {
            assert_eq!(check(&input, &[]).1, "settings should be a struct with a named field for each");
        }
    }
}
