/* How a session in Redis remembers the sets it is in: short enough to keep its hash compact. */
import { createSessions } from "session-sets";
import { redisStore } from "session-sets/redis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { redisUrl } from "../../../support/redis/shared.ts";
import { type Client, clients, freshPrefix } from "../../../support/stores/stores.ts";

interface Data {
  user_id?: string;
  team_ids?: string[];
}

const UUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
const team = (n: number) => `${String(n).padStart(8, "0")}${UUID.slice(8)}`;
const teams = (count: number) => Array.from({ length: count }, (_, n) => team(n));

let client: Client;
beforeAll(() => {
  client = clients["ioredis 6"](redisUrl());
});
afterAll(() => client.quit());

function open() {
  const prefix = freshPrefix();
  const sessions = createSessions({
    data: {} as Data,
    store: redisStore(client, { prefix, timeout: "20 seconds" }),
    references: { user_id: {}, team_ids: { identity: false } },
    idleTimeout: "1 hour",
  });
  const hash = (id: string) => client.hgetall(`{${prefix}:0}:s:${id}`);
  const encoding = (id: string) => client.object("ENCODING", `{${prefix}:0}:s:${id}`);
  return { sessions, hash, encoding };
}

test("a session of a user and a team with UUIDs stays a compact listpack", async () => {
  const { sessions, hash, encoding } = open();
  const { session } = await sessions.create({ user_id: UUID, team_ids: [team(1)] });
  const { "@r": count, "@r1": user, "@r2": one } = await hash(session.id);
  expect([count, user, one]).toEqual(["2", `user_id:${UUID}`, `team_ids:${team(1)}`]);
  expect(await encoding(session.id)).toBe("listpack");
});

test("short names share one field", async () => {
  const { sessions, hash } = open();
  const { session } = await sessions.create({ user_id: "ada", team_ids: ["a", "b", "c"] });
  const names = (await hash(session.id))["@r"];
  expect(names).toBe("user_id:ada team_ids:a team_ids:b team_ids:c");
});

test("the parts come and go with the references, and leave nothing", async () => {
  const { sessions, hash } = open();
  const { token, session } = await sessions.create({ user_id: UUID });
  const own = async () =>
    Object.entries(await hash(session.id)).filter(([name]) => name.startsWith("@r"));
  for (const count of [5, 1, 999, 3, 0]) {
    const team_ids = teams(count);
    await sessions.set(token, { team_ids });
    const names = (await own())
      .flatMap(([, text]) => text.split(" "))
      .filter((n) => n.includes(":"));
    expect(names.sort()).toEqual(
      [`user_id:${UUID}`, ...team_ids.map((t) => `team_ids:${t}`)].sort(),
    );
    expect(await own()).toHaveLength(count === 0 ? 1 : count + 2);
    for (const t of [team(0), team(2), team(998)]) {
      expect(await sessions.by("team_ids", t).has(session.id)).toBe(team_ids.includes(t));
    }
  }
  await sessions.unset(token, ["team_ids"]);
  expect(await own()).toEqual([["@r", `user_id:${UUID}`]]);
});

test("every part goes along when a session is rotated, and with it when it ends", async () => {
  const { sessions } = open();
  const { token } = await sessions.create({ user_id: UUID, team_ids: teams(40) });
  const rotated = await sessions.rotate(token);
  expect(await sessions.by("team_ids", team(39)).ids()).toEqual([rotated?.session?.id]);
  const signedIn = await sessions.signIn(rotated?.token, { user_id: UUID }, { keep: ["team_ids"] });
  expect(await sessions.by("team_ids", team(39)).ids()).toEqual([signedIn.session.id]);
  expect(await sessions.by("team_ids", team(39)).clear()).toBe(1);
  for (const t of teams(40)) expect(await sessions.by("team_ids", t).size()).toBe(0);
  expect(await sessions.by("user_id", UUID).size()).toBe(0);
});
