import { createHash } from "node:crypto";
import { sources } from "../../../../generated/scripts.js";
import type { Send } from "../wire/connection.ts";

export type ScriptName = keyof typeof sources;

const digests = Object.fromEntries(
  Object.entries(sources).map(([name, source]) => [
    name,
    createHash("sha1").update(source).digest("hex"),
  ]),
) as Record<ScriptName, string>;

/** How servers say it, and how Valkey GLIDE does. */
const NO_SCRIPT = /^NOSCRIPT\b|\bNoScriptError\b/;

/** Runs a script by its digest. A server that doesn't know it (NOSCRIPT, and only that) gets its text. */
export async function runScript(
  send: Send,
  name: ScriptName,
  key: string,
  args: readonly string[],
): Promise<unknown> {
  try {
    return await send("EVALSHA", [digests[name], "1", key, ...args]);
  } catch (error) {
    if (!(error instanceof Error && NO_SCRIPT.test(error.message))) throw error;
    return await send("EVAL", [sources[name], "1", key, ...args]);
  }
}
