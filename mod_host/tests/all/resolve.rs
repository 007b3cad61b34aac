//! Which mods run together, in which order, and what is said about the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use mod_abi::{ABI_VERSION, Dependency, DependencyKind, GameRequirement, Identity};
use mod_host::{Candidate, GameIdentity, Resolution, Version, resolve};
use proptest::{collection::vec, prelude::*};

/// A mod `id` or `id version`, with lines of its identity, in a file of its name, or of the name behind `@`. The lines may
/// contradict each other, which a file's own reader would refuse.
fn a_mod(head: &str, lines: &[&str]) -> (Identity, String) {
    let (name, file) = head.split_once('@').unwrap_or((head, ""));
    let (id, version) = name.split_once(' ').unwrap_or((name, "1.0.0"));
    let mut identity =
        Identity { abi: ABI_VERSION, id: id.to_owned(), version: version.to_owned(), ..Identity::default() };
    for (key, value) in lines.iter().map(|line| line.split_once(": ").unwrap()) {
        let (other, requirement) = value.split_once(' ').map_or((value, None), |(other, rest)| (other, Some(rest)));
        match key {
            "after" => identity.load_after.push(other.to_owned()),
            "before" => identity.load_before.push(other.to_owned()),
            "game" => {
                identity.game = Some(GameRequirement { id: other.to_owned(), api: requirement.map(str::to_owned) });
            }
            _ => {
                let kind = DependencyKind::ALL.into_iter().find(|kind| kind.key() == key).unwrap();
                identity.dependencies.push(Dependency::new(kind, other, requirement));
            }
        }
    }
    let origin = if file.is_empty() { format!("{id}.wasm") } else { file.to_owned() };
    (identity, origin)
}

fn resolved(mods: &[(Identity, String)], disabled: &[&str], game: Option<&GameIdentity>) -> Resolution {
    let candidates: Vec<_> = mods.iter().map(|(identity, origin)| Candidate { identity, origin }).collect();
    resolve(&candidates, disabled.iter().copied(), game)
}

fn ids(resolution: &Resolution) -> Vec<&str> {
    resolution.order.iter().map(|one| one.id.as_str()).collect()
}

fn sentences(resolution: &Resolution) -> Vec<String> {
    resolution.problems.iter().map(ToString::to_string).collect()
}

/// What runs in which order, and how many problems there are.
fn check(mods: &[(&str, &[&str])], expected: &[&str], problems: usize) {
    let mods: Vec<_> = mods.iter().map(|(head, lines)| a_mod(head, lines)).collect();
    let resolution = resolved(&mods, &[], None);
    let told = sentences(&resolution);
    assert_eq!(ids(&resolution), expected, "{mods:#?}\n{told:#?}");
    assert_eq!(told.len(), problems, "{mods:#?}\n{told:#?}");
    let reversed: Vec<_> = mods.iter().rev().cloned().collect();
    assert_eq!(resolved(&reversed, &[], None), resolution);
}

#[test]
fn the_order_is_by_depth_then_wishes_then_id() {
    check(&[], &[], 0);
    check(&[("b", &[]), ("a", &[]), ("c", &[])], &["a", "b", "c"], 0);
    // `a` is deeper than `c`, though its id is smaller.
    check(&[("a", &["dependency: b"]), ("b", &[]), ("c", &[])], &["b", "c", "a"], 0);
    check(&[("a", &["optional: b"]), ("b", &[]), ("c", &[])], &["b", "c", "a"], 0);
    check(&[("a", &["optional: x"]), ("b", &[])], &["a", "b"], 0);
    // The longest chain counts.
    check(
        &[("a", &["dependency: b", "dependency: d"]), ("b", &["dependency: c"]), ("c", &[]), ("d", &[]), ("e", &[])],
        &["c", "d", "e", "b", "a"],
        0,
    );
    check(&[("a", &["after: b"]), ("b", &[]), ("c", &[])], &["b", "a", "c"], 0);
    check(&[("a", &[]), ("b", &["before: a"]), ("c", &[])], &["b", "a", "c"], 0);
    // A wish may make a mod wait for a deeper one.
    check(&[("a", &["after: d"]), ("b", &[]), ("d", &["dependency: b"])], &["b", "d", "a"], 0);
    check(&[("a", &["after: x", "before: y"]), ("b", &[])], &["a", "b"], 0);
    // About itself.
    check(&[("a", &["after: a", "before: a", "dependency: a ^7", "incompatible: a"])], &["a"], 0);
}

