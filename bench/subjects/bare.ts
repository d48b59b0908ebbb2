/*
 * The floor: the least that could work, with a hash for each session and a sorted set for each value.
 * It keeps no rule for what happens at the same time, or in part.
 */
import { randomBytes } from "node:crypto";
import { openClient } from "../clients/open.ts";
import {
  makeAnonymousRecord,
  makeRecord,
  REFERENCES,
  SESSION_SECONDS,
  type SessionRecord,
  toFields,
} from "../record.ts";
import type { Subject, SubjectOptions } from "./subject.ts";

const keyOf = (token: string) => `session:${token}`;
const setOf = (field: string, value: unknown) => `set:${field}:${value}`;

export async function openBare(options: SubjectOptions): Promise<Subject> {
  const { commands } = await openClient(options.client, options.url);
  const references = REFERENCES.slice(0, options.references);

  /** The commands that make a session. */
  function creation(token: string, record: SessionRecord): string[][] {
    const end = String(Date.now() + SESSION_SECONDS * 1000);
    const sets = references.filter((field) => record[field] !== undefined);
    return [
      ["hset", keyOf(token), ...toFields(record)],
      ["pexpireat", keyOf(token), end],
      ...sets.map((field) => ["zadd", setOf(field, record[field]), end, token]),
    ];
  }

  async function readIds(user: number): Promise<string[]> {
    return (await commands.send(["zrange", setOf("user_id", user), "0", "-1"])) as string[];
  }

  return {
    async create(user) {
      const token = randomBytes(24).toString("base64url");
      await commands.sendAll(
        creation(token, user === null ? makeAnonymousRecord() : makeRecord(user)),
      );
      return token;
    },
    get: (token) => commands.hgetall(keyOf(token)),
    getTwo: (token) => commands.hmget(keyOf(token), ["name", "theme"]),
    set: (token, theme) => commands.send(["hset", keyOf(token), "theme", theme]),
    async setReference(token, team) {
      const [old] = await commands.hmget(keyOf(token), ["team_id"]);
      return commands.sendAll([
        ["hset", keyOf(token), "team_id", String(team)],
        ["zrem", setOf("team_id", old), token],
        ["zadd", setOf("team_id", team), String(Date.now() + SESSION_SECONDS * 1000), token],
      ]);
    },
    touch: (token) =>
      commands.send(["pexpireat", keyOf(token), String(Date.now() + SESSION_SECONDS * 1000)]),
    async signIn(old, user) {
      const token = randomBytes(24).toString("base64url");
      await commands.sendAll([
        ["del", keyOf(old)],
        ["zrem", setOf("user_id", user), old],
        ...creation(token, makeRecord(user)),
      ]);
      return token;
    },
    end: (token) => commands.send(["del", keyOf(token)]),
    size: async (user) => Number(await commands.send(["zcard", setOf("user_id", user)])),
    async list(user) {
      const ids = await readIds(user);
      return Promise.all(ids.map((token) => commands.hgetall(keyOf(token))));
    },
    async clear(user) {
      const ids = await readIds(user);
      return commands.send(["del", setOf("user_id", user), ...ids.map(keyOf)]);
    },
    close: () => commands.close(),
  };
}
