/* Random calls of redis-user-sessions' functions do as a map of sessions would, and leave whole sets. */
import { randomBytes } from "node:crypto";
import { createClient } from "redis";
import {
  createSession,
  deleteSession,
  deleteUserSessions,
  getUserSessions,
  readSession,
  type SessionData,
  updateSession,
  updateUserSessions,
} from "session-sets/compat/redis-user-sessions";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyText, fc, runs } from "../../support/properties.ts";
import { redisUrl } from "../../support/redis/shared.ts";

const connect = () => createClient({ url: redisUrl() }).connect();
let client: Awaited<ReturnType<typeof connect>>;
beforeAll(async () => {
  client = await connect();
});
afterAll(() => client.close());

const FUTURE = ["2999-01-01T00:00:00.000Z", "2998-01-01T00:00:00+02:00"] as const;
const PAST = "2001-01-01T00:00:00Z";

type Model = Map<string, SessionData>;
interface Call {
  readonly sessionId: string;
  readonly userId: string;
  readonly data: { x?: number | undefined; y?: string; expires?: string };
}
interface Operation {
  call(call: Call): Promise<unknown>;
  /** Makes the call on the model. Returns whether it is accepted. */
  expect(model: Model, call: Call): boolean;
}

function keep(model: Model, sessionId: string, session: SessionData): void {
  const written = Object.entries(session).filter(([, value]) => value !== undefined);
  if (session.expires === PAST) model.delete(sessionId);
  else model.set(sessionId, Object.fromEntries(written) as unknown as SessionData);
}

const of = (model: Model, userId: string) =>
  [...model].filter(([, session]) => session.userId === userId);

const operations: Readonly<Record<string, Operation>> = {
  create: {
    call: ({ sessionId, userId, data }) =>
      createSession({ client, sessionId, data: { expires: FUTURE[0], ...data, userId } }),
    expect(model, { sessionId, userId, data }) {
      if ((model.get(sessionId)?.userId ?? userId) !== userId) return false;
      keep(model, sessionId, { expires: FUTURE[0], ...data, userId });
      return true;
    },
  },
  update: {
    call: ({ sessionId, data }) => updateSession({ client, sessionId, data }),
    expect(model, { sessionId, data }) {
      const present = model.get(sessionId);
      if (present) keep(model, sessionId, { ...present, ...data });
      return present !== undefined;
    },
  },
  updateAll: {
    call: ({ userId, data }) => updateUserSessions({ client, userId, data }),
    expect(model, { userId, data }) {
      for (const [id, session] of of(model, userId)) keep(model, id, { ...session, ...data });
      return true;
    },
  },
  delete: {
    call: ({ sessionId }) => deleteSession({ client, sessionId }),
    expect(model, { sessionId }) {
      model.delete(sessionId);
      return true;
    },
  },
  deleteAll: {
    call: ({ userId }) => deleteUserSessions({ client, userId }),
    expect(model, { userId }) {
      for (const [id] of of(model, userId)) model.delete(id);
      return true;
    },
  },
};

const USERS = ["1", "2", ""];
const step = fc.record({
  name: fc.constantFrom(
    "create",
    "create",
    "create",
    "update",
    "update",
    ...Object.keys(operations),
  ),
  id: fc.constantFrom("a", "b", '"c', "\ud800"),
  user: fc.constantFrom(...USERS),
  data: fc.record(
    {
      x: fc.option(fc.integer(), { nil: undefined }),
      y: anyText,
      expires: fc.constantFrom(...FUTURE, ...FUTURE, PAST),
    },
    { requiredKeys: [] },
  ),
});

test("random calls do as the model", async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
    const own = randomBytes(6).toString("hex");
    const model: Model = new Map();
    for (const { name, id, user, data } of steps) {
      const call = { sessionId: id + own, userId: user + own, data };
      const operation = operations[name] as Operation;
      const taken = await operation.call(call).then(
        () => true,
        () => false,
      );
      expect(taken).toBe(operation.expect(model, call));
      expect(await readSession({ client, sessionId: call.sessionId })).toStrictEqual(
        model.get(call.sessionId) ?? null,
      );
    }
    for (const userId of USERS.map((name) => name + own)) {
      const listed = await getUserSessions({ client, userId });
      const byId = new Map(listed.map(({ sessionId, data }) => [sessionId, data]));
      expect(byId).toEqual(new Map(of(model, userId)));
      expect(listed).toHaveLength(byId.size);
      await deleteUserSessions({ client, userId });
    }
    expect((await client.keys("*")).filter((key) => key.includes(own))).toEqual([]);
  });
  await fc.assert(property, runs(60));
});
