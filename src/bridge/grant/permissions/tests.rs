//! What rules say, and that it does not matter how they are put together.

use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest},
    sample::{select, subsequence},
};

use super::{Access, PermissionGroup, Permissions};

#[test]
fn prefixes_end_at_a_module() {
    let permissions = Permissions::all().deny(Access::Read, "orchard::sec::*").deny(Access::Read, "orchard::Gold");
    let check = |path: &str, allowed| assert_eq!(permissions.allows(Access::Read, path), allowed, "{path}");
    check("orchard::sec::Key", false);
    check("orchard::sec::deep::Key", false);
    check("orchard::secret::Key", true);
    check("orchard::sec", true);
    check("other::orchard::sec::Key", true);
    check("orchard::Gold", false);
    check("orchard::Golden", true);
    check("orchard::Gold::Coin", true);
    check("game::Wrapper<orchard::Gold>", true);
    assert!(permissions.allows(Access::Write, "orchard::Gold"), "another access");
}

#[test]
fn generic_paths_are_taken_as_they_are() {
    let handle = "bevy_asset::handle::Handle<bevy_image::image::Image>";
    let permissions = Permissions::none().allow(Access::Read, handle);
    assert!(permissions.allows(Access::Read, handle));
    assert!(!permissions.allows(Access::Read, "bevy_asset::handle::Handle<bevy_mesh::mesh::Mesh>"));
    assert!(!permissions.allows(Access::Read, "bevy_image::image::Image"));
}

#[test]
fn containers_of_bevy_go_by_what_they_hold() {
    const STATE: &str = "bevy_state::state::resources::State<orchard::Season>";
    const NEXT: &str = "bevy_state::state::resources::NextState<orchard::Season>";
    const MESSAGES: &str = "bevy_ecs::message::messages::Messages<orchard::Fell>";
    let permissions = Permissions::all()
        .deny(Access::Read, "orchard::Season")
        .deny(Access::Write, NEXT)
        .deny(Access::Send, "orchard::*");
    assert!(!permissions.allows(Access::Read, STATE));
    assert!(permissions.allows(Access::Write, STATE));
    assert!(!permissions.allows(Access::Write, NEXT), "by its own path, too");
    assert!(permissions.allows(Access::Write, "orchard::Season"));
    // Who writes the list of messages would send them.
    assert!(permissions.allows(Access::Read, MESSAGES));
    assert!(!permissions.allows(Access::Write, MESSAGES));
    let closed = Permissions::none().allow(Access::ALL, "orchard::*");
    assert!(closed.allows(Access::Read, STATE) && closed.allows(Access::Write, MESSAGES));
}

#[test]
fn the_last_rule_counts() {
    let open = Permissions::all().deny(Access::Write, "orchard::*").allow(Access::Write, "orchard::Gold");
    assert!(open.allows(Access::Write, "orchard::Gold") && !open.allows(Access::Write, "orchard::Price"));
    let shut = open.deny(Access::Write, "*");
    assert!(!shut.allows(Access::Write, "orchard::Gold") && shut.allows(Access::Read, "orchard::Gold"));
    let (all, none) = (Permissions::all(), Permissions::none());
    assert!(all.allows_spawn() && all.allows_despawn() && !none.allows_spawn() && !none.allows_despawn());
    assert!(!all.clone().spawn(false).allows_spawn() && none.clone().despawn(true).allows_despawn());
    assert_eq!(Permissions::default(), all);
}

#[test]
#[should_panic(expected = "`orchard::Go*` should be a path")]
fn a_rule_that_would_mean_nothing_is_a_mistake() {
    let _ = Permissions::all().deny(Access::Write, "orchard::Go*");
}

#[test]
#[should_panic(expected = "`` should be a path")]
fn an_empty_rule_is_a_mistake_in_a_group() {
    let _ = PermissionGroup::new("economy", ["orchard::Gold", ""]);
}

const PATTERNS: [&str; 8] = ["*", "a::*", "a::b::*", "a::B", "a::b::C", "b::*", "a", "ab::*"];
const PATHS: [&str; 9] = ["a", "b", "a::B", "a::b", "a::b::C", "a::bc::C", "ab::C", "b::a::B", "a::b::c::D"];

/// What a pattern means, path by path.
fn means(pattern: &str, path: &str) -> bool {
    let of_pattern: Vec<_> = pattern.split("::").collect();
    let of_path: Vec<_> = path.split("::").collect();
    match of_pattern.split_last() {
        Some((&"*", start)) => of_path.len() > start.len() && of_path.starts_with(start),
        _ => of_pattern == of_path,
    }
}

#[derive(Debug, Clone)]
struct Stated {
    allows: bool,
    accesses: Vec<Access>,
    paths: Vec<&'static str>,
}

fn stated() -> impl Strategy<Value = Stated> {
    let (accesses, paths) = (subsequence(Access::ALL.to_vec(), 1..=4), subsequence(PATTERNS.to_vec(), 1..=3));
    (any::<bool>(), accesses, paths).prop_map(|(allows, accesses, paths)| Stated { allows, accesses, paths })
}

/// The rules of a list one by one, each with one access and one path.
fn single(rules: &[Stated]) -> Vec<(bool, Access, &'static str)> {
    let pairs = |rule: &Stated| {
        let of_access =
            |access: &Access| rule.paths.iter().map(|path| (rule.allows, *access, *path)).collect::<Vec<_>>();
        rule.accesses.iter().flat_map(of_access).collect::<Vec<_>>()
    };
    rules.iter().flat_map(pairs).collect()
}

fn add(permissions: Permissions, allows: bool, access: &[Access], group: &PermissionGroup) -> Permissions {
    let access = access.iter().copied();
    if allows { permissions.allow(access, group) } else { permissions.deny(access, group) }
}

proptest! {
    #[test]
    fn answers_do_not_depend_on_how_a_list_is_built(
        begin in prop_oneof![Just(Permissions::all()), Just(Permissions::none())],
        rules in vec(stated(), 0..6),
        access in select(&Access::ALL[..]),
        path in select(&PATHS[..]),
    ) {
        let grouped = rules.iter().fold(begin.clone(), |permissions, rule| {
            add(permissions, rule.allows, &rule.accesses, &PermissionGroup::new("some", &rule.paths))
        });
        let one_by_one = single(&rules).into_iter().fold(begin.clone(), |permissions, (allows, access, path)| {
            add(permissions, allows, &[access], &path.into())
        });
        // Rules about other accesses, and rules that later ones repeat, change nothing.
        let mut needed = single(&rules);
        needed.retain(|(_, about, _)| *about == access);
        let last = |place: usize| !needed[place + 1..].iter().any(|(_, _, path)| *path == needed[place].2);
        let needed: Vec<_> = (0..needed.len()).filter(|place| last(*place)).map(|place| needed[place]).collect();
        let short = needed.into_iter().fold(begin.clone(), |permissions, (allows, access, path)| {
            add(permissions, allows, &[access], &path.into())
        });
        let mut matching = single(&rules).into_iter().filter(|(_, about, pattern)| *about == access && means(pattern, path));
        let expected = matching.next_back().map_or(begin == Permissions::all(), |(allows, ..)| allows);
        for permissions in [grouped, one_by_one, short] {
            prop_assert_eq!(permissions.allows(access, path), expected, "{:?}", permissions);
        }
    }
}
