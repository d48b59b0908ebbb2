/* Moving the slots of a cluster from master to master, as a cluster's tools do. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { eventually } from "../eventually.ts";
import { serverProgram } from "./server.ts";

/** Moves a slot between two of the masters, and tells all of them. */
export type Move = (slot: number, from: Redis, to: Redis, all: readonly Redis[]) => Promise<void>;

/** With MIGRATE, a few keys at a time: meanwhile either node has a part of them. */
export const moveKeyByKey: Move = async (slot, from, to, all) => {
  const [source, target] = await Promise.all([from.cluster("MYID"), to.cluster("MYID")]);
  await to.cluster("SETSLOT", slot, "IMPORTING", source as string);
  await from.cluster("SETSLOT", slot, "MIGRATING", target as string);
  for (;;) {
    const keys = (await from.cluster("GETKEYSINSLOT", slot, 3)) as string[];
    if (keys.length === 0) break;
    const { host = "127.0.0.1", port = 0 } = to.options;
    await from.call("MIGRATE", [host, String(port), "", "0", "5000", "KEYS", ...keys]);
  }
  await to.cluster("SETSLOT", slot, "NODE", target as string);
  await tell(all, slot, target as string);
};

/** Tells masters who has a slot now, until each has taken it in. */
export async function tell(all: readonly Redis[], slot: number, target: string): Promise<void> {
  for (const admin of all) {
    // The news that nodes tell each other meanwhile may be older.
    await eventually("word of a move", target, async () => {
      await admin.cluster("SETSLOT", slot, "NODE", target);
      return ownerSeenBy(admin, slot);
    });
  }
}

/** With CLUSTER MIGRATESLOTS of Valkey 9: the other node has nothing, and then everything. */
export const moveAtOnce: Move = async (slot, from, to, all) => {
  const target = (await to.cluster("MYID")) as string;
  const range = ["SLOTSRANGE", String(slot), String(slot), "NODE", target];
  await from.call("CLUSTER", "MIGRATESLOTS", ...range);
  await eventually("the move of a slot", "success", async () => {
    const [last] = (await from.call("CLUSTER", "GETSLOTMIGRATIONS")) as unknown[][];
    const state = new Map<unknown, unknown>();
    for (let i = 0; last && i < last.length; i += 2) state.set(last[i], last[i + 1]);
    return state.get("state");
  });
  for (const admin of all) {
    await eventually("word of a move", target, () => ownerSeenBy(admin, slot));
  }
};

/** The id of the master that has a slot, as a node knows it. */
async function ownerSeenBy(admin: Redis, slot: number): Promise<string | undefined> {
  const ranges = await admin.cluster("SLOTS");
  const [, , owner] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? [];
  return owner?.[2];
}

/** The place in `all` of the master that has a slot. */
export async function findOwner(slot: number, all: readonly Redis[]): Promise<number> {
  const ids = await Promise.all(all.map((admin) => admin.cluster("MYID")));
  return ids.indexOf((await ownerSeenBy(all[0] as Redis, slot)) ?? "");
}

/**
 * A server that moves slots at once: that of the other tests if it can, else the one that `npm run
 * test:matrix` has fetched; undefined where there is neither.
 */
export function serverThatMovesAtOnce(): string | undefined {
  const fetched = "../../../.cache/servers/valkey-9.1/valkey-server";
  const candidates = [serverProgram(), fileURLToPath(new URL(fetched, import.meta.url))];
  return candidates.find((program) => existsSync(program) && movesAtOnce(program));
}

function movesAtOnce(program: string): boolean {
  const printed = execFileSync(program, ["--version"], { encoding: "utf8" });
  return Number(/^Valkey server v=(\d+)/.exec(printed)?.[1] ?? 0) >= 9;
}
