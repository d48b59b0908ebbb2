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

/** How a script is called. */
export interface ScriptCall {
  readonly name: ScriptName;
  readonly key: string;
  /** The moment after which it does nothing; empty for one that only reads. */
  readonly notAfter: string;
  readonly args: readonly string[];
  /** Whether the server may be a node of a cluster. */
  readonly inCluster: boolean;
}

/**
 * The arguments of EVALSHA. Those of the script begin with the moment after which it does nothing.
 *
 * In a cluster, a script that writes declares a second key of the slot, which never exists. While the slot
 * is moving, a node refuses every command of several keys that it doesn't have all of. So it refuses such a
 * script before it has begun, whatever keys have arrived.
 */
export function composeScriptCall({ name, key, notAfter, args, inCluster }: ScriptCall): string[] {
  return inCluster && notAfter !== ""
    ? [digests[name], "2", key, `${key.slice(0, key.indexOf("}"))}}:s:`, notAfter, ...args]
    : [digests[name], "1", key, notAfter, ...args];
}

/** Runs a script by its digest. A server that doesn't know it (NOSCRIPT, and only that) gets its text. */
export async function runScript(send: Send, script: ScriptCall): Promise<unknown> {
  const call = composeScriptCall(script);
  try {
    return await send("EVALSHA", call);
  } catch (error) {
    if (!(error instanceof Error && NO_SCRIPT.test(error.message))) throw error;
    return await send("EVAL", [sources[script.name], ...call.slice(1)]);
  }
}
