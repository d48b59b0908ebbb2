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

/** The arguments of EVALSHA. Those of the script begin with the moment after which it does nothing. */
export function composeScriptCall(
  name: ScriptName,
  key: string,
  notAfter: string,
  args: readonly string[],
): string[] {
  return [digests[name], "1", key, notAfter, ...args];
}

/** Runs a script by its digest. A server that doesn't know it (NOSCRIPT, and only that) gets its text. */
export async function runScript(
  send: Send,
  name: ScriptName,
  key: string,
  notAfter: string,
  args: readonly string[],
): Promise<unknown> {
  const call = composeScriptCall(name, key, notAfter, args);
  try {
    return await send("EVALSHA", call);
  } catch (error) {
    if (!(error instanceof Error && NO_SCRIPT.test(error.message))) throw error;
    return await send("EVAL", [sources[name], ...call.slice(1)]);
  }
}
