/*
 * The commands that koa-redis-session-sets sends, which is no longer in the registry: a hash for each
 * session, a set for each value, and every write in one transaction that renews the deadline. Sets keep
 * the ids of sessions that have ended, and a session stays in the sets of its old values.
 */
import { randomBytes } from "node:crypto";
import { openClient } from "../clients/open.ts";
import {
  makeAnonymousRecord,
  makeRecord,
  REFERENCES,
  type SessionRecord,
  toFields,
} from "../record.ts";
import type { Subject, SubjectOptions } from "./subject.ts";

const MAX_AGE_MS = String(28 * 86_400_000); // its default
const keyOf = (id: string) => `:{${id}}`;
const setOf = (field: string, value: unknown) => `:${field}:{${value}}`;

export async function openKoaRedisSessionSets(options: SubjectOptions): Promise<Subject> {
  const { commands } = await openClient(options.client, options.url);
  const references = REFERENCES.slice(0, options.references);

  function set(id: string, values: SessionRecord): Promise<unknown> {
    const entered = references.filter((field) => values[field] !== undefined);
    return commands.sendAtomically([
      ["hmset", keyOf(id), "id", id, ...toFields(values)],
      ["pexpire", keyOf(id), MAX_AGE_MS],
      ...entered.map((field) => ["sadd", setOf(field, values[field]), id]),
    ]);
  }

  async function end(id: string): Promise<unknown> {
    const values = await commands.hmget(keyOf(id), [...references]);
    const entries = references.map((field, i) => ["srem", setOf(field, values[i]), id]);
    return commands.sendAtomically([["del", keyOf(id)], ...entries]);
  }

  async function readIds(user: number): Promise<string[]> {
    return [...((await commands.send(["smembers", setOf("user_id", user)])) as Iterable<string>)];
  }

  return {
    async create(user) {
      const id = randomBytes(18).toString("base64");
      await set(id, user === null ? makeAnonymousRecord() : makeRecord(user));
      return id;
    },
    get: (id) => commands.hgetall(keyOf(id)),
    getTwo: (id) => commands.hmget(keyOf(id), ["name", "theme"]),
    set: (id, theme) => set(id, { theme }),
    setReference: (id, team_id) => set(id, { team_id }),
    touch: (id) => commands.send(["pexpire", keyOf(id), MAX_AGE_MS]),
    // The session keeps its id: the package has no rotation.
    async signIn(id, user) {
      await set(id, makeRecord(user));
      return id;
    },
    end,
    size: async (user) => Number(await commands.send(["scard", setOf("user_id", user)])),
    async list(user) {
      const ids = await readIds(user);
      return Promise.all(ids.map((id) => commands.hgetall(keyOf(id))));
    },
    // As its documentation does it.
    clear: async (user) => Promise.all((await readIds(user)).map(end)),
    close: () => commands.close(),
  };
}