#[test]
fn what_is_needed_must_be_there_and_fit() {
    check(&[("a", &["dependency: b ^1.2"]), ("b 1.3.0", &[])], &["b", "a"], 0);
    check(&[("a", &["dependency: b ^1.2"]), ("b 1.1.0", &[])], &["b"], 1);
    check(&[("a", &["dependency: b *"]), ("b 1.1.0-rc.1", &[])], &["b", "a"], 0);
    check(&[("a", &["dependency: b"]), ("b 1.1.0-rc.1", &[])], &["b", "a"], 0);
    check(&[("a", &["dependency: b ^1"]), ("b 1.1.0-rc.1", &[])], &["b"], 1);
    // Two statements count both.
    check(&[("a", &["dependency: b >1", "dependency: b <2"]), ("b 2.0.0", &[])], &["b"], 1);
    // One cause, one cascade.
    check(
        &[
            ("a", &["dependency: b"]),
            ("b", &["dependency: c"]),
            ("c", &["dependency: x"]),
            ("d", &["dependency: a"]),
            ("e", &[]),
        ],
        &["e"],
        2,
    );
    // An optional one does not refuse by being refused.
    check(&[("a", &["optional: b ^7"]), ("b", &["dependency: x"])], &["a"], 1);
    check(&[("a", &["optional: b ^7"]), ("b", &[])], &["b"], 1);
}

#[test]
fn incompatible_mods_refuse_only_themselves() {
    check(&[("a", &["incompatible: b"]), ("b", &[])], &["b"], 1);
    check(&[("a", &[]), ("b", &["incompatible: a"])], &["a"], 1);
    check(&[("a", &["incompatible: b >=2"]), ("b", &[])], &["a", "b"], 0);
    check(&[("a", &["incompatible: b"])], &["a"], 0);
    // `b` does not run, so that `a` may.
    check(&[("a", &["incompatible: b"]), ("b", &["dependency: x"])], &["a"], 1);
    check(&[("a", &["incompatible: b"]), ("b", &["incompatible: c"]), ("c", &[])], &["a", "c"], 1);
    // Both, and in a circle of three.
    check(&[("a", &["incompatible: b"]), ("b", &["incompatible: a"])], &["a"], 1);
    check(&[("a", &["incompatible: b"]), ("b", &["incompatible: c"]), ("c", &["incompatible: a"])], &["a"], 2);
    // One that nobody is against does not win by its id.
    check(&[("a", &["incompatible: x"]), ("x", &["incompatible: y"]), ("y", &["incompatible: x"])], &["x"], 2);
    // Needed and not wanted at once.
    check(&[("a", &["dependency: b", "incompatible: b ^1"]), ("b", &[])], &["b"], 1);
    check(&[("a", &["dependency: b"]), ("b", &["incompatible: a"])], &["b"], 1);
}

#[test]
fn one_file_for_an_id() {
    check(&[("a 1.0.0@x", &[]), ("a 1.10.0@y", &[]), ("a 1.9.0@z", &[])], &["a"], 1);
    let mods = [a_mod("a 1.0.0@2", &[]), a_mod("a 1.0.0@1", &[]), a_mod("a 0.9.0@0", &[])];
    let resolution = resolved(&mods, &[], None);
    assert_eq!(resolution.order[0].origin, "1");
    let refused: Vec<_> = resolution.refused.iter().map(|one| one.file.origin.as_str()).collect();
    assert_eq!(refused, ["0", "2"]);
    // The newest cannot be used, so that the one before it is.
    check(&[("a 2.0.0@y", &["dependency: b one"]), ("a 1.0.0@x", &[]), ("b", &[])], &["a", "b"], 1);
}

