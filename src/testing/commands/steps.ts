import assert from "node:assert/strict";
import {
  type Command,
  type Commanded,
  type CommandStore,
  isCommandStore,
  type Merge,
} from "../../store/commanding.ts";
import type { SessionStore } from "../../store/contract.ts";
import { type ChangesDraft, createChanges, HOUR_MS } from "../steps.ts";
import { type StoreTest, type StoreUnderTest, storeTest } from "../store-test.ts";

/* The words that the tests of commands are written in, beside those of ../steps.ts. */

/** A test of a store that takes commands; one that takes none fails in it. */
export function commandTest(
  name: string,
  body: (under: StoreUnderTest & { readonly store: CommandStore }) => Promise<void>,
): StoreTest {
  return storeTest(name, (under) => body({ ...under, store: requireCommandStore(under.store) }));
}

/** The store, which takes commands; fails where it takes none. */
export function requireCommandStore(store: SessionStore): CommandStore {
  assert.ok(isCommandStore(store), "the store has no method command, which this group is about");
  return store;
}

interface CommandDraft
  extends ChangesDraft,
    Partial<Omit<Command, "set" | "unset" | "references" | "maxBytes">> {}

export function createCommand(draft: CommandDraft = {}): Command {
  return {
    ...draft,
    ...createChanges(draft),
    idleTimeout: draft.idleTimeout ?? null,
    merge: draft.merge ?? null,
  };
}

export function command(store: CommandStore, id: string, draft?: CommandDraft): Promise<Commanded> {
  return store.command(id, createCommand(draft));
}

/** A merge where `user_id` says who the user is; its tombstones stay for an hour. */
export function mergeTo(to: string, over: Partial<Merge> = {}): Merge {
  return { to, identity: ["user_id"], tombstone: HOUR_MS, ...over };
}

/** A command that names a user, and gives the session a new id where it is another one's. */
export function createMerge(to: string, user: string, over: Partial<Merge> = {}): Command {
  return createCommand({
    set: { user_id: user },
    references: { user_id: [user] },
    merge: mergeTo(to, over),
  });
}
