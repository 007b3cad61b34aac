// Puts every file in `sections` into the module, as a custom section of the same name: who the mod is (`bevy_mod`) and
// what its functions take and return (`bevy_mod_functions`).
import { readFileSync, readdirSync } from "node:fs";

const folder = new URL("sections/", import.meta.url);

export default class Sections {
  afterCompile(module) {
    for (const name of readdirSync(folder).sort()) {
      module.addCustomSection(name, readFileSync(new URL(name, folder)));
    }
  }
}
