/* The packages that session-sets is compared with, where scripts/bench/main.mjs has installed them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const FOLDER = join(import.meta.dirname, "../../peers"); // from .cache/bench/build/bench

/** Loads a peer. `Module` describes what is used of it. */
export async function loadPeer<Module>(name: string): Promise<Module> {
  const { load } = await import(pathToFileURL(join(FOLDER, "load.js")).href);
  return load(name);
}

/** The version of a peer. */
export function readPeerVersion(name: string): string {
  const manifest = join(FOLDER, "node_modules", name, "package.json");
  return JSON.parse(readFileSync(manifest, "utf8")).version;
}