#[test]
fn circles() {
    check(&[("a", &["dependency: b"]), ("b", &["dependency: a"]), ("c", &["dependency: a"]), ("d", &[])], &["d"], 2);
    // Two circles, one problem each.
    check(
        &[
            ("a", &["dependency: b"]),
            ("b", &["dependency: a"]),
            ("c", &["dependency: d", "dependency: a"]),
            ("d", &["dependency: c"]),
        ],
        &[],
        2,
    );
    // Wishes refuse nobody.
    check(&[("a", &["after: b"]), ("b", &["after: a"])], &["a", "b"], 1);
    check(&[("a", &["before: b", "after: b"]), ("b", &[])], &["a", "b"], 1);
    check(&[("a", &["dependency: b", "before: b"]), ("b", &[])], &["b", "a"], 1);
    check(&[("a", &["optional: b"]), ("b", &["dependency: a"])], &["a", "b"], 1);
    check(&[("a", &["optional: b", "after: b"]), ("b", &[]), ("c", &["after: a", "before: a"])], &["b", "c", "a"], 1);
    // What is not part of the circle counts.
    check(&[("a", &["after: b"]), ("b", &["after: a", "after: c"]), ("c", &[])], &["a", "c", "b"], 1);
}

#[test]
fn games() {
    let orchard = GameIdentity { id: "orchard".to_owned(), api: Version::new(0, 4, 1) };
    let mods = [
        a_mod("any", &[]),
        a_mod("fits", &["game: orchard ^0.4"]),
        a_mod("loose", &["game: orchard"]),
        a_mod("old", &["game: orchard ^0.3"]),
        a_mod("other", &["game: farm ^0.4"]),
    ];
    assert_eq!(ids(&resolved(&mods, &[], Some(&orchard))), ["any", "fits", "loose"]);
    assert_eq!(resolved(&mods, &[], None).order.len(), 5);
}

#[test]
fn all_sentences() {
    let orchard = GameIdentity { id: "orchard".to_owned(), api: Version::new(0, 4, 1) };
    let mods = [
        a_mod("alarm one", &["dependency: bell two", "game: farm"]),
        a_mod("barn", &["game: farm"]),
        a_mod("bees 1.4.0", &[]),
        a_mod("bees 1.4.0@bees (copy).wasm", &[]),
        a_mod("bees 1.3.0@old\u{1b}[31m/bees.wasm", &[]),
        a_mod("cider", &["dependency: prss ^1.2", "dependency: cellar"]),
        a_mod("drift", &["game: orchard ^0.3"]),
        a_mod("frost 2.1.0", &[]),
        a_mod("gate", &["dependency: hinge"]),
        a_mod("hinge", &["dependency: post"]),
        a_mod("honey", &["dependency: bees ^2"]),
        a_mod("honey_shop", &["dependency: honey"]),
        a_mod("juice", &["dependency: prss"]),
        a_mod("kite", &["incompatible: frost >=2"]),
        a_mod("lamp", &["after: moth"]),
        a_mod("moth", &["after: lamp"]),
        a_mod("nectar", &["optional: bees <1"]),
        a_mod("post", &["dependency: gate", "dependency: hinge"]),
        a_mod("press", &[]),
        a_mod("queen", &["dependency: bees >=3", "dependency: cellar >=1"]),
    ];
    let resolution = resolved(&mods, &["cellar"], Some(&orchard));
    assert_eq!(ids(&resolution), ["bees", "frost", "lamp", "moth", "press"]);
    let expected = include_str!("resolve.txt");
    assert_eq!(sentences(&resolution).join("\n"), expected.trim_end());
}

