/* Sessions of more fields and sets than Lua's `unpack` takes at once (8,000 values). */
import { createSessions, type Sessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { redisUrl } from "../../../support/redis/shared.ts";
import { omitMarks } from "../../../support/stores/clearing-marks.ts";
import { type Client, clients, freshPrefix } from "../../../support/stores/stores.ts";

type Data = Record<string, unknown>;

const COUNT = 9000;
/** Of nine references each may have a thousand values alone, and all together no more. */
const REFERENCES = Array.from({ length: 9 }, (_, n) => `team_ids_${n}`);

let client: Client;
let prefix: string;
let sessions: Sessions<Data>;
beforeAll(() => {
  client = clients["ioredis 6"](redisUrl());
});
afterAll(() => client.quit());
beforeEach(() => {
  prefix = freshPrefix();
  sessions = createSessions<Data>({
    store: redisStore(client, { prefix, timeout: "20 seconds" }),
    references: ["user_id", Object.fromEntries(REFERENCES.map((f) => [f, { identity: false }]))],
    idleTimeout: "1 hour",
    rotationGrace: 0,
    maxBytes: 2_000_000,
  });
});

const fields = (value: string): Data =>
  Object.fromEntries(Array.from({ length: COUNT }, (_, n) => [`f${n}`, `${value}${n}`]));

/** A thousand values, whose names are so long that each takes a part of its own in the hash. */
const values = (field: string) =>
  Array.from({ length: 1000 }, (_, n) => `${field}-${"x".repeat(32)}-${n}`);

test("9,000 fields are made, changed, moved and unset", async () => {
  const names = Object.keys(fields(""));
  const { token: old } = await sessions.create(fields("a"));
  expect((await sessions.get(old))?.data).toEqual(fields("a"));
  const { token, session } = await sessions.signIn(old, { user_id: 1 }, { keep: names });
  expect(session.data).toEqual({ user_id: 1, ...fields("a") });
  expect(await sessions.set(token, fields("b"))).toBe(true);
  const rotated = await sessions.rotate(token, fields("c"));
  expect(rotated?.session?.data).toEqual({ user_id: 1, ...fields("c") });
  expect((await sessions.get(rotated?.token, names))?.data).toEqual(fields("c"));
  expect(await sessions.unset(rotated?.token, names)).toBe(true);
  expect((await sessions.get(rotated?.token))?.data).toEqual({ user_id: 1 });
});

test("9,000 fields are changed and unset in each session of a set", async () => {
  const { token } = await sessions.create({ user_id: 1, ...fields("a") });
  const set = sessions.by("user_id", 1);
  expect(await set.set(fields("b"))).toBe(1);
  expect((await sessions.get(token))?.data).toEqual({ user_id: 1, ...fields("b") });
  expect((await set.list()).map(({ data }) => data)).toEqual([{ user_id: 1, ...fields("b") }]);
  expect(await set.unset(Object.keys(fields("")))).toBe(1);
  expect((await sessions.get(token))?.data).toEqual({ user_id: 1 });
});

test("a reference of a thousand values stands beside 9,000 fields", async () => {
  const [field = ""] = REFERENCES;
  const { token, session } = await sessions.create({ [field]: values(field), ...fields("a") });
  const one = sessions.by(field, values(field)[999] ?? "");
  expect(await one.ids()).toEqual([session.id]);
  expect(await sessions.set(token, { [field]: [], ...fields("b") })).toBe(true);
  expect(await one.size()).toBe(0);
  expect(await sessions.set(token, { [field]: values(field) })).toBe(true);
  expect(await one.clear()).toBe(1);
  expect(omitMarks(await client.keys(`{${prefix}:*`))).toEqual([]);
});

test("a session of 999 sets is made, touched, moved out of them all and into them, and ended", async () => {
  const share = (field: string) => values(field).slice(0, 111);
  const everywhere = Object.fromEntries(REFERENCES.map((field) => [field, share(field)]));
  const { token } = await sessions.create({ n: 1, ...everywhere });
  const keys = () => client.keys(`{${prefix}:0}:r:*`);
  expect(await keys()).toHaveLength(999);
  expect(await sessions.touch(token)).toBe(true);
  const nowhere = Object.fromEntries(REFERENCES.map((field) => [field, []]));
  const out = await sessions.rotate(token, nowhere, { grace: 0 });
  expect(await keys()).toEqual([]);
  const back = await sessions.rotate(out?.token, everywhere, { grace: 0 });
  expect(back?.session?.data).toEqual({ n: 1, ...everywhere });
  expect(await keys()).toHaveLength(999);
  const signedIn = await sessions.signIn(back?.token, { user_id: 1 }, { keep: REFERENCES });
  expect(await keys()).toHaveLength(1000);
  expect(await sessions.delete(signedIn.token)).toBe(true);
  expect(omitMarks(await client.keys(`{${prefix}:*`))).toEqual([]);
});
