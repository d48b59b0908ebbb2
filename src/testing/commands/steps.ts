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

/* The steps of the tests of commands, besides those of ../steps.ts. */

/** A test of a store that takes commands. Any other store fails it. */
export function commandTest(
  name: string,
  body: (under: StoreUnderTest & { readonly store: CommandStore }) => Promise<void>,
): StoreTest {
  return storeTest(name, (under) => body({ ...under, store: commandStore(under.store) }));
}

/** Returns the store if it takes commands, and fails otherwise. */
export function commandStore(store: SessionStore): CommandStore {
  assert.ok(isCommandStore(store), "the store needs the method command for this group of tests");
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

/** A merge where `user_id` says who the user is. Its tombstones stay for an hour. */
export function mergeTo(to: string, over: Partial<Merge> = {}): Merge {
  return { to, identity: ["user_id"], tombstone: HOUR_MS, ...over };
}

/** A command that names a user. If the session had another user, it gets a new id. */
export function createMerge(to: string, user: string, over: Partial<Merge> = {}): Command {
  return createCommand({
    set: { user_id: user },
    references: { user_id: [user] },
    merge: mergeTo(to, over),
  });
}
