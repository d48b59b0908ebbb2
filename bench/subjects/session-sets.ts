/* This library, as it was built. */
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { openClient } from "../clients/open.ts";
import { makeAnonymousRecord, makeRecord, type SessionRecord } from "../record.ts";
import type { Subject, SubjectOptions } from "./subject.ts";

export async function openSessionSets(options: SubjectOptions): Promise<Subject> {
  const { client, commands } = await openClient(options.client, options.url);
  const more = { team_id: { identity: false }, device: { identity: false } } as const;
  const sessions = createSessions({
    data: {} as SessionRecord,
    store: redisStore(client, { shards: options.shards, timeout: "1 minute" }),
    references: options.references === 1 ? ["user_id"] : ["user_id", more],
  });
  const users = (user: number) => sessions.by("user_id", user);
  return {
    async create(user) {
      const record = user === null ? makeAnonymousRecord() : makeRecord(user);
      return (await sessions.create(record)).token;
    },
    get: (token) => sessions.get(token),
    getTwo: (token) => sessions.get(token, ["name", "theme"]),
    set: (token, theme) => sessions.set(token, { theme }),
    setReference: (token, team_id) => sessions.set(token, { team_id }),
    touch: (token) => sessions.touch(token),
    signIn: async (token, user) => (await sessions.signIn(token, makeRecord(user))).token,
    end: (token) => sessions.delete(token),
    size: (user) => users(user).size(),
    list: (user) => users(user).list(),
    clear: (user) => users(user).clear(),
    close: () => commands.close(),
  };
}