#[test]
fn one_mod_has_a_few_problems_and_a_pair_has_one() {
    let lines: Vec<_> = (0..100).map(|n| format!("dependency: x{n}")).collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let resolution = resolved(&[a_mod("a", &lines)], &[], None);
    assert_eq!((resolution.problems.len(), resolution.refused[0].problems.len()), (17, 17));
    assert_eq!(sentences(&resolution)[0], "`a` has 84 more problems, which are not listed: disable it");

    let mods = [a_mod("a", &["incompatible: b"]), a_mod("b", &["incompatible: a"])];
    let expected = ["`b` does not work with `a` 1.0.0, so `b` does not run: disable one of them"];
    assert_eq!(sentences(&resolved(&mods, &[], None)), expected);
    let mods = [a_mod("a", &["incompatible: c"]), a_mod("b", &["incompatible: a"]), a_mod("c", &["optional: b ^2"])];
    let expected = [
        "`b` does not work with `a` 1.0.0, so `b` does not run: disable one of them",
        "`a` does not work with `c` 1.0.0, so `c` does not run: disable one of them",
    ];
    assert_eq!(sentences(&resolved(&mods, &[], None)), expected);
}

#[test]
fn a_circle_of_a_thousand_is_one_sentence() {
    for (key, run) in [("dependency", 0), ("optional", 1000), ("after", 1000), ("before", 1000)] {
        let next = |n: usize| format!("{key}: m{:03}", (n + 1) % 1000);
        let mods: Vec<_> = (0..1000).map(|n| a_mod(&format!("m{n:03}"), &[&next(n)])).collect();
        let resolution = resolved(&mods, &[], None);
        assert_eq!(resolution.order.len(), run, "{key}");
        let told = sentences(&resolution);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].contains("-> (992 more) -> `m000`") && told[0].len() < 300, "{}", told[0]);
    }
}

/// Mods with 256 statements each.
#[test]
fn hostile_crowds_are_resolved_in_time() {
    const EACH: usize = 256;
    let check = |what: &str, mods: usize, other: &dyn Fn(usize, usize) -> (DependencyKind, usize)| {
        let statement = |n: usize, nth: usize| {
            let (kind, other) = other(n, nth);
            Dependency::new(kind, &format!("m{other}"), Some("^1"))
        };
        let identity = |n: usize| Identity {
            abi: ABI_VERSION,
            id: format!("m{n}"),
            version: "1.0.0".to_owned(),
            dependencies: (0..EACH).map(|nth| statement(n, nth)).collect(),
            load_after: vec![format!("m{}", (n + 1) % mods)],
            ..Identity::default()
        };
        let crowd: Vec<_> = (0..mods).map(|n| (identity(n), format!("{n}.wasm"))).collect();
        let start = Instant::now();
        let resolution = resolved(&crowd, &[], None);
        let took = start.elapsed();
        assert_eq!(resolution.order.len() + resolution.refused.len(), mods, "{what}");
        // Without optimisation it is some ten times slower, and machines have other things to do.
        let limit = Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 3 });
        assert!(took < limit, "{what} took {took:?}");
        let told: usize = resolution.problems.iter().map(|problem| problem.to_string().len()).sum();
        assert!(told < mods * 16 * 256, "{what}: {told} bytes");
    };
    // Far apart, so that nothing is ordered already.
    let spread = |n: usize, nth: usize| n * 7919 + nth * 104_729;
    let kinds = |nth: usize| DependencyKind::ALL[nth % 3];
    let few = 1000;
    check("everything", 10_000, &|n, nth| (kinds(nth), spread(n, nth) % 11_000));
    check("missing", few, &|n, nth| (DependencyKind::Required, few + n * EACH + nth));
    check("circles", few, &|n, nth| (DependencyKind::Required, spread(n, nth) % few));
    check("optional circles", few, &|n, nth| (DependencyKind::Optional, spread(n, nth) % few));
    check("incompatible", few, &|n, nth| (DependencyKind::Incompatible, spread(n, nth) % few));
    check("one chain", few, &|n, nth| (DependencyKind::Required, if nth == 0 { n + 1 } else { n }));
    check("all before it", few, &|n, nth| (DependencyKind::Required, n.saturating_sub(nth)));
}

