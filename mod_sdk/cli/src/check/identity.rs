//! Which game a mod is for, and which version of what it offers. `mod_host` judges, as it does in the game.

use mod_abi::{ABI_VERSION, DependencyKind};
use mod_host::{Candidate, GameApi, ResolveProblem, resolve};

use super::found::Findings;
use crate::guest::Guest;

pub(super) fn check(guest: &Guest, api: &GameApi, findings: &mut Findings) {
    let identity = &guest.manifest.identity;
    if api.abi != ABI_VERSION {
        let (mods, games) = (identity.abi, api.abi);
        findings.problem(format!("it is built for version {mods} of the mod ABI, but the game has version {games}"));
    }
    let candidate = Candidate { identity, origin: "this file" };
    for problem in resolve(&[candidate], [], api.game.as_ref()).problems {
        // Which mods are there is the player's to know.
        if !matches!(problem, ResolveProblem::Missing { .. }) {
            findings.problem(problem.to_string());
        }
    }
    if let (Some(game), None) = (&identity.game, &api.game) {
        findings.note(format!("it is a mod for the game `{}`, and the file does not say which game this is", game.id));
    }
    for other in identity.dependencies.iter().filter(|other| other.kind == DependencyKind::Required) {
        let versions = other.requirement.as_ref().map(|versions| format!(" {versions}")).unwrap_or_default();
        findings.note(format!("it needs the mod `{}`{versions}", other.id));
    }
}
