//! What a mod imports against what the game offers. The names are `mod_host`'s to compare, which links the mod as the game would.

use mod_abi::{
    Direction, FunctionDesc, Leaf, Schema, Signature,
    codec::Codec,
    names::{
        QUERY_TICKS, TYPE_INDEX, WORLD_CONTAINS, WORLD_COUNT, WORLD_GET, WORLD_PREPARE, WORLD_QUERY, WORLD_RESOURCE,
        symbol,
    },
};
use mod_host::{GameApi, HostFunctionDesc, LoadError, OfferedFunction};

use super::found::Findings;
use crate::guest::Guest;

/// The host functions of the contract, which every game has.
const CONTRACT: [&str; 8] =
    [WORLD_PREPARE, WORLD_QUERY, WORLD_GET, WORLD_RESOURCE, WORLD_COUNT, WORLD_CONTAINS, QUERY_TICKS, TYPE_INDEX];

pub(super) fn check(guest: &Guest, api: &GameApi, findings: &mut Findings) {
    let names = CONTRACT.into_iter().chain(api.functions.iter().map(|function| function.name.as_str()));
    match guest.start(names.map(HostFunctionDesc::from).collect()) {
        Ok(_) => {}
        Err(LoadError::Imports { problems }) => {
            for problem in problems {
                findings.problem(format!("it imports what the game does not offer so: {problem}"));
            }
        }
        // Why it does not start at all is told where it is asked for its systems.
        Err(_) => {}
    }
    let of_game = |function: &&FunctionDesc| function.direction == Direction::Import && function.mod_id.is_none();
    for stated in guest.manifest.functions.iter().filter(of_game) {
        let is_imported = guest.manifest.host_functions.contains(&stated.name);
        let offered = api.functions.iter().find(|offered| offered.name == stated.name);
        if let Some(offered) = offered.filter(|_| is_imported) {
            compare(stated, offered, guest.manifest.codec, findings);
        }
    }
    for import in &guest.manifest.mod_functions {
        findings.note(format!("`{import}`, which it calls, is a function of another mod"));
    }
}

/// What the mod states of a function, against what the game says of it.
fn compare(stated: &FunctionDesc, offered: &OfferedFunction, codec: Codec, findings: &mut Findings) {
    let name = symbol(&stated.name);
    if let Some(args) = &offered.args {
        let game = Signature { args: args.iter().cloned().map(Some).collect(), result: None };
        // To the mod it is the other side that takes.
        if let Some(difference) = game.difference(&stated.signature, codec) {
            let problem = format!("`env.{name}` {}", difference.replace("the host passes", "the mod passes"));
            match codec {
                Codec::Bincode => findings.problem(problem),
                // The file has the types as bincode writes them.
                Codec::Json | Codec::NanoserdeJson => {
                    findings.note(format!("{problem}, unless that is the same in JSON"))
                }
            }
        }
    }
    // What comes back is compared by nobody before the call.
    let ticket = Schema::Leaf(Leaf::U64);
    if let Some(result) = stated.signature.result.as_ref().filter(|_| offered.ticket)
        && result.disagreement(&ticket).is_some()
    {
        findings.note(format!(
            "`env.{name}` returns a ticket, but the mod expects `{result}`: it should be a `Ticket<..>`"
        ));
    }
}