/// Some mods of a few ids, with statements about a few others.
fn crowd() -> impl Strategy<Value = Vec<Identity>> {
    let id = || (0..9_u8).prop_map(|n| format!("m{n}"));
    let version = || prop::sample::select(&["1.0.0", "1.2.0", "2.0.0", "1.0.0-rc.1", "one"][..]);
    let requirement = || prop::option::of(prop::sample::select(&["^1", "^1.1", ">=2", "*", "<1", "="][..]));
    let kind = || prop::sample::select(&DependencyKind::ALL[..]);
    let dependency = (kind(), id(), requirement()).prop_map(|(kind, id, text)| Dependency::new(kind, &id, text));
    let game = prop::option::of((prop::sample::select(&["orchard", "farm"][..]), requirement()))
        .prop_map(|game| game.map(|(id, api)| GameRequirement { id: id.to_owned(), api: api.map(str::to_owned) }));
    let game = prop_oneof![4 => Just(None), 1 => game];
    let one = (id(), version(), game, vec(dependency, 0..4), vec(id(), 0..2), vec(id(), 0..2));
    let one = one.prop_map(|(id, version, game, dependencies, load_after, load_before)| {
        let version = version.to_owned();
        Identity { abi: ABI_VERSION, id, version, game, dependencies, load_after, load_before, ..Identity::default() }
    });
    vec(one, 0..12)
}

fn fits(requirement: Option<&str>, version: &Version) -> bool {
    requirement.is_none_or(|text| text == "*" || semver::VersionReq::parse(text).unwrap().matches(version))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_the_mods_say(
        (mods, shuffled) in crowd().prop_flat_map(|mods| {
            let mods: Vec<_> = mods.into_iter().enumerate().map(|(n, one)| (one, format!("{n}.wasm"))).collect();
            (Just(mods.clone()), Just(mods).prop_shuffle())
        }),
        disabled in prop::sample::subsequence(vec!["m0", "m4", "x"], 0..3),
        game in any::<bool>(),
    ) {
        let orchard = GameIdentity { id: "orchard".to_owned(), api: Version::new(1, 2, 0) };
        let game = game.then_some(&orchard);
        let resolution = resolved(&mods, &disabled, game);
        prop_assert_eq!(&resolved(&shuffled, &disabled, game), &resolution);

        // Each file once: it runs, or it is refused with a problem that names it.
        let runs: BTreeSet<_> = resolution.order.iter().map(|one| one.origin.as_str()).collect();
        let refused: BTreeSet<_> = resolution.refused.iter().map(|one| one.file.origin.as_str()).collect();
        prop_assert_eq!((runs.len(), refused.len()), (resolution.order.len(), resolution.refused.len()));
        prop_assert_eq!(runs.len() + refused.len(), mods.len());
        prop_assert!(runs.is_disjoint(&refused));
        for one in &resolution.refused {
            prop_assert!(!one.problems.is_empty());
            for problem in &one.problems {
                let sentence = resolution.problems[*problem].to_string();
                prop_assert!(sentence.contains(&format!("`{}`", one.file.id)), "{sentence}");
            }
        }
        // Each refusal has a problem that refuses, each problem somebody.
        for (index, problem) in resolution.problems.iter().enumerate() {
            let refuses = resolution.refused.iter().any(|one| one.problems.contains(&index));
            prop_assert_eq!(refuses, !problem.is_warning(), "{}", problem);
        }

        // What runs can run together.
        let by_origin: BTreeMap<_, _> = mods.iter().map(|(one, origin)| (origin.as_str(), one)).collect();
        let places: BTreeMap<_, _> =
            resolution.order.iter().enumerate().map(|(place, one)| (one.id.as_str(), (place, one))).collect();
        prop_assert_eq!(places.len(), runs.len());
        for (place, one) in resolution.order.iter().enumerate() {
            for Dependency { kind, id, requirement } in &by_origin[one.origin.as_str()].dependencies {
                let other = places.get(id.as_str()).filter(|_| *id != one.id);
                let fits = other.map(|(_, other)| fits(requirement.as_deref(), &other.version));
                match (kind, other) {
                    (DependencyKind::Required, Some((earlier, other))) => {
                        prop_assert!(fits == Some(true) && *earlier < place && other.depth < one.depth);
                    }
                    (DependencyKind::Required, None) => prop_assert_eq!(id, &one.id),
                    (DependencyKind::Optional, _) => prop_assert_ne!(fits, Some(false)),
                    (DependencyKind::Incompatible, _) => prop_assert_ne!(fits, Some(true)),
                }
            }
        }
    }
}
