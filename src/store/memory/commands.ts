import { countBytes } from "../../shared/codec.ts";
import type { Command, Commanded, Merge } from "../commanding.ts";
import {
  type Alias,
  checkReferences,
  describeSuperseded,
  type Session,
  type Tombstone,
  toAbsent,
  toChanged,
} from "./entry.ts";
import type { Keeper } from "./keeper.ts";
import type { Room } from "./limits.ts";

/** Finds room in the sets that a session enters; null stands for a session to make. */
type PlanRoom = (session: Session | null) => Room;

/** Changes a session for a caller who chooses ids and deadlines. */
export function applyCommand(
  keeper: Keeper,
  id: string,
  asked: Command,
  planRoom: PlanRoom,
): Commanded {
  const { merge, where } = asked;
  const done = merge && keeper.entries.find(merge.to);
  if (done?.kind === "session") return toChanged(done, { rotated: true });
  const { entry: session, trail } = keeper.entries.resolve(id);
  if (session?.kind !== "session") return createIfAsked(keeper, id, session, asked, planRoom);
  if (where && !keeper.sets.has(where, session)) return { state: "elsewhere" };
  const changes = asked.replace ? toReplacingChange(session, asked) : asked;
  const lifetime = {
    pushes: true,
    idleTimeout: asked.idleTimeout,
    absoluteDeadline: deriveDeadline(keeper, asked),
  };
  const merges = merge !== null && isIdentityChange(session, changes, merge);
  const room = planRoom(session);
  if ("state" in room) return room;
  const rotates = merges ? () => rotate(merge) : null;
  return keeper.writeChanges(session, changes, lifetime, rotates, room.doomed);

  function rotate({ to, identity, tombstone }: Merge): void {
    const ids = [(session as Session).id, ...trail];
    const left = describeSuperseded(session as Session, identity, changes.references);
    keeper.changeId(session as Session, to, null);
    keeper.leaveTombstones(ids, left, tombstone);
  }
}

function createIfAsked(
  keeper: Keeper,
  id: string,
  kept: Alias | Tombstone | undefined,
  asked: Command,
  planRoom: PlanRoom,
): Commanded {
  const { create, set, references, maxBytes, merge } = asked;
  const { idleTimeout, absoluteTimeout, absoluteDeadline } = asked;
  const ended = kept?.kind === "tombstone" && kept.by === "delete";
  if (!create || (kept && !(ended && create === "anew"))) {
    return toAbsent(kept, references, merge?.identity);
  }
  checkReferences(null, references);
  const room = planRoom(null);
  if ("state" in room) return room;
  const bytes = countBytes(set);
  if (bytes > maxBytes) return { state: "too-large", bytes };
  const lifetime = { idleTimeout, absoluteTimeout: absoluteTimeout ?? null, absoluteDeadline };
  const made = keeper.createSession(id, set, references, lifetime, room.doomed);
  return toChanged(made, { rotated: false });
}

function deriveDeadline(
  keeper: Keeper,
  { absoluteTimeout, absoluteDeadline }: Command,
): number | null {
  return absoluteDeadline ?? keeper.toDeadline(absoluteTimeout ?? null);
}

/** The command with every field that it doesn't set in `unset`, and their references removed. */
function toReplacingChange(session: Session, asked: Command): Command {
  const unset = [...session.fields.keys()].filter((name) => !asked.set.has(name));
  const kept = new Set(asked.references.map(({ field }) => field));
  const left = [...session.references.keys()].filter((field) => !kept.has(field));
  const references = [
    ...asked.references,
    ...left.map((field) => ({ field, texts: [], plain: false })),
  ];
  return { ...asked, unset, references };
}

/** Whether the command changes the values of an identity field. */
function isIdentityChange(
  session: Session,
  { references }: Command,
  { identity, firstOnly = [] }: Merge,
): boolean {
  return references.some(({ field, texts }) => {
    if (!identity.includes(field)) return false;
    const before = session.references.get(field);
    if (before && firstOnly.includes(field)) return false;
    return texts.length !== (before?.size ?? 0) || texts.some((text) => !before?.has(text));
  });
}
