//! A little of everything, in every run of the tests. `cargo xtask hostile --minutes 60` is more of the same.

use std::time::Duration;

use hostile::campaign::{self, Kind, Plan};

#[test]
fn a_little_of_everything_brings_nothing_down() {
    let enough =
        [(Kind::Smith, 400, 30), (Kind::Damaged, 400, 30), (Kind::Decoders, 60_000, 1_000), (Kind::Games, 40, 3)];
    for (kind, cases, least) in enough {
        let outcome = campaign::run(kind, Plan { seed: 1, time: Duration::from_secs(25), cases });
        let findings: Vec<String> = outcome.findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{kind:?}: {}", findings.join("\n"));
        // As much as a busy machine can do.
        assert!(outcome.cases >= least, "{kind:?}: {outcome}");
        let reached = match kind {
            Kind::Smith => "answers",
            Kind::Damaged => "started",
            Kind::Games => "mods loaded",
            Kind::Decoders | Kind::Leaks => continue,
        };
        assert!(outcome.counts.get(reached).is_some_and(|count| *count > 2), "{kind:?}: {outcome}");
    }
    let outcome = campaign::run(Kind::Leaks, Plan { seed: 1, time: Duration::from_secs(1), cases: 1 });
    assert!(outcome.findings.is_empty(), "{}", outcome.findings[0]);
}
