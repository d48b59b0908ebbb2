/*
 * The commands that redis-user-sessions sends, which is no longer in the registry: a JSON string for
 * each session, and one sorted set for each user. It reads before it writes, and some of its commands
 * run on after the call has returned. They are awaited here, or the next call would be charged for them.
 */
import { randomUUID } from "node:crypto";
import { openClient } from "../clients/open.ts";
import { makeRecord, SESSION_SECONDS } from "../record.ts";
import type { Subject, SubjectOptions } from "./subject.ts";

const keyOf = (id: string) => `session:${id}`;
const setOf = (user: number) => `user:${user}:sessions`;

export async function openRedisUserSessions(options: SubjectOptions): Promise<Subject> {
  const { commands } = await openClient(options.client, options.url);

  async function read(id: string) {
    const text = await commands.get(keyOf(id));
    if (text === null) return null;
    const data = JSON.parse(text);
    await commands.send(["zremrangebyscore", setOf(data.user_id), "-inf", String(Date.now())]);
    return data;
  }

  async function renew(user: number): Promise<unknown> {
    const last = (await commands.send([
      "ZRANGE",
      setOf(user),
      "-1",
      "-1",
      "WITHSCORES",
    ])) as unknown[];
    const [score] = last.flat().slice(-1);
    return score === undefined ? 0 : commands.send(["pexpireat", setOf(user), String(score)]);
  }

  async function write(id: string, data: ReturnType<typeof makeRecord>): Promise<unknown> {
    const expires = Date.now() + SESSION_SECONDS * 1000;
    const text = JSON.stringify({ ...data, expires: new Date(expires).toISOString() });
    await commands.sendAll([
      ["set", keyOf(id), text, "PXAT", String(expires)],
      ["zadd", setOf(data.user_id), String(expires), id],
    ]);
    return renew(data.user_id);
  }

  async function create(user: number): Promise<string> {
    const id = randomUUID();
    await commands.get(keyOf(id)); // another user's session must not be overwritten
    await write(id, makeRecord(user));
    return id;
  }

  async function update(id: string, changes: object): Promise<unknown> {
    const data = await read(id);
    if (data === null) throw new Error("There is no such session.");
    return write(id, { ...data, ...changes });
  }

  async function end(id: string): Promise<unknown> {
    const data = await read(id);
    if (data === null) return;
    await commands.sendAll([
      ["del", keyOf(id)],
      ["zrem", setOf(data.user_id), id],
    ]);
    return renew(data.user_id);
  }

  async function readIds(user: number): Promise<string[]> {
    return (await commands.send(["zrange", setOf(user), "0", "-1"])) as string[];
  }

  return {
    // Every session has a user.
    create: (user) => create(user ?? 0),
    get: read,
    set: (id, theme) => update(id, { theme }),
    touch: (id) => update(id, { expires: new Date().toISOString() }),
    async signIn(id, user) {
      await end(id);
      return create(user);
    },
    end,
    size: async (user) => Number(await commands.send(["zcard", setOf(user)])),
    async list(user) {
      return Promise.all((await readIds(user)).map(read));
    },
    async clear(user) {
      const ids = await readIds(user);
      return commands.send(["del", setOf(user), ...ids.map(keyOf)]);
    },
    close: () => commands.close(),
  };
}
