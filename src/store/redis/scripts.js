import { createHash } from "node:crypto";
import { sources } from "./scripts.generated.js.ts";

const digests = Object.fromEntries(
  Object.entries(sources).map(([name, source]) => [
    name,
    createHash("sha1").update(source).digest("hex"),
  ]),
);
/** Runs a script by its digest; a server that does not know it yet (NOSCRIPT, alone) gets its text. */
export async function runScript(connection, name, key, args) {
  try {
    return await connection.send(key, "EVALSHA", [digests[name], "1", key, ...args]);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
    return await connection.send(key, "EVAL", [sources[name], "1", key, ...args]);
  }
}
