/* Calls from JavaScript without their argument, and those of another package's session: each names the call to make. */
import express from "express";
import passport from "passport";
import { createSessions, type SessionError } from "session-sets";
import { SessionSetsStore } from "session-sets/compat/express-session";
import { expressSessions } from "session-sets/express";
import { fetchSessions } from "session-sets/fetch";
import { memoryStore } from "session-sets/memory";
import { describe, expect, test } from "vitest";
import { request, serve } from "../../support/http/apps/ad-hoc.ts";

const sessions = createSessions({
  data: {} as { user_id?: number; team_id?: number },
  references: ["user_id", { team_id: { identity: false } }],
});
const web = fetchSessions(sessions);

/** The session of a request whose user is signed in, without its types. */
async function open() {
  const { token, session } = await sessions.create({ user_id: 1 });
  const headers = { cookie: `session=${token}` };
  // biome-ignore lint/suspicious/noExplicitAny: these are the calls of a program in JavaScript
  const own: any = web(new Request("http://localhost/", { headers }));
  return { own, token, lineage: session.lineage };
}

async function catchHint(call: () => unknown): Promise<string> {
  const error = await Promise.resolve()
    .then(call)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "SessionError", status: 500 });
  return (error as SessionError).hint;
}

describe("without its argument, the error names the call:", () => {
  test.each(["changeCredentials", "signOutOthers", "signOutEverywhere", "peers"])(
    "%s",
    async (verb) => {
      const { own, token } = await open();
      for (const given of [undefined, null, {}, 1]) {
        expect(await catchHint(() => own[verb](given))).toContain(
          `${verb} takes the name of a declared reference (declared: "user_id", "team_id"), as in ${verb}("user_id"); got `,
        );
      }
      expect(await sessions.get(token)).not.toBeNull();
    },
  );

  test.each<[string, (own: never) => unknown, call: string]>([
    ["by", () => sessions.by(...([] as never as ["user_id", 1])), 'by("user_id", value)'],
    ["by, of its value", () => sessions.by("user_id", undefined as never), 'by("user_id", 1)'],
    [
      "signIn",
      () => sessions.signIn({ user_id: 1 } as never, undefined as never),
      "signIn(token, {",
    ],
    ["trim", () => sessions.by("user_id", 1).trim(undefined as never), "{ keep: … }"],
    ["signIn", (own: { signIn(): unknown }) => own.signIn(), "signIn({ user_id: … })"],
    ["set", (own: { set(): unknown }) => own.set(), "{ user_id: 1 }"],
    ["unset", (own: { unset(): unknown }) => own.unset(), '["theme"]'],
    ["onEnd", (own: { onEnd(): unknown }) => own.onEnd(), "session.onEnd((ending) => { … })"],
  ])("%s", async (_verb, use, call) => {
    const { own } = await open();
    expect(await catchHint(() => use(own as never))).toContain(call);
  });
});

test("an assignment of the user names signIn, which a set does not replace", async () => {
  const { own } = await open();
  const assign = () => {
    own.user_id = 2;
  };
  expect(await catchHint(assign)).toContain("await session.signIn({ … })");
});

test("a reference of the store for express-session that is a function names from", async () => {
  const references = { user_id: (session: { user_id?: number }) => session.user_id };
  const create = () =>
    new SessionSetsStore({ store: memoryStore(), references: references as never });
  expect(await catchHint(create)).toContain("{ from: (session) => … }");
});

describe("a method of express-session's", () => {
  test.each([
    ["regenerate", "await session.signIn({ … })"],
    ["save", "nothing to save"],
    ["reload", "await session.load()"],
    ["destroy", "await session.delete()"],
  ])("is refused where it is called or replaced: %s", async (name, advice) => {
    const { own } = await open();
    const uses = [
      () => own[name](() => {}),
      () => {
        own[name] = () => {};
      },
    ];
    for (const use of uses) {
      const hint = await catchHint(use);
      expect(hint).toContain(advice);
      expect(hint).toContain("passport.authenticate { session: false }");
      expect(hint).toContain("session-sets/compat/express-session");
    }
  });

  test.each(["toString", "constructor", "__proto__", "valueOf"])(
    "is none that every object has: %s",
    async (name) => {
      const { own } = await open();
      const hint = await catchHint(() => Object.assign(own, { [name]: () => {} }));
      expect(hint).toContain("await session.set({ … })");
      expect(hint).not.toContain("express-session");
    },
  );

  test("that Passport calls at a sign-in names the recipe, and signs nobody in", async () => {
    const shop = expressSessions(sessions);
    const own = new passport.Passport();
    own.serializeUser((_user, done) => done(null, 7));
    const app = express().use(shop);
    app.post("/", own.initialize(), (req, res, next) => {
      req.login({ id: 7 }, (error) => (error ? next(error) : res.end()));
    });
    const errors: SessionError[] = [];
    const report: express.ErrorRequestHandler = (error, _req, res, _next) => {
      errors.push(error);
      res.status(error.status).end();
    };
    app.use(report);
    expect(await request(await serve(app), "/", { method: "POST" })).toMatchObject({ status: 500 });
    expect(errors).toMatchObject([{ code: "ERR_SESSION_CONFIG", field: "regenerate" }]);
    expect(await sessions.by("user_id", 7).size()).toBe(0);
  });
});
